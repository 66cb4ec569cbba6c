# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# elisa-faults on the running switch, for scenarios. Sourced after switch.sh.
#
#	faults WHAT STRIDE	checks WHAT and WHAT.switch, figures WHAT_…

expect_message 'elisa: vCPU \d+ of process \d+ thrown out of the switch.*'

faults() {
	stage "faults: $1"
	OUTPUT=$RIG_SCENARIO_OUTPUT/$1.out
	elisa-faults "$@" > "$OUTPUT" 2>> "$RIG_SCENARIO_OUTPUT/$1.log"
	VERDICT="it ended without a verdict, see $1.log"
	while read -r WORD NAME REST; do
		case $WORD in
		tried) result "$1_tried" "$NAME" ;;
		saw) result "$1_$NAME" "$REST" ;;
		ok) VERDICT="" ;;
		FAIL) VERDICT=$REST ;;
		esac
	done < "$OUTPUT"
	check "$1" "$VERDICT" [ -z "$VERDICT" ]
	check "$1.switch" "the contexts break an invariant" elisactl prove
}
