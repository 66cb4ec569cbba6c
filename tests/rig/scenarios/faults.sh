# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=200 group=faults limit=900
# A sender's VM is killed with its vCPUs at every instruction boundary of a send; it is stopped there for
# long, loses its port, loses its receiver. The receiver, and a bystander that sends to it too, lose nothing
# (tests/attack/faults.h). The calls of a NIC: faults-nic-send, faults-nic-poll.

. "$RIG_JOB/scenarios/common/switch.sh"
. "$RIG_JOB/scenarios/common/faults.sh"

need starts "see switchd.log" switch_start
faults send 1
faults pause 100
faults delete 200
faults receiver 200
check stops "daemon or module did not go" switch_stop
