// SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause)
/*
 * prove_gate.c - invariants 1 and 2: what the gate context offers, and which roots resolve.
 *
 * Called by prove.c, after invariant 6 has shown that the EPTs are well formed. Reads only.
 */
#include "prove_walk.h"

#include "pages.h"
#include "seam.h"

static bool is_table_page(struct elisa_prover *prover, const struct elisa_mapping *mapping,
			  uint64_t offset)
{
	uint64_t number = (offset - ELISA_OFFSET_TABLES) / ELISA_PAGE_SIZE;

	return offset >= ELISA_OFFSET_TABLES && number < ELISA_TRUSTED_PAGES_GATE &&
	       elisa_prove_is(mapping, prover->tables->trusted.pages[number], ELISA_EPT_READ);
}

static bool is_gate_mapping(struct elisa_prover *prover, const struct elisa_mapping *mapping,
			    uint64_t offset)
{
	const struct elisa_contexts *contexts = prover->contexts;

	switch (offset) {
	case ELISA_OFFSET_GATE:
		return elisa_prove_is(mapping, prover->tables->gate_page, ELISA_EPT_EXECUTE);
	case ELISA_OFFSET_LIST:
		return elisa_prove_is(mapping, contexts->list, ELISA_EPT_READ | ELISA_EPT_WRITE);
	case ELISA_OFFSET_TABLE:
		return elisa_prove_is(mapping, contexts->table, ELISA_EPT_READ);
	default:
		return is_table_page(prover, mapping, offset);
	}
}

/* A fetch of the gate page, and any access to the list, only where the layout has them. */
static int check_reached(struct elisa_prover *prover, const struct elisa_reached *reached)
{
	static const uint64_t targets[] = {ELISA_OFFSET_GATE, ELISA_OFFSET_LIST};
	uint64_t target;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		target = prover->tables->window.value + targets[i];
		if (target - reached->gpa >= reached->size ||
		    (targets[i] == ELISA_OFFSET_GATE && !reached->execute))
			continue;
		if (reached->levels == 4 && reached->size == ELISA_PAGE_SIZE &&
		    reached->gva == ELISA_GVA(targets[i]) &&
		    elisa_contexts_admitted(prover->contexts, elisa_gpa(reached->root)))
			continue;
		return elisa_prover_found(prover, 1, reached->root,
					  "the gate page or the list is reached from a root, over "
					  "levels or at an address that it should not be");
	}
	return 0;
}

static int check_gate_mapping(struct elisa_prover *prover, const struct elisa_mapping *mapping)
{
	const struct elisa_ept *ept = &prover->contexts->gate;
	uint64_t offset = elisa_prove_offset(prover, mapping->gpa);
	const uint64_t *page;
	int broken;

	if (offset != ~0ull && !is_gate_mapping(prover, mapping, offset))
		return elisa_prover_found(
			prover, 1, mapping->gpa,
			"the gate context maps a page that it should not, or with "
			"other rights");
	if (!(mapping->rights & ELISA_EPT_READ))
		return 0;
	page = elisa_seam_hpa_page(elisa_hpa(mapping->hpa));
	broken = elisa_prove_each_reached(prover, ept, page, mapping->gpa, 4, check_reached);
	return broken ? broken
		      : elisa_prove_each_reached(prover, ept, page, mapping->gpa, 5, check_reached);
}

int elisa_prove_gate(struct elisa_prover *prover)
{
	unsigned int i;

	for (i = 0; i < ELISA_PAGE_SIZE; i++) {
		if (prover->tables->gate_page[i] != elisa_gate_page[i])
			return elisa_prover_found(
				prover, 1, ELISA_OFFSET_GATE + i,
				"the gate page's bytes are not the constant ones");
	}
	return elisa_prove_each_mapping(prover, &prover->contexts->gate, NULL, check_gate_mapping);
}

static int check_root(struct elisa_prover *prover, const struct elisa_mapping *mapping)
{
	if (elisa_prove_offset(prover, mapping->gpa) != ~0ull)
		return 0;
	if (!elisa_prove_is(mapping, prover->tables->trusted.root, ELISA_EPT_READ))
		return elisa_prover_found(prover, 2, mapping->gpa,
					  "a page outside the window is not the trusted root, "
					  "read-only");
	if (!elisa_contexts_admitted(prover->contexts, elisa_gpa(mapping->gpa)))
		return elisa_prover_found(prover, 2, mapping->gpa,
					  "a root resolves that is not admitted");
	return 0;
}

int elisa_prove_roots(struct elisa_prover *prover)
{
	int broken = elisa_prove_each_mapping(prover, &prover->contexts->gate, NULL, check_root);

	return broken ? broken
		      : elisa_prove_each_mapping(prover, &prover->contexts->trusted, NULL,
						 check_root);
}
