// SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause)
/*
 * prove_trusted.c - invariant 3: what the trusted context can reach, and how.
 *
 * Called by prove.c, after invariants 6 and 2. Reads only; its set of frames is freed by prove.c.
 */
#include "prove_walk.h"

#include "pages.h"
#include "seam.h"

#define READ_WRITE (ELISA_EPT_READ | ELISA_EPT_WRITE)
#define REGISTERS (READ_WRITE | ELISA_EPT_DEVICE)

/* The parts of the layout from SHARED on, and the rights that a page there may have. */
static const struct part {
	uint64_t offset, end;
	uint32_t rights, other_rights;
} parts[] = {
	{ELISA_OFFSET_TEXT, ELISA_OFFSET_TEXT + ELISA_TEXT_MAX, ELISA_EPT_EXECUTE,
	 ELISA_EPT_EXECUTE},
	{ELISA_OFFSET_RODATA, ELISA_OFFSET_RODATA + ELISA_RODATA_MAX, ELISA_EPT_READ,
	 ELISA_EPT_READ},
	{ELISA_OFFSET_SWITCH, ELISA_OFFSET_SWITCH + ELISA_SWITCH_MAX, ELISA_EPT_READ, READ_WRITE},
	{ELISA_OFFSET_PORT_MAPS,
	 ELISA_OFFSET_PORT_MAPS + ELISA_MAX_PORTS * sizeof(struct elisa_port_map), ELISA_EPT_READ,
	 ELISA_EPT_READ},
	{ELISA_OFFSET_CAPTURE, ELISA_OFFSET_CAPTURE + ELISA_CAPTURE_MAX, READ_WRITE, READ_WRITE},
	{ELISA_OFFSET_UPLINK_DEVICES, ELISA_OFFSET_UPLINK_DEVICES + ELISA_UPLINK_DEVICES_MAX,
	 REGISTERS, REGISTERS},
	{ELISA_OFFSET_UPLINK_MEMORY, ELISA_OFFSET_UPLINK_MEMORY + ELISA_UPLINK_MEMORY_MAX,
	 READ_WRITE, READ_WRITE},
	{ELISA_OFFSET_UPLINK_STATE, ELISA_OFFSET_UPLINK_STATE + ELISA_UPLINK_STATE_MAX,
	 ELISA_EPT_READ, ELISA_EPT_READ},
	{ELISA_OFFSET_MEMORY, ELISA_WINDOW_SIZE, ELISA_EPT_READ, READ_WRITE},
};

/* The part that all of [offset, offset + size) is in; NULL if there is none. */
static const struct part *part_of(uint64_t offset, uint64_t size)
{
	unsigned int i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (offset >= parts[i].offset && offset + size <= parts[i].end)
			return &parts[i];
	}
	return NULL;
}

static bool rights_fit(uint64_t offset, uint64_t size, uint32_t rights)
{
	const struct part *part = part_of(offset, size);

	return part && (rights == part->rights || rights == part->other_rights);
}

static bool is_private_mapping(struct elisa_prover *prover, const struct elisa_mapping *mapping,
			       uint64_t offset)
{
	const struct elisa_contexts *contexts = prover->contexts;
	uint64_t stack_page = (offset - ELISA_OFFSET_STACK) / ELISA_PAGE_SIZE;
	uint64_t table_page = (offset - ELISA_OFFSET_TABLES) / ELISA_PAGE_SIZE;

	if (offset == ELISA_OFFSET_GATE)
		return elisa_prove_is(mapping, prover->tables->entry_page, ELISA_EPT_EXECUTE);
	if (offset == ELISA_OFFSET_LIST)
		return elisa_prove_is(mapping, contexts->list, READ_WRITE);
	if (offset == ELISA_OFFSET_IDENTITY)
		return elisa_prove_is(mapping, contexts->identity, ELISA_EPT_READ);
	if (offset >= ELISA_OFFSET_STACK && stack_page < ELISA_STACK_PAGES)
		return elisa_prove_is(mapping, contexts->stack[stack_page], READ_WRITE);
	if (offset >= ELISA_OFFSET_TABLES && table_page < ELISA_TRUSTED_PAGES)
		return elisa_prove_is(mapping, prover->tables->trusted.pages[table_page],
				      ELISA_EPT_READ);
	return false;
}

/*
 * Leaves come in ascending order, so TEXT's frames are in the set before anything behind it is
 * looked at.
 */
static int check_frames(struct elisa_prover *prover, const struct elisa_mapping *mapping,
			uint64_t offset)
{
	uint64_t at;

	for (at = 0; at < mapping->size; at += ELISA_PAGE_SIZE) {
		if (!elisa_domain_tables_claimed(prover->tables, offset + at))
			return elisa_prover_found(prover, 3, offset + at,
						  "a page is mapped that nobody claimed");
		if (elisa_frame_set_has(&prover->frames, elisa_hpa(mapping->hpa + at)))
			return elisa_prover_found(
				prover, 3, offset + at,
				"a table, a page of the gate or of TEXT is mapped "
				"a second time");
	}
	for (at = 0; (mapping->rights & ELISA_EPT_EXECUTE) && at < mapping->size;
	     at += ELISA_PAGE_SIZE)
		elisa_frame_set_insert(&prover->frames, elisa_hpa(mapping->hpa + at));
	return 0;
}

static int check_mapping(struct elisa_prover *prover, const struct elisa_mapping *mapping)
{
	uint64_t offset = elisa_prove_offset(prover, mapping->gpa);

	if (offset == ~0ull)
		return 0; /* invariant 2 */
	if (offset < ELISA_OFFSET_SHARED)
		return is_private_mapping(prover, mapping, offset)
			       ? 0
			       : elisa_prover_found(prover, 3, offset,
						    "a page below SHARED should not be mapped, or "
						    "with other rights");
	if (!rights_fit(offset, mapping->size, mapping->rights))
		return elisa_prover_found(prover, 3, offset,
					  "a page has rights that its part of the layout forbids");
	return check_frames(prover, mapping, offset);
}

static bool may_execute(uint64_t offset, uint64_t size)
{
	return (offset == ELISA_OFFSET_GATE && size == ELISA_PAGE_SIZE) ||
	       (offset >= ELISA_OFFSET_TEXT && offset + size <= ELISA_OFFSET_TEXT + ELISA_TEXT_MAX);
}

static bool may_write(uint64_t offset, uint64_t size)
{
	const struct part *part = part_of(offset, size);

	return (offset == ELISA_OFFSET_LIST && size == ELISA_PAGE_SIZE) ||
	       (offset >= ELISA_OFFSET_STACK &&
		offset + size <= ELISA_OFFSET_STACK + ELISA_STACK_SIZE) ||
	       (part && (part->other_rights & ELISA_EPT_WRITE));
}

static int check_reached(struct elisa_prover *prover, const struct elisa_reached *reached)
{
	uint64_t offset = reached->gva - ELISA_WINDOW_GVA;

	if (offset >= ELISA_WINDOW_SIZE || reached->gpa != prover->tables->window.value + offset)
		return elisa_prover_found(prover, 3, reached->gpa,
					  "the trusted page table is not linear over the window");
	if ((reached->execute && !may_execute(offset, reached->size)) ||
	    (reached->write && !may_write(offset, reached->size)))
		return elisa_prover_found(prover, 3, offset,
					  "the trusted page table allows what the layout forbids");
	return 0;
}

static int insert_table(struct elisa_prover *prover, struct elisa_hpa table)
{
	elisa_frame_set_insert(&prover->frames, table);
	return 0;
}

static void insert_page(struct elisa_prover *prover, const void *page)
{
	elisa_frame_set_insert(&prover->frames, elisa_seam_page_hpa(page));
}

static int insert_own_pages(struct elisa_prover *prover)
{
	const struct elisa_domain_tables *tables = prover->tables;
	const struct elisa_contexts *contexts = prover->contexts;
	unsigned int i;
	int broken;

	insert_page(prover, tables);
	insert_page(prover, tables->claims);
	insert_page(prover, tables->gate_page);
	insert_page(prover, tables->entry_page);
	insert_page(prover, tables->trusted.root);
	for (i = 0; i < ELISA_TRUSTED_PAGES; i++)
		insert_page(prover, tables->trusted.pages[i]);
	insert_page(prover, contexts);
	insert_page(prover, contexts->list);
	insert_page(prover, contexts->table);
	insert_page(prover, contexts->identity);
	for (i = 0; i < ELISA_STACK_PAGES; i++)
		insert_page(prover, contexts->stack[i]);
	broken = elisa_prove_each_mapping(prover, &contexts->gate, insert_table, NULL);
	return broken ? broken
		      : elisa_prove_each_mapping(prover, &contexts->trusted, insert_table, NULL);
}

int elisa_prove_trusted(struct elisa_prover *prover)
{
	uint64_t frames = prover->nb_tables + ELISA_TRUSTED_PAGES + ELISA_STACK_PAGES + 16 +
			  ELISA_TEXT_MAX / ELISA_PAGE_SIZE;
	unsigned int i;
	int broken;

	for (i = 0; i < ELISA_PAGE_SIZE; i++) {
		if (prover->tables->entry_page[i] != elisa_entry_page[i])
			return elisa_prover_found(
				prover, 3, ELISA_OFFSET_GATE + i,
				"the entry page's bytes are not the constant ones");
	}
	broken = elisa_frame_set_create(&prover->frames, frames);
	if (!broken)
		broken = insert_own_pages(prover);
	if (!broken)
		broken = elisa_prove_each_mapping(prover, &prover->contexts->trusted, NULL,
						  check_mapping);
	if (!broken)
		broken =
			elisa_prove_each_reached(prover, &prover->contexts->trusted,
						 prover->tables->trusted.root, 0, 4, check_reached);
	return broken;
}
