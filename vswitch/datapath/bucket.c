/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bucket.c - see bucket.h.
 *
 * In the trusted image. Called by policy.c.
 */
#include "vswitch/datapath/bucket.h"

/* Lost races for one packet; each means that another vCPU of the port has taken. */
#define TAKE_TRIES 64

/* A time this far ahead is one that has passed: what is really ahead is a burst and a packet at most. */
#define PASSED (1ull << 62)

bool elisa_bucket_take(uint64_t *bucket, uint64_t now, uint64_t tolerance, uint64_t cost)
{
	for (unsigned int try = 0; try < TAKE_TRIES; try++) {
		uint64_t full = elisa_load(bucket);
		uint64_t ahead = full - now;

		if (ahead >= PASSED)
			ahead = 0;
		if (ahead > tolerance)
			return false;
		if (elisa_replace(bucket, full, now + ahead + cost))
			return true;
	}
	return false;
}
