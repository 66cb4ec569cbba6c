# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# A switch on the host and testpmd on it in guests, for the scenarios. Sourced after lib.sh.
#
#	switch_start			load elisa.ko, start elisa-switchd, wait until it answers
#	daemon_start			the daemon only
#	switch_stop			end the daemon, unload the module
#	snapshot NAME			keep the counters of all ports and VMs as NAME.stats and NAME.vm
#	sent NAME PORT [FIELD]		a counter of a snapshot: packets (default), calls, dropped, flooded
#	received NAME PORT [FIELD]
#	drops NAME PORT REASON		packets that the port's senders lost on the way to it
#	nic NAME UPLINK FIELD		what an uplink's NIC counted: ipackets, opackets, imissed, …
#	exits NAME VM [FIELD]		exits (default), exits_io, exits_inside, recoveries, traps
#	sent_now PORT			packets, now
#	until_sent PORT N		wait for it; 1 after more than 10 emulated seconds
#	pinned				pages that the switch holds, of all VMs
#	until_pinned PAGES		wait until it holds so many; 1 after more than 5 emulated seconds
#	testpmd ID PORT [ARGS…]		start testpmd in a guest on that port
#	guest_count ID RX|TX		packets that testpmd's driver counted, since it started

SWITCH=elisa0
SWITCHD_OPTIONS=
# Other than those that are shipped, for tests of the tests.
SWITCH_MODULE="$RIG_PAYLOAD/elisa.ko"
SWITCH_IMAGE=$RIG_PAYLOAD/elisa-image.elf
SWITCHD=elisa-switchd
# In the guests: main thread and forwarding on one vCPU.
LCORES="(0,1)@0"
PMD=/opt/elisa/librte_net_elisa.so

switch_start() {
	stage "loading elisa.ko and starting elisa-switchd"
	# shellcheck disable=SC2086 # with parameters
	insmod $SWITCH_MODULE && daemon_start
}

daemon_start() {
	# The emulated CPU is a Haswell, which has L1TF and MDS.
	# shellcheck disable=SC2086
	$SWITCHD --switch $SWITCH --image "$SWITCH_IMAGE" \
		--accept-side-channels $SWITCHD_OPTIONS 9>&- 2>> "$RIG_SCENARIO_OUTPUT/switchd.log" &
	echo $! > "$RIG_TEMPORARY/switchd.pid"
	TRIES=0
	until elisactl status > /dev/null 2>&1; do
		TRIES=$((TRIES + 1))
		if [ $TRIES -gt 100 ] || ! kill -0 "$(cat "$RIG_TEMPORARY/switchd.pid")"; then
			cat "$RIG_SCENARIO_OUTPUT/switchd.log"
			return 1
		fi
		sleep 0.1
	done
}

switch_stop() {
	kill "$(cat "$RIG_TEMPORARY/switchd.pid")"
	TRIES=0
	while kill -0 "$(cat "$RIG_TEMPORARY/switchd.pid")" 2> /dev/null; do
		TRIES=$((TRIES + 1))
		[ $TRIES -lt 100 ] || return 1
		sleep 0.1
	done
	rmmod elisa
}

json() { elisactl --json "$@" | tr -d ' \n'; }

snapshot() {
	json stats > "$RIG_SCENARIO_OUTPUT/$1.stats"
	json vm > "$RIG_SCENARIO_OUTPUT/$1.vm"
}

# One port's object of a snapshot, or of the text on stdin.
port_part() { # PORT sent|received
	sed "s/.*\"name\":\"$1\",//; s/\"name\":.*//; s/.*\"$2\":{//; s/\"received\":.*//"
}

field() { # KEY: the first "KEY":NUMBER of stdin, 0 when there is none
	FOUND=$(grep -o "\"$1\":[0-9]*" | head -n 1)
	FOUND=${FOUND#*:}
	echo "${FOUND:-0}"
}

sent() { port_part "$2" sent < "$RIG_SCENARIO_OUTPUT/$1.stats" | field "${3:-packets}"; }
received() { port_part "$2" received < "$RIG_SCENARIO_OUTPUT/$1.stats" | field "${3:-packets}"; }
nic() { port_part "$2" nic < "$RIG_SCENARIO_OUTPUT/$1.stats" | field "$3"; }
drops() { port_part "$2" received < "$RIG_SCENARIO_OUTPUT/$1.stats" | field "$3"; }

exits() {
	sed "s/.*\"name\":\"$2\",//; s/\"name\":.*//" "$RIG_SCENARIO_OUTPUT/$1.vm" | field "${3:-exits}"
}

sent_now() { json stats "$1" | port_part "$1" sent | field packets; }

until_sent() {
	TRIES=0
	while [ "$(sent_now "$1")" -lt "$2" ]; do
		TRIES=$((TRIES + 1))
		[ $TRIES -lt 100 ] || return 1
		sleep 0.1
	done
}

pinned() { json status | field pinned_pages; }

until_pinned() {
	TRIES=0
	until [ "$(pinned)" = "$1" ]; do
		TRIES=$((TRIES + 1))
		[ $TRIES -lt 50 ] || return 1
		sleep 0.1
	done
}

testpmd() {
	TESTPMD_ID=$1
	TESTPMD_PORT=$2
	shift 2
	guest_do "$TESTPMD_ID" "testpmd '--lcores=$LCORES' --no-pci --no-telemetry -d $PMD \
--vdev=net_elisa0,port=$TESTPMD_PORT -- -i --nb-cores=1 --total-num-mbufs=4096 --mbcache=64 \
--rxd=1024 --txd=256 --no-flush-rx --no-lsc-interrupt $*"
}

guest_count() {
	guest_do "$1" "cmd show port stats 0" && guest_do "$1" "show $2-packets" || return 1
	sed -n "s/.*$2-packets: *\([0-9]*\).*/\1/p" "$(guest_answer "$1")" | head -n 1
}
