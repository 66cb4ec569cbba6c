# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=210 limit=1800 group=mutations files=mutants/elisa-mutants.ko,mutants/kmod/module.list
# common/mutations_module.sh, with those mutants that any CPU with VMFUNC shows.

# shellcheck disable=SC2034 # of mutants.sh
CPU=any
. "$RIG_JOB/scenarios/common/mutants.sh"
. "$RIG_JOB/scenarios/common/mutations_module.sh"
