# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=60 limit=500 model=sapphire_rapids files=mutants/elisa-mutants.ko,mutants/kmod/module.list
# common/module.sh on a CPU that has what came after Haswell: APICv with posted interrupts, page
# modification logging, SMAP, 5-level paging.

. "$RIG_JOB/scenarios/common/newer_cpu.sh"
. "$RIG_JOB/scenarios/common/module.sh"

# A defence that no older CPU shows, switched off (tests/mutations).
notices() { ! elisa-vmm timer-while-inside > "$RIG_SCENARIO_OUTPUT/apicv-stays-on"; }

stage "with APICv left on"
NUMBER=$(sed -n 's/^\([0-9]*\) apicv-stays-on .*/\1/p' "$RIG_JOB/files/module.list")
need mutant-loads "insmod refused" insmod "$RIG_JOB/files/elisa-mutants.ko" "mutant=$NUMBER"
check apicv-stays-on "survived: timer-while-inside passes without that defence" notices
check mutant-unloads "something still holds it" rmmod elisa
