# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=260 group=faults limit=900 nic=1
# A sender's VM is killed with its vCPUs at every instruction boundary of a send, at each so-manieth of a
# send through the NIC and of a poll of the NIC; it is stopped there for long, loses its port, loses its
# receiver. The receiver, and a bystander that sends to it too, lose nothing (tests/attack/faults.h).

. "$RIG_JOB/scenarios/common/switch.sh"
. "$RIG_JOB/scenarios/common/nic.sh"

# shellcheck disable=SC2034 # of switch.sh
SWITCHD_OPTIONS="--uplink-memory 64"
RECEIVER_ADDRESS=198.51.100.77
RECEIVER_MAC=52:e1:15:a0:0f:0c

expect_message 'elisa: vCPU \d+ of process \d+ thrown out of the switch.*'

# What it prints becomes checks WHAT and WHAT.switch and figures WHAT_….
faults() { # WHAT STRIDE
	stage "faults: $1"
	OUTPUT=$RIG_SCENARIO_OUTPUT/$1.out
	elisa-faults "$@" > "$OUTPUT" 2>> "$RIG_SCENARIO_OUTPUT/$1.log"
	VERDICT="it ended without a verdict, see $1.log"
	while read -r WORD NAME REST; do
		case $WORD in
		tried) result "$1_tried" "$NAME" ;;
		saw) result "$1_$NAME" "$REST" ;;
		ok) VERDICT="" ;;
		FAIL) VERDICT=$REST ;;
		esac
	done < "$OUTPUT"
	check "$1" "$VERDICT" [ -z "$VERDICT" ]
	check "$1.switch" "the contexts break an invariant" elisactl prove
}

need binds "the NIC is not igb_uio's" nic_bind igb_uio
need starts "see switchd.log" switch_start
need adds "uplink add" elisactl uplink add up0 "$RIG_NIC"
faults send 1
faults pause 100
faults delete 200
faults receiver 200
faults uplink-send 60
need outside-address "no neighbour" outside run neighbour \
	"ip neighbour replace $RECEIVER_ADDRESS lladdr $RECEIVER_MAC nud permanent dev \$FAR"
need outside-sends "no ping" outside start ping "ping -n -q -i 0.002 $RECEIVER_ADDRESS"
faults poll 50
outside stop ping
check removes "uplink del" elisactl uplink del up0
check stops "daemon or module did not go" switch_stop
check released "the NIC has a driver still" nic_release
