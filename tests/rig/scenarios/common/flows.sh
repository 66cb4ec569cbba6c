# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# Flows between testpmds, counted three times: by the sender's driver, by the switch, by the
# receiver's driver. Sourced after switch.sh.
#
#	prepare ID COMMAND…	testpmd commands before a phase
#	flow NAME ID PORT N	guest ID starts; until PORT has sent N packets more; it stops
#	stop_and_count ID	stop forwarding; packets since its start are in RX and TX
#	counted NAME RECEIVER RECEIVER_PORT N	A on p0, which is prepared, sends; checks; SENT, GOT, DROPPED
#	one_way NAME RECEIVER RECEIVER_PORT MAC BYTES N		the same by txonly with packets of BYTES
#	count_exits NAME	exits of A and B between the snapshots NAME.begin and NAME.end are
#				added to EXITS_A, EXITS_B, and those for I/O to IO_A, IO_B

# shellcheck disable=SC2034 # used by eval
EXITS_A=0 EXITS_B=0 IO_A=0 IO_B=0
RECEIVED_A=0 RECEIVED_B=0 RECEIVED_C=0

count_exits() {
	for ID in A B; do
		ALL=$(($(exits "$1.end" $ID) - $(exits "$1.begin" $ID)))
		IO=$(($(exits "$1.end" $ID exits_io) - $(exits "$1.begin" $ID exits_io)))
		eval "EXITS_$ID=\$((EXITS_$ID + $ALL)) IO_$ID=\$((IO_$ID + $IO))"
	done
}

stop_and_count() {
	RX=0 TX=0
	guest_do "$1" stop && guest_do "$1" show || return 1
	while read -r KEY VALUE REST; do
		case $KEY in
		RX-packets:) RX=$VALUE ;;
		TX-packets:) TX=$VALUE ;;
		esac
	done < "$(guest_answer "$1")"
}

prepare() {
	PREPARE_ID=$1
	shift
	for COMMAND in "$@"; do
		guest_do "$PREPARE_ID" "cmd $COMMAND" || return 1
	done
}

# Leaves snapshots NAME.begin and NAME.end from the middle of the traffic, NAME.done from after it.
flow() { # NAME ID PORT N
	FROM=$(sent_now "$3")
	guest_do "$2" start || return 1
	# Some bursts: what an answer teaches the switch is known by then.
	until_sent "$3" $((FROM + 128)) || { guest_do "$2" "log 25"; return 1; }
	snapshot "$1.begin"
	until_sent "$3" $((FROM + $4)) || { guest_do "$2" "log 25"; return 1; }
	snapshot "$1.end"
	stop_and_count "$2" || return 1
	sleep 0.3
	snapshot "$1.done"
}

one_way() { # NAME RECEIVER RECEIVER_PORT MAC BYTES N
	stage "$1: A sends $6 packets of $5 bytes to $2"
	need "$1.prepared" "testpmd refused a command" \
		prepare A "set fwd txonly" "set txpkts $(($5 - 4))" "set eth-peer 0 $4"
	counted "$1" "$2" "$3" "$6"
}

counted() { # NAME RECEIVER RECEIVER_PORT N
	need "$1.receiver-prepared" "testpmd refused a command" prepare "$2" "set fwd rxonly"
	snapshot "$1.before"
	need "$1.receiver-started" "no OK from $2" guest_do "$2" start
	need "$1.flows" "A did not send in time" flow "$1" A p0 "$4"
	SENT=$TX
	need "$1.receiver-stopped" "no OK from $2" stop_and_count "$2"
	GOT=$RX
	eval "RECEIVED_$2=\$((RECEIVED_$2 + $GOT))"
	TAKEN=$(($(sent "$1.done" p0) - $(sent "$1.before" p0)))
	CALLS=$(($(sent "$1.done" p0 calls) - $(sent "$1.before" p0 calls)))
	DELIVERED=$(($(received "$1.done" "$3") - $(received "$1.before" "$3")))
	DROPPED=$(($(received "$1.done" "$3" dropped) - $(received "$1.before" "$3" dropped)))
	LOST=$(($(sent "$1.done" p0 dropped) - $(sent "$1.before" p0 dropped)))
	result "$1_sent" "$SENT"
	result "$1_received" "$GOT"
	result "$1_dropped" "$DROPPED"
	result "$1_gate_calls" "$CALLS"
	count_exits "$1"
	check "$1.sender-and-switch-agree" "A sent $SENT, the switch took $TAKEN" equal "$SENT" "$TAKEN"
	check "$1.switch-and-receiver-agree" "delivered $DELIVERED, $2 received $GOT" \
		equal "$DELIVERED" "$GOT"
	check "$1.sent-is-received-plus-dropped" "sent $SENT, received $GOT, dropped $DROPPED" \
		equal "$SENT" $((GOT + DROPPED))
	check "$1.both-sides-count-the-drops" "sender $LOST, receiver $DROPPED" equal "$LOST" "$DROPPED"
}
