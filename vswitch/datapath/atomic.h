/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * atomic.h - the only ways the datapath reads and writes words that others write too.
 *
 * Each is one access: the compiler may not repeat, split or merge it.
 */
#ifndef ELISA_VSWITCH_DATAPATH_ATOMIC_H
#define ELISA_VSWITCH_DATAPATH_ATOMIC_H

#include <elisa/types.h>

#define elisa_load(pointer) __atomic_load_n(pointer, __ATOMIC_RELAXED)
#define elisa_load_acquire(pointer) __atomic_load_n(pointer, __ATOMIC_ACQUIRE)
#define elisa_store(pointer, value) __atomic_store_n(pointer, value, __ATOMIC_RELAXED)
#define elisa_store_release(pointer, value) __atomic_store_n(pointer, value, __ATOMIC_RELEASE)

#define elisa_likely(condition) __builtin_expect(!!(condition), 1)
#define elisa_unlikely(condition) __builtin_expect(!!(condition), 0)

/* Sequentially consistent: orders all that is around it, for every observer. */
static inline bool elisa_replace(uint64_t *word, uint64_t expected, uint64_t desired)
{
	return __atomic_compare_exchange_n(word, &expected, desired, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/* For counters: no order with anything else. */
static inline void elisa_count(uint64_t *counter, uint64_t amount)
{
	if (amount)
		__atomic_fetch_add(counter, amount, __ATOMIC_RELAXED);
}

#endif
