# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=140 limit=2400 group=fuzz files=mutants/elisa-mutants.ko
# Hypercalls and ioctls fuzzed, guided by coverage, beside a bystander (tests/fuzz/module), each for
# FUZZ_SECONDS. The seed is among the results; RIG_SEED=SEED ./run test fuzz-module makes the same inputs
# again, as far as the clock lets it. The faults that it has to find are mutants (scenario mutations).

. "$RIG_JOB/scenarios/common/verdicts.sh"

# An emulated second is 200 million instructions, for which the emulator takes about five of CPU time.
SECONDS_EACH=$RIG_FUZZ_SECONDS
[ "$RIG_PLATFORM" = hardware ] || SECONDS_EACH=$((RIG_FUZZ_SECONDS / 5))

need module-loads "insmod refused" insmod "$RIG_JOB/files/elisa-mutants.ko"
for ENTRY_POINTS in hypercalls ioctls; do
	stage "$ENTRY_POINTS, for $SECONDS_EACH s, seed $RIG_SEED"
	verdicts $ENTRY_POINTS $ENTRY_POINTS. elisa-fuzz $ENTRY_POINTS $SECONDS_EACH "$RIG_SEED"
done
check module-unloads "something still holds it" rmmod elisa
