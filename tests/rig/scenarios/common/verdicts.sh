# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# Programs that print verdicts of their own: "ok NAME", "FAIL NAME REASON", "figure NAME VALUE".

# verdicts LOG PREFIX COMMAND…
verdicts() {
	LOG=$RIG_SCENARIO_OUTPUT/$1.log PREFIX=$2
	shift 2
	"$@" > "$LOG" 2>&1
	while read -r VERDICT NAME REASON; do
		case $VERDICT in
		ok) pass "$PREFIX$NAME" ;;
		FAIL) fail "$PREFIX$NAME" "$REASON" ;;
		figure) result "$PREFIX$NAME" "$REASON" ;;
		*) echo "$VERDICT $NAME $REASON" ;;
		esac
	done < "$LOG"
}
