// SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause)
/*
 * prove_walk.c - walks EPTs and page tables from their roots, as the CPU does.
 *
 * Called by the prover's other files. Knows the entries' formats from the SDM (29.3.2, 4.5), not
 * from ept.c or trusted_table.c. Reads only.
 */
#include "prove_walk.h"

#include "entry.h"
#include "seam.h"

#define EPT_RIGHTS 7ull
#define EPT_HUGE (1ull << 7)
#define EPT_LEAF_FIXED 0xfff0000000000f78ull /* type, ignore PAT, and bits that we leave zero */
#define EPT_LEAF_TYPE (7ull << 3)
#define EPT_LEAF_WB (6ull << 3 | 1ull << 6) /* both with the guest's PAT ignored */
#define EPT_LEAF_UC (0ull << 3 | 1ull << 6)
#define EPT_TABLE_ZERO 0xffe0000000000ff8ull /* bit 52 is ignored there, and used by ept.c */

#define EPT_LEVELS 4u

int elisa_prover_found(struct elisa_prover *prover, uint32_t invariant, uint64_t address,
		       const char *text)
{
	prover->proof->invariant = invariant;
	prover->proof->address = address;
	prover->proof->text = text;
	return invariant;
}

uint64_t elisa_prove_offset(const struct elisa_prover *prover, uint64_t gpa)
{
	uint64_t offset = gpa - prover->tables->window.value;

	return offset < ELISA_WINDOW_SIZE ? offset : ~0ull;
}

bool elisa_prove_is(const struct elisa_mapping *mapping, const void *page, uint32_t rights)
{
	return mapping->size == ELISA_PAGE_SIZE && mapping->rights == rights &&
	       mapping->hpa == elisa_seam_page_hpa(page).value;
}

static uint64_t span(unsigned int level)
{
	return 1ull << (12 + 9 * (level - 1));
}

static const char *malformed(uint64_t value, unsigned int level, bool leaf)
{
	if ((value & 3) == ELISA_EPT_WRITE)
		return "an EPT entry is writable and not readable";
	if (!leaf)
		return (value & EPT_TABLE_ZERO) || (value & EPT_RIGHTS) != EPT_RIGHTS
			       ? "an EPT entry for a table has bits that do not belong there"
			       : NULL;
	if (level > 2)
		return "an EPT leaf is larger than 2 MiB";
	if ((value & EPT_LEAF_FIXED) != EPT_LEAF_WB && (value & EPT_LEAF_FIXED) != EPT_LEAF_UC)
		return "an EPT leaf is neither WB nor UC whatever the guest's PAT says, or has "
		       "bits that do not belong there";
	if ((value & ELISA_FRAME_MASK) & (span(level) - 1))
		return "an EPT leaf is not aligned";
	return NULL;
}

/* Of a leaf that is well formed. */
static uint32_t leaf_rights(uint64_t value)
{
	return (value & EPT_RIGHTS) | (value & EPT_LEAF_TYPE ? 0 : ELISA_EPT_DEVICE);
}

struct ept_walk {
	elisa_table_visitor *visit_table;
	elisa_mapping_visitor *visit;
};

static int walk_ept(struct elisa_prover *prover, const struct ept_walk *walk, uint64_t table_hpa,
		    unsigned int level, uint64_t gpa)
{
	const uint64_t *table = elisa_seam_hpa_page(elisa_hpa(table_hpa));
	int broken = 0;
	unsigned int i;

	if (!table)
		return elisa_prover_found(prover, 6, gpa,
					  "an EPT leads to a page that is no table");
	if (walk->visit_table)
		broken = walk->visit_table(prover, elisa_hpa(table_hpa));
	for (i = 0; !broken && i < ELISA_TABLE_ENTRIES; i++, gpa += span(level)) {
		uint64_t value = elisa_entry_load(&table[i]);
		bool leaf = level == 1 || (value & EPT_HUGE);
		const char *text;

		prover->proof->entries++;
		if ((value & EPT_RIGHTS) == 0)
			continue;
		text = malformed(value, level, leaf);
		if (text)
			return elisa_prover_found(prover, 6, gpa, text);
		if (!leaf) {
			broken = walk_ept(prover, walk, value & ELISA_FRAME_MASK, level - 1, gpa);
		} else if (walk->visit) {
			struct elisa_mapping mapping = {gpa, value & ELISA_FRAME_MASK, span(level),
							leaf_rights(value)};

			broken = walk->visit(prover, &mapping);
		}
	}
	return broken;
}

int elisa_prove_each_mapping(struct elisa_prover *prover, const struct elisa_ept *ept,
			     elisa_table_visitor *visit_table, elisa_mapping_visitor *visit)
{
	struct ept_walk walk = {visit_table, visit};

	return walk_ept(prover, &walk, elisa_seam_page_hpa(ept->root).value, EPT_LEVELS, 0);
}

bool elisa_prove_translate(struct elisa_prover *prover, const struct elisa_ept *ept, uint64_t gpa,
			   struct elisa_mapping *mapping)
{
	const uint64_t *table = ept->root;
	unsigned int level;
	uint64_t value;

	if (gpa >= ELISA_GPA_LIMIT)
		return false;
	for (level = EPT_LEVELS; table; level--) {
		value = elisa_entry_load(&table[gpa / span(level) % ELISA_TABLE_ENTRIES]);
		prover->proof->entries++;
		if ((value & EPT_RIGHTS) == 0)
			return false;
		if (level == 1 || (value & EPT_HUGE)) {
			*mapping = (struct elisa_mapping){gpa & ~(span(level) - 1),
							  value & ELISA_FRAME_MASK, span(level),
							  leaf_rights(value)};
			return true;
		}
		table = elisa_seam_hpa_page(elisa_hpa(value & ELISA_FRAME_MASK));
	}
	return false;
}

/* The page that the CPU reads as a table at gpa; NULL if the walk faults there. */
static const uint64_t *readable_table(struct elisa_prover *prover, const struct elisa_ept *ept,
				      uint64_t gpa)
{
	struct elisa_mapping mapping;

	if (!elisa_prove_translate(prover, ept, gpa, &mapping) ||
	    !(mapping.rights & ELISA_EPT_READ))
		return NULL;
	return elisa_seam_hpa_page(elisa_hpa(mapping.hpa + (gpa - mapping.gpa)));
}

struct page_walk {
	const struct elisa_ept *ept;
	elisa_reached_visitor *visit;
};

/*
 * A NULL table is a walk that faulted. `above` has what the entries on the way allow, and where the
 * table's addresses begin.
 */
static int walk_pages(struct elisa_prover *prover, const struct page_walk *walk,
		      const uint64_t *table, unsigned int level, const struct elisa_reached *above)
{
	int broken = 0;
	unsigned int i;

	for (i = 0; table && !broken && i < ELISA_TABLE_ENTRIES; i++) {
		uint64_t value = elisa_entry_load(&table[i]);
		struct elisa_reached here = *above;

		prover->proof->entries++;
		if (!(value & ELISA_PTE_PRESENT))
			continue;
		here.gva += i * span(level);
		here.write &= (value & ELISA_PTE_WRITE) != 0;
		here.execute &= (value & ELISA_PTE_NO_EXECUTE) == 0;
		if (level > 3 && (value & ELISA_PTE_HUGE))
			continue; /* reserved bit: faults (SDM 4.7) */
		if (level > 1 && !(value & ELISA_PTE_HUGE)) {
			broken = walk_pages(
				prover, walk,
				readable_table(prover, walk->ept, value & ELISA_FRAME_MASK),
				level - 1, &here);
			continue;
		}
		here.gpa = value & ELISA_FRAME_MASK & ~(span(level) - 1);
		here.size = span(level);
		broken = walk->visit(prover, &here);
	}
	return broken;
}

int elisa_prove_each_reached(struct elisa_prover *prover, const struct elisa_ept *ept,
			     const uint64_t *table, uint64_t root_gpa, uint32_t levels,
			     elisa_reached_visitor *visit)
{
	struct page_walk walk = {ept, visit};
	struct elisa_reached above = {
		.root = root_gpa, .levels = levels, .write = true, .execute = true};

	return walk_pages(prover, &walk, table, levels, &above);
}
