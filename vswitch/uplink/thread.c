// SPDX-License-Identifier: BSD-3-Clause
/*
 * thread.c - see thread.h. Only in the trusted image.
 */
#include "thread.h"

#include "vswitch/datapath/atomic.h"

#include <elisa/layout.h>

#define KEPT ((uint64_t *)ELISA_GVA(ELISA_OFFSET_KEPT_FS_BASE))

extern const char elisa_thread_block[]; /* image.lds */

void elisa_thread_enter(void)
{
	uint64_t guest;

	/* Captures and limits need the time: a guest without RDTSC (CR4.TSD) is thrown out here. */
	asm volatile("rdtsc" : : : "eax", "edx");
	asm volatile("rdfsbase %0" : "=r"(guest));
	elisa_store(KEPT, guest);
	asm volatile("wrfsbase %0" : : "r"(elisa_thread_block) : "memory");
}

void elisa_thread_leave(void)
{
	asm volatile("wrfsbase %0" : : "r"(elisa_load(KEPT)) : "memory");
	elisa_store(KEPT, 0);
}
