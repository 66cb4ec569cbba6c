# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=90 limit=420
# What net_elisa offers beside plain packets, used by stock testpmd: checksum offload, TCP segmentation,
# several buffers for a packet, frames of 9000 bytes, two queues with RSS, VLAN tags. First A runs
# elisa-frames, which looks at every byte that B's testpmd sends back, then testpmd. Each phase is
# counted by both drivers and by the switch.

. "$RIG_JOB/scenarios/common/switch.sh"
. "$RIG_JOB/scenarios/common/flows.sh"

ANSWERED=400	# frames in a phase whose frames are looked at
ONE_WAY=8000	# packets in the others
LONG=40		# frames of 8000 bytes, each of which comes back in ten
MAC_A=52:e1:15:a0:00:0a
MAC_B=52:e1:15:a0:00:0b
# testpmd would wait nine seconds for the link of a port that it has stopped.
JUMBO="--disable-link-check --max-pkt-len=9018 --enable-scatter --tx-offloads=0x802e --rxd=512 --rxq=2 --txq=2"

# B forwards as it was told meanwhile; A's frames come back.
answered() { # NAME ENGINE FRAMES ANSWERS
	stage "$1: A sends $3 frames, B answers with $2"
	need "$1.prepared" "testpmd refused a command" prepare B "set fwd $2"
	snapshot "$1.before"
	need "$1.started" "no OK from B" guest_do B start
	check "$1.every-byte" "see A.serial" guest_do A "run elisa-frames -l 0 --no-pci --no-telemetry \
-d $PMD --vdev=net_elisa0,port=p0 -- $1 $MAC_B $3"
	BACK=$(sed -n 's/^received //p' "$(guest_answer A)")
	need "$1.stopped" "no OK from B" stop_and_count B
	snapshot "$1.done"
	TAKEN=$(($(sent "$1.done" p0) - $(sent "$1.before" p0)))
	DELIVERED=$(($(received "$1.done" p1) - $(received "$1.before" p1)))
	RETURNED=$(($(sent "$1.done" p1) - $(sent "$1.before" p1)))
	ARRIVED=$(($(received "$1.done" p0) - $(received "$1.before" p0)))
	result "$1_frames" "$DELIVERED"
	result "$1_answers" "$ARRIVED"
	check "$1.to-B-exact" "A $3, switch $TAKEN and $DELIVERED, B $RX" \
		equal "$3 $3 $3" "$TAKEN $DELIVERED $RX"
	check "$1.to-A-exact" "B $TX, switch $RETURNED and $ARRIVED, A ${BACK:-none}, not $4" \
		equal "$3 $3 $4 $4" "$TX $RETURNED $ARRIVED $BACK"
}

bytes_each() { # NAME: of the packets that B received
	echo $((($(received "$1.done" p1 bytes) - $(received "$1.before" p1 bytes)) / GOT))
}

# Testpmd's closing statistics name each queue that had packets, before the port.
queue_packets() { # LINE
	sed -n "s/.*RX-packets: *\([0-9]*\).*/\1/p" "$(guest_answer B)" | sed -n "$1p"
}

need switch-starts "see switchd.log" switch_start
guests_boot A B
need port-p0 "port add" elisactl port add p0 --vm A --mac $MAC_A --on-full backpressure --mtu 9000
need port-p1 "port add" elisactl port add p1 --vm B --mac $MAC_B --on-full backpressure --mtu 9000
need testpmd-B "testpmd did not start" testpmd B p1 "$JUMBO"

answered icmpecho icmpecho $ANSWERED $ANSWERED
answered macswap macswap $ANSWERED $ANSWERED
answered vlan macswap $ANSWERED $ANSWERED
answered 5tswap 5tswap $ANSWERED $ANSWERED
need offloads "testpmd refused a command" prepare B "port stop 0" "csum set ip hw 0" \
	"csum set udp hw 0" "csum set tcp hw 0" "tso set 800 0" "port start 0" "set eth-peer 0 $MAC_A"
answered csum csum $ANSWERED $ANSWERED
answered tso csum $LONG $((LONG * 10))

stage "starting testpmd in A"
need testpmd-A "testpmd did not start" testpmd A p0 "$JUMBO --txonly-multi-flow"
stage "segments: A sends $ONE_WAY packets in three buffers"
need segments.prepared "testpmd refused a command" \
	prepare A "set fwd txonly" "set txpkts 64,128,256" "set eth-peer 0 $MAC_B"
counted segments B p1 $ONE_WAY
check segments.bytes "packets of $(bytes_each segments)" equal "$(bytes_each segments)" 448
check segments.nothing-dropped "$DROPPED dropped" equal "$DROPPED" 0
stage "queues: were both of B's used?"
FIRST=$(queue_packets 1) SECOND=$(queue_packets 2)
result queue_0 "$FIRST"
result queue_1 "$SECOND"
check queues.both "queue 0 $FIRST, queue 1 $SECOND" [ $((FIRST * SECOND)) -gt 0 ]
check queues.add-up "$FIRST and $SECOND are not $GOT" equal $((FIRST + SECOND)) "$GOT"
stage "jumbo: A sends $((ONE_WAY / 4)) packets of 9014 bytes"
need jumbo.prepared "testpmd refused a command" prepare A "set txpkts 2000,2000,2000,2000,1014"
counted jumbo B p1 $((ONE_WAY / 4))
check jumbo.bytes "packets of $(bytes_each jumbo)" equal "$(bytes_each jumbo)" 9014
check jumbo.nothing-dropped "$DROPPED dropped" equal "$DROPPED" 0

snapshot last
check no-recovery "thrown out" equal "$(exits last A recoveries)$(exits last B recoveries)" 00
stage "stopping"
guests_leave A B
check switch-stops "the daemon or the module did not go" switch_stop
