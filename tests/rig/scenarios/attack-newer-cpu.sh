# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=90 limit=900 group=attack model=sapphire_rapids
# The attacks that use what came after Haswell, the CPU of scenario attack: rows 4 and 5 of the threat
# model; and those of interrupts, which an APICv left on would deliver inside: rows 5, 13 and 15.

. "$RIG_JOB/scenarios/common/newer_cpu.sh"
. "$RIG_JOB/scenarios/common/switch.sh"
. "$RIG_JOB/scenarios/common/attack.sh"

expect_message 'elisa: vCPU \d+ of process \d+ thrown out of the switch.*'

need starts "see switchd.log" switch_start
need victim "the victim does not run, see victim.log" victim_start
victim_check before
for NAME in row-04 row-05 row-13 row-15; do
	stage "attack $NAME"
	attack "$NAME"
done
MISSING=$(cat "$RIG_SCENARIO_OUTPUT"/row-*.out | grep -E '^skip (la57|smap) ')
check complete "this CPU should have it: $MISSING" [ -z "$MISSING" ]
check victim-leaves "the victim did not end in order: $ANSWER" victim_stop
check stops "daemon or module did not go" switch_stop
