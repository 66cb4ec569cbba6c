/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * seam.h - everything that gate/ needs from outside. Nothing else is called.
 *
 * Implemented once by the host module and once by the tests' fake. Pages are 4 KiB.
 */
#ifndef ELISA_GATE_SEAM_H
#define ELISA_GATE_SEAM_H

#include "address.h"

/* A zeroed page, page-aligned, at an address that never moves; NULL without memory. May sleep. */
void *elisa_seam_page_alloc(void);

/* Gives back a page of elisa_seam_page_alloc(). The contents may be sensitive: it zeroes them. */
void elisa_seam_page_free(void *page);

/* Where a page of elisa_seam_page_alloc() is. Any context. */
struct elisa_hpa elisa_seam_page_hpa(const void *page);

/*
 * The reverse: `hpa` is page-aligned. NULL if it is not a page of elisa_seam_page_alloc() that is
 * still allocated. A module may answer for any RAM page instead, and NULL for what is not RAM:
 * the tables that are walked with it were made by gate/ alone. Any context.
 */
void *elisa_seam_hpa_page(struct elisa_hpa hpa);

/*
 * Single-context INVEPT of each of `count` eptps on every CPU (SDM 29.4.3.1), done on return. One
 * interrupt to each CPU, however many they are. May sleep. Called with the caller's locks held.
 */
void elisa_seam_invalidate(const uint64_t *eptps, unsigned int count);

#endif
