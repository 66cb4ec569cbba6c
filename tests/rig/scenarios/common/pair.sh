# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# Guest A sends to guest B all the time, while a scenario looks at what others do meanwhile. Ports p0 (A)
# and p1 (B, with back-pressure). Sourced after switch.sh; MAC_A and MAC_B are set.
#
#	ports_of_the_pair NAME
#	pair_starts NAME	testpmd in both, traffic begins
#	pair_goes_on NAME	it begins again
#	renice_guests NICE ID…	with 19 they get the time that the others leave
#	pair_stops NAME		counts in SENT (A's driver) and GOT (B's), both since testpmd was started
#	pair_exact NAME		it has stopped: drivers and switch have counted the same, A lost nothing;
#				leaves a snapshot NAME, TAKEN, DELIVERED, LOST

ports_of_the_pair() {
	need "$1.port-p0" "port add" elisactl port add p0 --vm A --mac "$MAC_A"
	need "$1.port-p1" "port add" elisactl port add p1 --vm B --mac "$MAC_B" --on-full backpressure
}

pair_starts() {
	need "$1.testpmd-A" "testpmd did not start" \
		testpmd A p0 --forward-mode=txonly --eth-peer=0,"$MAC_B" --txpkts=60
	need "$1.testpmd-B" "testpmd did not start" testpmd B p1 --forward-mode=rxonly
	pair_goes_on "$1"
}

pair_goes_on() {
	need "$1.start-B" "no OK from B" guest_do B start
	need "$1.start-A" "no OK from A" guest_do A start
}

renice_guests() {
	NICE=$1
	shift
	THREADS=""
	for ID in "$@"; do
		read -r PID < "$RIG_TEMPORARY/$ID.pid"
		for THREAD in /proc/"$PID"/task/*; do
			THREADS="$THREADS ${THREAD##*/}"
		done
	done
	# shellcheck disable=SC2086
	renice "$NICE" -p $THREADS
}

pair_stops() {
	need "$1.stop-A" "no OK from A" guest_do A stop
	sleep 0.3
	need "$1.stop-B" "no OK from B" guest_do B stop
	SENT=$(guest_count A TX)
	GOT=$(guest_count B RX)
}

pair_exact() {
	snapshot "$1"
	TAKEN=$(sent "$1" p0)
	DELIVERED=$(received "$1" p1)
	# shellcheck disable=SC2034 # of scenarios
	LOST=$(received "$1" p1 dropped)
	check "$1.A-exact" "A sent $SENT, the switch took $TAKEN" equal "$SENT" "$TAKEN"
	check "$1.B-exact" "the switch delivered $DELIVERED, B received $GOT" equal "$DELIVERED" "$GOT"
	check "$1.A-lost-nothing" "$(sent "$1" p0 dropped) dropped" equal "$(sent "$1" p0 dropped)" 0
	check "$1.flowed" "A sent only $SENT packets" [ "$SENT" -ge 1000 ]
}
