// SPDX-License-Identifier: BSD-3-Clause
/*
 * row13.c - killed inside a send: some boundaries (all of them: scenario `faults`); and a vCPU that its VMM
 * stops at each instruction of a send, and lets go on.
 */
#include "attacks.h"
#include "faults.h"
#include "step.h"

#define KILL_STRIDE 50
#define LENGTH 600 /* of the packet, bytes */

/* Through a send to the VM's second port, to its end: the packet arrives as it was. */
static const char *step_through(struct attacker *attacker)
{
	uint64_t arguments[3] = {ELISA_CALL_TX, 0, 1}, rip, boundaries = 0;
	uint64_t recoveries = attacker_recoveries(attacker);
	enum outcome outcome;
	bool inside = false;
	int64_t result;

	if (attacker_call(attacker, "row06_prepare", LENGTH, 0, 0, &result) != OUTCOME_RETURNED)
		return "the packet cannot be made";
	arguments[1] = (uint64_t)result;
	vm_begin(&attacker->vm, vm_code_address(guest_gate), GUEST_TABLES, 3, arguments);
	do {
		outcome = vm_step(&attacker->vm, &rip);
		inside = inside || step_is_inside(&attacker->vm);
		boundaries += inside;
	} while (outcome == OUTCOME_STOPPED && (!inside || step_is_inside(&attacker->vm)));
	if (outcome == OUTCOME_STOPPED)
		outcome = vm_finish(&attacker->vm, &result);
	attack_saw("boundaries_stopped_at", boundaries);
	REQUIRE(boundaries && outcome == OUTCOME_RETURNED && result == 1,
		"after %llu boundaries: outcome %d, result %lld", (unsigned long long)boundaries,
		outcome, (long long)result);
	REQUIRE(attacker_recoveries(attacker) == recoveries, "it was thrown out");
	if (attacker_call(attacker, "row06_check", LENGTH, 0, 0, &result) != OUTCOME_RETURNED)
		return "the packet cannot be looked at";
	REQUIRE(!result, "what arrived differs at byte %lld", (long long)result - 1);
	return NULL;
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
	const char *reason = kill_at_some();

	if (reason)
		return reason;
	attacker_begin(attacker);
	attacker_open_second(attacker);
	return step_through(attacker);
}
