// SPDX-License-Identifier: BSD-3-Clause
/*
 * test_prove_random.c - whatever order things happen in, the contexts stay proven.
 *
 * Sequences of 1000 operations from fixed seeds, some of which fail for lack of memory; a model of what
 * is mapped and admitted is kept beside, so that the tables are neither too open nor too closed. A
 * sequence that fails is shrunk: operations are left out as long as it still fails, and what remains
 * is printed. That this works is shown with a fault that is planted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "domain_fixture.h"
#include "fake_seam.h"

#define OPERATIONS 1000u
#define PROVE_EVERY 10u
#define REGIONS 40u
#define ROOTS 12u
#define REGION_AT(i) (ELISA_OFFSET_MEMORY + 0x40000000ull + (i)*0x3fe00000ull)

enum kind { SET_DEFAULT, OPEN, CLOSE, RESET, MAP, UNMAP, ADMIT, EVICT, KINDS };

static const char *const names[KINDS] = {"default", "open",  "close", "reset",
					 "map",     "unmap", "admit", "evict"};

/* All that an operation does follows from this. */
struct operation {
	enum kind kind;
	uint32_t which; /* region or root */
	uint32_t value; /* what else it draws from */
	uint32_t fail_from;
};

static uint64_t lengths[REGIONS]; /* 0 = not mapped */
static unsigned int users[ROOTS];
static uint64_t random_state;
static bool planted;

static uint32_t draw(uint32_t below)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (random_state >> 33) % below;
}

static void draw_sequence(struct operation *operations, uint64_t seed)
{
	/* Regions and roots come more often: most of them fail or change nothing. */
	static const enum kind kinds[] = {SET_DEFAULT, OPEN,  CLOSE, RESET, MAP,   MAP,
					  UNMAP,       ADMIT, ADMIT, EVICT, EVICT, ADMIT};
	unsigned int i;

	random_state = seed;
	for (i = 0; i < OPERATIONS; i++) {
		operations[i].kind = kinds[draw(sizeof(kinds) / sizeof(kinds[0]))];
		operations[i].which = draw(operations[i].kind >= ADMIT ? ROOTS : REGIONS);
		operations[i].value = draw(~0u);
		operations[i].fail_from = draw(4) ? 0 : 1 + draw(4);
	}
}

static struct elisa_gpa root_gpa(unsigned int i)
{
	return elisa_gpa(0x100000000ull * (i / 3) + 0x200000ull * (i % 3) + i * PAGE);
}

/* Never in the first 2 MiB: the fixture's TEXT is there. */
static void map_region(unsigned int i, uint32_t value)
{
	uint64_t size = value & 1 ? HUGE : PAGE, length = size * (1 + (value >> 1) % 4), at;
	uint32_t rights = value & 8 ? RW : ELISA_EPT_READ;

	if (lengths[i] || elisa_domain_tables_prepare(tables, REGION_AT(i), length, size))
		return;
	for (at = 0; at < length; at += size)
		elisa_domain_tables_commit(
			tables, REGION_AT(i) + at,
			elisa_hpa(FAKE_MEMORY_HPA + (1 + (value >> 8) % 1000) * HUGE + at), size,
			rights);
	lengths[i] = length;
}

static void unmap_region(unsigned int i)
{
	if (lengths[i])
		elisa_domain_tables_clear(tables, REGION_AT(i), lengths[i]);
	lengths[i] = 0;
}

/* What the shrinking has to find: a gate that is closed spoils the leaf of region 7. */
static void plant(void)
{
	struct elisa_ept_leaf leaf;

	if (planted && elisa_domain_tables_get(tables, REGION_AT(7), &leaf))
		elisa_domain_tables_commit(tables, REGION_AT(7), leaf.hpa, leaf.size,
					   ELISA_EPT_READ | ELISA_EPT_EXECUTE);
}

static void operate(const struct operation *operation)
{
	uint32_t which = operation->which, value = operation->value;

	fake_seam_fail_from(operation->fail_from);
	switch (operation->kind) {
	case SET_DEFAULT:
		elisa_contexts_set_default(contexts, value & 1 ? DEFAULT_EPTP : 0);
		break;
	case OPEN:
		elisa_contexts_open(contexts);
		break;
	case CLOSE:
		elisa_contexts_close(contexts);
		plant();
		break;
	case RESET:
		contexts->list[2 + value % 510] = value;
		elisa_contexts_reset(contexts);
		break;
	case MAP:
		map_region(which, value);
		break;
	case UNMAP:
		unmap_region(which);
		break;
	case ADMIT:
		users[which] += elisa_contexts_admit(&contexts, 1, root_gpa(which)) == 0;
		break;
	default:
		elisa_contexts_evict(&contexts, 1, root_gpa(which));
		users[which] -= users[which] != 0;
	}
	fake_seam_fail_from(0);
}

/* NULL, or where the tables differ from the model. */
static const char *check_model(void)
{
	struct elisa_ept_leaf leaf;
	unsigned int i;

	for (i = 0; i < REGIONS; i++) {
		bool mapped = lengths[i] != 0;

		if (elisa_domain_tables_get(tables, REGION_AT(i), &leaf) != mapped ||
		    elisa_domain_tables_claimed(tables, REGION_AT(i)) != mapped)
			return "a region is mapped or claimed that should not be, or is not";
		if (mapped &&
		    !elisa_domain_tables_get(tables, REGION_AT(i) + lengths[i] - PAGE, &leaf))
			return "a region is not mapped to its end";
	}
	for (i = 0; i < ROOTS; i++) {
		if (elisa_contexts_admitted(contexts, root_gpa(i)) != (users[i] != 0))
			return "a root is admitted that should not be, or is not";
	}
	return elisa_contexts_admitted(contexts, elisa_gpa(ROOT_A)) ? NULL : "root A is gone";
}

static const char *check_proof(void)
{
	struct elisa_proof proof;

	return elisa_prove(tables, contexts, &proof) ? proof.text : NULL;
}

/* NULL, or why the sequence fails; *at: after how many operations. What failed is forgotten as it is. */
static const char *replay(const struct operation *operations, unsigned int nb, unsigned int *at)
{
	const char *reason = NULL;
	unsigned int i;

	memset(lengths, 0, sizeof(lengths));
	memset(users, 0, sizeof(users));
	domain_fixture_setup(NULL);
	for (i = 0; i < nb && !reason; i++) {
		operate(&operations[i]);
		reason = check_model();
		if (!reason && (i % PROVE_EVERY == 0 || i == nb - 1))
			reason = check_proof();
	}
	*at = i;
	if (!reason)
		domain_fixture_teardown(NULL);
	return reason;
}

/* Leaves out what is not needed for a failure: halves, quarters ... single operations. */
static unsigned int shrink(struct operation *operations, unsigned int nb)
{
	struct operation without[OPERATIONS];
	unsigned int chunk, from, at;

	for (chunk = nb > 1 ? nb / 2 : 1; chunk; chunk /= 2) {
		for (from = 0; from + chunk <= nb;) {
			memcpy(without, operations, from * sizeof(*without));
			memcpy(without + from, operations + from + chunk,
			       (nb - from - chunk) * sizeof(*without));
			if (replay(without, nb - chunk, &at)) {
				nb -= chunk;
				memcpy(operations, without, nb * sizeof(*without));
			} else {
				from += chunk;
			}
		}
	}
	return nb;
}

static void print_sequence(const struct operation *operations, unsigned int nb, const char *reason)
{
	unsigned int i;

	print_error("%u operations, then: %s\n", nb, reason);
	for (i = 0; i < nb; i++)
		print_error("  %-7s %2u  value 0x%08x  allocations fail from %u\n",
			    names[operations[i].kind], operations[i].which, operations[i].value,
			    operations[i].fail_from);
}

static void stays_proven(void **state)
{
	struct operation operations[OPERATIONS];
	unsigned int nb;
	const char *reason;

	planted = false;
	draw_sequence(operations, *(const uint64_t *)*state);
	reason = replay(operations, OPERATIONS, &nb);
	if (!reason)
		return;
	nb = shrink(operations, nb);
	print_sequence(operations, nb, reason);
	fail();
}

/* 1000 operations to the two that matter. */
static void a_failing_sequence_is_shrunk(void **state)
{
	struct operation operations[OPERATIONS];
	unsigned int nb;

	planted = true;
	draw_sequence(operations, *(const uint64_t *)*state);
	assert_non_null(replay(operations, OPERATIONS, &nb));
	nb = shrink(operations, nb);
	planted = false;
	assert_int_equal(nb, 2);
	assert_int_equal(operations[0].kind, MAP);
	assert_int_equal(operations[0].which, 7);
	assert_int_equal(operations[1].kind, CLOSE);
}

int main(void)
{
	static uint64_t seeds[] = {1, 20231107, 2, 3, 5, 8};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(stays_proven, &seeds[0]),
		cmocka_unit_test_prestate(stays_proven, &seeds[1]),
		cmocka_unit_test_prestate(stays_proven, &seeds[2]),
		cmocka_unit_test_prestate(stays_proven, &seeds[3]),
		cmocka_unit_test_prestate(stays_proven, &seeds[4]),
		cmocka_unit_test_prestate(stays_proven, &seeds[5]),
		cmocka_unit_test_prestate(a_failing_sequence_is_shrunk, &seeds[0]),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
