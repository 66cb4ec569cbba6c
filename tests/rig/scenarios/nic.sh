# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=30 limit=200 nic=1
# Proves the NIC and the other end of its cable: Debian's testpmd on the host, without a switch, sends,
# answers and receives through it; its counts are compared with what passed outside.

# shellcheck source=tests/rig/guest/testpmd.sh
. "$RIG_JOB/testpmd.sh"
. "$RIG_JOB/scenarios/common/nic.sh"

NEAR=198.51.100.2	# nobody's: testpmd answers ARP for any address
PINGS=30
FLOOD=200

# testpmd's own closing statistics, in RX and TX.
stop_and_count() {
	testpmd_type stop || return 1
	RX=$(testpmd_show RX-packets | sed -n 's/.*RX-packets: *\([0-9]*\).*/\1/p' | head -n 1)
	TX=$(testpmd_show TX-packets | sed -n 's/.*TX-packets: *\([0-9]*\).*/\1/p' | head -n 1)
}

# compare NAME: both directions since the last call.
compare() {
	need "$1.counted-outside" "tcpdump's file cannot be read" far_frames "not ether src $FAR_MAC"
	OUT=$((FRAMES - OUT_BEFORE)) OUT_BEFORE=$FRAMES
	need "$1.counted-inbound" "tcpdump's file cannot be read" far_frames "ether src $FAR_MAC"
	IN=$((FRAMES - IN_BEFORE)) IN_BEFORE=$FRAMES
	need "$1.counted-losses" "no counter of the interface outside" far_dropped
	LOST=$((DROPPED - LOST_BEFORE)) LOST_BEFORE=$DROPPED
	result "$1_sent" "$TX"
	result "$1_received" "$RX"
	result "$1_lost_on_the_cable" "$LOST"
	check "$1.sent" "testpmd sent $TX, outside came $OUT" equal "$TX" "$OUT"
	check "$1.received" "outside sent $IN, lost $LOST, testpmd received $RX" \
		equal "$RX" $((IN - LOST))
}
OUT_BEFORE=0 IN_BEFORE=0 LOST_BEFORE=0

need binds "the NIC is not igb_uio's" nic_bind igb_uio
stage "starting testpmd on the NIC"
testpmd_start "--lcores=(0,1)@0" -a "$RIG_NIC" --no-telemetry --socket-mem 64 -- -i --nb-cores=1 \
	--total-num-mbufs=2048 --mbcache=64 --rxd=1024 --txd=256 --no-flush-rx --no-lsc-interrupt
STATUS=$?
testpmd_log 40
need testpmd "it did not start" equal $STATUS 0

stage "sending"
testpmd_type "set fwd txonly"
testpmd_type start
sleep 0.005
need send.stops "testpmd left" stop_and_count
compare send
check send.enough "only $TX" [ "$TX" -ge 1000 ]

stage "answering $PINGS pings"
testpmd_type "set fwd icmpecho"
testpmd_type start
check answer.all "some pings had no answer" \
	outside run ping "ping -n -c $PINGS -i 0.01 -s 1472 -W 5 $NEAR"
cat "$(outside_answer)"
need answer.stops "testpmd left" stop_and_count
compare answer
# And ARP.
check answer.enough "only $RX" [ "$RX" -ge $PINGS ]

stage "receiving"
testpmd_type "set fwd rxonly"
testpmd_type start
outside run flood "ping -n -q -c $FLOOD -i 0.006 -W 1 $NEAR"
sleep 0.2
need receive.stops "testpmd left" stop_and_count
compare receive
check receive.enough "only $RX" [ "$RX" -ge $((FLOOD / 2)) ]

need quits "testpmd left with another status than 0" testpmd_quit
check released "the NIC has a driver still" nic_release
