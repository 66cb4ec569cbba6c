#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ./run demo: two VMs exchange packets; prints a closing table, leaves build/results/demo.json.
set -euo pipefail
rig=$(dirname "$0")/..
# shellcheck source=tests/rig/lib/command.sh
. "$rig/lib/command.sh"

SCENARIO=demo

require_machine demo
began=$SECONDS
plan_setup
plan_build
run_plan
echo "three VMs boot on the host, two exchange packets, one looks on (about 2 minutes)"
status=0
# exec would lose the table; the runner ends the emulator itself on any signal.
"$RIG/runner.py" "$SCENARIO" || status=$?
"$RIG/table.py" "$RESULTS/$SCENARIO.json" $((SECONDS - began)) || status=1
exit $status
