# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# elisa.ko with a tiny VMM and a bare guest (tests/rig/vmm), no guest kernel: crossings, attacks on
# the gate, events while inside, refusals, and that nothing is left behind. Each case is a process.

need module-loads "insmod refused" insmod "$RIG_PAYLOAD/elisa.ko"
stage "driving the module with a bare guest"
elisa-vmm > "$RIG_SCENARIO_OUTPUT/vmm.log" 2>&1
while read -r VERDICT NAME REASON; do
	case $VERDICT in
	ok) pass "$NAME" ;;
	FAIL) fail "$NAME" "$REASON" ;;
	*) echo "$VERDICT $NAME $REASON" ;;
	esac
done < "$RIG_SCENARIO_OUTPUT/vmm.log"
check module-unloads "something still holds it" rmmod elisa
