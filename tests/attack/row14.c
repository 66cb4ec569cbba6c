// SPDX-License-Identifier: BSD-3-Clause
/*
 * row14.c - a guest process that is forked, loses its memory to the guest's kernel or to the host
 * (balloon), or ends without a word, while it is registered.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attacks.h"
#include "guest/port_layout.h"
#include "host_memory.h"

#define PAGE 4096
#define ENDED_US 1300000 /* the module looks about once a second */
#define WINDOW_ENTRY ((ELISA_WINDOW_GVA >> 39) & 511)

static uint64_t *table(struct attacker *attacker, uint64_t address)
{
	return (uint64_t *)(attacker->vm.memory + address);
}

/* The child has its parent's stubs and memory, and a root of its own: it is thrown out, alone. */
static const char *forked(struct attacker *attacker)
{
	const uint64_t nop[3] = {ELISA_CALL_NOP, 0, 0};
	enum outcome outcome;
	int64_t result;

	vm_begin(&attacker->vm, vm_code_address(guest_gate), GUEST_OTHER_ROOT, 3, nop);
	outcome = vm_finish(&attacker->vm, &result);
	REQUIRE(attack_end(&attacker->vm, outcome) == ATTACK_THROWN_OUT, "the child: outcome %d",
		outcome);
	outcome = attacker_call(attacker, "attacker_prepare", 0, 0, 0, &result);
	REQUIRE(outcome == OUTCOME_RETURNED && result >= 0, "the parent: outcome %d, %lld", outcome,
		(long long)result);
	return NULL;
}

/* Registered memory is unmapped in the process: the switch has its own way to it, until BYE. */
static const char *unmapped(struct attacker *attacker)
{
	uint64_t *entry = &table(attacker, GUEST_TABLES + 0x2000)[GUEST_REGION >> 21],
		 kept = *entry;
	uint64_t arguments[3] = {ELISA_CALL_TX, 0, 1};
	enum outcome outcome;
	int64_t result;

	if (attacker_call(attacker, "attacker_prepare", 0, 0, 0, &result) != OUTCOME_RETURNED)
		return "the packet cannot be made";
	arguments[1] = result;
	*entry = 0;
	vm_begin(&attacker->vm, vm_code_address(guest_gate), GUEST_TABLES, 3, arguments);
	outcome = vm_finish(&attacker->vm, &result);
	*entry = kept;
	REQUIRE(outcome == OUTCOME_RETURNED && result == 1, "outcome %d, result %lld", outcome,
		(long long)result);
	return attacker_is_well(attacker);
}

/* The host takes pages back: the switch keeps the old ones, the guest sees new ones. */
static const char *ballooned(struct attacker *attacker)
{
	uint64_t pinned = host_pinned_pages();

	if (madvise(attacker->vm.memory + GUEST_REGION, PORT_MEMORY, MADV_DONTNEED))
		die("madvise");
	REQUIRE(host_pinned_pages() == pinned, "%llu pages pinned, %llu before",
		(unsigned long long)host_pinned_pages(), (unsigned long long)pinned);
	return attacker_is_well(attacker);
}

/* What a kernel does when a process ends: it unmaps all that the process had. */
static const char *ended(struct attacker *attacker, uint64_t pinned)
{
	const uint64_t none[3] = {0, 0, 0};
	uint64_t *entry = &table(attacker, GUEST_TABLES)[WINDOW_ENTRY], kept = *entry;
	int64_t result;

	*entry = 0;
	usleep(ENDED_US);
	/* The VM runs on, with another process. */
	vm_begin(&attacker->vm, vm_code_address(guest_rdtsc), GUEST_OTHER_ROOT, 3, none);
	if (vm_finish(&attacker->vm, &result) != OUTCOME_RETURNED)
		return "the VM does not run on";
	REQUIRE(host_pinned_pages() == pinned, "%llu pages pinned, %llu before",
		(unsigned long long)host_pinned_pages(), (unsigned long long)pinned);
	*entry = kept;
	return attacker_is_well(attacker);
}

const char *attack_row14(struct attacker *attacker)
{
	uint64_t pinned = host_pinned_pages(), done = 0;
	const char *reason;

	attacker_begin(attacker);
	reason = forked(attacker);
	done += !reason;
	if (!reason)
		reason = unmapped(attacker);
	done += !reason;
	if (!reason)
		reason = ballooned(attacker);
	done += !reason;
	if (!reason)
		reason = ended(attacker, pinned);
	done += !reason;
	attack_tried(4);
	attack_saw("harmless_or_revoked", done);
	return reason;
}
