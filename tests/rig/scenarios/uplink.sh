# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=120 limit=420 nic=1
# demo: two VMs with sockets reach each other and, by a real NIC, the world (about 4 minutes)
# Guests A and B with elisa-netd: the kernel's sockets over net_elisa. They ping and iperf3 each other and
# the outside, through an e1000 that the guests' own vCPUs drive in the trusted context. All frames are
# captured at both ends of the cable and compared. Then both at the same time, and what must not disturb the
# others: iperf3 killed in the middle, a guest killed in the middle.

. "$RIG_JOB/scenarios/common/uplink.sh"
. "$RIG_JOB/scenarios/common/flows.sh"

MAC_A=52:e1:15:a0:00:0a
MAC_B=52:e1:15:a0:00:0b
ADDRESS_A=198.51.100.10
ADDRESS_B=198.51.100.11
OUTSIDE=198.51.100.1
PINGS=5
UPLOAD=1M
DOWNLOAD=200K

pings() { # ID ADDRESS
	guest_do "$1" "run /bin/ping -n -q -c $PINGS -i 0.05 -W 5 $2"
}

# Nobody asks for an address any more: captures can end at both ends with nothing under way.
neighbours() {
	need neighbour.B-of-A "ip refused" guest_do A \
		"run /bin/ip neighbour replace $ADDRESS_B lladdr $MAC_B nud permanent dev elisa0"
	need neighbour.A-of-B "ip refused" guest_do B \
		"run /bin/ip neighbour replace $ADDRESS_A lladdr $MAC_A nud permanent dev elisa0"
	for ID in A B; do
		need "neighbour.outside-of-$ID" "ip refused" guest_do $ID \
			"run /bin/ip neighbour replace $OUTSIDE lladdr $FAR_MAC nud permanent dev elisa0"
		eval "MAC=\$MAC_$ID ADDRESS=\$ADDRESS_$ID"
		need "neighbour.$ID-of-outside" "ip refused" outside run neighbour \
			"ip neighbour replace $ADDRESS lladdr $MAC nud permanent dev \$FAR"
	done
}

# iperf NAME ID PORT N ARGS…: iperf3 of a guest; NAME.begin and NAME.end are counters from its middle,
# at least N packets of PORT apart. While it runs, the guest prints nothing.
iperf() {
	IPERF=$1
	IPERF_ID=$2
	FROM=$(sent_now "$3")
	ENOUGH=$4
	IPERF_PORT=$3
	shift 4
	guest_do "$IPERF_ID" "background iperf iperf3 $*" || return 1
	until_sent "$IPERF_PORT" $((FROM + 20)) || return 1
	snapshot "$IPERF.begin"
	until_sent "$IPERF_PORT" $((FROM + 20 + ENOUGH)) || return 1
	snapshot "$IPERF.end"
	count_exits "$IPERF"
}

iperf_ends() { # ID
	guest_do "$1" "await iperf"
	IPERF_STATUS=$?
	guest_do "$1" "output iperf 4"
	cat "$(guest_answer "$1")"
	return $IPERF_STATUS
}

boot() {
	# shellcheck disable=SC2034 # guest_start reads it
	GUEST_IMAGE=guest-net
	guests_boot A B
	need port-p0 "port add" elisactl port add p0 --vm A --mac $MAC_A
	need port-p1 "port add" elisactl port add p1 --vm B --mac $MAC_B
	stage "elisa-netd starts in A and B"
	need net-A "elisa-netd did not start" guest_do A "net p0 $ADDRESS_A/24"
	need net-B "elisa-netd did not start" guest_do B "net p1 $ADDRESS_B/24"
}

reach() {
	stage "pings: A and B, A and outside, outside and B"
	check ping.A-B "no answer" pings A $ADDRESS_B
	check ping.A-outside "no answer" pings A $OUTSIDE
	check ping.outside-B "no answer" \
		outside run ping "ping -n -q -c $PINGS -i 0.05 -W 5 $ADDRESS_B"
}

streams() {
	need server-outside "no server" outside start server "iperf3 -s"
	need server-B "no server" guest_do B "background server iperf3 -s"
	stage "iperf3: A sends $UPLOAD outside"
	need upload.flows "A did not send in time" iperf upload A p0 20 "-c $OUTSIDE -n $UPLOAD"
	check upload.ends "iperf3 failed" iperf_ends A
	stage "iperf3: outside sends $DOWNLOAD to A"
	need download.flows "no packets in time" iperf download A up0 60 "-c $OUTSIDE -n $DOWNLOAD -R"
	check download.ends "iperf3 failed" iperf_ends A
	stage "iperf3: A sends $UPLOAD to B"
	need between.flows "A did not send in time" iperf between A p0 20 "-c $ADDRESS_B -n $UPLOAD"
	check between.ends "iperf3 failed" iperf_ends A
	check no-exit-for-io "A $IO_A, B $IO_B" equal "$IO_A$IO_B" 00
}

# The closing table: one column for each guest.
guest_results() { # ID PORT
	result "$1.sent" "$(sent uplink "$2")"
	result "$1.received" "$(received uplink "$2")"
	result "$1.sent_bytes" "$(sent uplink "$2" bytes)"
	result "$1.received_bytes" "$(received uplink "$2" bytes)"
	result "$1.cut_into_segments" "$(sent uplink "$2" segments)"
	result "$1.gate_calls" "$(sent uplink "$2" calls)"
	eval "result $1.exits_while_traffic \$EXITS_$1"
	eval "result $1.exits_for_io \$IO_$1"
	result "$1.recoveries" "$(exits uplink "$1" recoveries)"
}

iperf_killed() {
	stage "A sends outside and is asked by B; then iperf3 is killed in the middle, outside and in A"
	need killed.flows "A did not send in time" iperf killed A p0 20 "-c $OUTSIDE -t 60"
	check at-the-same-time.B-A "no answer" pings B $ADDRESS_A
	FROM=$(sent_now p0)
	check at-the-same-time.A-outside "A does not send any more" until_sent p0 $((FROM + 20))
	outside stop server
	check killed.client-ends "iperf3 succeeds without its server" not iperf_ends A
	need killed.server "no server" outside start server "iperf3 -s"
	need killed.again "A did not send in time" iperf killed-again A p0 20 "-c $OUTSIDE -t 60"
	guest_do A "interrupt iperf"
	check killed.A-goes-on "no answer" pings A $OUTSIDE
}

guest_killed() {
	stage "B is killed while it sends outside"
	need lost.flows "B did not send in time" iperf lost B p1 20 "-c $OUTSIDE -t 60"
	check lost.killed "QEMU did not end" guest_kill B
	check lost.A-goes-on "no answer" pings A $OUTSIDE
	check lost.prove "the contexts break an invariant" elisactl prove
	check lost.port-is-gone "p1 is there still" not elisactl port show p1
	json uplink show up0 > "$RIG_TEMPORARY/up0"
	check lost.uplink-is-up "it is not" grep -q '"state":"up"' "$RIG_TEMPORARY/up0"
}

not() { ! "$@"; }

need uplink-starts "see switchd.log" uplink_start
boot
reach
neighbours
streams
uplink_compare
guest_results A p0
guest_results B p1
result exits_io $((IO_A + IO_B))
iperf_killed
guest_killed
snapshot last
check no-recovery "thrown out" equal "$(exits last A recoveries)" 0
need netd-A "elisa-netd did not leave with status 0" guest_do A "interrupt netd"
check leaves-A "guest A did not leave" guest_stop A
check uplink-stops "uplink, daemon or module did not go" uplink_stop
