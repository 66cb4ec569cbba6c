# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=160 limit=600
# demo: a VM asks memcached in another over virtio-net, elisa-netd and gate=vmcall (about 4 minutes)
# Debian's memcached in B, elisa-memload in A, in three ways, for function and for counts. It runs
# twice, short and long; what the difference took, divided by its bytes, has no start, no filling
# and no end of programs in it (bench/side_by_side.py).

. "$RIG_JOB/scenarios/common/switch.sh"
. "$RIG_JOB/scenarios/common/ways.sh"

case $RIG_PLATFORM in
emulated*)
	RATES=250 SHORT=1 LONG=3	# requests a second; seconds, in which idle time passes fast
	OPTIONS="--warm-up 0.1 --connections 4 --keys 200 --value-size 1000"
	;;
*)
	RATES=10000,20000,50000,100000,150000,200000 SHORT=2 LONG=10
	OPTIONS="--warm-up 1 --connections 16 --keys 10000 --value-size 1000"
	;;
esac

load_run() { # SECONDS
	guest_do A "run sh -c 'elisa-memload --host $ADDRESS_B --rate $RATES --duration $1 $OPTIONS > /tmp/load'"
}

# The sum of all "KEY":NUMBER of a file.
total() {
	TOTAL=0
	for FOUND in $(grep -o "\"$2\":[0-9]*" "$1"); do
		TOTAL=$((TOTAL + ${FOUND#*:}))
	done
	echo $TOTAL
}

one_load() { # WAY SECONDS
	check "$1.load-$2s" "elisa-memload counted errors, see log" measured "$1-load-$2" load_run "$2"
	ANSWER=$RIG_SCENARIO_OUTPUT/$1-$2s.json
	need "$1.answer-$2s" "no answer" fetch A /tmp/load "$ANSWER"
	# The file's last "errors" is that of all.
	ERRORS=$((ERRORS + $(sed 's/.*"errors"://; s/[^0-9].*//' "$ANSWER")))
	BYTES=$((BYTES + $(total "$ANSWER" bytes_in) + $(total "$ANSWER" bytes_out)))
	CONNECTIONS=$((CONNECTIONS + $(total "$ANSWER" connections)))
	ANSWERS=$(($(total "$ANSWER" hits) + $(total "$ANSWER" stored)))
	MISSES=$((MISSES + $(total "$ANSWER" misses)))
	SENT=$(total "$ANSWER" sent)
	check "$1.all-answered-$2s" "$SENT sent, $ANSWERS answered" [ "$SENT" = "$ANSWERS" ]
	check "$1.enough-$2s" "only $SENT requests" [ "$SENT" -ge $((${RATES##*,} * $2 / 2)) ]
	check "$1.latencies-$2s" "no latency in the answer" grep -q '"latencies_us":\[\[' "$ANSWER"
}

loads() { # WAY
	BYTES=0 CONNECTIONS=0 ERRORS=0 MISSES=0
	need "$1.server" "no server" guest_do B "background memcached memcached -u root -U 0 -m 16 -t 1"
	one_load "$1" $SHORT
	one_load "$1" $LONG
	guest_send B "interrupt memcached"
	guest_wait B '* interrupt *'
	result "$1_bytes" $BYTES
	result "$1_connections" $CONNECTIONS
	result "$1_misses" $MISSES
	result "$1_errors" $ERRORS
}

ways_start
each_way loads
ways_stop
