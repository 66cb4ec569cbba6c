# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=90 limit=400 nic=1
# A vCPU that stops inside while it has the NIC's only queue, and how the daemon gets it back: the uplink
# is removed (the vCPU is thrown out), its VM is killed (the NIC is set up again). Who shares the NIC goes on.

. "$RIG_JOB/scenarios/common/switch.sh"
. "$RIG_JOB/scenarios/common/flows.sh"
. "$RIG_JOB/scenarios/common/nic.sh"

# shellcheck disable=SC2034 # of switch.sh
SWITCHD_OPTIONS="--uplink-memory 64"
TRIES_MAX=40

busy() { json stats p1 | port_part p1 sent | field uplink-busy; }

# A VM that is stopped elsewhere keeps B from nothing.
has_the_queue() {
	SENT=$(sent_now p1)
	BUSY=$(busy)
	sleep 0.1
	SENT=$(($(sent_now p1) - SENT))
	[ $SENT -gt 0 ] && [ $((2 * ($(busy) - BUSY))) -ge $SENT ]
}

# Stops VM $1 again and again, until it is inside with the queue.
stop_inside() {
	TRIES=0
	kill -STOP "$(guest_pid "$1")"
	until has_the_queue; do
		TRIES=$((TRIES + 1))
		[ $TRIES -lt $TRIES_MAX ] || return 1
		kill -CONT "$(guest_pid "$1")"
		sleep 0.00$((TRIES % 7 + 1))
		kill -STOP "$(guest_pid "$1")"
	done
}

sends() { # ID PORT
	guest_do "$1" "cmd set fwd txonly" && guest_do "$1" start && until_sent "$2" 500
}

resets() { json uplink show up0 | field resets; }

# Of one killed sender: a ring that did not get out, and a batch that was counted and not given any more.
in_the_ring() { [ "$1" -ge 0 ] && [ "$1" -le $((1024 + 32)) ]; }

nic_sent() { json stats "$1" | field opackets; }

# More goes out.
B_goes_on() {
	BEFORE=$(nic_sent up0)
	SENT=$(sent_now p1)
	until_sent p1 $((SENT + 1000)) && [ "$(nic_sent up0)" -ge $((BEFORE + 500)) ]
}

need binds "the NIC is not igb_uio's" nic_bind igb_uio
need starts "see switchd.log" switch_start
need adds "uplink add" elisactl uplink add up0 "$RIG_NIC"
guests_boot A B C
N=0
for ID in A B C; do
	need "port-$ID" "port add" elisactl port add p$N --vm $ID
	need "testpmd-$ID" "testpmd did not start" testpmd $ID p$N
	N=$((N + 1))
done

stage "A stops with the queue, the uplink is removed"
need remove.A-sends "A sent nothing" sends A p0
need remove.B-sends "B sent nothing" sends B p1
need remove.stopped-inside "A never stopped with the queue" stop_inside A
check remove.removes "the uplink stays" elisactl uplink del up0
check remove.adds "uplink add" elisactl uplink add up0 "$RIG_NIC"
# It takes the #GP when it runs again.
kill -CONT "$(guest_pid A)"
sleep 0.2
snapshot remove
check remove.thrown-out "A was not thrown out" equal "$(exits remove A recoveries)" 1
check remove.only-A "B was thrown out" equal "$(exits remove B recoveries)" 0
check remove.others-go-on "B does not get out" B_goes_on

stage "C stops with the queue and is killed"
need kill.C-sends "C sent nothing" sends C p2
need kill.stopped-inside "C never stopped with the queue" stop_inside C
guest_kill C
TRIES=0
until [ "$(resets)" = 1 ] || [ $TRIES -gt 50 ]; do
	TRIES=$((TRIES + 1))
	sleep 0.1
done
check kill.sets-up-the-nic "resets: $(resets)" equal "$(resets)" 1
check kill.others-go-on "B does not get out" B_goes_on
need kill.B-stops "no OK from B" guest_do B stop
sleep 0.3
snapshot end
NIC=$(nic_sent up0)
SWITCH_TO_NIC=$(received end up0)
# What was in the ring when C was killed did not get out; nothing got out that was not counted.
check kill.counts "the switch gave $SWITCH_TO_NIC to the NIC, it sent $NIC" \
	in_the_ring $((SWITCH_TO_NIC - NIC))
result lost_in_the_ring $((SWITCH_TO_NIC - NIC))

check leaves-B "guest B did not leave" guest_stop B
guest_kill A
check removes "uplink del" elisactl uplink del up0
check stops "daemon or module did not go" switch_stop
check released "the NIC has a driver still" nic_release
