# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=65 limit=300 cpus=2
# common/module.sh on 2 CPUs, which vCPUs move between.

. "$RIG_JOB/scenarios/common/module.sh"
