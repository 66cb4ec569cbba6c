# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=280 group=faults limit=1200 files=mutants/elisa-mutants.ko
# Every allocation of the module fails once, in every call of a switch's life: the caller gets a clean error,
# the rest goes on, nothing is left. So at load, and without descriptors.

. "$RIG_JOB/scenarios/common/verdicts.sh"

MODULE=$RIG_JOB/files/elisa-mutants.ko

NUMBER=1
while [ $NUMBER -lt 10 ] && ! insmod "$MODULE" fail_at=$NUMBER; do
	check "load-$NUMBER" "/dev/elisa is there although the module is not" [ ! -e /dev/elisa ]
	NUMBER=$((NUMBER + 1))
done
result allocations_failed_at_load $((NUMBER - 1))
check loads-at-last "allocation $NUMBER failed and nobody said so" [ "$(cat /sys/module/elisa/parameters/allocations)" -lt $NUMBER ]
stage "each allocation fails once"
verdicts life "" elisa-life
check module-unloads "something still holds it" rmmod elisa
need with-vmcall.module-loads "insmod refused" insmod "$MODULE" vmcall_gate=1
stage "each allocation fails once, with the second gate"
verdicts life-vmcall with-vmcall. elisa-life
check with-vmcall.module-unloads "something still holds it" rmmod elisa
