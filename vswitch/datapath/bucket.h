/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bucket.h - a token bucket in one word, for any number of vCPUs at once and without a lock.
 *
 * The word is the time at which the bucket is full again, in 2^-ELISA_BUCKET_TICK_BITS ticks of the
 * host's TSC, modulo 2^64 (GCRA, ITU-T I.371: the theoretical arrival time). Taking moves it on by what
 * the tokens cost, from now on if it has passed; while it is further ahead than the burst takes to come
 * in, there is none to be had. One compare-and-swap does all: a vCPU that is stopped anywhere has taken
 * or has not.
 */
#ifndef ELISA_VSWITCH_DATAPATH_BUCKET_H
#define ELISA_VSWITCH_DATAPATH_BUCKET_H

#include "vswitch/datapath/atomic.h"
#include "vswitch/datapath/switch.h"

#define ELISA_BUCKET_TICK_BITS 4u
#define ELISA_BUCKET_COST_BITS 20u

/* What `nb` tokens cost; control_policy.c sees to it that the product fits in a word. */
static inline uint64_t elisa_bucket_cost(const struct elisa_bucket_rate *rate, uint64_t nb)
{
	return nb * elisa_load(&rate->cost) >> (ELISA_BUCKET_COST_BITS - ELISA_BUCKET_TICK_BITS);
}

/* Take, at time `now` in ticks of the host's TSC. False: there is none, and nothing was taken. */
bool elisa_bucket_take(uint64_t *bucket, uint64_t now, uint64_t tolerance, uint64_t cost);

/* Give back what was taken and not used. */
static inline void elisa_bucket_give(uint64_t *bucket, uint64_t cost)
{
	__atomic_fetch_sub(bucket, cost, __ATOMIC_RELAXED);
}

#endif
