# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=50 limit=300
# elisactl capture: what it shows of a flow from A to B is what testpmd and the switch count, at both
# ports; a filter; what does not fit is counted; readers that stop or are killed slow nobody down.

. "$RIG_JOB/scenarios/common/switch.sh"
. "$RIG_JOB/scenarios/common/flows.sh"
. "$RIG_JOB/scenarios/common/capture.sh"

MAC_A=52:e1:15:a0:00:0a
MAC_B=52:e1:15:a0:00:0b
BURSTS=20
FRAME=60	# bytes, as testpmd has them: without checksum
FILE_HEADER=24
PACKET_HEADER=16

file_is() { # NAME PACKETS BYTES_OF_EACH
	SIZE=$(wc -c < "$RIG_SCENARIO_OUTPUT/$1.pcap")
	[ "$SIZE" = $((FILE_HEADER + $2 * (PACKET_HEADER + $3))) ]
}

# A sends BURSTS of 32 packets, B takes them; ATX and BRX are what they count.
bursts() {
	guest_do B start || return 1
	guest_do A "cmd start tx_first $BURSTS" || return 1
	sleep 0.5
	stop_and_count A || return 1
	ATX=$TX
	stop_and_count B || return 1
	BRX=$RX
}

need switch-starts "see switchd.log" switch_start
guests_boot A B
need port-p0 "port add" elisactl port add p0 --vm A --mac $MAC_A --on-full backpressure
need port-p1 "port add" elisactl port add p1 --vm B --mac $MAC_B --on-full backpressure
need testpmd-A "testpmd did not start" testpmd A p0
need testpmd-B "testpmd did not start" testpmd B p1

stage "captures of both ports, some bursts from A to B"
PINNED=$(pinned)
need exact.prepared-A "testpmd refused a command" prepare A "set fwd rxonly" \
	"set txpkts $FRAME" "set eth-peer 0 $MAC_B"
need exact.prepared-B "testpmd refused a command" prepare B "set fwd rxonly"
need exact.p0-begins "no capture" capture p0 p0
need exact.p1-begins "no capture" capture p1 p1 -s 42
need exact.from-A-begins "no capture" capture from_A p1 -c 100 ether src $MAC_A
need exact.to-A-begins "no capture" capture to_A p1 ether dst $MAC_A
need prove "the contexts with capture memory break an invariant" elisactl prove
need exact.sent "A or B did not answer" bursts
check exact.some "A sent $ATX" [ "$ATX" -ge $((BURSTS * 32)) ]
check exact.received "A sent $ATX, B received $BRX" equal "$ATX" "$BRX"
need exact.count-ends-it "it did not end after 100 packets" wait "$(pid_of from_A)"
for NAME in p0 p1 to_A; do
	need "exact.$NAME-ends" "see $NAME.err" capture_end $NAME
	check "exact.$NAME-drops-nothing" "$(dropped_by $NAME) dropped" equal "$(dropped_by $NAME)" 0
done
check exact.p0-in "A sent $ATX, captured $(figure p0 in)" equal "$ATX" "$(figure p0 in)"
check exact.p0-out "captured $(figure p0 out)" equal "$(figure p0 out)" 0
check exact.p1-out "B received $BRX, captured $(figure p1 out)" equal "$BRX" "$(figure p1 out)"
check exact.p1-in "captured $(figure p1 in)" equal "$(figure p1 in)" 0
check exact.p0-file "$SIZE bytes" file_is p0 "$ATX" $FRAME
check exact.p1-file-is-short "$SIZE bytes" file_is p1 "$BRX" 42
check exact.count "captured $(figure from_A captured)" equal "$(figure from_A captured)" 100
check exact.filter-has-none "matched $(figure to_A matched)" equal "$(figure to_A matched)" 0
check exact.memory-is-back "$(pinned) pages instead of $PINNED" equal "$(pinned)" "$PINNED"
result captured_exactly $(($(figure p0 captured) + $(figure p1 captured)))

stage "a flow, with a reader that stops and one that is killed"
need flow.p0-begins "no capture" capture flow_p0 p0 -s 60
need flow.p1-begins "no capture" capture flow_p1 p1
need flow.stopped-begins "no capture" capture stopped p1
need flow.killed-begins "no capture" capture killed p0
kill -STOP "$(pid_of stopped)"
kill -9 "$(pid_of killed)"
one_way flow B p1 $MAC_B 1518 5000
check flow.nothing-dropped "$DROPPED dropped" equal "$DROPPED" 0
kill -CONT "$(pid_of stopped)"
for NAME in flow_p0 flow_p1 stopped; do
	need "flow.$NAME-ends" "see $NAME.err" capture_end $NAME
	result "$NAME.captured" "$(figure $NAME captured)"
	result "$NAME.dropped" "$(dropped_by $NAME)"
done
SEEN=$(($(figure flow_p0 captured) + $(dropped_by flow_p0)))
check flow.p0-captured-or-counted "A sent $SENT, seen $SEEN" equal "$SENT" "$SEEN"
SEEN=$(($(figure flow_p1 captured) + $(dropped_by flow_p1)))
check flow.p1-captured-or-counted "B received $GOT, seen $SEEN" equal "$GOT" "$SEEN"
SEEN=$(($(figure stopped captured) + $(dropped_by stopped)))
check flow.stopped-captured-or-counted "B received $GOT, seen $SEEN" equal "$GOT" "$SEEN"
check flow.captures-something "nothing" [ "$(figure flow_p1 captured)" -gt 0 ]
check flow.memory-is-back "$(pinned) pages instead of $PINNED" equal "$(pinned)" "$PINNED"

stage "a port that is removed while it is captured"
need removed.begins "no capture" capture removed p1
need removed.quit "testpmd did not leave with status 0" guest_do B quit
need removed.port "port del" elisactl port del p1
wait "$(pid_of removed)"
check removed.ends "its status is not 1" equal $? 1
check removed.says-so "it does not" grep -q "port p1 was removed" "$RIG_SCENARIO_OUTPUT/removed.err"

snapshot last
check no-recovery "thrown out" equal "$(exits last A recoveries)" 0
check quit-A "testpmd did not leave with status 0" guest_do A quit
for ID in A B; do
	check "leaves-$ID" "guest $ID did not leave" guest_stop $ID
done
check switch-stops "the daemon or the module did not go" switch_stop
