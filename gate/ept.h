/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * ept.h - one extended page table: 4 KiB and 2 MiB leaves, four levels (SDM 29.3.2).
 *
 * Used by domain_tables.c and contexts.c. Prepare may fail, commit cannot.
 * One caller at a time for each table; the CPU may walk it meanwhile: every entry is written whole.
 * A table page, once linked, is freed by elisa_ept_free_unlinked() or elisa_ept_destroy() only, so
 * a page walk in flight never meets a freed page.
 */
#ifndef ELISA_GATE_EPT_H
#define ELISA_GATE_EPT_H

#include "address.h"

/* Rights of a leaf (SDM table 29-7, bits 2:0). */
#define ELISA_EPT_READ 1u
#define ELISA_EPT_WRITE 2u
#define ELISA_EPT_EXECUTE 4u
#define ELISA_EPT_DEVICE 8u /* with rights: registers, uncached */

#define ELISA_EPT_LEVELS 4u

struct elisa_ept {
	uint64_t *root;     /* owned, with all tables below that are not linked from elsewhere */
	uint64_t nb_tables; /* owned pages */
	uint64_t *unlinked[ELISA_EPT_LEVELS - 1]; /* owned, until elisa_ept_free_unlinked() */
	unsigned int nb_unlinked;
};

struct elisa_ept_leaf {
	struct elisa_hpa hpa; /* of the leaf's first byte */
	uint64_t size;        /* bytes: 4 KiB or 2 MiB */
	uint32_t rights;      /* ELISA_EPT_* */
};

/* An empty table. -ENOMEM. May sleep. Free with elisa_ept_destroy(). */
int elisa_ept_create(struct elisa_ept *ept);

/*
 * Frees all tables but linked ones. The caller has made sure that no CPU uses the EPTP any more.
 * A zeroed *ept is allowed.
 */
void elisa_ept_destroy(struct elisa_ept *ept);

/*
 * Makes every table that leaves of `size` bytes (ELISA_PAGE_SIZE or ELISA_HUGE_PAGE_SIZE) in
 * [gpa, gpa + length) need. Maps nothing.
 *	-EINVAL	gpa or length not a multiple of size, length 0, or beyond 48 bits
 *	-EEXIST	a 2 MiB leaf, or a linked table, is in the way
 *	-ENOMEM	tables already made stay, empty, and serve a later call
 * May sleep.
 */
int elisa_ept_prepare(struct elisa_ept *ept, struct elisa_gpa gpa, uint64_t length, uint64_t size);

/*
 * Maps one leaf of `size` bytes in a prepared range; gpa and hpa are multiples of it. Over a 4 KiB
 * table that is already there a 2 MiB leaf becomes 512 leaves of 4 KiB. What was mapped there is
 * replaced: for a range in use, clear and invalidate first. Memory type WB, for registers UC, whatever
 * the guest's PAT says.
 */
void elisa_ept_commit(struct elisa_ept *ept, struct elisa_gpa gpa, struct elisa_hpa hpa,
		      uint64_t size, uint32_t rights);

/*
 * Unmaps [gpa, gpa + length), multiples of 4 KiB; a 2 MiB leaf that is touched goes as a whole.
 * The CPU may use the old mappings until the caller has invalidated. Frees nothing.
 */
void elisa_ept_clear(struct elisa_ept *ept, struct elisa_gpa gpa, uint64_t length);

/*
 * Unmaps one 4 KiB page and unlinks the tables that became empty. The CPU may use both until the
 * caller has invalidated this table's EPTP; then it calls elisa_ept_free_unlinked(), before the next
 * page is removed. Not for tables below a shared subtree.
 */
void elisa_ept_remove_page(struct elisa_ept *ept, struct elisa_gpa gpa);

/* Frees what elisa_ept_remove_page() has unlinked. May sleep. */
void elisa_ept_free_unlinked(struct elisa_ept *ept);

/*
 * Points the GiB at `gpa` to a page directory that belongs to another elisa_ept, which must
 * outlive this one. -EINVAL not a multiple of 1 GiB; -EEXIST something is there; -ENOMEM.
 */
int elisa_ept_link(struct elisa_ept *ept, struct elisa_gpa gpa, uint64_t *directory);

/* The page directory for the GiB at `gpa`, for elisa_ept_link(); NULL if there is none. */
uint64_t *elisa_ept_directory(const struct elisa_ept *ept, struct elisa_gpa gpa);

/* What is mapped at gpa; false if nothing. */
bool elisa_ept_get(const struct elisa_ept *ept, struct elisa_gpa gpa, struct elisa_ept_leaf *leaf);

/* Root | walk length 4 | WB, accessed and dirty flags off (SDM 25.6.11). */
uint64_t elisa_ept_eptp(const struct elisa_ept *ept);

#endif
