# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=105 limit=420 cpus=2
# Sender and receiver at the same time: a host with two CPUs, guests with two vCPUs each, testpmd's
# forwarding on the second. Everything may move between CPUs, also inside the contexts.

. "$RIG_JOB/scenarios/common/switch.sh"
. "$RIG_JOB/scenarios/common/flows.sh"

MAC_A=52:e1:15:a0:00:0a
MAC_B=52:e1:15:a0:00:0b
# shellcheck disable=SC2034 # of switch.sh
LCORES="0@0,1@1"
PACKETS=20000

need switch-starts "see switchd.log" switch_start
for ID in A B; do
	guest_start $ID -smp 2
done
for ID in A B; do
	need "guest-$ID-boots" "no READY from guest $ID" guest_wait $ID 'READY *'
	# Threads of a VMM are not bound: vCPUs move.
	for THREAD in /proc/"$(guest_pid $ID)"/task/*; do
		taskset -p 3 "${THREAD##*/}"
	done
done
need port-p0 "port add" elisactl port add p0 --vm A --mac $MAC_A --on-full backpressure
need port-p1 "port add" elisactl port add p1 --vm B --mac $MAC_B --on-full backpressure
need testpmd-A "testpmd did not start" testpmd A p0
need testpmd-B "testpmd did not start" testpmd B p1
need prove "the contexts as built break an invariant" elisactl prove
one_way oneway B p1 $MAC_B 64 $PACKETS
check oneway.nothing-dropped "$DROPPED dropped" equal "$DROPPED" 0
check oneway.no-exit-for-io "A $IO_A, B $IO_B" equal "$IO_A$IO_B" 00
snapshot last
check no-recovery "thrown out" equal "$(exits last A recoveries)$(exits last B recoveries)" 00
guests_leave A B
check switch-stops "the daemon or the module did not go" switch_stop
