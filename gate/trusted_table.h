/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * trusted_table.h - the domain's trusted page table: what a CPU walks behind an admitted CR3.
 *
 * Built once by domain_tables.c, never changed after. Its root stands at each admitted
 * guest-physical address, its other pages at W + ELISA_OFFSET_TABLES. It maps the window's
 * guest-virtual addresses linearly onto W; what exists there, the EPTs decide.
 */
#ifndef ELISA_GATE_TRUSTED_TABLE_H
#define ELISA_GATE_TRUSTED_TABLE_H

#include "address.h"

#define ELISA_TRUSTED_GIBS 64u /* page directories: one for each GiB of the window */
ELISA_STATIC_ASSERT(ELISA_TRUSTED_GIBS * 0x40000000ull == ELISA_WINDOW_SIZE, "GiBs of the window");

/* Order of the pages at W + ELISA_OFFSET_TABLES. */
enum {
	ELISA_TRUSTED_PAGE_PDPT,
	ELISA_TRUSTED_PAGE_PT, /* of the first 2 MiB */
	ELISA_TRUSTED_PAGE_PD, /* + GiB, ELISA_TRUSTED_GIBS of them */
	ELISA_TRUSTED_PAGES = ELISA_TRUSTED_PAGE_PD + ELISA_TRUSTED_GIBS,
};

/* Pages from the start of TABLES that the gate context needs: PDPT, PT, PD of GiB 0. */
#define ELISA_TRUSTED_PAGES_GATE (ELISA_TRUSTED_PAGE_PD + 1u)

struct elisa_trusted_table {
	uint64_t *root;
	uint64_t *pages[ELISA_TRUSTED_PAGES];
};

/* Entry bits (SDM table 4-15 to 4-20). Bit 52 is ignored here, and reserved under PAE paging. */
#define ELISA_PTE_PRESENT (1ull << 0)
#define ELISA_PTE_WRITE (1ull << 1)
#define ELISA_PTE_USER (1ull << 2)
#define ELISA_PTE_ACCESSED (1ull << 5)
#define ELISA_PTE_DIRTY (1ull << 6)
#define ELISA_PTE_HUGE (1ull << 7)
#define ELISA_PTE_NOT_PAE (1ull << 52)
#define ELISA_PTE_NO_EXECUTE (1ull << 63)

/* Builds it for a window at guest-physical `window`. -ENOMEM, nothing left. May sleep. */
int elisa_trusted_table_create(struct elisa_trusted_table *table, struct elisa_gpa window);

/* Frees all pages; no context that maps them may be left. A zeroed *table is allowed. */
void elisa_trusted_table_destroy(struct elisa_trusted_table *table);

#endif
