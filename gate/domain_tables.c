// SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause)
/*
 * domain_tables.c - the tables that all vCPUs of a domain share, and who has claimed which part of
 * the window.
 *
 * Called by the host module. The structure, the claims' directory, each bitmap and the EPTPs to
 * invalidate are one page.
 * `shared` is an EPT that no CPU ever loads: its page directories are linked into each vCPU's.
 */
#include "domain_tables.h"

#include "entry.h"
#include "errno.h"
#include "pages.h"
#include "seam.h"

#define CLAIM_WORD_BITS 64u
#define CLAIM_PAGE_BITS (ELISA_PAGE_SIZE * 8)
#define CLAIM_PAGES (ELISA_WINDOW_SIZE / ELISA_PAGE_SIZE / CLAIM_PAGE_BITS)

ELISA_STATIC_ASSERT(sizeof(struct elisa_domain_tables) <= ELISA_PAGE_SIZE, "one page");
ELISA_STATIC_ASSERT(CLAIM_PAGES * sizeof(uint64_t *) <= ELISA_PAGE_SIZE, "one page");

static void *copy_of(const unsigned char *constant_page)
{
	unsigned char *page = elisa_seam_page_alloc();
	unsigned int i;

	for (i = 0; page && i < ELISA_PAGE_SIZE; i++)
		page[i] = constant_page[i];
	return page;
}

static int create_shared(struct elisa_domain_tables *tables)
{
	struct elisa_gpa from = elisa_gpa_add(tables->window, ELISA_OFFSET_SHARED);
	int error = elisa_ept_create(&tables->shared);

	return error ? error
		     : elisa_ept_prepare(&tables->shared, from,
					 ELISA_WINDOW_SIZE - ELISA_OFFSET_SHARED,
					 ELISA_HUGE_PAGE_SIZE);
}

int elisa_domain_tables_create(struct elisa_gpa window, struct elisa_domain_tables **out)
{
	struct elisa_domain_tables *tables;
	int error = -ENOMEM;

	if (window.value == 0 || !elisa_aligned(window.value, ELISA_WINDOW_SIZE) ||
	    !elisa_range_below(window.value, ELISA_WINDOW_SIZE, ELISA_GPA_LIMIT))
		return -EINVAL;
	tables = elisa_seam_page_alloc();
	if (!tables)
		return -ENOMEM;
	tables->window = window;
	tables->claims = elisa_seam_page_alloc();
	tables->eptps = elisa_seam_page_alloc();
	tables->gate_page = copy_of(elisa_gate_page);
	tables->entry_page = copy_of(elisa_entry_page);
	if (!tables->claims || !tables->eptps || !tables->gate_page || !tables->entry_page)
		goto destroy;
	error = elisa_trusted_table_create(&tables->trusted, window);
	if (error)
		goto destroy;
	error = create_shared(tables);
	if (error)
		goto destroy;
	*out = tables;
	return 0;

destroy:
	elisa_domain_tables_destroy(tables);
	return error;
}

static void free_claims(struct elisa_domain_tables *tables)
{
	unsigned int i;

	for (i = 0; i < CLAIM_PAGES; i++) {
		if (tables->claims[i])
			elisa_seam_page_free(tables->claims[i]);
	}
	elisa_seam_page_free(tables->claims);
}

void elisa_domain_tables_destroy(struct elisa_domain_tables *tables)
{
	if (!tables)
		return;
	elisa_ept_destroy(&tables->shared);
	elisa_trusted_table_destroy(&tables->trusted);
	if (tables->entry_page)
		elisa_seam_page_free(tables->entry_page);
	if (tables->gate_page)
		elisa_seam_page_free(tables->gate_page);
	if (tables->eptps)
		elisa_seam_page_free(tables->eptps);
	if (tables->claims)
		free_claims(tables);
	elisa_seam_page_free(tables);
}

static uint64_t *claim_word(const struct elisa_domain_tables *tables, uint64_t offset,
			    uint64_t *bit)
{
	uint64_t page = offset / ELISA_PAGE_SIZE;
	uint64_t *bitmap = tables->claims[page / CLAIM_PAGE_BITS];

	*bit = 1ull << (page % CLAIM_WORD_BITS);
	return bitmap ? &bitmap[page % CLAIM_PAGE_BITS / CLAIM_WORD_BITS] : NULL;
}

bool elisa_domain_tables_claimed(const struct elisa_domain_tables *tables, uint64_t offset)
{
	uint64_t bit;
	const uint64_t *word = claim_word(tables, offset, &bit);

	return word && (*word & bit);
}

/* Bitmaps once made stay: an empty one claims nothing. */
static int prepare_claim(struct elisa_domain_tables *tables, uint64_t offset, uint64_t length)
{
	uint64_t step = CLAIM_PAGE_BITS * ELISA_PAGE_SIZE;
	uint64_t at, end = offset + length;

	for (at = offset; at < end; at += ELISA_PAGE_SIZE) {
		if (elisa_domain_tables_claimed(tables, at))
			return -EEXIST;
	}
	for (at = offset / step; at <= (end - 1) / step; at++) {
		if (!tables->claims[at])
			tables->claims[at] = elisa_seam_page_alloc();
		if (!tables->claims[at])
			return -ENOMEM;
	}
	return 0;
}

static void set_claim(struct elisa_domain_tables *tables, uint64_t offset, uint64_t length,
		      bool claimed)
{
	uint64_t at, bit, *word;

	for (at = offset; at < offset + length; at += ELISA_PAGE_SIZE) {
		word = claim_word(tables, at, &bit);
		if (word)
			*word = claimed ? *word | bit : *word & ~bit;
	}
}

int elisa_domain_tables_prepare(struct elisa_domain_tables *tables, uint64_t offset,
				uint64_t length, uint64_t size)
{
	int error;

	if ((size != ELISA_PAGE_SIZE && size != ELISA_HUGE_PAGE_SIZE) ||
	    !elisa_aligned(offset | length, size) || offset < ELISA_OFFSET_SHARED ||
	    !elisa_range_below(offset, length, ELISA_WINDOW_SIZE))
		return -ERANGE;
	error = prepare_claim(tables, offset, length);
	if (error)
		return error;
	error = elisa_ept_prepare(&tables->shared, elisa_gpa_add(tables->window, offset), length,
				  size);
	if (error)
		return error;
	set_claim(tables, offset, length, true);
	return 0;
}

void elisa_domain_tables_commit(struct elisa_domain_tables *tables, uint64_t offset,
				struct elisa_hpa hpa, uint64_t size, uint32_t rights)
{
	elisa_ept_commit(&tables->shared, elisa_gpa_add(tables->window, offset), hpa, size, rights);
}

void elisa_domain_tables_clear(struct elisa_domain_tables *tables, uint64_t offset, uint64_t length)
{
	elisa_ept_clear(&tables->shared, elisa_gpa_add(tables->window, offset), length);
	set_claim(tables, offset, length, false);
}

bool elisa_domain_tables_get(const struct elisa_domain_tables *tables, uint64_t offset,
			     struct elisa_ept_leaf *leaf)
{
	return elisa_ept_get(&tables->shared, elisa_gpa_add(tables->window, offset), leaf);
}
