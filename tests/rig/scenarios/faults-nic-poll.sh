# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=490 group=faults limit=1500 nic=1
# A VM is killed with its vCPUs at every instruction boundary of a poll of a NIC that has a frame, sent by a
# ping outside. The NIC goes on for a bystander, which loses nothing (tests/attack/faults.h).

. "$RIG_JOB/scenarios/common/switch.sh"
. "$RIG_JOB/scenarios/common/nic.sh"
. "$RIG_JOB/scenarios/common/faults.sh"

# shellcheck disable=SC2034 # of switch.sh
SWITCHD_OPTIONS="--uplink-memory 64"
RECEIVER_ADDRESS=198.51.100.77
RECEIVER_MAC=52:e1:15:a0:0f:0c

need binds "the NIC is not igb_uio's" nic_bind igb_uio
need starts "see switchd.log" switch_start
need adds "uplink add" elisactl uplink add up0 "$RIG_NIC"
need outside-address "no neighbour" outside run neighbour \
	"ip neighbour replace $RECEIVER_ADDRESS lladdr $RECEIVER_MAC nud permanent dev \$FAR"
need outside-sends "no ping" outside start ping "ping -n -q -i 0.002 $RECEIVER_ADDRESS"
faults poll 1
outside stop ping
check removes "uplink del" elisactl uplink del up0
check stops "daemon or module did not go" switch_stop
check released "the NIC has a driver still" nic_release
