// SPDX-License-Identifier: BSD-3-Clause
/*
 * fake_seam.c - see fake_seam.h. Linked into every test of gate/ but the pages' own.
 */
#include "fake_seam.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_PAGES 16384u
#define POISON 0xdb

static _Alignas(4096) unsigned char arena[ARENA_PAGES][ELISA_PAGE_SIZE];
static bool in_use[ARENA_PAGES];
static unsigned int next, nb_in_use, nb_allocs, fail_from, freed_uninvalidated;
static uint64_t base = FAKE_HPA;
static uint64_t invalidated[65536];
static unsigned int nb_invalidated, nb_invalidations;

static void fault(const char *text)
{
	fprintf(stderr, "fake seam: %s\n", text);
	abort();
}

static unsigned int index_of(const void *page)
{
	size_t at = (const unsigned char *)page - arena[0];

	if (at >= sizeof(arena) || at % ELISA_PAGE_SIZE || !in_use[at / ELISA_PAGE_SIZE])
		fault("not a page in use");
	return at / ELISA_PAGE_SIZE;
}

void fake_seam_reset(void)
{
	memset(in_use, 0, sizeof(in_use));
	base = FAKE_HPA;
	next = 0;
	nb_in_use = 0;
	nb_allocs = 0;
	fail_from = 0;
	freed_uninvalidated = 0;
	nb_invalidated = 0;
	nb_invalidations = 0;
}

void fake_seam_fail_from(unsigned int n)
{
	fail_from = n ? nb_allocs + n : 0;
}

void fake_seam_place(uint64_t hpa)
{
	if (nb_in_use)
		fault("pages in use cannot move");
	base = hpa;
}

unsigned int fake_seam_pages(void)
{
	return nb_in_use;
}

unsigned int fake_seam_allocs(void)
{
	return nb_allocs;
}

unsigned int fake_seam_invalidations(void)
{
	return nb_invalidations;
}

unsigned int fake_seam_invalidations_of(uint64_t eptp)
{
	unsigned int i, count = 0;

	for (i = 0; i < nb_invalidated; i++)
		count += invalidated[i] == eptp;
	return count;
}

unsigned int fake_seam_freed_uninvalidated(void)
{
	unsigned int count = freed_uninvalidated;

	freed_uninvalidated = 0;
	return count;
}

void *elisa_seam_page_alloc(void)
{
	unsigned int tries;

	if (fail_from && nb_allocs + 1 >= fail_from)
		return NULL;
	for (tries = 0; tries < ARENA_PAGES; tries++) {
		unsigned int at = next++ % ARENA_PAGES;

		if (in_use[at])
			continue;
		in_use[at] = true;
		nb_in_use++;
		nb_allocs++;
		return memset(arena[at], 0, ELISA_PAGE_SIZE);
	}
	fault("the arena is too small");
	return NULL;
}

void elisa_seam_page_free(void *page)
{
	unsigned int at = index_of(page);

	memset(page, POISON, ELISA_PAGE_SIZE);
	in_use[at] = false;
	nb_in_use--;
	freed_uninvalidated++;
}

struct elisa_hpa elisa_seam_page_hpa(const void *page)
{
	return elisa_hpa(base + index_of(page) * ELISA_PAGE_SIZE);
}

void *elisa_seam_hpa_page(struct elisa_hpa hpa)
{
	uint64_t at = (hpa.value - base) / ELISA_PAGE_SIZE;

	return hpa.value >= base && at < ARENA_PAGES && in_use[at] ? arena[at] : NULL;
}

void elisa_seam_invalidate(const uint64_t *eptps, unsigned int count)
{
	if (count > sizeof(invalidated) / sizeof(invalidated[0]) - nb_invalidated)
		fault("too many invalidations");
	memcpy(&invalidated[nb_invalidated], eptps, count * sizeof(*eptps));
	nb_invalidated += count;
	nb_invalidations++;
	freed_uninvalidated = 0;
}
