// SPDX-License-Identifier: BSD-3-Clause
/*
 * row11_hypercalls.c - random hypercalls: every number, right and wrong sizes, addresses and contents.
 *
 * Half of the calls are made of values that could be right, so that they get past the first checks.
 */
#include "attacker.h"
#include "hypercall_sizes.h"

#define RESULTS 136 /* 0 and errno values; all else counts as the last */

__attribute__((used)) uint64_t row11_results[RESULTS];

static uint64_t state;
static uint8_t argument[256] __attribute__((aligned(4096)));

static uint64_t pick(const uint64_t *values, uint64_t count)
{
	return values[next_random(&state) % count];
}

#define PICK(...)                                                 \
	({                                                        \
		static const uint64_t values[] = {__VA_ARGS__};   \
		pick(values, sizeof(values) / sizeof(values[0])); \
	})

static uint32_t size_of(uint64_t number)
{
	return number < sizeof(hypercall_sizes) ? hypercall_sizes[number] : 24;
}

/* Words of a structure: its port first, then what is an address, a length, a flag somewhere. */
static void fill(uint32_t size)
{
	uint32_t *words = (uint32_t *)argument;

	for (uint32_t i = 0; i < size / 4; i++)
		words[i] = next_random(&state) & 1
				   ? PICK(0, 1, 2, 3, 64, 128, 0x1000, 0x80000, 0x200000, 0x400000,
					  0x7fffffff, 0xffffffff, 1500, 40)
				   : (uint32_t)next_random(&state);
	if (next_random(&state) % 4)
		words[0] = attacker_port.number;
	/* The upper halves of 64-bit fields are mostly 0. */
	for (uint32_t i = 3; i < size / 4; i += 2)
		if (next_random(&state) % 4)
			words[i] = 0;
}

static void fill_hello(void)
{
	struct elisa_hc_hello *hello = (void *)argument;

	memset(argument, 0, sizeof(*hello));
	hello->abi = ELISA_GUEST_ABI;
	memcpy(hello->port_name, attacker_port_name, sizeof(hello->port_name));
}

/* A few places that overlap; now and then what is taken back is what was registered. */
static void fill_region(uint64_t number)
{
	*(struct elisa_hc_region *)argument = (struct elisa_hc_region){
		.port = attacker_port.number,
		.flags = number == ELISA_HC_REGISTER ? next_random(&state) % 2 : 0,
		.gva = GUEST_REGION + 0x1000 * (next_random(&state) % 4),
		.length = 0x1000 * (1 + next_random(&state) % 2),
	};
}

static void fill_plausible(uint64_t number)
{
	if (number == ELISA_HC_HELLO && next_random(&state) % 2)
		fill_hello();
	if ((number == ELISA_HC_REGISTER || number == ELISA_HC_UNREGISTER) &&
	    !(next_random(&state) % 4))
		fill_region(number);
}

/* BYE, from whatever root: what it then has is gone. 0 if this root had it. */
ATTACK_FUNCTION int64_t row11_bye(void)
{
	return port_close(&attacker_port);
}

static void call(void)
{
	uint64_t number = next_random(&state) % 8 ? 1 + next_random(&state) % 9
						  : next_random(&state) & 0xffff;
	uint64_t size = size_of(number), address = (uintptr_t)argument, rax;
	int64_t result;

	fill(size);
	fill_plausible(number);
	if (!(next_random(&state) % 8))
		size = PICK(0, 1, 23, 25, 104, 4096, 0xffffffff, ~0ull);
	if (!(next_random(&state) % 8))
		address = PICK(0, 8, GUEST_MEMORY - 8, GUEST_MEMORY, 0x7ffffffff000, 0x800000000000,
			       0xffff888000000000, ~0ull, ~7ull, GUEST_CALL_STUB,
			       ELISA_GVA(ELISA_OFFSET_SWITCH));
	rax = ELISA_HYPERCALL(number);
	if (!(next_random(&state) % 16))
		rax ^= 1ull << next_random(&state) % 64;
	result = raw_hypercall(rax, address, size);
	/* The calls behind it are for the port that it got; before, for number 0: somebody else's. */
	if (!result && rax == ELISA_HYPERCALL(ELISA_HC_HELLO) && address == (uintptr_t)argument)
		attacker_port.number = ((struct elisa_hc_hello *)argument)->port;
	row11_results[result <= 0 && result > -(RESULTS - 1) ? -result : RESULTS - 1]++;
}

ATTACK_FUNCTION int64_t row11_hypercalls(uint64_t count, uint64_t seed)
{
	state = seed;
	while (count--)
		call();
	return 0;
}
