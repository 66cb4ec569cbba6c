// SPDX-License-Identifier: BSD-3-Clause
/*
 * test_zipf.c - keys come as often as 1 / (k + 1)^theta says: the drawn counts against the exact
 * probabilities, computed here on their own.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "bench/memcached/zipf.h"

#define DRAWS 2000000

static uint32_t *draw(uint32_t keys, double theta)
{
	uint32_t *counts = calloc(keys, sizeof(uint32_t));
	uint64_t random = 42;
	struct zipf zipf;

	assert_non_null(counts);
	assert_int_equal(zipf_init(&zipf, keys, theta), 0);
	for (int n = 0; n < DRAWS; n++) {
		uint32_t key = zipf_draw(&zipf, &random);

		assert_true(key < keys);
		counts[key]++;
	}
	zipf_free(&zipf);
	return counts;
}

/* Pearson's statistic, which has mean keys - 1 and standard deviation sqrt(2 (keys - 1)). */
static void expect_zipf(uint32_t keys, double theta)
{
	uint32_t *counts = draw(keys, theta);
	double sum = 0, chi = 0;

	for (uint32_t key = keys; key > 0; key--)
		sum += 1 / pow(key, theta);
	for (uint32_t key = 0; key < keys; key++) {
		double expected = DRAWS / pow(key + 1, theta) / sum;

		chi += (counts[key] - expected) * (counts[key] - expected) / expected;
	}
	free(counts);
	assert_true(fabs(chi - (keys - 1)) < 5 * sqrt(2.0 * (keys - 1)));
}

static void test_ycsb_theta(void **state)
{
	(void)state;
	expect_zipf(1000, 0.99);
}

static void test_other_thetas(void **state)
{
	(void)state;
	expect_zipf(1000, 0.5);
	expect_zipf(1000, 1);
	expect_zipf(200, 1.5);
}

static void test_theta_zero_is_uniform(void **state)
{
	uint32_t *counts = draw(16, 0);

	(void)state;
	/* Five standard deviations of a binomial count. */
	for (int key = 0; key < 16; key++)
		assert_in_range(counts[key], DRAWS / 16 - 1712, DRAWS / 16 + 1712);
	free(counts);
}

static void test_one_key(void **state)
{
	uint32_t *counts = draw(1, 0.99);

	(void)state;
	assert_int_equal(counts[0], DRAWS);
	free(counts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ycsb_theta),
		cmocka_unit_test(test_other_thetas),
		cmocka_unit_test(test_theta_zero_is_uniform),
		cmocka_unit_test(test_one_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
