/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * runtime.h - what the guest programs of the attacks share: they are C without a library, run by the
 * VMM of tests/rig/vmm in ring 3 or 0 of a VM without a kernel, one function at a time.
 *
 * A function that the VMM calls is ATTACK_FUNCTION; it has up to three arguments and returns a number.
 * Memory is flat: guest-virtual = guest-physical below GUEST_MEMORY (guest.h of the VMM).
 */
#ifndef ELISA_TEST_ATTACK_RUNTIME_H
#define ELISA_TEST_ATTACK_RUNTIME_H

#include <elisa/hypercall.h>
#include <elisa/layout.h>
#include <elisa/ring.h>
#include <elisa/version.h>

#include "guest.h"

#define ATTACK_FUNCTION __attribute__((used, noinline))

#define EPERM 1
#define ENOMEM 12

/* VMCALL as hypercall.h says; `rax` whole, so that it can also be none of ours. */
int64_t raw_hypercall(uint64_t rax, uint64_t argument, uint64_t size);

static inline int64_t hypercall(uint32_t number, void *argument, uint32_t size)
{
	return raw_hypercall(ELISA_HYPERCALL(number), (uintptr_t)argument, size);
}

/* The gate call of ring.h, through the stub that the VMM put at its place. */
int64_t gate_call(uint64_t operation, uint64_t first, uint64_t second);

/* Numbers that only look random: the same ones for the same seed (not 0). */
static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);

#endif
