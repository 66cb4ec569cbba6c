# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=65 limit=400 nic=1
# The daemon is killed, and then started again in order, while A sends to a NIC: the next daemon takes it
# from A's vCPU, sets it up again under the same name and number, and A's packets go out again.

. "$RIG_JOB/scenarios/common/switch.sh"
. "$RIG_JOB/scenarios/common/flows.sh"
. "$RIG_JOB/scenarios/common/nic.sh"
. "$RIG_JOB/scenarios/common/restart.sh"

# shellcheck disable=SC2034 # of switch.sh
SWITCHD_OPTIONS="--monitor --uplink-memory 64"

nic_sent() { json stats up0 | field opackets; }

goes_out() {
	SENT=$(sent_now p0)
	until_sent p0 $((SENT + 300)) && [ "$(nic_sent)" -ge 150 ]
}

listed() { json uplink list; }

next_daemon() { # NAME SIGNAL
	OLD=$(daemon_pid)
	kill "-$2" "$OLD"
	need "$1.started-again" "see switchd.log" answers_anew "$OLD"
	listed > "$RIG_TEMPORARY/listed.now"
	check "$1.same-uplink" "see switchd.log" cmp "$RIG_TEMPORARY/listed" "$RIG_TEMPORARY/listed.now"
	check "$1.goes-out" "the NIC sent $(nic_sent)" goes_out
}

need binds "the NIC is not igb_uio's" nic_bind igb_uio
need starts "see switchd.log" switch_start
EMPTY=$(pinned)
need adds "uplink add" elisactl uplink add up0 "$RIG_NIC"
guests_boot A
need port-A "port add" elisactl port add p0 --vm A
need testpmd-A "testpmd did not start" testpmd A p0
need prepared "testpmd refused a command" prepare A "set fwd txonly"
need sender-started "no OK from A" guest_do A start
need goes-out "the NIC sent $(nic_sent)" goes_out
listed > "$RIG_TEMPORARY/listed"
stage "the daemon is killed"
next_daemon kill KILL
stage "the daemon is started again in order"
next_daemon upgrade HUP
snapshot end
check no-recovery "A was thrown out" equal "$(exits end A recoveries)" 0
check prove "the contexts as built break an invariant" elisactl prove
need A-stops "no OK from A" guest_do A stop

check removes "uplink del" elisactl uplink del up0
guests_leave A
check nothing-pinned "not $EMPTY pages as before" until_pinned "$EMPTY"
check stops "daemon or module did not go" switch_stop
check released "the NIC has a driver still" nic_release
