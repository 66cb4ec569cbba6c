// SPDX-License-Identifier: BSD-3-Clause
/*
 * test_schedule.c - planned times: equal gaps are exact and do not drift, a Poisson process has
 * exponential gaps, and a seed repeats a schedule.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bench/memcached/schedule.h"

#define GAPS 1000000

static void test_fixed_is_exact(void **state)
{
	struct schedule schedule;

	(void)state;
	schedule_init(&schedule, 1000, false, 1);
	for (uint64_t n = 1; n <= GAPS; n++) {
		assert_int_equal(schedule_due(&schedule), n * 1000000);
		schedule_advance(&schedule);
	}
}

/* Mean, variance and the share of gaps above the mean, each within five standard errors. */
static void test_poisson_has_exponential_gaps(void **state)
{
	struct schedule schedule;
	double sum = 0, squares = 0, before = 0;
	int longer = 0;

	(void)state;
	schedule_init(&schedule, 1000, true, 1);
	for (int n = 0; n < GAPS; n++) {
		double gap = ((double)schedule_due(&schedule) - before) / 1e6;

		before = (double)schedule_due(&schedule);
		assert_true(gap >= 0);
		sum += gap;
		squares += gap * gap;
		longer += gap > 1;
		schedule_advance(&schedule);
	}
	assert_true(fabs(sum / GAPS - 1) < 5 * 1e-3);
	assert_true(fabs(squares / GAPS - 2) < 5 * sqrt(20) * 1e-3);
	assert_true(fabs((double)longer / GAPS - exp(-1)) < 5 * 0.5e-3);
}

static void test_seed_repeats_a_schedule(void **state)
{
	struct schedule a, b, other;
	int same = 0;

	(void)state;
	schedule_init(&a, 500, true, 7);
	schedule_init(&b, 500, true, 7);
	schedule_init(&other, 500, true, 8);
	for (int n = 0; n < 1000; n++) {
		assert_int_equal(schedule_due(&a), schedule_due(&b));
		same += schedule_due(&a) == schedule_due(&other);
		schedule_advance(&a);
		schedule_advance(&b);
		schedule_advance(&other);
	}
	assert_int_equal(same, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixed_is_exact),
		cmocka_unit_test(test_poisson_has_exponential_gaps),
		cmocka_unit_test(test_seed_repeats_a_schedule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
