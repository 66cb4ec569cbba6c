# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# elisa.ko with a tiny VMM and a bare guest (tests/rig/vmm), no guest kernel: crossings, attacks on
# the gate, events while inside, refusals, and that nothing is left behind. Each case is a process.

# vmm LOG PREFIX [CASE...]
vmm() {
	LOG=$RIG_SCENARIO_OUTPUT/$1.log PREFIX=$2
	shift 2
	elisa-vmm "$@" > "$LOG" 2>&1
	while read -r VERDICT NAME REASON; do
		case $VERDICT in
		ok) pass "$PREFIX$NAME" ;;
		FAIL) fail "$PREFIX$NAME" "$REASON" ;;
		*) echo "$VERDICT $NAME $REASON" ;;
		esac
	done < "$LOG"
}

need module-loads "insmod refused" insmod "$RIG_PAYLOAD/elisa.ko"
stage "driving the module with a bare guest"
vmm vmm ""
check module-unloads "something still holds it" rmmod elisa
need with-vmcall.module-loads "insmod refused" insmod "$RIG_PAYLOAD/elisa.ko" vmcall_gate=1
stage "driving the module with its second gate"
vmm vmm-vmcall with-vmcall. vmcall-gate vmcall-unregister queues unregister second-attach attach-50-times two-vms
check with-vmcall.module-unloads "something still holds it" rmmod elisa
