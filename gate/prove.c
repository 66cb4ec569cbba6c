// SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause)
/*
 * prove.c - invariants 4, 5 and 6, and the order in which all are checked.
 *
 * Called by the host module when asked, and by the tests. 6 comes first: it shows that the EPTs can
 * be walked. Reads only.
 */
#include "prove_walk.h"

#include "entry.h"
#include "seam.h"

#define EPTP_FLAGS 0x1eull /* WB, walk length 4, accessed and dirty flags off */
#define EPTP_NOT_ADDRESS (~ELISA_FRAME_MASK)
#define NEAR_WINDOW (1ull << 32)

static int check_eptp(struct elisa_prover *prover, uint64_t eptp)
{
	if ((eptp & EPTP_NOT_ADDRESS) != EPTP_FLAGS)
		return elisa_prover_found(prover, 6, 0, "an EPTP has other flags than it should");
	if (eptp - (ELISA_WINDOW_GVA - NEAR_WINDOW) < ELISA_WINDOW_SIZE + 2 * NEAR_WINDOW)
		return elisa_prover_found(prover, 6, 0,
					  "an EPTP's value is near the window's virtual addresses");
	return 0;
}

static int check_list(struct elisa_prover *prover, uint64_t gate, uint64_t trusted)
{
	const struct elisa_contexts *contexts = prover->contexts;
	bool is_open = contexts->is_open;
	uint64_t slots[ELISA_SLOT_TRUSTED] = {contexts->default_eptp, is_open ? gate : 0};
	unsigned int i;

	if (slots[ELISA_SLOT_DEFAULT] & ELISA_PTE_PRESENT)
		return elisa_prover_found(prover, 6, 0,
					  "the default EPTP looks like a present page-table entry");
	for (i = 0; i < ELISA_TABLE_ENTRIES; i++) {
		if (elisa_entry_load(&contexts->list[i]) != (i < ELISA_SLOT_TRUSTED ? slots[i] : 0))
			return elisa_prover_found(
				prover, 6, ELISA_OFFSET_LIST + 8 * i,
				"a slot of the EPTP list is not what it should be");
		if (elisa_entry_load(&contexts->table[i]) != (i == 0 && is_open ? trusted : 0))
			return elisa_prover_found(
				prover, 6, ELISA_OFFSET_TABLE + 8 * i,
				"an entry of the EPTP table is not what it should be");
	}
	return 0;
}

static int count_table(struct elisa_prover *prover, struct elisa_hpa table)
{
	(void)table;
	prover->nb_tables++;
	return 0;
}

/* Invariant 6. */
static int prove_eptps(struct elisa_prover *prover)
{
	const struct elisa_contexts *contexts = prover->contexts;
	uint64_t gate = elisa_contexts_eptp(contexts, ELISA_CONTEXT_GATE);
	uint64_t trusted = elisa_contexts_eptp(contexts, ELISA_CONTEXT_TRUSTED);
	uint64_t normal = contexts->default_eptp & ELISA_FRAME_MASK;
	int broken = check_eptp(prover, gate);

	if (!broken)
		broken = check_eptp(prover, trusted);
	if (!broken && (gate == trusted || normal == (gate & ELISA_FRAME_MASK) ||
			normal == (trusted & ELISA_FRAME_MASK)))
		broken = elisa_prover_found(prover, 6, 0, "two contexts have the same root");
	if (!broken)
		broken = check_list(prover, gate, trusted);
	if (!broken)
		broken = elisa_prove_each_mapping(prover, &contexts->gate, count_table, NULL);
	if (!broken)
		broken = elisa_prove_each_mapping(prover, &contexts->trusted, count_table, NULL);
	return broken;
}

/* Invariants 4 and 5 for one page; `leaf_level` = its entries are leaves without the huge bit. */
static int check_entries(struct elisa_prover *prover, const uint64_t *page, bool leaf_level,
			 uint64_t address)
{
	unsigned int i;

	for (i = 0; i < ELISA_TABLE_ENTRIES; i++) {
		uint64_t value = elisa_entry_load(&page[i]);

		prover->proof->entries++;
		if (!(value & ELISA_PTE_PRESENT))
			continue;
		if (!(value & ELISA_PTE_NOT_PAE))
			return elisa_prover_found(prover, 4, address + 8 * i,
						  "an entry is usable under PAE paging");
		if (!(value & ELISA_PTE_ACCESSED) ||
		    (!(value & ELISA_PTE_DIRTY) && (leaf_level || (value & ELISA_PTE_HUGE))))
			return elisa_prover_found(prover, 5, address + 8 * i,
						  "the CPU would want to set a flag in an entry");
	}
	return 0;
}

static int prove_entries(struct elisa_prover *prover)
{
	const struct elisa_trusted_table *table = &prover->tables->trusted;
	int broken = check_entries(prover, table->root, false, 0);
	unsigned int i;

	for (i = 0; !broken && i < ELISA_TRUSTED_PAGES; i++)
		broken = check_entries(prover, table->pages[i], i == ELISA_TRUSTED_PAGE_PT,
				       ELISA_OFFSET_TABLES + i * ELISA_PAGE_SIZE);
	return broken;
}

int elisa_prove(const struct elisa_domain_tables *tables, const struct elisa_contexts *contexts,
		struct elisa_proof *proof)
{
	static int (*const steps[])(struct elisa_prover *) = {
		prove_eptps,      prove_entries,       elisa_prove_roots,
		elisa_prove_gate, elisa_prove_trusted,
	};
	struct elisa_prover prover = {.tables = tables, .contexts = contexts, .proof = proof};
	unsigned int i;
	int broken = 0;

	*proof = (struct elisa_proof){0};
	for (i = 0; !broken && i < sizeof(steps) / sizeof(steps[0]); i++)
		broken = steps[i](&prover);
	elisa_frame_set_destroy(&prover.frames);
	return broken;
}

const char *elisa_invariant_text(uint32_t invariant)
{
	static const char *const texts[ELISA_INVARIANTS + 1] = {
		"",
		"in the gate context nothing but the gate page can be executed",
		"only admitted page-table roots resolve, to the trusted one",
		"the trusted context maps only what was claimed, nothing writable and executable",
		"no page-table entry is usable under PAE paging",
		"accessed and dirty flags are set: the CPU never writes to a page-table page",
		"EPTPs, the EPTP list and EPT entries are well formed, contexts differ",
	};

	return invariant <= ELISA_INVARIANTS ? texts[invariant] : "";
}
