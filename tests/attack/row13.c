// SPDX-License-Identifier: BSD-3-Clause
/*
 * row13.c - a vCPU that is stopped at each instruction of a send, and goes on, on another CPU where the host
 * has one; and killed inside a send: some boundaries. All of them: scenario `faults`.
 */
#include <sched.h>
#include <unistd.h>

#include "attacks.h"
#include "faults.h"
#include "step.h"

#define KILL_STRIDE 50

static void run_on(const cpu_set_t *cpus)
{
	if (sched_setaffinity(0, sizeof(*cpus), cpus))
		die("sched_setaffinity");
}

static void move(uint64_t turn)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(turn % (uint64_t)sysconf(_SC_NPROCESSORS_ONLN), &cpus);
	run_on(&cpus);
}

/* Of a send that nothing comes of but a counted drop; to its end. */
static const char *move_at_each(struct attacker *attacker)
{
	uint64_t arguments[3], rip, boundaries = 0, recoveries = attacker_recoveries(attacker);
	enum outcome outcome;
	bool inside = false;
	int64_t result = 0;

	step_prepare_send(attacker, arguments);
	vm_begin(&attacker->vm, vm_code_address(guest_gate), GUEST_TABLES, 3, arguments);
	do {
		move(boundaries);
		outcome = vm_step(&attacker->vm, &rip);
		inside = inside || step_is_inside(&attacker->vm);
		boundaries += inside;
	} while (outcome == OUTCOME_STOPPED && (!inside || step_is_inside(&attacker->vm)));
	if (outcome == OUTCOME_STOPPED)
		outcome = vm_finish(&attacker->vm, &result);
	attack_saw("boundaries_moved_at", boundaries);
	attack_saw("cpus", (uint64_t)sysconf(_SC_NPROCESSORS_ONLN));
	REQUIRE(outcome == OUTCOME_RETURNED && result == 1,
		"after %llu boundaries: outcome %d, result %lld", (unsigned long long)boundaries,
		outcome, (long long)result);
	REQUIRE(attacker_recoveries(attacker) == recoveries, "it was thrown out");
	return attacker_is_well(attacker);
}

/* The VMs that are killed are those of faults.h. */
static const char *kill_at_some(void)
{
	const char *reason = faults_begin();

	if (!reason)
		reason = faults_kill(FAULTS_SEND, KILL_STRIDE);
	faults_end();
	return reason;
}

const char *attack_row13(struct attacker *attacker)
{
	const char *reason;
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		die("sched_getaffinity");
	attacker_begin(attacker);
	reason = move_at_each(attacker);
	run_on(&cpus);
	attacker_end(attacker);
	return reason ? reason : kill_at_some();
}
