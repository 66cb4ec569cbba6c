#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ./run demo [NAME]: a scenario that shows something, by default two VMs that exchange packets; prints a
# closing table, leaves build/results/NAME.json. Those with a line "# demo: TEXT" are demos.
set -euo pipefail
rig=$(dirname "$0")/..
# shellcheck source=tests/rig/lib/command.sh
. "$rig/lib/command.sh"

scenario=${1:-demo}
file=$RIG/scenarios/$scenario.sh
if [[ ! $scenario =~ ^[a-z0-9-]+$ ]] || ! grep -qs '^# demo: ' "$file"; then
	demos=$(cd "$RIG/scenarios" && grep -l '^# demo: ' -- *.sh | sed 's/\.sh$//' | tr '\n' ' ')
	echo "./run demo: no demo '$scenario'; there are: $demos" >&2
	exit 2
fi

require_machine demo
began=$SECONDS
plan_setup
plan_build
run_plan
sed -n 's/^# demo: //p' "$file"
rm -f "$RESULTS/$scenario.json"
status=0
# exec would lose the table; the runner ends the emulator itself on any signal.
"$RIG/runner.py" "$scenario" || status=$?
"$RIG/table.py" "$RESULTS/$scenario.json" $((SECONDS - began)) || status=1
# A benchmark sums up what its scenario brought.
close=$ROOT/bench/$scenario/close.sh
[ ! -x "$close" ] || "$close" "$RESULTS" || status=1
exit $status
