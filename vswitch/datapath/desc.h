/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * desc.h - the word of a descriptor (elisa/ring.h) put together, and the phase of a slot.
 */
#ifndef ELISA_VSWITCH_DATAPATH_DESC_H
#define ELISA_VSWITCH_DATAPATH_DESC_H

#include <elisa/ring.h>

/* meta is 0. */
static inline uint64_t elisa_desc_word(uint32_t length, uint32_t flags)
{
	return (uint64_t)flags << 16 | length;
}

/* Phase bit of slot `slot`, a count that goes on over the laps, in a ring of `size`. */
static inline uint32_t elisa_slot_phase(uint32_t slot, uint32_t size)
{
	return slot & size ? ELISA_DESC_PHASE : 0;
}

#endif
