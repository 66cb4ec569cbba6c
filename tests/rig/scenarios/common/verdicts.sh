# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# Programs that print verdicts of their own: "ok NAME", "FAIL NAME REASON", "figure NAME VALUE". One that dies
# has not said all that it was to say: check PROGRAM.ends.

# verdicts LOG PREFIX COMMAND…
verdicts() {
	LOG=$RIG_SCENARIO_OUTPUT/$1.log PREFIX=$2
	shift 2
	PROGRAM=$1 STATUS=0 OKS=0 FAILS=0
	"$@" > "$LOG" 2>&1 || STATUS=$?
	while read -r VERDICT NAME REASON; do
		case $VERDICT in
		ok)
			pass "$PREFIX$NAME"
			OKS=$((OKS + 1))
			;;
		FAIL)
			fail "$PREFIX$NAME" "$REASON"
			FAILS=$((FAILS + 1))
			;;
		figure) result "$PREFIX$NAME" "$REASON" ;;
		*) echo "$VERDICT $NAME $REASON" ;;
		esac
	done < "$LOG"
	check "$PREFIX$PROGRAM.ends" "status $STATUS after $OKS ok and $FAILS FAIL, see ${LOG##*/}" \
		[ "$((STATUS != 0))/$((OKS + FAILS > 0))" = "$((FAILS != 0))/1" ]
}
