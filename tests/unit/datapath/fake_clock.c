/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fake_clock.c - see fake_clock.h.
 */
#include "fake_clock.h"
#include "vswitch/datapath/clock.h"

uint64_t fake_tsc;
uint32_t fake_tsc_reads;

uint64_t elisa_clock_rdtsc(void)
{
	__atomic_add_fetch(&fake_tsc_reads, 1, __ATOMIC_RELAXED);
	return __atomic_load_n(&fake_tsc, __ATOMIC_RELAXED);
}
