// SPDX-License-Identifier: BSD-3-Clause
/*
 * domain_fixture.c - see domain_fixture.h.
 */
#include "domain_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "fake_seam.h"

struct elisa_domain_tables *tables;
struct elisa_contexts *contexts;

static void map(uint64_t offset, uint64_t hpa, uint64_t length, uint64_t size, uint32_t rights)
{
	uint64_t at;

	assert_int_equal(elisa_domain_tables_prepare(tables, offset, length, size), 0);
	for (at = 0; at < length; at += size)
		elisa_domain_tables_commit(tables, offset + at,
					   elisa_hpa(FAKE_MEMORY_HPA + hpa + at), size, rights);
}

int domain_fixture_setup(void **state)
{
	(void)state;
	fake_seam_reset();
	assert_int_equal(elisa_domain_tables_create(elisa_gpa(WINDOW), &tables), 0);
	assert_int_equal(elisa_contexts_create(tables, 3, &contexts), 0);
	map(ELISA_OFFSET_TEXT, 0x1000, 3 * PAGE, PAGE, ELISA_EPT_EXECUTE);
	map(ELISA_OFFSET_RODATA, 0x8000, 2 * PAGE, PAGE, ELISA_EPT_READ);
	map(ELISA_OFFSET_SWITCH, 2 * HUGE, HUGE, HUGE, RW);
	map(ELISA_OFFSET_PORT_MAPS, 0x20000, 2 * PAGE, PAGE, ELISA_EPT_READ);
	map(ELISA_OFFSET_CAPTURE, 0x30000, 2 * PAGE, PAGE, RW);
	map(ELISA_OFFSET_UPLINK_DEVICES, 0x38000, 2 * PAGE, PAGE, RW | ELISA_EPT_DEVICE);
	map(ELISA_OFFSET_UPLINK_DEVICES + HUGE, 8 * HUGE, HUGE, HUGE, RW | ELISA_EPT_DEVICE);
	map(ELISA_OFFSET_UPLINK_MEMORY, 6 * HUGE, 2 * HUGE, HUGE, RW);
	map(ELISA_OFFSET_UPLINK_STATE, 0x3c000, PAGE, PAGE, ELISA_EPT_READ);
	map(ELISA_OFFSET_MEMORY, 4 * HUGE, HUGE, HUGE, RW);
	map(ELISA_OFFSET_MEMORY + HUGE, 0x40000, 4 * PAGE, PAGE, ELISA_EPT_READ);
	assert_int_equal(elisa_contexts_admit(&contexts, 1, elisa_gpa(ROOT_A)), 0);
	assert_int_equal(elisa_contexts_admit(&contexts, 1, elisa_gpa(ROOT_B)), 0);
	elisa_contexts_set_default(contexts, DEFAULT_EPTP);
	elisa_contexts_open(contexts);
	return 0;
}

int domain_fixture_teardown(void **state)
{
	(void)state;
	fake_seam_fail_from(0);
	elisa_contexts_destroy(contexts);
	elisa_domain_tables_destroy(tables);
	assert_int_equal(fake_seam_pages(), 0);
	return 0;
}

void expect_proof(int invariant)
{
	struct elisa_proof proof;
	int result = elisa_prove(tables, contexts, &proof);

	if (result != invariant)
		print_error("the prover says %d at 0x%llx: %s\n", result,
			    (unsigned long long)proof.address, proof.text ? proof.text : "-");
	assert_int_equal(result, invariant);
	assert_int_equal(proof.invariant, invariant);
	assert_true(invariant != 0 || proof.entries > 0);
	assert_int_equal(proof.text != NULL, invariant != 0);
}
