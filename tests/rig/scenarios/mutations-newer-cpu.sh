# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=30 limit=500 group=mutations model=sapphire_rapids files=mutants/elisa-mutants.ko,mutants/kmod/module.list,mutants/elisa-image.elf,mutants/elisa-switchd,mutants/attacks.list
# What scenarios mutations and mutations-attack do, with those mutants that no older CPU shows.

# shellcheck disable=SC2034 # of mutants.sh
CPU=newer
# shellcheck disable=SC2034 # of mutations_attack.sh
WITHOUT="row-04"
. "$RIG_JOB/scenarios/common/newer_cpu.sh"
. "$RIG_JOB/scenarios/common/mutants.sh"
. "$RIG_JOB/scenarios/common/mutations_module.sh"
. "$RIG_JOB/scenarios/common/mutations_attack.sh"
