# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=60 limit=500 model=sapphire_rapids
# common/module.sh on a CPU that has what came after Haswell: APICv with posted interrupts, page
# modification logging, SMAP, 5-level paging.

. "$RIG_JOB/scenarios/common/newer_cpu.sh"
. "$RIG_JOB/scenarios/common/module.sh"
