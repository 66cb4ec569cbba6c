// SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause)
/*
 * ept.c - one extended page table: build, change, take down.
 *
 * Called by domain_tables.c and contexts.c. Touches table pages of its own only: a page directory
 * that belongs to another table is marked ENTRY_LINKED and neither descended into for a change nor
 * freed.
 */
#include "ept.h"

#include "entry.h"
#include "errno.h"
#include "seam.h"

#define ENTRY_RIGHTS 7ull
#define ENTRY_TYPE (7ull << 3)
#define ENTRY_TYPE_WB (6ull << 3)
#define ENTRY_TYPE_UC (0ull << 3)
#define ENTRY_IGNORE_PAT (1ull << 6)
#define ENTRY_HUGE (1ull << 7)
#define ENTRY_LINKED (1ull << 52) /* ignored by the CPU in an entry that points to a table */

#define EPTP_TYPE_WB 6ull
#define EPTP_WALK_LENGTH_4 (3ull << 3)

/* Levels are numbered as the SDM does: 4 = root, 3 = 1 GiB entries, 2 = 2 MiB, 1 = 4 KiB. */
#define LEVEL_ROOT ELISA_EPT_LEVELS
#define LEVEL_GIB 3u
#define LEVEL_HUGE 2u
#define LEVEL_PAGE 1u

static unsigned int level_shift(unsigned int level)
{
	return 12 + 9 * (level - 1);
}

static uint64_t *entry_of(uint64_t *table, unsigned int level, uint64_t gpa)
{
	return &table[(gpa >> level_shift(level)) & (ELISA_TABLE_ENTRIES - 1)];
}

static uint64_t *table_below(uint64_t value)
{
	return elisa_seam_hpa_page(elisa_hpa(value & ELISA_FRAME_MASK));
}

static uint64_t link_to(const uint64_t *table)
{
	return elisa_seam_page_hpa(table).value | ENTRY_RIGHTS;
}

/*
 * The entry for gpa at `level`, or at a higher level if the walk ends there: nothing, a 2 MiB leaf,
 * or a linked table. *reached says which level it is of.
 */
static uint64_t *find(const struct elisa_ept *ept, uint64_t gpa, unsigned int level,
		      unsigned int *reached)
{
	uint64_t *table = ept->root;
	unsigned int at;

	for (at = LEVEL_ROOT;; at--) {
		uint64_t *entry = entry_of(table, at, gpa);
		uint64_t value = elisa_entry_load(entry);

		*reached = at;
		if (at == level || value == 0 || (value & ENTRY_HUGE) || (value & ENTRY_LINKED))
			return entry;
		table = table_below(value);
	}
}

/* Makes the tables above the entry for gpa at `level`. */
static int make_path(struct elisa_ept *ept, uint64_t gpa, unsigned int level)
{
	unsigned int reached;
	uint64_t *entry, *table;

	for (;;) {
		entry = find(ept, gpa, level, &reached);
		if (reached == level)
			return 0;
		if (elisa_entry_load(entry) != 0)
			return -EEXIST;
		table = elisa_seam_page_alloc();
		if (!table)
			return -ENOMEM;
		ept->nb_tables++;
		elisa_entry_store(entry, link_to(table));
	}
}

int elisa_ept_create(struct elisa_ept *ept)
{
	ept->root = elisa_seam_page_alloc();
	ept->nb_tables = ept->root ? 1 : 0;
	ept->nb_unlinked = 0;
	return ept->root ? 0 : -ENOMEM;
}

static void free_table(struct elisa_ept *ept, uint64_t *table)
{
	elisa_seam_page_free(table);
	ept->nb_tables--;
}

/* Depth is at most four: level only falls. */
static void free_below(struct elisa_ept *ept, uint64_t *table, unsigned int level)
{
	unsigned int i;

	for (i = 0; level > LEVEL_PAGE && i < ELISA_TABLE_ENTRIES; i++) {
		if (table[i] != 0 && !(table[i] & (ENTRY_HUGE | ENTRY_LINKED)))
			free_below(ept, table_below(table[i]), level - 1);
	}
	free_table(ept, table);
}

void elisa_ept_destroy(struct elisa_ept *ept)
{
	if (ept->root)
		free_below(ept, ept->root, LEVEL_ROOT);
	ept->root = NULL;
}

int elisa_ept_prepare(struct elisa_ept *ept, struct elisa_gpa gpa, uint64_t length, uint64_t size)
{
	unsigned int level = size == ELISA_HUGE_PAGE_SIZE ? LEVEL_HUGE : LEVEL_PAGE;
	uint64_t step = 1ull << level_shift(level + 1);
	uint64_t at, end = gpa.value + length;
	int error;

	if ((size != ELISA_PAGE_SIZE && size != ELISA_HUGE_PAGE_SIZE) ||
	    !elisa_aligned(gpa.value | length, size) ||
	    !elisa_range_below(gpa.value, length, ELISA_GPA_LIMIT))
		return -EINVAL;
	for (at = gpa.value & ~(step - 1); at < end; at += step) {
		error = make_path(ept, at, level);
		if (error)
			return error;
	}
	return 0;
}

static uint64_t leaf_flags(uint32_t rights)
{
	return (rights & ENTRY_RIGHTS) | ENTRY_IGNORE_PAT |
	       (rights & ELISA_EPT_DEVICE ? ENTRY_TYPE_UC : ENTRY_TYPE_WB);
}

void elisa_ept_commit(struct elisa_ept *ept, struct elisa_gpa gpa, struct elisa_hpa hpa,
		      uint64_t size, uint32_t rights)
{
	uint64_t value = hpa.value | leaf_flags(rights);
	unsigned int reached, i;
	uint64_t *entry, *table;

	if (size == ELISA_PAGE_SIZE) {
		elisa_entry_store(find(ept, gpa.value, LEVEL_PAGE, &reached), value);
		return;
	}
	entry = find(ept, gpa.value, LEVEL_HUGE, &reached);
	if (elisa_entry_load(entry) == 0 || (elisa_entry_load(entry) & ENTRY_HUGE)) {
		elisa_entry_store(entry, value | ENTRY_HUGE);
		return;
	}
	/* The table below may be in a CPU's paging-structure caches: it stays, and is filled. */
	table = table_below(elisa_entry_load(entry));
	for (i = 0; i < ELISA_TABLE_ENTRIES; i++)
		elisa_entry_store(&table[i], value + i * ELISA_PAGE_SIZE);
}

void elisa_ept_clear(struct elisa_ept *ept, struct elisa_gpa gpa, uint64_t length)
{
	uint64_t at = gpa.value, end = gpa.value + length;
	unsigned int reached;
	uint64_t *entry;

	while (at < end) {
		entry = find(ept, at, LEVEL_PAGE, &reached);
		if (!(elisa_entry_load(entry) & ENTRY_LINKED) || reached == LEVEL_PAGE)
			elisa_entry_store(entry, 0);
		at = (at | ((1ull << level_shift(reached)) - 1)) + 1;
	}
}

static bool is_empty(const uint64_t *table)
{
	unsigned int i;

	for (i = 0; i < ELISA_TABLE_ENTRIES; i++) {
		if (table[i] != 0)
			return false;
	}
	return true;
}

/* Unlinks the tables above the entry for gpa that are empty, lowest first. */
static void unlink_empty(struct elisa_ept *ept, uint64_t gpa)
{
	unsigned int level, reached;
	uint64_t *entry, *table;

	for (level = LEVEL_HUGE; level <= LEVEL_ROOT; level++) {
		entry = find(ept, gpa, level, &reached);
		if (reached != level || elisa_entry_load(entry) == 0)
			continue;
		if (elisa_entry_load(entry) & (ENTRY_HUGE | ENTRY_LINKED))
			break;
		table = table_below(elisa_entry_load(entry));
		if (!is_empty(table))
			break;
		elisa_entry_store(entry, 0);
		ept->unlinked[ept->nb_unlinked++] = table;
	}
}

void elisa_ept_remove_page(struct elisa_ept *ept, struct elisa_gpa gpa)
{
	elisa_ept_clear(ept, elisa_gpa(gpa.value & ~(ELISA_PAGE_SIZE - 1)), ELISA_PAGE_SIZE);
	unlink_empty(ept, gpa.value);
}

void elisa_ept_free_unlinked(struct elisa_ept *ept)
{
	while (ept->nb_unlinked > 0)
		free_table(ept, ept->unlinked[--ept->nb_unlinked]);
}

int elisa_ept_link(struct elisa_ept *ept, struct elisa_gpa gpa, uint64_t *directory)
{
	unsigned int reached;
	uint64_t *entry;
	int error;

	if (!elisa_aligned(gpa.value, 1ull << level_shift(LEVEL_GIB)) ||
	    gpa.value >= ELISA_GPA_LIMIT)
		return -EINVAL;
	error = make_path(ept, gpa.value, LEVEL_GIB);
	if (error)
		return error;
	entry = find(ept, gpa.value, LEVEL_GIB, &reached);
	if (elisa_entry_load(entry) != 0)
		return -EEXIST;
	elisa_entry_store(entry, link_to(directory) | ENTRY_LINKED);
	return 0;
}

uint64_t *elisa_ept_directory(const struct elisa_ept *ept, struct elisa_gpa gpa)
{
	unsigned int reached;
	uint64_t value = elisa_entry_load(find(ept, gpa.value, LEVEL_GIB, &reached));

	return value != 0 && reached == LEVEL_GIB ? table_below(value) : NULL;
}

bool elisa_ept_get(const struct elisa_ept *ept, struct elisa_gpa gpa, struct elisa_ept_leaf *leaf)
{
	uint64_t *table = ept->root;
	unsigned int level = LEVEL_ROOT;
	uint64_t value;

	for (;; level--) {
		value = elisa_entry_load(entry_of(table, level, gpa.value));
		if (value == 0)
			return false;
		if (level == LEVEL_PAGE || (value & ENTRY_HUGE))
			break;
		table = table_below(value);
	}
	leaf->hpa = elisa_hpa(value & ELISA_FRAME_MASK);
	leaf->size = 1ull << level_shift(level);
	leaf->rights = value & ENTRY_RIGHTS;
	if ((value & ENTRY_TYPE) == ENTRY_TYPE_UC)
		leaf->rights |= ELISA_EPT_DEVICE;
	return true;
}

uint64_t elisa_ept_eptp(const struct elisa_ept *ept)
{
	return elisa_seam_page_hpa(ept->root).value | EPTP_WALK_LENGTH_4 | EPTP_TYPE_WB;
}
