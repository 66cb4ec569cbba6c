#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# shellcheck disable=SC2031
# Runs the scenarios of a job, one after the other, each in a shell of its own, on the emulated host
# or directly on a machine with VMFUNC. Started with RIG_JOB = the job's directory.
#
# job/config sets: RIG_SCENARIOS, RIG_OUTPUT (results), RIG_KERNEL, RIG_INITRDS (the guests'),
# RIG_PAYLOAD (/opt/elisa), RIG_CPUS, RIG_STOCK (1: no time savers), RIG_PLATFORM, RIG_HUGEPAGES,
# RIG_NIC (PCI address, or nothing), RIG_SEED (a random number, another one each time),
# RIG_FUZZ_SECONDS (how long each fuzzer runs).
#
# Prints lines "RIG begin NAME", "RIG end NAME STATUS" and what lib.sh's functions print; all of a
# scenario's own output goes to its log.

# shellcheck source=/dev/null
. "$RIG_JOB/config"
export PATH="$RIG_PAYLOAD:$PATH"
echo "rig: job begins" > /dev/kmsg

for SCENARIO in $RIG_SCENARIOS; do
	RIG_SCENARIO_OUTPUT=$RIG_OUTPUT/$SCENARIO
	RIG_TEMPORARY=$(mktemp -d /tmp/rig.XXXXXX)
	export SCENARIO RIG_SCENARIO_OUTPUT RIG_TEMPORARY
	mkdir -p "$RIG_SCENARIO_OUTPUT"
	echo "rig: begin $SCENARIO" > /dev/kmsg
	echo "RIG begin $SCENARIO"
	(
		# shellcheck source=tests/rig/host/lib.sh
		. "$RIG_JOB/lib.sh"
		# shellcheck source=/dev/null
		. "$RIG_JOB/scenarios/$SCENARIO.sh"
	) 9>&1 > "$RIG_SCENARIO_OUTPUT/log" 2>&1
	STATUS=$?
	for PID_FILE in "$RIG_TEMPORARY"/*.pid; do
		[ -e "$PID_FILE" ] && read -r PID < "$PID_FILE" && kill -9 "$PID" 2> /dev/null
	done
	wait
	rm -rf "$RIG_TEMPORARY"
	echo "rig: end $SCENARIO" > /dev/kmsg
	echo "end $STATUS" >> "$RIG_SCENARIO_OUTPUT/events"
	echo "RIG end $SCENARIO $STATUS"
done
