// SPDX-License-Identifier: BSD-3-Clause
/* tsc.c - see tsc.h. */
#include "tsc.h"

#include <time.h>

#define SECOND_NS 1000000000ull
#define SHORTEST_NS \
	20000000ull /* a reading is some microseconds wrong at worst: less than 1/1000 */

uint64_t elisa_tsc_hz(const struct elisa_clock_reading *start)
{
	static const struct timespec pause = {.tv_nsec = (long)SHORTEST_NS};
	struct elisa_clock_reading now = elisa_clock_read();

	while (now.ns - start->ns < SHORTEST_NS) {
		nanosleep(&pause, NULL);
		now = elisa_clock_read();
	}
	return (uint64_t)((double)(now.tsc - start->tsc) * SECOND_NS /
			  (double)(now.ns - start->ns));
}
