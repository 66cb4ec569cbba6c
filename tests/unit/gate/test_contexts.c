// SPDX-License-Identifier: BSD-3-Clause
/*
 * test_contexts.c - a domain's tables and a vCPU's contexts: life, list, admission, failures.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <elisa/version.h>

#include "fake_seam.h"
#include "gate/contexts.h"

#define WINDOW 0x3ff000000000ull
#define PAGE ELISA_PAGE_SIZE
#define HUGE ELISA_HUGE_PAGE_SIZE
#define RW (ELISA_EPT_READ | ELISA_EPT_WRITE)
#define DEFAULT_EPTP 0x123456705eull

static struct elisa_domain_tables *tables;
static struct elisa_contexts *contexts;

static int setup(void **state)
{
	(void)state;
	fake_seam_reset();
	assert_int_equal(elisa_domain_tables_create(elisa_gpa(WINDOW), &tables), 0);
	assert_int_equal(elisa_contexts_create(tables, 7, &contexts), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_seam_fail_from(0);
	elisa_contexts_destroy(contexts);
	elisa_domain_tables_destroy(tables);
	assert_int_equal(fake_seam_pages(), 0);
	return 0;
}

static void expect_list(uint64_t slot0, uint64_t slot1)
{
	unsigned int i;

	assert_int_equal(contexts->list[0], slot0);
	assert_int_equal(contexts->list[1], slot1);
	for (i = 2; i < 512; i++)
		assert_int_equal(contexts->list[i], 0);
}

static void creation_fails_at_every_allocation(void **state)
{
	struct elisa_domain_tables *other = NULL;
	struct elisa_contexts *vcpu = NULL;
	unsigned int before = fake_seam_pages(), n;

	(void)state;
	for (n = 1;; n++) {
		fake_seam_fail_from(n);
		if (elisa_domain_tables_create(elisa_gpa(WINDOW), &other) == 0)
			break;
		assert_null(other);
		assert_int_equal(fake_seam_pages(), before);
	}
	assert_true(n > ELISA_TRUSTED_PAGES);
	before = fake_seam_pages();
	for (n = 1;; n++) {
		fake_seam_fail_from(n);
		if (elisa_contexts_create(other, 0, &vcpu) == 0)
			break;
		assert_null(vcpu);
		assert_int_equal(fake_seam_pages(), before);
	}
	assert_true(n > ELISA_STACK_PAGES);
	elisa_contexts_destroy(vcpu);
	assert_int_equal(fake_seam_pages(), before);
	elisa_domain_tables_destroy(other);
}

static void creation_refuses(void **state)
{
	struct elisa_domain_tables *other;
	struct elisa_contexts *vcpu;

	(void)state;
	assert_int_equal(elisa_domain_tables_create(elisa_gpa(0), &other), -EINVAL);
	assert_int_equal(elisa_domain_tables_create(elisa_gpa(WINDOW + HUGE), &other), -EINVAL);
	assert_int_equal(elisa_domain_tables_create(elisa_gpa(1ull << 48), &other), -EINVAL);
	assert_int_equal(elisa_contexts_create(tables, ELISA_MAX_VCPUS, &vcpu), -EINVAL);
	elisa_domain_tables_destroy(NULL);
	elisa_contexts_destroy(NULL);
}

static void eptps_are_invalidated_before_and_after_use(void **state)
{
	struct elisa_contexts *vcpu;
	uint64_t gate, trusted;

	(void)state;
	assert_int_equal(elisa_contexts_create(tables, 1, &vcpu), 0);
	gate = elisa_contexts_eptp(vcpu, ELISA_CONTEXT_GATE);
	trusted = elisa_contexts_eptp(vcpu, ELISA_CONTEXT_TRUSTED);
	assert_int_equal(fake_seam_invalidations_of(gate), 1);
	assert_int_equal(fake_seam_invalidations_of(trusted), 1);
	assert_int_equal(elisa_contexts_which(vcpu, gate), ELISA_CONTEXT_GATE);
	assert_int_equal(elisa_contexts_which(vcpu, trusted), ELISA_CONTEXT_TRUSTED);
	assert_int_equal(elisa_contexts_which(vcpu, DEFAULT_EPTP), ELISA_CONTEXT_DEFAULT);
	assert_int_equal(elisa_contexts_which(vcpu, 0), ELISA_CONTEXT_DEFAULT);
	assert_int_equal(elisa_contexts_which(contexts, gate), ELISA_CONTEXT_DEFAULT);
	elisa_contexts_destroy(vcpu);
	assert_int_equal(fake_seam_invalidations_of(gate), 2);
	assert_int_equal(fake_seam_invalidations_of(trusted), 2);
}

static void list_follows_open_close_and_default(void **state)
{
	uint64_t gate = elisa_contexts_eptp(contexts, ELISA_CONTEXT_GATE);
	uint64_t trusted = elisa_contexts_eptp(contexts, ELISA_CONTEXT_TRUSTED);

	(void)state;
	assert_ptr_equal(elisa_seam_hpa_page(elisa_contexts_list_hpa(contexts)), contexts->list);
	expect_list(0, 0);
	elisa_contexts_set_default(contexts, DEFAULT_EPTP);
	expect_list(DEFAULT_EPTP, 0);
	assert_int_equal(contexts->table[0], 0);
	elisa_contexts_open(contexts);
	expect_list(DEFAULT_EPTP, gate);
	assert_int_equal(contexts->table[0], trusted);
	elisa_contexts_set_default(contexts, 0);
	expect_list(0, gate);
	contexts->list[2] = trusted; /* as the gate does */
	elisa_contexts_close(contexts);
	expect_list(0, 0);
	assert_int_equal(contexts->table[0], 0);
}

static void reset_restores_list_and_scrubs_stack(void **state)
{
	unsigned char zero[PAGE] = {0};
	unsigned int i;

	(void)state;
	elisa_contexts_set_default(contexts, DEFAULT_EPTP);
	elisa_contexts_open(contexts);
	memset(contexts->list, 0xa5, PAGE);
	for (i = 0; i < ELISA_STACK_PAGES; i++)
		memset(contexts->stack[i], 0xa5, PAGE);
	elisa_contexts_reset(contexts);
	expect_list(DEFAULT_EPTP, elisa_contexts_eptp(contexts, ELISA_CONTEXT_GATE));
	for (i = 0; i < ELISA_STACK_PAGES; i++)
		assert_memory_equal(contexts->stack[i], zero, PAGE);
	elisa_contexts_close(contexts);
	memset(contexts->list, 0xa5, PAGE);
	elisa_contexts_reset(contexts);
	expect_list(DEFAULT_EPTP, 0);
}

static void fs_base_is_kept_until_reset(void **state)
{
	uint64_t *top = contexts->stack[ELISA_STACK_PAGES - 1];

	(void)state;
	assert_int_equal(elisa_contexts_kept_fs_base(contexts), 0);
	top[PAGE / sizeof(*top) - 1] = 0x7f0012345678ull;
	assert_int_equal(elisa_contexts_kept_fs_base(contexts), 0x7f0012345678ull);
	elisa_contexts_reset(contexts);
	assert_int_equal(elisa_contexts_kept_fs_base(contexts), 0);
}

static void identity_page_says_who(void **state)
{
	(void)state;
	assert_int_equal(contexts->identity->magic, ELISA_IDENTITY_MAGIC);
	assert_int_equal(contexts->identity->abi, ELISA_IMAGE_ABI);
	assert_int_equal(contexts->identity->vcpu, 7);
	assert_int_equal(contexts->identity->ports, 0);
	elisa_contexts_set_ports(contexts, 1ull << 63 | 1);
	assert_int_equal(contexts->identity->ports, 1ull << 63 | 1);
	assert_int_equal(contexts->identity->features, 0);
	assert_int_equal(contexts->identity->tsc_offset, 0);
	elisa_contexts_set_tsc_offset(contexts, 0xfedcba9876543210);
	assert_int_equal(elisa_contexts_identity(contexts)->tsc_offset, 0xfedcba9876543210);
	elisa_contexts_set_features(contexts, ELISA_IDENTITY_FSGSBASE);
	assert_int_equal(contexts->identity->features, ELISA_IDENTITY_FSGSBASE);
	elisa_contexts_set_features(contexts, 0);
	assert_int_equal(contexts->identity->features, 0);
	assert_int_equal(contexts->identity->vcpu, 7);
}

static void expect_root(uint64_t gpa, bool resolves)
{
	uint64_t hpa = elisa_seam_page_hpa(tables->trusted.root).value;
	struct elisa_ept_leaf leaf;

	assert_int_equal(elisa_contexts_admitted(contexts, elisa_gpa(gpa)), resolves);
	assert_int_equal(elisa_ept_get(&contexts->gate, elisa_gpa(gpa), &leaf), resolves);
	if (resolves) {
		assert_int_equal(leaf.hpa.value, hpa);
		assert_int_equal(leaf.rights, ELISA_EPT_READ);
	}
	assert_int_equal(elisa_ept_get(&contexts->trusted, elisa_gpa(gpa), &leaf), resolves);
	if (resolves) {
		assert_int_equal(leaf.hpa.value, hpa);
		assert_int_equal(leaf.rights, ELISA_EPT_READ);
	}
}

static void admission_is_counted_and_bounded(void **state)
{
	unsigned int i, before = fake_seam_pages();

	(void)state;
	for (i = 0; i < ELISA_MAX_ROOTS; i++)
		assert_int_equal(elisa_contexts_admit(&contexts, 1, elisa_gpa(i * 0x10000000ull)),
				 0);
	assert_int_equal(elisa_contexts_admit(&contexts, 1, elisa_gpa(0x5000)), -ENOSPC);
	assert_int_equal(elisa_contexts_admit(&contexts, 1, elisa_gpa(0)), 0);
	expect_root(0x5000, false);
	elisa_contexts_evict(&contexts, 1, elisa_gpa(0x5000));
	for (i = 0; i < ELISA_MAX_ROOTS; i++)
		expect_root(i * 0x10000000ull, true);
	elisa_contexts_evict(&contexts, 1, elisa_gpa(0));
	expect_root(0, true);
	for (i = 0; i < ELISA_MAX_ROOTS; i++) {
		elisa_contexts_evict(&contexts, 1, elisa_gpa(i * 0x10000000ull));
		expect_root(i * 0x10000000ull, false);
	}
	assert_int_equal(fake_seam_pages(), before);
}

static void eviction_invalidates_both_contexts(void **state)
{
	uint64_t gate = elisa_contexts_eptp(contexts, ELISA_CONTEXT_GATE);
	uint64_t trusted = elisa_contexts_eptp(contexts, ELISA_CONTEXT_TRUSTED);

	(void)state;
	assert_int_equal(elisa_contexts_admit(&contexts, 1, elisa_gpa(0x7000)), 0);
	assert_int_equal(fake_seam_invalidations_of(gate), 1);
	elisa_contexts_evict(&contexts, 1, elisa_gpa(0x7000));
	assert_int_equal(fake_seam_invalidations_of(gate), 2);
	assert_int_equal(fake_seam_invalidations_of(trusted), 2);
}

#define NB_VCPUS 5u

static void create_vcpus(struct elisa_contexts **vcpus)
{
	unsigned int i;

	for (i = 0; i < NB_VCPUS; i++)
		assert_int_equal(elisa_contexts_create(tables, i, &vcpus[i]), 0);
}

static void destroy_vcpus(struct elisa_contexts **vcpus)
{
	unsigned int i;

	for (i = 0; i < NB_VCPUS; i++)
		elisa_contexts_destroy(vcpus[i]);
}

static void eviction_invalidates_once_for_all_vcpus(void **state)
{
	struct elisa_contexts *vcpus[NB_VCPUS];
	unsigned int i, before, invalidations;

	(void)state;
	create_vcpus(vcpus);
	before = fake_seam_pages();
	assert_int_equal(elisa_contexts_admit(vcpus, NB_VCPUS, elisa_gpa(0x7000)), 0);
	assert_int_equal(fake_seam_pages(), before + NB_VCPUS * 6);
	invalidations = fake_seam_invalidations();
	elisa_contexts_evict(vcpus, NB_VCPUS, elisa_gpa(0x7000));
	assert_int_equal(fake_seam_invalidations(), invalidations + 1);
	/* Tables are freed after it, all of them. */
	assert_int_equal(fake_seam_freed_uninvalidated(), NB_VCPUS * 6);
	assert_int_equal(fake_seam_pages(), before);
	for (i = 0; i < NB_VCPUS; i++) {
		uint64_t gate = elisa_contexts_eptp(vcpus[i], ELISA_CONTEXT_GATE);
		uint64_t trusted = elisa_contexts_eptp(vcpus[i], ELISA_CONTEXT_TRUSTED);

		assert_false(elisa_contexts_admitted(vcpus[i], elisa_gpa(0x7000)));
		assert_int_equal(fake_seam_invalidations_of(gate), 2);
		assert_int_equal(fake_seam_invalidations_of(trusted), 2);
	}
	elisa_contexts_evict(vcpus, NB_VCPUS, elisa_gpa(0x7000));
	assert_int_equal(fake_seam_invalidations(), invalidations + 1);
	destroy_vcpus(vcpus);
}

static void admission_is_of_all_vcpus_or_none(void **state)
{
	struct elisa_contexts *vcpus[NB_VCPUS];
	unsigned int i, n, before, invalidations;

	(void)state;
	create_vcpus(vcpus);
	before = fake_seam_pages();
	for (n = 1;; n++) {
		fake_seam_fail_from(n);
		invalidations = fake_seam_invalidations();
		if (elisa_contexts_admit(vcpus, NB_VCPUS, elisa_gpa(0x9000)) == 0)
			break;
		for (i = 0; i < NB_VCPUS; i++)
			assert_false(elisa_contexts_admitted(vcpus[i], elisa_gpa(0x9000)));
		assert_int_equal(fake_seam_pages(), before);
		assert_in_range(fake_seam_invalidations() - invalidations, 1, 2);
	}
	assert_int_equal(n, 6 * NB_VCPUS + 1);
	destroy_vcpus(vcpus);
}

static void admission_refuses(void **state)
{
	(void)state;
	assert_int_equal(elisa_contexts_admit(&contexts, 1, elisa_gpa(0x1001)), -EINVAL);
	assert_int_equal(elisa_contexts_admit(&contexts, 1, elisa_gpa(1ull << 48)), -EINVAL);
	assert_int_equal(elisa_contexts_admit(&contexts, 1, elisa_gpa(WINDOW)), -ERANGE);
	assert_int_equal(
		elisa_contexts_admit(&contexts, 1, elisa_gpa(WINDOW + ELISA_WINDOW_SIZE - PAGE)),
		-ERANGE);
	assert_int_equal(elisa_contexts_admit(&contexts, 1, elisa_gpa(WINDOW - PAGE)), 0);
	expect_root(WINDOW - PAGE, true);
}

static void admission_fails_at_every_allocation(void **state)
{
	unsigned int n, before = fake_seam_pages();

	(void)state;
	for (n = 1;; n++) {
		fake_seam_fail_from(n);
		if (elisa_contexts_admit(&contexts, 1, elisa_gpa(0x9000)) == 0)
			break;
		expect_root(0x9000, false);
		assert_int_equal(fake_seam_pages(), before);
	}
	assert_int_equal(n, 7); /* three tables for each context */
}

static void claims_do_not_overlap(void **state)
{
	uint64_t at = ELISA_OFFSET_MEMORY;

	(void)state;
	assert_int_equal(elisa_domain_tables_prepare(tables, at, 4 * PAGE, PAGE), 0);
	assert_int_equal(elisa_domain_tables_prepare(tables, at + 3 * PAGE, PAGE, PAGE), -EEXIST);
	assert_int_equal(elisa_domain_tables_prepare(tables, at, HUGE, HUGE), -EEXIST);
	assert_int_equal(elisa_domain_tables_prepare(tables, at + 4 * PAGE, PAGE, PAGE), 0);
	assert_true(elisa_domain_tables_claimed(tables, at + 4 * PAGE));
	assert_false(elisa_domain_tables_claimed(tables, at + 5 * PAGE));
	elisa_domain_tables_clear(tables, at, 4 * PAGE);
	assert_false(elisa_domain_tables_claimed(tables, at + 3 * PAGE));
	assert_true(elisa_domain_tables_claimed(tables, at + 4 * PAGE));
	assert_int_equal(elisa_domain_tables_prepare(tables, at, 4 * PAGE, PAGE), 0);
}

static void claims_stay_in_the_shared_part(void **state)
{
	(void)state;
	assert_int_equal(
		elisa_domain_tables_prepare(tables, ELISA_OFFSET_SHARED - PAGE, PAGE, PAGE),
		-ERANGE);
	assert_int_equal(
		elisa_domain_tables_prepare(tables, ELISA_WINDOW_SIZE - PAGE, 2 * PAGE, PAGE),
		-ERANGE);
	assert_int_equal(elisa_domain_tables_prepare(tables, ELISA_OFFSET_TEXT, 0, PAGE), -ERANGE);
	assert_int_equal(elisa_domain_tables_prepare(tables, ELISA_OFFSET_TEXT + 1, PAGE, PAGE),
			 -ERANGE);
	assert_int_equal(elisa_domain_tables_prepare(tables, ELISA_OFFSET_TEXT, PAGE, HUGE),
			 -ERANGE);
	assert_int_equal(elisa_domain_tables_prepare(tables, ELISA_WINDOW_SIZE - PAGE, PAGE, PAGE),
			 0);
}

static void claim_fails_at_every_allocation(void **state)
{
	uint64_t at = ELISA_OFFSET_MEMORY + 0x8000000 - PAGE; /* across two bitmaps */
	unsigned int n;

	(void)state;
	for (n = 1;; n++) {
		fake_seam_fail_from(n);
		if (elisa_domain_tables_prepare(tables, at, 2 * PAGE, PAGE) == 0)
			break;
		assert_false(elisa_domain_tables_claimed(tables, at));
		assert_false(elisa_domain_tables_claimed(tables, at + PAGE));
	}
	assert_true(elisa_domain_tables_claimed(tables, at));
	assert_true(elisa_domain_tables_claimed(tables, at + PAGE));
}

static void all_vcpus_see_shared_mappings(void **state)
{
	uint64_t at = ELISA_OFFSET_MEMORY + 5 * HUGE;
	struct elisa_contexts *vcpu;
	struct elisa_ept_leaf leaf;

	(void)state;
	assert_int_equal(elisa_contexts_create(tables, 1, &vcpu), 0);
	assert_int_equal(elisa_domain_tables_prepare(tables, at, HUGE, HUGE), 0);
	elisa_domain_tables_commit(tables, at, elisa_hpa(FAKE_MEMORY_HPA), HUGE, RW);
	assert_true(elisa_domain_tables_get(tables, at + PAGE, &leaf));
	assert_true(elisa_ept_get(&contexts->trusted, elisa_gpa(WINDOW + at), &leaf));
	assert_int_equal(leaf.hpa.value, FAKE_MEMORY_HPA);
	assert_true(elisa_ept_get(&vcpu->trusted, elisa_gpa(WINDOW + at), &leaf));
	assert_false(elisa_ept_get(&vcpu->gate, elisa_gpa(WINDOW + at), &leaf));
	elisa_domain_tables_clear(tables, at, HUGE);
	assert_false(elisa_ept_get(&vcpu->trusted, elisa_gpa(WINDOW + at), &leaf));
	elisa_contexts_destroy(vcpu);
	assert_int_equal(elisa_domain_tables_prepare(tables, at, HUGE, HUGE), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(creation_fails_at_every_allocation),
		TEST(creation_refuses),
		TEST(eptps_are_invalidated_before_and_after_use),
		TEST(list_follows_open_close_and_default),
		TEST(reset_restores_list_and_scrubs_stack),
		TEST(fs_base_is_kept_until_reset),
		TEST(identity_page_says_who),
		TEST(admission_is_counted_and_bounded),
		TEST(eviction_invalidates_both_contexts),
		TEST(eviction_invalidates_once_for_all_vcpus),
		TEST(admission_is_of_all_vcpus_or_none),
		TEST(admission_refuses),
		TEST(admission_fails_at_every_allocation),
		TEST(claims_do_not_overlap),
		TEST(claims_stay_in_the_shared_part),
		TEST(claim_fails_at_every_allocation),
		TEST(all_vcpus_see_shared_mappings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
