// SPDX-License-Identifier: BSD-3-Clause
/* schedule.c - see schedule.h. Called by load.c. */
#include "bench/memcached/schedule.h"

#include <math.h>

#include "bench/memcached/random.h"

void schedule_init(struct schedule *schedule, double rate, bool poisson, uint64_t seed)
{
	schedule->interval = 1e9 / rate;
	schedule->poisson = poisson;
	schedule->random = seed;
	schedule->next = 0;
	schedule_advance(schedule);
}

uint64_t schedule_due(const struct schedule *schedule)
{
	return (uint64_t)schedule->next;
}

void schedule_advance(struct schedule *schedule)
{
	double gap = 1;

	if (schedule->poisson)
		gap = -log(1 - random_unit(&schedule->random));
	schedule->next += gap * schedule->interval;
}
