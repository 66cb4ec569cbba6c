// SPDX-License-Identifier: BSD-3-Clause
/* row01.c - VMFUNC to every index, every function, from ring 3 and ring 0. */
#include "attacks.h"

#define INDICES 520  /* the list has 512 */
#define FUNCTIONS 71 /* 64 and more are no VM functions: #UD */
#define VM_FUNCTIONS 64
#define VECTOR_UD 6
#define VECTOR_GP 13

struct counts {
	uint64_t tried;
	uint64_t gp;
	uint64_t ud;
	uint64_t stayed;     /* VMFUNC(0, 0): to where it is */
	uint64_t thrown_out; /* to the gate, from where it does not go on */
};

static const char *try(struct attacker *attacker, struct counts *counts, int ring,
		       uint64_t function, uint64_t index)
{
	enum outcome outcome;
	uint64_t vector;
	int64_t result;

	outcome = ring ? attacker_call(attacker, "row01_vmfunc", function, index, 0, &result)
		       : attacker_call_ring0(attacker, "row01_vmfunc", function, index, 0, &result);
	vector = vm_mailbox(&attacker->vm, GUEST_FAULT_VECTOR);
	counts->tried++;
	if (!function && !index) {
		REQUIRE(outcome == OUTCOME_RETURNED, "VMFUNC(0, 0) from ring %d: %d", ring,
			outcome);
		counts->stayed++;
		return NULL;
	}
	REQUIRE(outcome == OUTCOME_FAULT, "VMFUNC(%llu, %llu) from ring %d: %d",
		(unsigned long long)function, (unsigned long long)index, ring, outcome);
	REQUIRE(vector == (function < VM_FUNCTIONS ? VECTOR_GP : VECTOR_UD),
		"VMFUNC(%llu, %llu) from ring %d: vector %llu", (unsigned long long)function,
		(unsigned long long)index, ring, (unsigned long long)vector);
	counts->gp += vector == VECTOR_GP;
	counts->ud += vector == VECTOR_UD;
	if (function || index != ELISA_SLOT_GATE)
		return NULL;
	counts->thrown_out++;
	return attacker_rejoin(attacker);
}

const char *attack_row01(struct attacker *attacker)
{
	struct counts counts = {0};
	const char *reason = NULL;
	uint64_t recoveries;

	attacker_begin(attacker);
	recoveries = attacker_recoveries(attacker);
	for (int ring = 0; ring <= 3; ring += 3) {
		for (uint64_t i = 0; i < INDICES && !reason; i++)
			reason = try(attacker, &counts, ring, 0, i);
		if (!reason)
			reason = try(attacker, &counts, ring, 0, UINT32_MAX);
		for (uint64_t i = 1; i < FUNCTIONS && !reason; i++)
			reason = try(attacker, &counts, ring, i, 0);
	}
	attack_tried(counts.tried);
	attack_saw("gp", counts.gp);
	attack_saw("ud", counts.ud);
	attack_saw("stayed", counts.stayed);
	attack_saw("thrown_out", counts.thrown_out);
	if (reason)
		return reason;
	/* What seemed to be refused led nowhere. */
	recoveries = attacker_recoveries(attacker) - recoveries;
	REQUIRE(recoveries == counts.thrown_out, "%llu recoveries, %llu times to the gate",
		(unsigned long long)recoveries, (unsigned long long)counts.thrown_out);
	return attacker_is_well(attacker);
}
