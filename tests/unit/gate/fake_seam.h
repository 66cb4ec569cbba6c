/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fake_seam.h - gate/seam.h for tests: an arena of pages with made-up host-physical addresses.
 *
 * Used by the tests of gate/. Aborts the test on a double free or a page that is not its own.
 */
#ifndef ELISA_TEST_FAKE_SEAM_H
#define ELISA_TEST_FAKE_SEAM_H

#include "gate/seam.h"

#define FAKE_HPA 0x1000000000ull        /* of the arena */
#define FAKE_MEMORY_HPA 0x2000000000ull /* tests map addresses from here on: never the arena's */

/* Forgets all, also pages in use. */
void fake_seam_reset(void);

/* The n-th allocation from now on fails, and all after it; 0: none. */
void fake_seam_fail_from(unsigned int n);

/* With no page in use: the arena is at `hpa` now, until reset. */
void fake_seam_place(uint64_t hpa);

unsigned int fake_seam_pages(void);  /* in use */
unsigned int fake_seam_allocs(void); /* successful since reset */

/* Since reset: calls of elisa_seam_invalidate(), and how often one EPTP was among those of a call. */
unsigned int fake_seam_invalidations(void);
unsigned int fake_seam_invalidations_of(uint64_t eptp);

/* Pages freed since the last invalidation, the last reset or the last call of this. */
unsigned int fake_seam_freed_uninvalidated(void);

#endif
