/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * prove_walk.h - how the prover's files walk tables, and say what they found.
 *
 * Used by prove*.c only. All functions return 0, or the number of a broken invariant.
 */
#ifndef ELISA_GATE_PROVE_WALK_H
#define ELISA_GATE_PROVE_WALK_H

#include "frame_set.h"
#include "prove.h"

struct elisa_prover {
	const struct elisa_domain_tables *tables;
	const struct elisa_contexts *contexts;
	struct elisa_proof *proof;
	struct elisa_frame_set frames; /* what the trusted context must not meet from SHARED on */
	uint64_t nb_tables;            /* EPT table pages met while checking invariant 6 */
};

/* A leaf of an EPT. */
struct elisa_mapping {
	uint64_t gpa;
	uint64_t hpa;
	uint64_t size;
	uint32_t rights; /* ELISA_EPT_* */
};

/* A leaf of a page table, reached from a root. */
struct elisa_reached {
	uint64_t root;   /* guest-physical address of the root */
	uint32_t levels; /* of the walk: 4 or 5 */
	uint64_t gva;
	uint64_t gpa;
	uint64_t size;
	bool write;   /* every entry on the way allows it */
	bool execute; /* no entry on the way forbids it */
};

typedef int elisa_mapping_visitor(struct elisa_prover *prover, const struct elisa_mapping *mapping);
typedef int elisa_table_visitor(struct elisa_prover *prover, struct elisa_hpa table);
typedef int elisa_reached_visitor(struct elisa_prover *prover, const struct elisa_reached *reached);

/* Notes the finding; returns `invariant`. */
int elisa_prover_found(struct elisa_prover *prover, uint32_t invariant, uint64_t address,
		       const char *text);

/*
 * Every table page and every leaf of an EPT, in ascending order; visitors may be NULL. An entry
 * that is malformed, or that leads to a page that is not ours, breaks invariant 6.
 */
int elisa_prove_each_mapping(struct elisa_prover *prover, const struct elisa_ept *ept,
			     elisa_table_visitor *visit_table, elisa_mapping_visitor *visit);

/* What an EPT maps at gpa; false if nothing. Only after elisa_prove_each_mapping() held. */
bool elisa_prove_translate(struct elisa_prover *prover, const struct elisa_ept *ept, uint64_t gpa,
			   struct elisa_mapping *mapping);

/*
 * Every leaf that a CPU could reach over `levels` levels behind this EPT, with the page `table` as
 * root; root_gpa, where CR3 finds it, is only handed on. Errs to the side of reaching too much:
 * reserved address bits and user/supervisor are not looked at.
 */
int elisa_prove_each_reached(struct elisa_prover *prover, const struct elisa_ept *ept,
			     const uint64_t *table, uint64_t root_gpa, uint32_t levels,
			     elisa_reached_visitor *visit);

/* Offset in the window; all ones if gpa is outside. */
uint64_t elisa_prove_offset(const struct elisa_prover *prover, uint64_t gpa);

/* Whether `page` is where the mapping leads, with exactly these rights, as one 4 KiB page. */
bool elisa_prove_is(const struct elisa_mapping *mapping, const void *page, uint32_t rights);

/* The invariants; 4 and 5 are one walk. */
int elisa_prove_gate(struct elisa_prover *prover);    /* 1 */
int elisa_prove_roots(struct elisa_prover *prover);   /* 2 */
int elisa_prove_trusted(struct elisa_prover *prover); /* 3 */

#endif
