# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=1150 limit=2700 group=attack cmdline=stock
# Every attack of the threat model (docs/threat-model.md), from a VM of its own, beside a victim whose
# traffic and memory are looked at after each.

. "$RIG_JOB/scenarios/common/switch.sh"
. "$RIG_JOB/scenarios/common/attack.sh"

expect_message 'elisa: vCPU \d+ of process \d+ thrown out of the switch.*'
# Row 12, in domains of its own, maps pages twice that may be there once only: the prover says so.
expect_message 'elisa: invariant \d+ of vCPU \d+ of switch (?!elisa0:).*'

# shellcheck disable=SC2034 # of switch.sh: row 18 kills the daemon
SWITCHD_OPTIONS=--monitor
need starts "see switchd.log" switch_start
need victim "the victim does not run, see victim.log" victim_start
victim_check before
ATTACKS=$(elisa-attack)
need attacks "elisa-attack names none" [ -n "$ATTACKS" ]
for NAME in $ATTACKS; do
	stage "attack $NAME"
	attack "$NAME"
done
check victim-leaves "the victim did not end in order: $ANSWER" victim_stop
check stops "daemon or module did not go" switch_stop
