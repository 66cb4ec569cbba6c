// SPDX-License-Identifier: BSD-3-Clause
/*
 * row17.c - the largest calls in a tight loop: the instructions of one are bounded, and the victim gets as
 * much done as beside a guest that loops outside the switch.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "attacks.h"
#include "changed.h"
#include "control.h"
#include "guest/row17.h"

#define SPIN_TICKS 100000000ull /* guest's TSC */
#define RECEIVERS 2

/*
 * The bound: for each of the 256 packets and each receiver, some for the packet, some for each segment that
 * is made of it, and some for its bytes, which are read, copied and summed at most once.
 */
#define FOR_PACKET 2000
#define FOR_SEGMENT 1500
#define FOR_BYTES(n) ((n) / 2)

static const struct {
	const char *name;
	uint64_t kind;
	uint64_t bytes;
	uint64_t segments;
	uint64_t receivers;
	int times; /* the host's ticks are in each: the least counts */
} loads[] = {
	{"unicast", 0, 1514, 1, 1, 3},
	{"flood", ROW17_FLOOD, 1514, 1, RECEIVERS, 3},
	{"tso", ROW17_TSO, 65000, 1016, 1, 1},
	{"flood_tso", ROW17_FLOOD | ROW17_TSO, 65000, 1016, RECEIVERS, 1},
};

static uint64_t tried;

static const char *measure(struct attacker *attacker, size_t load)
{
	uint64_t bound =
		ELISA_MAX_BURST * loads[load].receivers *
		(FOR_PACKET + FOR_SEGMENT * loads[load].segments + FOR_BYTES(loads[load].bytes));
	int64_t ticks, least = INT64_MAX;
	char name[40];

	attacker_call(attacker, "row17_prepare", loads[load].kind, 0, 0, &ticks);
	for (int i = 0; i < loads[load].times; i++) {
		REQUIRE(attacker_call(attacker, "row17_time", 0, 0, 0, &ticks) ==
					OUTCOME_RETURNED &&
				ticks > 0,
			"%s: %lld", loads[load].name, (long long)ticks);
		least = ticks < least ? ticks : least;
		tried++;
	}
	snprintf(name, sizeof(name), "%s_instructions", loads[load].name);
	attack_saw(name, (uint64_t)least);
	REQUIRE((uint64_t)least <= bound, "%s: %lld instructions, bound %llu", loads[load].name,
		(long long)least, (unsigned long long)bound);
	return NULL;
}

/* The bound holds for the largest burst: there must be none that is larger. */
static const char *no_larger_burst(struct attacker *attacker)
{
	static const uint64_t counts[] = {ELISA_MAX_BURST + 1, 2 * ELISA_MAX_BURST};
	int64_t result;

	attacker_call(attacker, "row17_prepare", 0, 0, 0, &result);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		REQUIRE(attacker_call(attacker, "row17_call", counts[i], 0, 0, &result) ==
					OUTCOME_RETURNED &&
				result == -EINVAL,
			"a burst of %llu: %lld", (unsigned long long)counts[i], (long long)result);
		tried++;
	}
	return NULL;
}

static uint64_t victim_calls(void)
{
	char answer[4000];

	control_ask("{\"version\":1,\"command\":\"stats\",\"arguments\":{\"name\":\"v0\"}}", answer,
		    sizeof(answer));
	return control_number(answer, "calls");
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The victim's calls in a second, while the attacker loops. */
static double victim_rate(struct attacker *attacker, bool calling)
{
	uint64_t calls = victim_calls();
	double begin = seconds();
	int64_t result;

	attacker_call(attacker, "row17_spin", SPIN_TICKS, calling, 0, &result);
	return (double)(victim_calls() - calls) / (seconds() - begin);
}

const char *attack_row17(struct attacker *attacker)
{
	const char *reason = changed_begin(attacker);
	double outside, calling;
	int64_t result;

	if (reason)
		return reason;
	REQUIRE(attacker_call(attacker, "row17_open", 0, 0, 0, &result) == OUTCOME_RETURNED &&
			!result,
		"step %lld", (long long)-result);
	reason = no_larger_burst(attacker);
	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]) && !reason; i++)
		reason = measure(attacker, i);
	if (reason)
		return reason;
	attacker_call(attacker, "row17_prepare", ROW17_FLOOD, 0, 0, &result);
	outside = victim_rate(attacker, false);
	calling = victim_rate(attacker, true);
	attack_tried(tried);
	attack_saw("victim_calls_beside_a_loop_outside", (uint64_t)outside);
	attack_saw("victim_calls_beside_calls", (uint64_t)calling);
	REQUIRE(calling >= 0.9 * outside, "%.0f calls of the victim in a second instead of %.0f",
		calling, outside);
	return attacker_is_well(attacker);
}
