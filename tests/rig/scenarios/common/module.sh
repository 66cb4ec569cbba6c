# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# elisa.ko with a tiny VMM and a bare guest (tests/rig/vmm), no guest kernel: crossings, attacks on
# the gate, events while inside, refusals, and that nothing is left behind. Each case is a process.

. "$RIG_JOB/scenarios/common/verdicts.sh"

need module-loads "insmod refused" insmod "$RIG_PAYLOAD/elisa.ko"
stage "driving the module with a bare guest"
verdicts vmm "" elisa-vmm
check module-unloads "something still holds it" rmmod elisa
need with-vmcall.module-loads "insmod refused" insmod "$RIG_PAYLOAD/elisa.ko" vmcall_gate=1
stage "driving the module with its second gate"
verdicts vmm-vmcall with-vmcall. elisa-vmm vmcall-gate vmcall-unregister queues unregister second-attach attach-50-times two-vms
check with-vmcall.module-unloads "something still holds it" rmmod elisa
