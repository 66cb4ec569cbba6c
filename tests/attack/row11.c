// SPDX-License-Identifier: BSD-3-Clause
/*
 * row11.c - a million random hypercalls: from rings 3 and 0, before there is a port, from the process
 * that has it and from another, after it is gone. Each ends with an error code or a result, nothing stays
 * pinned or allocated.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attacks.h"
#include "host_memory.h"

#define CALLS 1000000
#define CALLS_AT_ONCE 10000
#define CALLS_OUTSIDE 5000 /* before, from elsewhere, after: most end at the first check */
#define RESULTS 136
#define LEAK_KIB 2048 /* 2 bytes for each call, and what the host does meanwhile */

struct settings {
	uint64_t root;
	int ring;
};

static const char *calls(struct attacker *attacker, const struct settings *settings, uint64_t count)
{
	static uint64_t seed = 0x9e3779b97f4a7c15;
	const uint64_t arguments[3] = {count, seed += 2, 0};
	enum outcome outcome;
	int64_t result;

	vm_begin(&attacker->vm, program_symbol(&attacker->program, "row11_hypercalls"),
		 settings->root, settings->ring, arguments);
	outcome = vm_finish(&attacker->vm, &result);
	REQUIRE(outcome == OUTCOME_RETURNED, "outcome %d, exit reason %u, vector %llu at %#llx",
		outcome, attacker->vm.run->exit_reason,
		(unsigned long long)vm_mailbox(&attacker->vm, GUEST_FAULT_VECTOR),
		(unsigned long long)vm_mailbox(&attacker->vm, GUEST_FAULT_RIP));
	return NULL;
}

/* Without a port in this VM everything of ours is refused, and what is not ours is KVM's. */
static const char *only_refusals(struct attacker *attacker, const char *when)
{
	uint64_t *results = attacker_data(attacker, "row11_results");

	for (int i = 0; i < RESULTS; i++)
		REQUIRE(!results[i] || i == EPERM || i == ENOSYS || i == RESULTS - 1,
			"%s: %llu calls ended with -%d", when, (unsigned long long)results[i], i);
	memset(results, 0, RESULTS * sizeof(*results));
	return NULL;
}

static void show_results(struct attacker *attacker)
{
	const uint64_t *results = attacker_data(attacker, "row11_results");
	char name[32];

	for (int i = 0; i < RESULTS; i++) {
		if (!results[i])
			continue;
		const char *error = strerrorname_np(i);

		snprintf(name, sizeof(name), "%s",
			 !i                           ? "done"
			 : i == RESULTS - 1 || !error ? "other"
						      : error);
		attack_saw(name, results[i]);
	}
}

/* Whichever of the two processes has the port gives it back: then nothing of it is pinned. */
static const char *give_back(struct attacker *attacker, uint64_t pinned)
{
	static const uint64_t roots[] = {GUEST_TABLES, GUEST_OTHER_ROOT}, none[3] = {0, 0, 0};
	int64_t result;

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		vm_begin(&attacker->vm, program_symbol(&attacker->program, "row11_bye"), roots[i],
			 3, none);
		vm_finish(&attacker->vm, &result);
	}
	REQUIRE(host_pinned_pages() == pinned, "%llu pages pinned, %llu before",
		(unsigned long long)host_pinned_pages(), (unsigned long long)pinned);
	return NULL;
}

static const char *with_a_port(struct attacker *attacker, uint64_t pinned)
{
	static const struct settings all[] = {
		{GUEST_TABLES, 3}, {GUEST_TABLES, 0}, {GUEST_OTHER_ROOT, 3}, {GUEST_OTHER_ROOT, 0}};
	const char *reason = NULL;

	/* A quarter of them for each. */
	for (uint64_t done = 0; done < CALLS && !reason; done += CALLS_AT_ONCE) {
		reason = calls(attacker, &all[done / CALLS_AT_ONCE % 4], CALLS_AT_ONCE);
		if (!reason)
			reason = give_back(attacker, pinned);
	}
	return reason;
}

const char *attack_row11(struct attacker *attacker)
{
	const struct settings user = {GUEST_TABLES, 3}, kernel = {GUEST_TABLES, 0};
	const char *words[] = {"elisactl", "port", "del", attacker->port, NULL};
	uint64_t pinned = host_pinned_pages(), kib;
	const char *reason;

	attacker_create(attacker);
	reason = calls(attacker, &user, CALLS_OUTSIDE);
	if (!reason)
		reason = calls(attacker, &kernel, CALLS_OUTSIDE);
	if (!reason)
		reason = only_refusals(attacker, "before a port was there");
	if (reason)
		return reason;
	attacker_add_port(attacker, "");
	strcpy(attacker_data(attacker, "attacker_port_name"), attacker->port);
	/* Once before the count: what is allocated once and kept. */
	reason = calls(attacker, &user, CALLS_AT_ONCE);
	kib = host_kernel_kib();
	if (!reason)
		reason = with_a_port(attacker, pinned);
	attack_tried(2 * CALLS_OUTSIDE + CALLS_AT_ONCE + CALLS + 2 * CALLS_OUTSIDE);
	show_results(attacker);
	if (reason)
		return reason;
	REQUIRE(host_kernel_kib() < kib + LEAK_KIB, "the kernel has %llu KiB more than before",
		(unsigned long long)(host_kernel_kib() - kib));
	reason = attacker_is_well(attacker);
	if (reason)
		return reason;
	attack_ctl(words);
	memset(attacker_data(attacker, "row11_results"), 0, RESULTS * sizeof(uint64_t));
	reason = calls(attacker, &user, CALLS_OUTSIDE);
	if (!reason)
		reason = calls(attacker, &kernel, CALLS_OUTSIDE);
	if (!reason)
		reason = only_refusals(attacker, "after the port was deleted");
	REQUIRE(reason || host_pinned_pages() == pinned, "%llu pages pinned, %llu before",
		(unsigned long long)host_pinned_pages(), (unsigned long long)pinned);
	return reason;
}
