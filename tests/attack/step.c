// SPDX-License-Identifier: BSD-3-Clause
/* step.c - see step.h. */
#include "step.h"

#include <errno.h>
#include <stdio.h>

bool step_into_call(struct vm *vm, const uint64_t arguments[3], unsigned int steps)
{
	enum outcome outcome = OUTCOME_STOPPED;
	uint64_t rip;

	vm_begin(vm, vm_code_address(guest_gate), GUEST_TABLES, 3, arguments);
	while (steps-- && outcome == OUTCOME_STOPPED)
		outcome = vm_step(vm, &rip);
	return outcome == OUTCOME_STOPPED;
}

void step_prepare_send(struct attacker *attacker, uint64_t arguments[3])
{
	int64_t port;

	/* The guest's own code fills the window and sends once. */
	enum outcome outcome = attacker_call(attacker, "attacker_prepare", 0, 0, 0, &port);

	if (outcome != OUTCOME_RETURNED || port < 0) {
		fprintf(stderr, "outcome %d, result %lld\n", outcome, (long long)port);
		errno = EIO;
		die("the packet to send");
	}
	arguments[0] = ELISA_CALL_TX;
	arguments[1] = port;
	arguments[2] = 1;
}

bool step_is_inside(const struct vm *vm)
{
	uint64_t rip = vm->run->debug.arch.pc;

	return (rip >= ELISA_GVA(ELISA_OFFSET_GATE) && rip < ELISA_GVA(ELISA_OFFSET_LIST)) ||
	       (rip >= ELISA_GVA(ELISA_OFFSET_SHARED) && rip < ELISA_GVA(ELISA_WINDOW_SIZE));
}
