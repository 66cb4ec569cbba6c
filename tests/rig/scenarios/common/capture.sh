# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# elisactl capture in the background of a scenario. Sourced after switch.sh.
#
#	capture NAME PORT [ARGS…]	to NAME.pcap; returns when the switch captures
#	capture_end NAME		interrupt it; 1: it failed
#	pid_of NAME			elisactl's process id
#	figure NAME FIELD		of its closing counts: captured, in, out, matched, dropped_ring, …
#	dropped_by NAME			packets that it did not get

capture() {
	CAPTURE=$RIG_SCENARIO_OUTPUT/$1
	shift
	elisactl --json capture "$@" -w "$CAPTURE.pcap" > "$CAPTURE.json" 2> "$CAPTURE.err" 9>&- &
	echo $! > "$CAPTURE.pid"
	TRIES=0
	# The file is made when the daemon has agreed.
	until [ -e "$CAPTURE.pcap" ]; do
		TRIES=$((TRIES + 1))
		[ $TRIES -lt 50 ] || { cat "$CAPTURE.err"; return 1; }
		sleep 0.1
	done
}

pid_of() { cat "$RIG_SCENARIO_OUTPUT/$1.pid"; }

capture_end() {
	kill -INT "$(pid_of "$1")"
	wait "$(pid_of "$1")" || { cat "$RIG_SCENARIO_OUTPUT/$1.err"; return 1; }
}

figure() { tr -d ' \n' < "$RIG_SCENARIO_OUTPUT/$1.json" | field "$2"; }
dropped_by() { echo $(($(figure "$1" dropped_ring) + $(figure "$1" dropped_reader))); }
