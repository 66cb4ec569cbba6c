// SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause)
/*
 * frame_set.c - a set of host-physical frames: open addressing over single pages.
 *
 * Called by prove_trusted.c only.
 */
#include "frame_set.h"

#include "entry.h"
#include "errno.h"
#include "seam.h"

#define MAX_PAGES (ELISA_PAGE_SIZE / sizeof(uint64_t *))

int elisa_frame_set_create(struct elisa_frame_set *set, uint64_t frames)
{
	uint64_t nb_pages = 1, i;

	while (nb_pages * ELISA_TABLE_ENTRIES < 2 * frames)
		nb_pages *= 2;
	*set = (struct elisa_frame_set){0};
	if (nb_pages > MAX_PAGES)
		return -ENOMEM;
	set->pages = elisa_seam_page_alloc();
	if (!set->pages)
		return -ENOMEM;
	set->mask = nb_pages * ELISA_TABLE_ENTRIES - 1;
	for (i = 0; i < nb_pages; i++) {
		set->pages[i] = elisa_seam_page_alloc();
		if (!set->pages[i]) {
			elisa_frame_set_destroy(set);
			return -ENOMEM;
		}
	}
	return 0;
}

void elisa_frame_set_destroy(struct elisa_frame_set *set)
{
	uint64_t i;

	if (!set->pages)
		return;
	for (i = 0; i <= set->mask / ELISA_TABLE_ENTRIES; i++) {
		if (set->pages[i])
			elisa_seam_page_free(set->pages[i]);
	}
	elisa_seam_page_free(set->pages);
	set->pages = NULL;
}

/* The frame's entry, or the empty one where it belongs. At least half of them are empty. */
static uint64_t *find(const struct elisa_frame_set *set, struct elisa_hpa hpa)
{
	uint64_t at = (hpa.value / ELISA_PAGE_SIZE * 0x9e3779b97f4a7c15ull) >> 32;
	uint64_t *entry;

	for (;; at++) {
		entry = &set->pages[(at & set->mask) / ELISA_TABLE_ENTRIES]
				   [at % ELISA_TABLE_ENTRIES];
		if (*entry == 0 || *entry == (hpa.value | 1))
			return entry;
	}
}

void elisa_frame_set_insert(struct elisa_frame_set *set, struct elisa_hpa hpa)
{
	*find(set, hpa) = hpa.value | 1;
}

bool elisa_frame_set_has(const struct elisa_frame_set *set, struct elisa_hpa hpa)
{
	return *find(set, hpa) != 0;
}
