# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=90 limit=300 nic=1
# testpmd in guests A and B on a switch with an uplink: pings from outside that A answers, bursts of A to
# the outside, a flood from outside to B. A guest's own vCPU drives the NIC, in the trusted context.
# Counted by testpmd, by the switch, by the NIC and outside; each frame compared, byte for byte.

. "$RIG_JOB/scenarios/common/uplink.sh"
. "$RIG_JOB/scenarios/common/flows.sh"

MAC_A=52:e1:15:a0:00:0a
MAC_B=52:e1:15:a0:00:0b
ADDRESS_A=198.51.100.10	# testpmd answers ARP for any
ADDRESS_B=198.51.100.11	# testpmd answers nothing
PINGS=30
# Of 32 packets: no more than fit into the ring of a capture.
SHORT_BURSTS=40
LONG_BURSTS=8
FLOOD=200

bursts() { # BYTES N
	guest_do A "cmd set txpkts $1" && guest_do A "start tx_first $2" || return 1
	sleep 0.2
	stop_and_count A
}

need uplink-starts "see switchd.log" uplink_start
guests_boot A B
need port-p0 "port add" elisactl port add p0 --vm A --mac $MAC_A --on-full backpressure
need port-p1 "port add" elisactl port add p1 --vm B --mac $MAC_B
need testpmd-A "testpmd did not start" testpmd A p0
need testpmd-B "testpmd did not start" testpmd B p1
need prove "the contexts as built break an invariant" elisactl prove

stage "$PINGS pings of 1514 bytes from outside, A answers"
need ping.prepared "testpmd refused a command" prepare A "set fwd icmpecho"
need ping.started "no OK from A" guest_do A start
snapshot ping.begin
check ping.answered "some had no answer" \
	outside run ping "ping -n -c $PINGS -i 0.01 -s 1472 -W 5 $ADDRESS_A"
snapshot ping.end
count_exits ping
need ping.stopped "no OK from A" stop_and_count A
check ping.count "A received $RX, sent $TX" equal "$RX" "$TX"
# And at least one question who has the address.
check ping.enough "A received $RX" [ "$RX" -gt $PINGS ]

stage "A sends $((SHORT_BURSTS + LONG_BURSTS)) bursts outside"
need send.prepared "testpmd refused a command" prepare A "set fwd rxonly" "set eth-peer 0 $FAR_MAC"
snapshot send.begin
need send.short "A did not send" bursts 60 $SHORT_BURSTS
SENT=$TX
need send.long "A did not send" bursts 1514 $LONG_BURSTS
SENT=$((SENT + TX))
snapshot send.end
TAKEN=$(($(received send.end up0) - $(received send.begin up0)))
DROPPED=$(($(received send.end up0 dropped) - $(received send.begin up0 dropped)))
result bursts_sent "$SENT"
result bursts_dropped "$DROPPED"
check send.enough "only $SENT" [ "$SENT" -ge $((SHORT_BURSTS * 32)) ]
check send.count "A sent $SENT, the uplink took $TAKEN, dropped $DROPPED" equal "$SENT" $((TAKEN + DROPPED))

stage "$FLOOD frames from outside to B"
need flood.address "no neighbour" \
	outside run neighbour "ip neighbour replace $ADDRESS_B lladdr $MAC_B nud permanent dev \$FAR"
need flood.prepared "testpmd refused a command" prepare B "set fwd rxonly"
need flood.started "no OK from B" guest_do B start
snapshot flood.begin
outside run flood "ping -n -q -c $FLOOD -i 0.006 -W 1 $ADDRESS_B"
sleep 0.3
snapshot flood.end
count_exits flood
need flood.stopped "no OK from B" stop_and_count B
# With what was broadcast before it began.
DELIVERED=$(received flood.end p1)
result flood_received "$RX"
check flood.count "the switch delivered $DELIVERED, B received $RX" equal "$DELIVERED" "$RX"
check flood.enough "only $RX" [ "$RX" -ge $((FLOOD / 2)) ]
check no-exit-for-io "A $IO_A, B $IO_B" equal "$IO_A$IO_B" 00

uplink_compare
check no-recovery "thrown out" equal "$(exits uplink A recoveries)$(exits uplink B recoveries)" 00
guests_leave A B
check uplink-stops "uplink, daemon or module did not go" uplink_stop
