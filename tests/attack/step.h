/* SPDX-License-Identifier: BSD-3-Clause */
/* step.h - calls of an attacker that are stopped at an instruction, and what they have done by their end. */
#ifndef ELISA_TEST_ATTACK_STEP_H
#define ELISA_TEST_ATTACK_STEP_H

#include "attack.h"

/* A gate call of this vCPU, up to its instruction number `steps`; false: it has ended before. */
bool step_into_call(struct vm *vm, const uint64_t arguments[3], unsigned int steps);

/* One packet to nobody, in the transmit window of the attacker's port; the arguments of its call. */
void step_prepare_send(struct attacker *attacker, uint64_t arguments[3]);

/* Is it inside: after the gate's first instruction, before the return stub's? */
bool step_is_inside(const struct vm *vm);

#endif
