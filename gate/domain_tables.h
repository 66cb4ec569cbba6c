/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * domain_tables.h - what all vCPUs of a domain (a switch) share: the trusted page table, the gate's
 * code pages, and the EPT of the window from ELISA_OFFSET_SHARED on.
 *
 * Called by the host module, one thread at a time for each domain; contexts.c links the EPT.
 * Fields are read by contexts.c and the prover only.
 */
#ifndef ELISA_GATE_DOMAIN_TABLES_H
#define ELISA_GATE_DOMAIN_TABLES_H

#include "ept.h"
#include "trusted_table.h"

struct elisa_domain_tables {
	struct elisa_gpa window;
	struct elisa_trusted_table trusted;
	struct elisa_ept shared;  /* its page directories are linked into each trusted EPT */
	unsigned char *gate_page; /* copies of the constant pages */
	unsigned char *entry_page;
	uint64_t **claims; /* bit for each 4 KiB of the window that is prepared, 128 MiB a page */
	uint64_t *eptps;   /* contexts.c's use: what is to be invalidated at once */
};

/*
 * For a window at guest-physical `window` (W): a multiple of ELISA_WINDOW_SIZE, not 0, its end
 * within 48 bits. -EINVAL, -ENOMEM. May sleep. Free with elisa_domain_tables_destroy().
 */
int elisa_domain_tables_create(struct elisa_gpa window, struct elisa_domain_tables **out);

/* Frees all. No elisa_contexts of the domain may be left. NULL is allowed. May sleep. */
void elisa_domain_tables_destroy(struct elisa_domain_tables *tables);

/*
 * Claims [offset, offset + length) of the window and makes the tables for leaves of `size`
 * (ELISA_PAGE_SIZE or ELISA_HUGE_PAGE_SIZE) there. Maps nothing: until commit, faults.
 *	-ERANGE	below ELISA_OFFSET_SHARED, beyond the window, length 0, not a multiple of size
 *	-EEXIST	part of it is claimed
 *	-ENOMEM	claims nothing
 * A stretch with leaves of both sizes is prepared piece by piece. May sleep.
 */
int elisa_domain_tables_prepare(struct elisa_domain_tables *tables, uint64_t offset,
				uint64_t length, uint64_t size);

/*
 * Maps `size` bytes at a prepared offset, with the size it was prepared for. All vCPUs of the
 * domain see it at once. `rights`: ELISA_EPT_EXECUTE in TEXT, ELISA_EPT_READ in RODATA, PORT_MAPS
 * and UPLINK_STATE, READ | WRITE in CAPTURE and UPLINK_MEMORY, with ELISA_EPT_DEVICE in
 * UPLINK_DEVICES, ELISA_EPT_READ [| ELISA_EPT_WRITE] elsewhere. The memory stays pinned by the
 * caller until it has cleared, waited and invalidated.
 */
void elisa_domain_tables_commit(struct elisa_domain_tables *tables, uint64_t offset,
				struct elisa_hpa hpa, uint64_t size, uint32_t rights);

/*
 * Unmaps [offset, offset + length) and gives the claim back; what was never committed may be
 * cleared too. Before the memory or the offset is used for anything else, the caller waits for a
 * grace period and invalidates the trusted EPTP of every vCPU of the domain.
 */
void elisa_domain_tables_clear(struct elisa_domain_tables *tables, uint64_t offset,
			       uint64_t length);

/* Whether the 4 KiB at `offset` are claimed. For the prover and tests. */
bool elisa_domain_tables_claimed(const struct elisa_domain_tables *tables, uint64_t offset);

/* What is mapped at `offset`, from ELISA_OFFSET_SHARED on; false if nothing. */
bool elisa_domain_tables_get(const struct elisa_domain_tables *tables, uint64_t offset,
			     struct elisa_ept_leaf *leaf);

#endif
