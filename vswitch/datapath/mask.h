/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mask.h - what a guest chose and a branch has checked is also masked, so that a mispredicted branch
 * reaches nothing (Spectre variant 1).
 *
 * Each use is a line of SITES in tests/unit/datapath/check_masks.py, which finds it in the binary.
 */
#ifndef ELISA_VSWITCH_DATAPATH_MASK_H
#define ELISA_VSWITCH_DATAPATH_MASK_H

#include <elisa/types.h>

/* All ones if value < limit, else 0, computed and not predicted. */
static inline uint64_t elisa_below_mask(uint64_t value, uint64_t limit)
{
	uint64_t mask;

	asm volatile("cmp %2, %1\n\tsbb %0, %0" : "=r"(mask) : "r"(value), "r"(limit) : "cc");
	return mask;
}

#endif
