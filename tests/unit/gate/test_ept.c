// SPDX-License-Identifier: BSD-3-Clause
/*
 * test_ept.c - gate/ept.c alone: what is mapped is found, a failure changes nothing, no page leaks.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fake_seam.h"
#include "gate/ept.h"

#define RW (ELISA_EPT_READ | ELISA_EPT_WRITE)
#define HUGE ELISA_HUGE_PAGE_SIZE
#define PAGE ELISA_PAGE_SIZE
#define GIB 0x40000000ull

static struct elisa_ept ept;

static int setup(void **state)
{
	(void)state;
	fake_seam_reset();
	return elisa_ept_create(&ept);
}

static int teardown(void **state)
{
	(void)state;
	fake_seam_fail_from(0);
	elisa_ept_destroy(&ept);
	assert_int_equal(ept.nb_tables, 0);
	assert_int_equal(fake_seam_pages(), 0);
	return 0;
}

static void expect(uint64_t gpa, uint64_t hpa, uint64_t size, uint32_t rights)
{
	struct elisa_ept_leaf leaf;

	assert_true(elisa_ept_get(&ept, elisa_gpa(gpa), &leaf));
	assert_int_equal(leaf.hpa.value, hpa);
	assert_int_equal(leaf.size, size);
	assert_int_equal(leaf.rights, rights);
}

static void expect_nothing(uint64_t gpa)
{
	struct elisa_ept_leaf leaf;

	assert_false(elisa_ept_get(&ept, elisa_gpa(gpa), &leaf));
}

static void maps_pages_of_both_sizes(void **state)
{
	uint64_t at;

	(void)state;
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(GIB - 2 * PAGE), 4 * PAGE, PAGE), 0);
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(3 * GIB), 4 * HUGE, HUGE), 0);
	expect_nothing(GIB);
	for (at = 0; at < 4 * PAGE; at += PAGE)
		elisa_ept_commit(&ept, elisa_gpa(GIB - 2 * PAGE + at),
				 elisa_hpa(FAKE_MEMORY_HPA + at), PAGE, RW);
	elisa_ept_commit(&ept, elisa_gpa(3 * GIB + HUGE), elisa_hpa(FAKE_MEMORY_HPA), HUGE,
			 ELISA_EPT_EXECUTE);
	for (at = 0; at < 4 * PAGE; at += PAGE)
		expect(GIB - 2 * PAGE + at, FAKE_MEMORY_HPA + at, PAGE, RW);
	expect_nothing(GIB - 3 * PAGE);
	expect_nothing(GIB + 2 * PAGE);
	expect(3 * GIB + HUGE, FAKE_MEMORY_HPA, HUGE, ELISA_EPT_EXECUTE);
	expect(3 * GIB + 2 * HUGE - 1, FAKE_MEMORY_HPA, HUGE, ELISA_EPT_EXECUTE);
	expect_nothing(3 * GIB);
	expect_nothing(3 * GIB + 2 * HUGE);
}

static void entry_bits_are_the_manuals(void **state)
{
	uint64_t *table = ept.root;
	uint64_t value;

	(void)state;
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(0), PAGE, PAGE), 0);
	elisa_ept_commit(&ept, elisa_gpa(0), elisa_hpa(FAKE_MEMORY_HPA), PAGE, ELISA_EPT_EXECUTE);
	assert_int_equal(elisa_ept_eptp(&ept), elisa_seam_page_hpa(table).value | 0x1e);
	assert_int_equal(table[0] & 0xfff, 7);
	table = elisa_seam_hpa_page(elisa_hpa(table[0] & ~0xfffull));
	table = elisa_seam_hpa_page(elisa_hpa(table[0] & ~0xfffull));
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(HUGE), HUGE, HUGE), 0);
	elisa_ept_commit(&ept, elisa_gpa(HUGE), elisa_hpa(FAKE_MEMORY_HPA), HUGE, RW);
	assert_int_equal(table[1], FAKE_MEMORY_HPA | 0xf3); /* RW, WB, PAT ignored, 2 MiB */
	value = ((uint64_t *)elisa_seam_hpa_page(elisa_hpa(table[0] & ~0xfffull)))[0];
	assert_int_equal(value, FAKE_MEMORY_HPA | 0x74); /* X, WB, PAT ignored */
}

static void registers_are_uncached(void **state)
{
	uint64_t *directory, *table;

	(void)state;
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(GIB), PAGE, PAGE), 0);
	elisa_ept_commit(&ept, elisa_gpa(GIB), elisa_hpa(FAKE_MEMORY_HPA), PAGE,
			 RW | ELISA_EPT_DEVICE);
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(GIB + HUGE), HUGE, HUGE), 0);
	elisa_ept_commit(&ept, elisa_gpa(GIB + HUGE), elisa_hpa(FAKE_MEMORY_HPA), HUGE,
			 RW | ELISA_EPT_DEVICE);
	directory = elisa_ept_directory(&ept, elisa_gpa(GIB));
	table = elisa_seam_hpa_page(elisa_hpa(directory[0] & ~0xfffull));
	assert_int_equal(table[0], FAKE_MEMORY_HPA | 0x43);     /* RW, UC, PAT ignored */
	assert_int_equal(directory[1], FAKE_MEMORY_HPA | 0xc3); /* the same, 2 MiB */
	expect(GIB, FAKE_MEMORY_HPA, PAGE, RW | ELISA_EPT_DEVICE);
	expect(GIB + HUGE, FAKE_MEMORY_HPA, HUGE, RW | ELISA_EPT_DEVICE);
}

static void huge_leaf_over_a_table_becomes_pages(void **state)
{
	uint64_t *directory, before;

	(void)state;
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(GIB), PAGE, PAGE), 0);
	directory = elisa_ept_directory(&ept, elisa_gpa(GIB));
	before = directory[0];
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(GIB), HUGE, HUGE), 0);
	elisa_ept_commit(&ept, elisa_gpa(GIB), elisa_hpa(FAKE_MEMORY_HPA), HUGE, RW);
	expect(GIB, FAKE_MEMORY_HPA, PAGE, RW);
	expect(GIB + HUGE - PAGE, FAKE_MEMORY_HPA + HUGE - PAGE, PAGE, RW);
	assert_int_equal(directory[0], before);
}

static void clear_unmaps_all_that_is_touched(void **state)
{
	(void)state;
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(GIB), 2 * HUGE, HUGE), 0);
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(GIB + 2 * HUGE), 3 * PAGE, PAGE), 0);
	elisa_ept_commit(&ept, elisa_gpa(GIB), elisa_hpa(FAKE_MEMORY_HPA), HUGE, RW);
	elisa_ept_commit(&ept, elisa_gpa(GIB + HUGE), elisa_hpa(FAKE_MEMORY_HPA), HUGE, RW);
	elisa_ept_commit(&ept, elisa_gpa(GIB + 2 * HUGE), elisa_hpa(FAKE_MEMORY_HPA), PAGE, RW);
	elisa_ept_commit(&ept, elisa_gpa(GIB + 2 * HUGE + PAGE), elisa_hpa(FAKE_MEMORY_HPA), PAGE,
			 RW);
	elisa_ept_clear(&ept, elisa_gpa(GIB + 2 * HUGE - PAGE), 2 * PAGE);
	expect(GIB, FAKE_MEMORY_HPA, HUGE, RW);
	expect_nothing(GIB + HUGE);
	expect_nothing(GIB + 2 * HUGE);
	expect(GIB + 2 * HUGE + PAGE, FAKE_MEMORY_HPA, PAGE, RW);
	elisa_ept_clear(&ept, elisa_gpa(0), 1ull << 40);
	expect_nothing(GIB);
	expect_nothing(GIB + 2 * HUGE + PAGE);
}

static void prepare_refuses(void **state)
{
	(void)state;
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(1), PAGE, PAGE), -EINVAL);
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(0), 1, PAGE), -EINVAL);
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(0), 0, PAGE), -EINVAL);
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(PAGE), HUGE, HUGE), -EINVAL);
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(0), GIB, GIB), -EINVAL);
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(1ull << 48), PAGE, PAGE), -EINVAL);
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(-PAGE), 2 * PAGE, PAGE), -EINVAL);
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa((1ull << 48) - PAGE), PAGE, PAGE), 0);
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(GIB), HUGE, HUGE), 0);
	elisa_ept_commit(&ept, elisa_gpa(GIB), elisa_hpa(FAKE_MEMORY_HPA), HUGE, RW);
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(GIB + PAGE), PAGE, PAGE), -EEXIST);
	expect(GIB, FAKE_MEMORY_HPA, HUGE, RW);
}

static void prepare_fails_at_every_allocation(void **state)
{
	unsigned int n;

	(void)state;
	for (n = 1;; n++) {
		fake_seam_fail_from(n);
		if (elisa_ept_prepare(&ept, elisa_gpa(GIB - PAGE), 2 * PAGE, PAGE) == 0)
			break;
		expect_nothing(GIB - PAGE);
		expect_nothing(GIB);
		elisa_ept_destroy(&ept);
		assert_int_equal(fake_seam_pages(), 0);
		fake_seam_fail_from(0);
		assert_int_equal(elisa_ept_create(&ept), 0);
	}
	assert_int_equal(n, 6); /* PDPT, two directories, two tables */
}

static void removed_page_takes_empty_tables_along(void **state)
{
	unsigned int before = fake_seam_pages();

	(void)state;
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(GIB), 2 * PAGE, PAGE), 0);
	elisa_ept_commit(&ept, elisa_gpa(GIB), elisa_hpa(FAKE_MEMORY_HPA), PAGE, RW);
	elisa_ept_commit(&ept, elisa_gpa(GIB + PAGE), elisa_hpa(FAKE_MEMORY_HPA), PAGE, RW);
	elisa_ept_remove_page(&ept, elisa_gpa(GIB));
	elisa_ept_free_unlinked(&ept);
	expect_nothing(GIB);
	expect(GIB + PAGE, FAKE_MEMORY_HPA, PAGE, RW);
	assert_int_equal(fake_seam_pages(), before + 3);
	elisa_ept_remove_page(&ept, elisa_gpa(GIB + PAGE));
	expect_nothing(GIB + PAGE);
	/* The CPU may walk them until it is told. */
	assert_int_equal(fake_seam_pages(), before + 3);
	elisa_ept_free_unlinked(&ept);
	assert_int_equal(fake_seam_pages(), before);
}

static void removal_trims_a_path_half_made(void **state)
{
	unsigned int before = fake_seam_pages();

	(void)state;
	fake_seam_fail_from(2);
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(GIB), PAGE, PAGE), -ENOMEM);
	elisa_ept_remove_page(&ept, elisa_gpa(GIB));
	elisa_ept_free_unlinked(&ept);
	assert_int_equal(fake_seam_pages(), before);
}

static void linked_directory_is_shared_and_kept(void **state)
{
	struct elisa_ept other;
	struct elisa_ept_leaf leaf;

	(void)state;
	assert_int_equal(elisa_ept_create(&other), 0);
	assert_int_equal(elisa_ept_prepare(&ept, elisa_gpa(GIB), HUGE, HUGE), 0);
	assert_int_equal(elisa_ept_link(&other, elisa_gpa(5 * GIB),
					elisa_ept_directory(&ept, elisa_gpa(GIB))),
			 0);
	assert_int_equal(elisa_ept_link(&other, elisa_gpa(5 * GIB), ept.root), -EEXIST);
	assert_int_equal(elisa_ept_link(&other, elisa_gpa(5 * GIB + HUGE), ept.root), -EINVAL);
	assert_int_equal(elisa_ept_prepare(&other, elisa_gpa(5 * GIB), PAGE, PAGE), -EEXIST);
	elisa_ept_commit(&ept, elisa_gpa(GIB), elisa_hpa(FAKE_MEMORY_HPA), HUGE, RW);
	assert_true(elisa_ept_get(&other, elisa_gpa(5 * GIB), &leaf));
	elisa_ept_clear(&other, elisa_gpa(0), 8 * GIB);
	expect(GIB, FAKE_MEMORY_HPA, HUGE, RW);
	elisa_ept_destroy(&other);
	expect(GIB, FAKE_MEMORY_HPA, HUGE, RW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(maps_pages_of_both_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(entry_bits_are_the_manuals, setup, teardown),
		cmocka_unit_test_setup_teardown(registers_are_uncached, setup, teardown),
		cmocka_unit_test_setup_teardown(huge_leaf_over_a_table_becomes_pages, setup,
						teardown),
		cmocka_unit_test_setup_teardown(clear_unmaps_all_that_is_touched, setup, teardown),
		cmocka_unit_test_setup_teardown(prepare_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(prepare_fails_at_every_allocation, setup, teardown),
		cmocka_unit_test_setup_teardown(removed_page_takes_empty_tables_along, setup,
						teardown),
		cmocka_unit_test_setup_teardown(removal_trims_a_path_half_made, setup, teardown),
		cmocka_unit_test_setup_teardown(linked_directory_is_shared_and_kept, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
