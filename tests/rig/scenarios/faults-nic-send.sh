# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=130 group=faults limit=1500 nic=1
# A sender's VM is killed with its vCPUs at each fourth instruction boundary of a send through a NIC. The NIC
# goes on for a bystander, which loses nothing (tests/attack/faults.h).

. "$RIG_JOB/scenarios/common/switch.sh"
. "$RIG_JOB/scenarios/common/nic.sh"
. "$RIG_JOB/scenarios/common/faults.sh"

# shellcheck disable=SC2034 # of switch.sh
SWITCHD_OPTIONS="--uplink-memory 64"

need binds "the NIC is not igb_uio's" nic_bind igb_uio
need starts "see switchd.log" switch_start
need adds "uplink add" elisactl uplink add up0 "$RIG_NIC"
faults uplink-send 4
check removes "uplink del" elisactl uplink del up0
check stops "daemon or module did not go" switch_stop
check released "the NIC has a driver still" nic_release
