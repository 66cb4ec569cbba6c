/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * entry.h - reading and writing one 64-bit entry that a CPU may be reading at the same time.
 *
 * Used by all of gate/. One store each, never torn and never before what was stored earlier: a
 * table is zeroed or filled before the entry that links it. x86 needs no more than the compiler's
 * obedience for that.
 */
#ifndef ELISA_GATE_ENTRY_H
#define ELISA_GATE_ENTRY_H

#include <elisa/types.h>

#define ELISA_TABLE_ENTRIES 512u

static inline void elisa_entry_store(uint64_t *entry, uint64_t value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

static inline uint64_t elisa_entry_load(const uint64_t *entry)
{
	return __atomic_load_n(entry, __ATOMIC_ACQUIRE);
}

static inline void elisa_page_zero(void *page)
{
	uint64_t *word = page;
	unsigned int i;

	for (i = 0; i < ELISA_TABLE_ENTRIES; i++)
		elisa_entry_store(&word[i], 0);
}

#endif
