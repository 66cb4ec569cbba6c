#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Runs iperf3 against a server in each way, and keeps its JSON.
#
#	iperf-tests.sh ADDRESS FOLDER [NAME...]		all tests, or those named; --list prints them
#
# There: iperf3 -s. Leaves FOLDER/NAME.json. May be set:
#	MEGABYTES	of each test (64)
#	WINDOW		of each TCP socket (the kernel's). iperf3 ends when it has sent all, and does
#			not count as received what is under way then: up to a window for each connection
#	UDP_BITRATE	(100M)
#	UDP_LENGTH	bytes of a datagram (1400)
#	IPERF_PORT	(5201)
# Status 0: no test met an error.

set -u
AMOUNT="-n ${MEGABYTES:-64}M"
TCP="${WINDOW:+-w $WINDOW}"
UDP="-u -b ${UDP_BITRATE:-100M} -l ${UDP_LENGTH:-1400}"

options() {
	case $1 in
	tcp) echo "$TCP" ;;
	tcp-reverse) echo "$TCP -R" ;;
	tcp-parallel) echo "$TCP -P 4" ;;
	tcp-parallel-reverse) echo "$TCP -P 4 -R" ;;
	udp) echo "$UDP" ;;
	udp-reverse) echo "$UDP -R" ;;
	*)
		echo "iperf-tests.sh: no test '$1'; --list prints their names" >&2
		exit 2
		;;
	esac
}

TESTS="tcp tcp-reverse tcp-parallel tcp-parallel-reverse udp udp-reverse"
if [ "${1:-}" = --list ]; then
	echo "$TESTS"
	exit 0
fi
if [ $# -lt 2 ]; then
	echo "usage: iperf-tests.sh ADDRESS FOLDER [NAME...]" >&2
	exit 2
fi
ADDRESS=$1
FOLDER=$2
shift 2
mkdir -p "$FOLDER" || exit 1
STATUS=0
# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $TESTS
for NAME in "$@"; do
	OPTIONS=$(options "$NAME") || exit
	# shellcheck disable=SC2086
	iperf3 -c "$ADDRESS" -p "${IPERF_PORT:-5201}" --connect-timeout 5000 -i 0 --json $AMOUNT $OPTIONS \
		> "$FOLDER/$NAME.raw" || STATUS=1
	# With --json, its status does not tell. On one line: a guest's console is slow.
	! grep -q '"error":' "$FOLDER/$NAME.raw" || STATUS=1
	tr -d '\t\n' < "$FOLDER/$NAME.raw" > "$FOLDER/$NAME.json"
	echo >> "$FOLDER/$NAME.json"
	rm "$FOLDER/$NAME.raw"
done
exit $STATUS
