// SPDX-License-Identifier: BSD-3-Clause
/*
 * row10.c - a packet's header that another vCPU changes during the call: where it goes is decided on the bytes
 * that are delivered.
 */
#include <string.h>

#include "attacks.h"
#include "changed.h"

#define DESTINATION 0
#define SOURCE 6
#define LONG 200

static uint8_t other_receiver[ELISA_MAC_SIZE], own[ELISA_MAC_SIZE], receivers[2];

static uint8_t *frame(struct attacker *attacker)
{
	return attacker->vm.memory + CHANGED_FRAME(0);
}

/* To the first receiver; `other_receiver` is read where the guest wrote it. */
static void prepare(struct attacker *attacker)
{
	static uint8_t first[ELISA_MAC_SIZE];
	static bool known;

	if (!known) {
		known = true;
		memcpy(first, frame(attacker), sizeof(first));
		memcpy(own, frame(attacker) + SOURCE, sizeof(own));
		memcpy(other_receiver, attacker->vm.memory + CHANGED_FRAME(4),
		       sizeof(other_receiver));
		receivers[0] = first[5];
		receivers[1] = other_receiver[5];
	}
	memcpy(frame(attacker) + DESTINATION, first, sizeof(first));
	memcpy(frame(attacker) + SOURCE, own, sizeof(own));
	changed_window(attacker)[0] = (struct elisa_desc){.addr = CHANGED_FRAME(0), .word = LONG};
}

static void change_destination(struct attacker *attacker)
{
	memcpy(frame(attacker) + DESTINATION, other_receiver, sizeof(other_receiver));
}

static const char *judge_destination(const struct changed_run *run, bool *as_new)
{
	REQUIRE(run->result == 1 && run->nb == 1, "result %lld, %u packets", (long long)run->result,
		run->nb);
	*as_new = run->records[0].port == 3;
	REQUIRE(run->records[0].destination == receivers[*as_new],
		"it says ..:%02x and went to receiver %u", run->records[0].destination,
		run->records[0].port);
	return NULL;
}

/* Only half of the address. */
static void change_half(struct attacker *attacker)
{
	memset(frame(attacker) + DESTINATION + 3, 0x77, 3);
}

/* Nobody has it: flooded, and nobody of the switch wants it. */
static const char *judge_half(const struct changed_run *run, bool *as_new)
{
	*as_new = run->drops[ELISA_DROP_NO_DESTINATION] == 1;
	REQUIRE(run->nb == 1u - *as_new, "%u packets", run->nb);
	REQUIRE(*as_new ||
			(run->records[0].port == 2 && run->records[0].destination == receivers[0]),
		"it says ..:%02x", run->records[0].destination);
	return NULL;
}

static void change_source(struct attacker *attacker)
{
	frame(attacker)[SOURCE] |= 1;
}

/* A group's address as source is never delivered. */
static const char *judge_source(const struct changed_run *run, bool *as_new)
{
	*as_new = run->drops[ELISA_DROP_BAD_SOURCE] == 1;
	REQUIRE(run->nb == 1u - *as_new, "%u packets", run->nb);
	REQUIRE(*as_new || !(run->records[0].source_first & 1), "from a group's address");
	return NULL;
}

static const struct changed_case cases[] = {
	{"destination", 1, prepare, change_destination, judge_destination},
	{"half-of-it", 1, prepare, change_half, judge_half},
	{"source", 1, prepare, change_source, judge_source},
};

const char *attack_row10(struct attacker *attacker)
{
	const char *reason = changed_begin(attacker);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]) && !reason; i++)
		reason = changed_everywhere(attacker, &cases[i]);
	changed_say();
	return reason ? reason : attacker_is_well(attacker);
}
