// SPDX-License-Identifier: BSD-3-Clause
/*
 * test_prove_random.c - whatever order things happen in, the contexts stay proven.
 *
 * 1000 operations from fixed seeds, some of which fail for lack of memory; a model of what is
 * mapped and admitted is kept beside, so that the tables are neither too open nor too closed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "domain_fixture.h"
#include "fake_seam.h"

#define OPERATIONS 1000u
#define PROVE_EVERY 10u
#define REGIONS 40u
#define ROOTS 12u
#define REGION_AT(i) (ELISA_OFFSET_MEMORY + 0x40000000ull + (i)*0x3fe00000ull)

static struct {
	uint64_t length; /* 0 = not mapped */
} regions[REGIONS];
static unsigned int users[ROOTS];
static uint64_t random_state;

static uint32_t draw(uint32_t below)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (random_state >> 33) % below;
}

static struct elisa_gpa root_gpa(unsigned int i)
{
	return elisa_gpa(0x100000000ull * (i / 3) + 0x200000ull * (i % 3) + i * PAGE);
}

static void toggle_region(unsigned int i)
{
	uint64_t size = draw(2) ? HUGE : PAGE, length = size * (1 + draw(4)), at;
	uint64_t where = REGION_AT(i);

	if (regions[i].length) {
		elisa_domain_tables_clear(tables, where, regions[i].length);
		regions[i].length = 0;
		return;
	}
	if (elisa_domain_tables_prepare(tables, where, length, size))
		return;
	for (at = 0; at < length; at += size)
		elisa_domain_tables_commit(tables, where + at,
					   elisa_hpa(FAKE_MEMORY_HPA + draw(1000) * HUGE), size,
					   draw(2) ? RW : ELISA_EPT_READ);
	regions[i].length = length;
}

static void admit_or_evict(unsigned int i)
{
	if (draw(2)) {
		users[i] += elisa_contexts_admit(contexts, root_gpa(i)) == 0;
	} else {
		elisa_contexts_evict(contexts, root_gpa(i));
		users[i] -= users[i] != 0;
	}
}

static void operate(void)
{
	fake_seam_fail_from(draw(4) ? 0 : 1 + draw(4));
	switch (draw(8)) {
	case 0:
		elisa_contexts_set_default(contexts, draw(2) ? DEFAULT_EPTP : 0);
		break;
	case 1:
		elisa_contexts_open(contexts);
		break;
	case 2:
		elisa_contexts_close(contexts);
		break;
	case 3:
		contexts->list[2 + draw(510)] = draw(~0u);
		elisa_contexts_reset(contexts);
		break;
	case 4:
	case 5:
		toggle_region(draw(REGIONS));
		break;
	default:
		admit_or_evict(draw(ROOTS));
	}
	fake_seam_fail_from(0);
}

static void check_model(void)
{
	struct elisa_ept_leaf leaf;
	unsigned int i;

	for (i = 0; i < REGIONS; i++) {
		bool mapped = regions[i].length != 0;

		assert_int_equal(elisa_domain_tables_get(tables, REGION_AT(i), &leaf), mapped);
		assert_int_equal(elisa_domain_tables_claimed(tables, REGION_AT(i)), mapped);
		if (mapped)
			assert_true(elisa_domain_tables_get(
				tables, REGION_AT(i) + regions[i].length - PAGE, &leaf));
	}
	for (i = 0; i < ROOTS; i++)
		assert_int_equal(elisa_contexts_admitted(contexts, root_gpa(i)), users[i] != 0);
	assert_int_equal(elisa_contexts_admitted(contexts, elisa_gpa(ROOT_A)), true);
}

static void stays_proven(void **state)
{
	unsigned int i;

	for (i = 0; i < REGIONS; i++)
		regions[i].length = 0;
	for (i = 0; i < ROOTS; i++)
		users[i] = 0;
	random_state = *(const uint64_t *)*state;
	domain_fixture_setup(NULL);
	for (i = 0; i < OPERATIONS; i++) {
		operate();
		check_model();
		if (i % PROVE_EVERY == 0)
			expect_proof(0);
	}
	expect_proof(0);
	domain_fixture_teardown(NULL);
}

int main(void)
{
	static uint64_t seeds[] = {1, 20231107};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(stays_proven, &seeds[0]),
		cmocka_unit_test_prestate(stays_proven, &seeds[1]),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
