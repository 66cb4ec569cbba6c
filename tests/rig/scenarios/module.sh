# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=32 limit=300
# common/module.sh on 1 CPU.

. "$RIG_JOB/scenarios/common/module.sh"
