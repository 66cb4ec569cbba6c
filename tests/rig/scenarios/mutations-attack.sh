# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=560 limit=1800 group=mutations files=mutants/elisa-mutants.ko,mutants/elisa-image.elf,mutants/elisa-switchd,mutants/attacks.list
# common/mutations_attack.sh, with those mutants that any CPU with VMFUNC shows.

# shellcheck disable=SC2034 # of mutants.sh
CPU=any
# Short ones.
# shellcheck disable=SC2034 # of mutations_attack.sh
WITHOUT="row-01 row-03 row-06 row-18 row-19"
. "$RIG_JOB/scenarios/common/mutants.sh"
. "$RIG_JOB/scenarios/common/mutations_attack.sh"
