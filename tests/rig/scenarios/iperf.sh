# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=160 limit=600
# demo: two VMs run iperf3 over virtio-net, over elisa-netd and over gate=vmcall (about 4 minutes)
# iperf3 between guests A and B in three ways, for function and for counts: TCP and UDP, both
# directions, in parallel. One runs short and long; what the difference took, divided by its bytes,
# has no start and no end of programs in it (bench/side_by_side.py).

. "$RIG_JOB/scenarios/common/switch.sh"
. "$RIG_JOB/scenarios/common/ways.sh"

case $RIG_PLATFORM in
emulated*) SHORT=1 PARALLEL=4 LONG=17 SETTINGS="WINDOW=256K UDP_BITRATE=20M" ;;	# megabytes
*) SHORT=256 PARALLEL=256 LONG=4096 SETTINGS="UDP_BITRATE=1G" ;;
esac
# PARALLEL: more than what four connections may have under way, which is not counted as received.

iperf_run() { # TEST MEGABYTES
	guest_do A "run env $SETTINGS MEGABYTES=$2 iperf-tests.sh $ADDRESS_B /tmp/$2 $1"
}

# A figure of the JSON: the first "KEY":NUMBER after WORD.
figure() { sed "s/.*\"$2\"//" "$1" | grep -o "\"$3\":[0-9]*" | head -n 1 | cut -d : -f 2; }

# The tests' verdicts come from outside, out of these files (bench/iperf/summary.py).
judge() { # WAY TEST MEGABYTES
	FETCHED=$RIG_SCENARIO_OUTPUT/$1-$3M/$2.json
	mkdir -p "${FETCHED%/*}"
	fetch A "/tmp/$3/$2.json" "$FETCHED" || return 1
	ERROR=$(grep -o '"error":.*' "$FETCHED")
	BYTES=$((BYTES + $(figure "$FETCHED" sum_received bytes)))
	CONNECTIONS=$((CONNECTIONS + $(grep -o '"local_port":' "$FETCHED" | wc -l)))
	[ -z "$ERROR" ]
}

one_test() { # WAY TEST MEGABYTES
	ERROR=
	check "$1.$2-$3M" "iperf3 failed, see log" measured "$1-$2-$3" iperf_run "$2" "$3"
	check "$1.$2-$3M-content" "it says $ERROR" judge "$1" "$2" "$3" || ERRORS=$((ERRORS + 1))
}

tests() { # WAY
	BYTES=0 CONNECTIONS=0 ERRORS=0
	need "$1.server" "no server" guest_do B "background iperf iperf3 -s"
	one_test "$1" tcp $LONG
	for TEST in tcp tcp-reverse udp udp-reverse; do
		one_test "$1" $TEST $SHORT
	done
	one_test "$1" tcp-parallel $PARALLEL
	guest_send B "interrupt iperf"
	guest_wait B '* interrupt *'
	result "$1_bytes" $BYTES
	result "$1_connections" $CONNECTIONS
	result "$1_errors" $ERRORS
	check "$1.bytes" "only $BYTES bytes arrived" [ $BYTES -ge $(((LONG + 2 * SHORT) * 900000)) ]
}

ways_start
each_way tests
ways_stop
