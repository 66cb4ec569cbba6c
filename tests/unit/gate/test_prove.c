// SPDX-License-Identifier: BSD-3-Clause
/*
 * test_prove.c - the prover accepts what is built, and names the invariant that a change breaks.
 *
 * Each change is to one entry or byte of finished tables, and is taken back: what was accepted
 * before is accepted again after.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "domain_fixture.h"
#include "fake_seam.h"

#define FRAME(entry) ((entry)&0x000ffffffffff000ull)
#define BIT(n) (1ull << (n))
#define TABLE_FLAGS (BIT(52) | 0x67) /* present, write, user, accessed; dirty where it is a leaf */

static uint64_t *root_table(void)
{
	return tables->trusted.root;
}

static uint64_t *pdpt(void)
{
	return tables->trusted.pages[ELISA_TRUSTED_PAGE_PDPT];
}

static uint64_t *pt(void)
{
	return tables->trusted.pages[ELISA_TRUSTED_PAGE_PT];
}

static uint64_t *pd(unsigned int gib)
{
	return tables->trusted.pages[ELISA_TRUSTED_PAGE_PD + gib];
}

static uint64_t pt_gpa(void)
{
	return WINDOW + ELISA_OFFSET_TABLES + ELISA_TRUSTED_PAGE_PT * PAGE;
}

/* The entry for gpa at `level` (4 = root) of an EPT; the path above it exists. */
static uint64_t *ept_entry(const struct elisa_ept *ept, uint64_t gpa, unsigned int level)
{
	uint64_t *table = ept->root;
	unsigned int at;

	for (at = 4; at > level; at--)
		table = elisa_seam_hpa_page(
			elisa_hpa(FRAME(table[gpa >> (12 + 9 * (at - 1)) & 511])));
	return &table[gpa >> (12 + 9 * (level - 1)) & 511];
}

static uint64_t *gate_leaf(uint64_t gpa)
{
	return ept_entry(&contexts->gate, gpa, 1);
}

static uint64_t *trusted_leaf(uint64_t offset)
{
	return ept_entry(&contexts->trusted, WINDOW + offset, 1);
}

static uint64_t hpa(const void *page)
{
	return elisa_seam_page_hpa(page).value;
}

/* With *entry changed to `value` the prover says `invariant`. */
static void breaks(int invariant, uint64_t *entry, uint64_t value)
{
	uint64_t before = *entry;

	expect_proof(0);
	assert_true(before != value);
	*entry = value;
	expect_proof(invariant);
	*entry = before;
	expect_proof(0);
}

static void accepts_what_is_built(void **state)
{
	(void)state;
	expect_proof(0);
	elisa_contexts_close(contexts);
	expect_proof(0);
	elisa_contexts_evict(&contexts, 1, elisa_gpa(ROOT_A));
	elisa_contexts_evict(&contexts, 1, elisa_gpa(ROOT_B));
	expect_proof(0);
	elisa_contexts_set_default(contexts, 0);
	elisa_contexts_open(contexts);
	elisa_contexts_set_ports(contexts, ~0ull);
	expect_proof(0);
}

static void gate_context_rights(void **state)
{
	uint64_t *gate = gate_leaf(WINDOW + ELISA_OFFSET_GATE);
	uint64_t *list = gate_leaf(WINDOW + ELISA_OFFSET_LIST);
	uint64_t *table = gate_leaf(WINDOW + ELISA_OFFSET_TABLE);
	uint64_t *tables_page = gate_leaf(WINDOW + ELISA_OFFSET_TABLES);

	(void)state;
	breaks(1, gate, *gate | ELISA_EPT_READ);
	breaks(1, gate, *gate | RW);
	breaks(1, list, *list | ELISA_EPT_EXECUTE);
	breaks(1, table, *table | ELISA_EPT_WRITE);
	breaks(1, tables_page, *tables_page | ELISA_EPT_EXECUTE);
	breaks(1, tables_page, *tables_page | ELISA_EPT_WRITE);
}

static void gate_context_pages(void **state)
{
	uint64_t *gate = gate_leaf(WINDOW + ELISA_OFFSET_GATE);
	uint64_t *list = gate_leaf(WINDOW + ELISA_OFFSET_LIST);
	uint64_t *empty = gate_leaf(WINDOW + ELISA_OFFSET_STACK);

	(void)state;
	breaks(1, gate, hpa(tables->entry_page) | (*gate & 0xfff));
	breaks(1, list, hpa(contexts->stack[0]) | (*list & 0xfff));
	breaks(1, empty, hpa(contexts->stack[0]) | 0x73);
	breaks(1, empty, hpa(tables->gate_page) | 0x74);
	breaks(1, (uint64_t *)tables->gate_page + 0x184 / 8, 0);
	breaks(1, (uint64_t *)tables->gate_page + 511, 0);
}

/* Page-table entries that lead a fetch, or a store, where they should not: by another address, */
static void gate_reached_elsewhere(void **state)
{
	(void)state;
	breaks(1, &root_table()[0], root_table()[144]);
	breaks(1, &pt()[0x100], pt()[ELISA_OFFSET_GATE / PAGE]);
	breaks(1, &pt()[0x100], pt()[ELISA_OFFSET_LIST / PAGE]);
	breaks(1, &pd(0)[3], pd(0)[0]);
	/* as part of a large page, */
	breaks(1, &pd(0)[1], WINDOW | (pd(1)[0] & 0xfff) | BIT(52));
	breaks(1, &pdpt()[5], WINDOW | (pd(1)[0] & 0xfff) | BIT(52));
	/* over five levels or with an interior page as root, */
	breaks(1, &pt()[0x14], pt_gpa() | TABLE_FLAGS);
	/* and so at the very address where four levels from an admitted root lead. */
	breaks(1, &root_table()[0], ROOT_A | TABLE_FLAGS);
	breaks(1, &pt()[144], FRAME(root_table()[144]) | TABLE_FLAGS);
}

/* A large page at a level that has none faults: it leads nowhere. */
static void reserved_size_bit_ends_a_walk(void **state)
{
	(void)state;
	root_table()[0] = root_table()[144] | BIT(7) | BIT(6);
	expect_proof(0);
	root_table()[0] = root_table()[144];
	expect_proof(1);
	root_table()[0] = 0;
}

static void roots(void **state)
{
	uint64_t *in_gate = gate_leaf(ROOT_A);
	uint64_t *in_trusted = ept_entry(&contexts->trusted, ROOT_B, 1);
	uint64_t *beside_gate = gate_leaf(ROOT_A + PAGE);
	uint64_t *beside_trusted = ept_entry(&contexts->trusted, ROOT_A + PAGE, 1);

	(void)state;
	breaks(2, in_gate, *in_gate | ELISA_EPT_WRITE);
	breaks(2, in_trusted, *in_trusted | ELISA_EPT_WRITE);
	breaks(2, in_trusted, hpa(pdpt()) | 0x71);
	breaks(2, in_trusted, FAKE_MEMORY_HPA | 0x71);
	breaks(2, beside_gate, *in_gate);
	breaks(2, beside_trusted, *in_gate);
}

static void trusted_private_pages(void **state)
{
	uint64_t *entry = trusted_leaf(ELISA_OFFSET_GATE);
	uint64_t *identity = trusted_leaf(ELISA_OFFSET_IDENTITY);
	uint64_t *guard = trusted_leaf(ELISA_OFFSET_STACK - PAGE);
	uint64_t *stack = trusted_leaf(ELISA_OFFSET_STACK);
	uint64_t *table = trusted_leaf(ELISA_OFFSET_TABLES + 9 * PAGE);

	(void)state;
	breaks(3, entry, *entry | RW);
	breaks(3, entry, hpa(tables->gate_page) | (*entry & 0xfff));
	breaks(3, identity, *identity | ELISA_EPT_WRITE);
	breaks(3, guard, *stack);
	breaks(3, stack, *stack | ELISA_EPT_EXECUTE);
	breaks(3, table, *table | ELISA_EPT_WRITE);
	breaks(3, (uint64_t *)tables->entry_page + 0x187 / 8, 0);
}

static void trusted_shared_rights(void **state)
{
	uint64_t *text = trusted_leaf(ELISA_OFFSET_TEXT);
	uint64_t *rodata = trusted_leaf(ELISA_OFFSET_RODATA);
	uint64_t *maps = trusted_leaf(ELISA_OFFSET_PORT_MAPS);
	uint64_t *memory = ept_entry(&contexts->trusted, WINDOW + ELISA_OFFSET_MEMORY, 2);

	(void)state;
	breaks(3, text, *text | ELISA_EPT_READ);
	breaks(3, text, *text | RW);
	breaks(3, rodata, *rodata | ELISA_EPT_WRITE);
	breaks(3, maps, *maps | ELISA_EPT_WRITE);
	breaks(3, memory, *memory | ELISA_EPT_EXECUTE);
}

static void uplink_rights(void **state)
{
	uint64_t *capture = trusted_leaf(ELISA_OFFSET_CAPTURE);
	uint64_t *registers = trusted_leaf(ELISA_OFFSET_UPLINK_DEVICES);
	uint64_t *more =
		ept_entry(&contexts->trusted, WINDOW + ELISA_OFFSET_UPLINK_DEVICES + HUGE, 2);
	uint64_t *mbufs = ept_entry(&contexts->trusted, WINDOW + ELISA_OFFSET_UPLINK_MEMORY, 2);
	uint64_t *driver = trusted_leaf(ELISA_OFFSET_UPLINK_STATE);
	uint64_t *memory = trusted_leaf(ELISA_OFFSET_MEMORY + HUGE);

	(void)state;
	breaks(3, capture, *capture | ELISA_EPT_EXECUTE);
	breaks(3, registers, *registers | ELISA_EPT_EXECUTE);
	breaks(3, more, *more | ELISA_EPT_EXECUTE);
	breaks(3, mbufs, *mbufs | ELISA_EPT_EXECUTE);
	breaks(3, driver, *driver | ELISA_EPT_WRITE);
	breaks(3, registers, hpa(contexts->list) | 0x43);
	/* Cached registers, uncached memory. */
	breaks(3, registers, *registers | 0x30);
	breaks(3, capture, *capture & ~0x38ull);
	breaks(3, memory, *memory & ~0x38ull);
}

static void trusted_shared_pages(void **state)
{
	uint64_t *memory = trusted_leaf(ELISA_OFFSET_MEMORY + HUGE + PAGE);
	uint64_t *unclaimed = trusted_leaf(ELISA_OFFSET_MEMORY + HUGE + 5 * PAGE);
	uint64_t *huge = ept_entry(&contexts->trusted, WINDOW + ELISA_OFFSET_MEMORY, 2);
	uint64_t *text = trusted_leaf(ELISA_OFFSET_TEXT);
	uint64_t *gap = ept_entry(&contexts->trusted, WINDOW + ELISA_OFFSET_PORT_MAPS + HUGE, 2);

	(void)state;
	breaks(3, unclaimed, FAKE_MEMORY_HPA | 0x73);
	breaks(3, gap, FAKE_MEMORY_HPA | 0xf3);
	breaks(3, memory, FRAME(*text) | 0x73);
	breaks(3, memory, hpa(contexts->identity) | 0x73);
	breaks(3, memory, hpa(contexts->list) | 0x73);
	breaks(3, memory, hpa(pd(7)) | 0x73);
	breaks(3, memory, hpa(root_table()) | 0x73);
	breaks(3, memory, hpa(contexts->gate.root) | 0x73);
	breaks(3, memory,
	       FRAME(*ept_entry(&contexts->trusted, WINDOW + ELISA_OFFSET_MEMORY, 3)) | 0x71);
	breaks(3, huge, FRAME(hpa(contexts->list)) / HUGE * HUGE | 0xf3);
}

static void trusted_page_table(void **state)
{
	uint64_t *rodata = &pd(1)[(ELISA_OFFSET_RODATA >> 21) & 511];
	uint64_t *memory = &pd(5)[3];
	uint64_t *switch_leaf = &pd(1)[(ELISA_OFFSET_SWITCH >> 21) & 511];
	uint64_t *identity = &pt()[ELISA_OFFSET_IDENTITY / PAGE];
	uint64_t *driver = &pd(3)[(ELISA_OFFSET_UPLINK_STATE >> 21) & 511];
	uint64_t *registers = &pd(2)[(ELISA_OFFSET_UPLINK_DEVICES >> 21) & 511];

	(void)state;
	breaks(3, rodata, *rodata | BIT(1));
	breaks(3, driver, *driver | BIT(1));
	breaks(3, registers, *registers & ~BIT(63));
	breaks(3, identity, *identity | BIT(1));
	breaks(3, switch_leaf, *switch_leaf & ~BIT(63));
	breaks(3, identity, *identity & ~BIT(63));
	breaks(3, memory, *memory + HUGE);
	breaks(3, memory, ROOT_A / HUGE * HUGE | (*memory & ~0x000ffffffffff000ull));
	breaks(3, &pdpt()[70], pdpt()[60]);
}

static void bit_52(void **state)
{
	(void)state;
	breaks(4, &root_table()[144], root_table()[144] & ~BIT(52));
	breaks(4, &pdpt()[63], pdpt()[63] & ~BIT(52));
	breaks(4, &pt()[ELISA_OFFSET_LIST / PAGE], pt()[ELISA_OFFSET_LIST / PAGE] & ~BIT(52));
	breaks(4, &pd(63)[511], pd(63)[511] & ~BIT(52));
}

static void accessed_and_dirty(void **state)
{
	(void)state;
	breaks(5, &root_table()[144], root_table()[144] & ~BIT(5));
	breaks(5, &pdpt()[3], pdpt()[3] & ~BIT(5));
	breaks(5, &pd(0)[0], pd(0)[0] & ~BIT(5));
	breaks(5, &pt()[ELISA_OFFSET_GATE / PAGE], pt()[ELISA_OFFSET_GATE / PAGE] & ~BIT(6));
	breaks(5, &pd(20)[0], pd(20)[0] & ~BIT(6));
	breaks(5, &pd(20)[0], pd(20)[0] & ~BIT(5));
}

static void list_and_table(void **state)
{
	uint64_t trusted = elisa_contexts_eptp(contexts, ELISA_CONTEXT_TRUSTED);

	(void)state;
	breaks(6, &contexts->list[2], trusted);
	breaks(6, &contexts->list[511], trusted);
	breaks(6, &contexts->list[0], 0);
	breaks(6, &contexts->list[1], contexts->list[1] | BIT(6));
	breaks(6, &contexts->list[1], 0);
	breaks(6, &contexts->table[0], trusted | BIT(6));
	breaks(6, &contexts->table[0], contexts->list[1]);
	breaks(6, &contexts->table[1], trusted);
	elisa_contexts_set_default(contexts, DEFAULT_EPTP | 1);
	expect_proof(6);
	elisa_contexts_set_default(contexts, elisa_contexts_eptp(contexts, ELISA_CONTEXT_GATE));
	expect_proof(6);
}

static void same_root_twice(void **state)
{
	struct elisa_ept gate = contexts->gate;

	(void)state;
	contexts->gate = contexts->trusted;
	elisa_contexts_open(contexts);
	expect_proof(6);
	contexts->gate = gate;
	elisa_contexts_open(contexts);
	expect_proof(0);
}

/* Host memory where an EPTP could pass for an address of the list (see gate_page.S). */
static void eptp_near_the_window(void **state)
{
	uint64_t places[] = {ELISA_WINDOW_GVA - PAGE * 20000, ELISA_WINDOW_GVA + ELISA_WINDOW_SIZE};
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		fake_seam_reset();
		fake_seam_place(places[i]);
		assert_int_equal(elisa_domain_tables_create(elisa_gpa(WINDOW), &tables), 0);
		assert_int_equal(elisa_contexts_create(tables, 0, &contexts), 0);
		expect_proof(6);
		domain_fixture_teardown(NULL);
	}
}

static void ept_entries(void **state)
{
	uint64_t *huge = ept_entry(&contexts->trusted, WINDOW + ELISA_OFFSET_MEMORY, 2);
	uint64_t *gib = ept_entry(&contexts->trusted, WINDOW + ELISA_OFFSET_MEMORY, 3);
	uint64_t *page = trusted_leaf(ELISA_OFFSET_MEMORY + HUGE);

	(void)state;
	breaks(6, page, (*page & ~7ull) | ELISA_EPT_WRITE);
	breaks(6, huge, *huge | PAGE);
	breaks(6, gib, FAKE_MEMORY_HPA | 0xf3);
	breaks(6, gib, FAKE_MEMORY_HPA | 7);
	breaks(6, gib, *gib & ~(uint64_t)ELISA_EPT_EXECUTE);
}

static void memory_type_is_not_the_guests_to_choose(void **state)
{
	uint64_t *list = gate_leaf(WINDOW + ELISA_OFFSET_LIST);
	uint64_t *huge = ept_entry(&contexts->trusted, WINDOW + ELISA_OFFSET_MEMORY, 2);
	uint64_t *page = trusted_leaf(ELISA_OFFSET_MEMORY + HUGE);
	uint64_t *registers = trusted_leaf(ELISA_OFFSET_UPLINK_DEVICES);
	uint64_t *more =
		ept_entry(&contexts->trusted, WINDOW + ELISA_OFFSET_UPLINK_DEVICES + HUGE, 2);
	uint64_t type;

	(void)state;
	breaks(6, list, *list & ~BIT(6));
	breaks(6, huge, *huge & ~BIT(6));
	breaks(6, page, *page & ~BIT(6));
	breaks(6, registers, *registers & ~BIT(6));
	breaks(6, more, *more & ~BIT(6));
	/* Well formed, but uncached is for registers. */
	breaks(1, list, *list & ~0x38ull);
	breaks(3, huge, *huge & ~0x38ull);
	for (type = 1; type < 8; type++) {
		if (type != 6)
			breaks(6, page, (*page & ~0x38ull) | type << 3);
	}
}

static void without_memory_it_says_so(void **state)
{
	unsigned int n, before = fake_seam_pages();
	struct elisa_proof proof;
	int result;

	(void)state;
	for (n = 1;; n++) {
		fake_seam_fail_from(n);
		result = elisa_prove(tables, contexts, &proof);
		assert_int_equal(fake_seam_pages(), before);
		if (result == 0)
			break;
		assert_int_equal(result, -ENOMEM);
	}
	assert_true(n > 2);
}

static void every_invariant_has_a_text(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 1; i <= ELISA_INVARIANTS; i++)
		assert_true(elisa_invariant_text(i)[0] != '\0');
	assert_string_equal(elisa_invariant_text(0), "");
	assert_string_equal(elisa_invariant_text(ELISA_INVARIANTS + 1), "");
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, domain_fixture_setup, domain_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(accepts_what_is_built),
		TEST(gate_context_rights),
		TEST(gate_context_pages),
		TEST(gate_reached_elsewhere),
		TEST(reserved_size_bit_ends_a_walk),
		TEST(roots),
		TEST(trusted_private_pages),
		TEST(trusted_shared_rights),
		TEST(uplink_rights),
		TEST(trusted_shared_pages),
		TEST(trusted_page_table),
		TEST(bit_52),
		TEST(accessed_and_dirty),
		TEST(list_and_table),
		TEST(same_root_twice),
		TEST(ept_entries),
		TEST(memory_type_is_not_the_guests_to_choose),
		TEST(without_memory_it_says_so),
		cmocka_unit_test(eptp_near_the_window),
		cmocka_unit_test(every_invariant_has_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
