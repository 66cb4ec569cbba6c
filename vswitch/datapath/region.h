/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * region.h - from an address that a guest gave to one the datapath may use.
 *
 * A translation is valid until the vCPU leaves the trusted context: the module waits for that
 * before it takes the memory of an emptied region away.
 */
#ifndef ELISA_VSWITCH_DATAPATH_REGION_H
#define ELISA_VSWITCH_DATAPATH_REGION_H

#include <elisa/layout.h>

#include "vswitch/datapath/atomic.h"
#include "vswitch/datapath/mask.h"

/* A private copy of the region that served last; length 0 = none yet. */
struct elisa_view {
	uint64_t gva;
	uint64_t window;
	uint64_t length;
};

/* Where [gva, gva + length) is, if it lies in `view` whole; else 0. length is not 0. */
static inline uint64_t elisa_view_translate(const struct elisa_view *view, uint64_t gva,
					    uint32_t length)
{
	uint64_t offset = gva - view->gva;
	uint64_t mask;

	if (elisa_unlikely(length > view->length || offset > view->length - length))
		return 0;
	mask = elisa_below_mask(offset, view->length - length + 1) &
	       elisa_below_mask(length, view->length + 1);
	return (view->window + offset) & mask;
}

/* Find the region of `map`, with all of `flags`, that [gva, gva + length) lies in. */
bool elisa_view_find(struct elisa_view *view, const struct elisa_port_map *map, uint64_t gva,
		     uint32_t length, uint32_t flags);

/* The two together; 0 = no such region. A view serves one map and one set of flags. */
static inline uint64_t elisa_translate(struct elisa_view *view, const struct elisa_port_map *map,
				       uint64_t gva, uint32_t length, uint32_t flags)
{
	uint64_t address = elisa_view_translate(view, gva, length);

	if (elisa_likely(address))
		return address;
	if (!elisa_view_find(view, map, gva, length, flags))
		return 0;
	return elisa_view_translate(view, gva, length);
}

#endif
