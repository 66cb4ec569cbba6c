# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=100 limit=300
# demo: three VMs boot on the host, two exchange packets, one looks on (about 2 minutes)
# The main job: guests A and B (and C, a bystander) with Debian's testpmd on net_elisa exchange
# packets through VMFUNC and the switch in the trusted context. Each phase is counted three times:
# by the sender's driver, by the switch, by the receiver's driver.
#
# Ports: p0 (A) and p1 (B) with back-pressure, p2 (C) drops when full.

. "$RIG_JOB/scenarios/common/switch.sh"
. "$RIG_JOB/scenarios/common/flows.sh"

ONE_WAY=${ONE_WAY:-60000}	# packets in each of the phases of 64 and of 1518 bytes
DROPPING=20000
EACH_WAY=12000
MAC_A=52:e1:15:a0:00:0a
MAC_B=52:e1:15:a0:00:0b
MAC_C=52:e1:15:a0:00:0c
NOBODY=02:00:00:00:00:99
CANARY_A=a15ea15e0badcafe1122334455667788
CANARY_B=b15eb15e0ddba11d8877665544332211

two_way() {
	stage "two-way: A sends, B swaps addresses and answers, at least $EACH_WAY packets each way"
	need two-way.prepared-A "testpmd refused a command" \
		prepare A "set fwd flowgen" "set txpkts 60" "set eth-peer 0 $NOBODY"
	need two-way.prepared-B "testpmd refused a command" prepare B "set fwd macswap"
	need two-way.prepared-C "testpmd refused a command" prepare C "set fwd rxonly"
	snapshot two-way.before
	need two-way.started-C "no OK from C" guest_do C start
	need two-way.started-B "no OK from B" guest_do B start
	need two-way.flows "B did not answer in time" flow two-way A p1 "$EACH_WAY"
	ATX=$TX ARX=$RX
	# A takes what is still under way to it, and B what A had sent.
	need two-way.drain "testpmd refused a command" prepare A "set fwd rxonly"
	need two-way.drained "no OK from A" guest_do A start
	sleep 0.3
	need two-way.stopped-B "no OK from B" stop_and_count B
	BRX=$RX BTX=$TX
	need two-way.stopped-A "no OK from A" stop_and_count A
	ARX=$((ARX + RX))
	need two-way.stopped-C "no OK from C" stop_and_count C
	CRX=$RX
	RECEIVED_A=$((RECEIVED_A + ARX)) RECEIVED_B=$((RECEIVED_B + BRX)) RECEIVED_C=$((RECEIVED_C + CRX))
	snapshot two-way.after
	count_exits two-way
	LEARNED=$(($(received two-way.done p2) - $(received two-way.begin p2)))
	result two_way_A_to_B "$ATX"
	result two_way_B_to_A "$BTX"
	result two_way_flooded $(($(sent two-way.after p0 flooded) - $(sent two-way.before p0 flooded)))
	result two_way_to_bystander "$CRX"
	check two-way.A-to-B-exact "A sent $ATX, B received $BRX" equal "$ATX" "$BRX"
	check two-way.B-to-A-exact "B sent $BTX, A received $ARX" equal "$BTX" "$ARX"
	check two-way.enough "only $ATX and $BTX packets" [ $((ATX + BTX)) -ge $((2 * EACH_WAY)) ]
	check two-way.unknown-destination-floods "C saw no packet" [ "$CRX" -gt 0 ]
	check two-way.learned-destination-does-not "C still got $LEARNED packets after B had answered" \
		[ "$LEARNED" = 0 ]
	TWO_WAY=$((ATX + BTX))
}

canary() { # ID OWN FOREIGN
	memscan "$(guest_pid "$1")" "$2" "$3" > "$RIG_TEMPORARY/canary"
	{ read -r OWN && read -r FOREIGN; } < "$RIG_TEMPORARY/canary"
	check "canary.$1-has-its-own" "the scan does not find it" [ "${OWN:-0}" -gt 0 ]
	check "canary.$1-has-no-other" "found in ${FOREIGN:-?} places" equal "$FOREIGN" 0
}

# The closing table: one column for each guest.
guest_results() { # ID PORT
	CALLS=$(sent last "$2" calls)
	TAKEN=$(sent last "$2")
	result "$1.sent" "$TAKEN"
	eval "result $1.received \$RECEIVED_$1"
	result "$1.dropped_receiver_full" "$(drops last "$2" receiver-full)"
	result "$1.dropped_other_reasons" \
		$(($(received last "$2" dropped) - $(drops last "$2" receiver-full)))
	result "$1.gate_calls" "$CALLS"
	result "$1.packets_per_call" $((TAKEN / (CALLS ? CALLS : 1)))
	result "$1.recoveries" "$(exits last "$1" recoveries)"
}

need switch-starts "see switchd.log" switch_start
guests_boot A B C
need port-p0 "port add" elisactl port add p0 --vm A --mac $MAC_A --on-full backpressure
need port-p1 "port add" elisactl port add p1 --vm B --mac $MAC_B --on-full backpressure
need port-p2 "port add" elisactl port add p2 --vm C --mac $MAC_C
guest_do A "canary $CANARY_A"
guest_do B "canary $CANARY_B"
stage "starting testpmd in the guests"
need testpmd-A "testpmd did not start" testpmd A p0
need testpmd-B "testpmd did not start" testpmd B p1
need testpmd-C "testpmd did not start" testpmd C p2
need prove "the contexts as built break an invariant" elisactl prove

one_way oneway_64 B p1 $MAC_B 64 "$ONE_WAY"
TOTAL_SENT=$SENT TOTAL_GOT=$GOT
check oneway_64.nothing-dropped "$DROPPED dropped" equal "$DROPPED" 0
one_way oneway_1518 B p1 $MAC_B 1518 "$ONE_WAY"
TOTAL_SENT=$((TOTAL_SENT + SENT)) TOTAL_GOT=$((TOTAL_GOT + GOT))
check oneway_1518.nothing-dropped "$DROPPED dropped" equal "$DROPPED" 0
one_way drop_64 C p2 $MAC_C 64 $DROPPING
check drop_64.drops "the receiver kept up, so the drop path was not seen" [ "$DROPPED" -gt 0 ]
two_way
stage "looking for each guest's canary in the other's memory"
canary A $CANARY_A $CANARY_B
canary B $CANARY_B $CANARY_A

snapshot last
guest_results A p0
guest_results B p1
guest_results C p2
for ID in A B; do
	eval "result $ID.exits_while_traffic \$EXITS_$ID"
	eval "result $ID.exits_for_io \$IO_$ID"
done
EXITS_IO=$((IO_A + IO_B))
RECOVERIES=$(($(exits last A recoveries) + $(exits last B recoveries) + $(exits last C recoveries)))
result sent "$TOTAL_SENT"
result received "$TOTAL_GOT"
result two_way "$TWO_WAY"
result gate_calls $(($(sent last p0 calls) + $(sent last p1 calls) + $(sent last p2 calls)))
result exits_io "$EXITS_IO"
result recoveries "$RECOVERIES"
check one-way-exact "sent $TOTAL_SENT, received $TOTAL_GOT" equal "$TOTAL_SENT" "$TOTAL_GOT"
check enough-packets "only $TOTAL_SENT" [ "$TOTAL_SENT" -ge $((2 * ONE_WAY)) ]
check no-exit-for-io "$EXITS_IO" equal "$EXITS_IO" 0
check no-recovery "$RECOVERIES" equal "$RECOVERIES" 0

stage "stopping"
guests_leave A B C
check switch-stops "the daemon or the module did not go" switch_stop
