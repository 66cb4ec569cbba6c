// SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause)
/*
 * trusted_table.c - builds the domain's trusted page table, once.
 *
 * Called by domain_tables.c. All pages are allocated before the first is filled, so filling cannot
 * fail. The accessed bit is set everywhere and the dirty bit in every leaf: the CPU must never want
 * to write to a page that its EPT maps read-only.
 */
#include "trusted_table.h"

#include "entry.h"
#include "errno.h"
#include "seam.h"

#define ENTRY_ALL (ELISA_PTE_PRESENT | ELISA_PTE_USER | ELISA_PTE_ACCESSED | ELISA_PTE_NOT_PAE)
#define ENTRY_TABLE (ENTRY_ALL | ELISA_PTE_WRITE)
#define ENTRY_LEAF (ENTRY_ALL | ELISA_PTE_DIRTY)
#define ENTRY_DATA (ENTRY_LEAF | ELISA_PTE_NO_EXECUTE)

#define GIB_SHIFT 30
#define ROOT_SHIFT 39

static uint64_t index_at(uint64_t address, unsigned int shift)
{
	return (address >> shift) & (ELISA_TABLE_ENTRIES - 1);
}

/* Where the CPU finds page `number` of the table: in W, not in host memory. */
static uint64_t table_gpa(struct elisa_gpa window, unsigned int number)
{
	return window.value + ELISA_OFFSET_TABLES + number * ELISA_PAGE_SIZE;
}

/* The first 2 MiB: only the pages of layout.h that exist, page by page. */
static void fill_pt(uint64_t *pt, struct elisa_gpa window)
{
	static const struct {
		uint64_t offset, length, flags;
	} pieces[] = {
		{ELISA_OFFSET_GATE, ELISA_PAGE_SIZE, ENTRY_LEAF},
		{ELISA_OFFSET_LIST, ELISA_PAGE_SIZE, ENTRY_DATA | ELISA_PTE_WRITE},
		{ELISA_OFFSET_TABLE, ELISA_PAGE_SIZE, ENTRY_DATA},
		{ELISA_OFFSET_IDENTITY, ELISA_PAGE_SIZE, ENTRY_DATA},
		{ELISA_OFFSET_STACK, ELISA_STACK_SIZE, ENTRY_DATA | ELISA_PTE_WRITE},
	};
	unsigned int i;
	uint64_t at;

	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		for (at = pieces[i].offset; at < pieces[i].offset + pieces[i].length;
		     at += ELISA_PAGE_SIZE)
			elisa_entry_store(&pt[index_at(at, 12)],
					  (window.value + at) | pieces[i].flags);
	}
}

/* From 1 GiB on: 2 MiB leaves, where the layout has something. */
static void fill_pds(struct elisa_trusted_table *table, struct elisa_gpa window)
{
	static const struct {
		uint64_t offset, end, flags;
	} pieces[] = {
		{ELISA_OFFSET_TEXT, ELISA_OFFSET_TEXT + ELISA_TEXT_MAX, ENTRY_LEAF},
		{ELISA_OFFSET_RODATA, ELISA_OFFSET_RODATA + ELISA_RODATA_MAX, ENTRY_DATA},
		{ELISA_OFFSET_SWITCH, ELISA_OFFSET_SWITCH + ELISA_SWITCH_MAX,
		 ENTRY_DATA | ELISA_PTE_WRITE},
		{ELISA_OFFSET_PORT_MAPS,
		 ELISA_OFFSET_PORT_MAPS + ELISA_MAX_PORTS * sizeof(struct elisa_port_map),
		 ENTRY_DATA},
		{ELISA_OFFSET_CAPTURE, ELISA_OFFSET_CAPTURE + ELISA_CAPTURE_MAX,
		 ENTRY_DATA | ELISA_PTE_WRITE},
		{ELISA_OFFSET_UPLINK_DEVICES,
		 ELISA_OFFSET_UPLINK_DEVICES + ELISA_UPLINK_DEVICES_MAX,
		 ENTRY_DATA | ELISA_PTE_WRITE},
		{ELISA_OFFSET_UPLINK_MEMORY, ELISA_OFFSET_UPLINK_MEMORY + ELISA_UPLINK_MEMORY_MAX,
		 ENTRY_DATA | ELISA_PTE_WRITE},
		{ELISA_OFFSET_UPLINK_STATE, ELISA_OFFSET_UPLINK_STATE + ELISA_UPLINK_STATE_MAX,
		 ENTRY_DATA},
		{ELISA_OFFSET_MEMORY, ELISA_WINDOW_SIZE, ENTRY_DATA | ELISA_PTE_WRITE},
	};
	unsigned int i;
	uint64_t at, *pd;

	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		for (at = pieces[i].offset; at < pieces[i].end; at += ELISA_HUGE_PAGE_SIZE) {
			pd = table->pages[ELISA_TRUSTED_PAGE_PD + (at >> GIB_SHIFT)];
			elisa_entry_store(&pd[index_at(at, 21)],
					  (window.value + at) | pieces[i].flags | ELISA_PTE_HUGE);
		}
	}
}

static void fill_upper(struct elisa_trusted_table *table, struct elisa_gpa window)
{
	uint64_t *pdpt = table->pages[ELISA_TRUSTED_PAGE_PDPT];
	unsigned int gib;

	elisa_entry_store(&table->root[index_at(ELISA_WINDOW_GVA, ROOT_SHIFT)],
			  table_gpa(window, ELISA_TRUSTED_PAGE_PDPT) | ENTRY_TABLE);
	for (gib = 0; gib < ELISA_TRUSTED_GIBS; gib++)
		elisa_entry_store(&pdpt[index_at(ELISA_WINDOW_GVA, GIB_SHIFT) + gib],
				  table_gpa(window, ELISA_TRUSTED_PAGE_PD + gib) | ENTRY_TABLE);
	elisa_entry_store(&table->pages[ELISA_TRUSTED_PAGE_PD][0],
			  table_gpa(window, ELISA_TRUSTED_PAGE_PT) | ENTRY_TABLE);
}

int elisa_trusted_table_create(struct elisa_trusted_table *table, struct elisa_gpa window)
{
	unsigned int i;

	*table = (struct elisa_trusted_table){0};
	table->root = elisa_seam_page_alloc();
	if (!table->root)
		return -ENOMEM;
	for (i = 0; i < ELISA_TRUSTED_PAGES; i++) {
		table->pages[i] = elisa_seam_page_alloc();
		if (!table->pages[i]) {
			elisa_trusted_table_destroy(table);
			return -ENOMEM;
		}
	}
	fill_upper(table, window);
	fill_pt(table->pages[ELISA_TRUSTED_PAGE_PT], window);
	fill_pds(table, window);
	return 0;
}

void elisa_trusted_table_destroy(struct elisa_trusted_table *table)
{
	unsigned int i;

	for (i = 0; i < ELISA_TRUSTED_PAGES; i++) {
		if (table->pages[i])
			elisa_seam_page_free(table->pages[i]);
	}
	if (table->root)
		elisa_seam_page_free(table->root);
	*table = (struct elisa_trusted_table){0};
}
