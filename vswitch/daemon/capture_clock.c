// SPDX-License-Identifier: BSD-3-Clause
/* capture_clock.c - see capture_clock.h. */
#include "capture_clock.h"

#include <time.h>

#define SECOND_NS 1000000000ull
#define BASE_NS SECOND_NS /* a line this long makes nothing of how long a reading takes */
#define BELIEVED_NS (10 * (double)SECOND_NS)
#define READINGS 3

static uint64_t read_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* The quickest of some: between the two counters of the others something else ran. */
struct elisa_clock_reading elisa_clock_read(void)
{
	struct elisa_clock_reading best = {0};
	uint64_t shortest = UINT64_MAX;

	for (int i = 0; i < READINGS; i++) {
		uint64_t before = __builtin_ia32_rdtsc();
		uint64_t ns = read_ns(CLOCK_MONOTONIC);
		uint64_t took = __builtin_ia32_rdtsc() - before;

		if (took >= shortest)
			continue;
		shortest = took;
		best = (struct elisa_clock_reading){.tsc = before + took / 2, .ns = ns};
	}
	best.to_utc = read_ns(CLOCK_REALTIME) - read_ns(CLOCK_MONOTONIC);
	return best;
}

void elisa_clock_start(struct elisa_clock *clock, struct elisa_clock_reading now)
{
	*clock = (struct elisa_clock){.base = now, .next = now, .now = now};
}

void elisa_clock_update(struct elisa_clock *clock, struct elisa_clock_reading now)
{
	clock->now = now;
	if (now.ns - clock->next.ns < BASE_NS)
		return;
	clock->base = clock->next;
	clock->next = now;
}

uint64_t elisa_clock_ns(const struct elisa_clock *clock, uint64_t tsc)
{
	const struct elisa_clock_reading *base = &clock->base, *now = &clock->now;
	double ticks = (double)(now->tsc - base->tsc);
	int64_t age = (int64_t)(now->tsc - tsc);
	double ns;

	if (age <= 0 || now->tsc == base->tsc)
		return now->ns;
	ns = (double)age * ((double)(now->ns - base->ns) / ticks);
	return ns <= BELIEVED_NS ? now->ns - (uint64_t)ns : now->ns;
}
