/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * clock.c - see clock.h.
 *
 * In the trusted image. Called by tap.h and sender.c. Alone in its file, so that a test can have another
 * clock.
 */
#include "vswitch/datapath/clock.h"

__attribute__((__noinline__)) uint64_t elisa_clock_rdtsc(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}
