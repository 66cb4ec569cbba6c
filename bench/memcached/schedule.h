/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * schedule.h - when requests are due. Planned before anything is sent and never moved by an answer
 * (open loop): a server that stalls meets all the requests that fell due meanwhile, and each of
 * them is measured from its planned time.
 */
#ifndef BENCH_SCHEDULE_H
#define BENCH_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct schedule {
	double interval; /* mean, in ns */
	bool poisson;    /* exponential gaps; else equal ones */
	uint64_t random;
	double next; /* ns from the start */
};

/* rate: requests a second, above 0. The first is due one gap after the start. */
void schedule_init(struct schedule *schedule, double rate, bool poisson, uint64_t seed);

/* When the next request is due, in ns from the start; schedule_advance() goes to the one after. */
uint64_t schedule_due(const struct schedule *schedule);
void schedule_advance(struct schedule *schedule);

#endif
