# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=45 limit=600 files=mutants/elisa-mutants.ko
# 10,000 random operations on VMs, vCPUs, ports, memory and uplinks' parts: the contexts stay proven, by
# the module and by a second prover that gets the tables as built. The seed is among the results;
# RIG_SEED=SEED ./run test churn repeats a run.

. "$RIG_JOB/scenarios/common/verdicts.sh"

need module-loads "insmod refused" insmod "$RIG_JOB/files/elisa-mutants.ko"
stage "10,000 random operations"
verdicts churn "" elisa-churn "$RIG_SEED" 10000
check module-unloads "something still holds it" rmmod elisa
