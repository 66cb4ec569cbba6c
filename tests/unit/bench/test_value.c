// SPDX-License-Identifier: BSD-3-Clause
/*
 * test_value.c - a value is known by its key and version, and any changed byte is noticed.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bench/memcached/value.h"

static void test_round_trip(void **state)
{
	char bytes[300];
	uint32_t version;

	(void)state;
	for (size_t size = VALUE_MIN; size < sizeof(bytes); size++) {
		value_write(77, 0xdeadbee0u + (uint32_t)size, bytes, size);
		assert_int_equal(value_check(77, bytes, size, &version), 0);
		assert_int_equal(version, 0xdeadbee0u + size);
	}
}

static void test_any_changed_bit_is_noticed(void **state)
{
	char bytes[100];
	uint32_t version;

	(void)state;
	value_write(5, 9, bytes, sizeof(bytes));
	for (size_t at = 0; at < sizeof(bytes); at++) {
		for (int bit = 0; bit < 8; bit++) {
			bytes[at] ^= (char)(1 << bit);
			assert_int_equal(value_check(5, bytes, sizeof(bytes), &version), -EBADMSG);
			bytes[at] ^= (char)(1 << bit);
		}
	}
	assert_int_equal(value_check(5, bytes, sizeof(bytes), &version), 0);
}

static void test_value_of_another_key(void **state)
{
	char bytes[64];
	uint32_t version;

	(void)state;
	value_write(5, 9, bytes, sizeof(bytes));
	assert_int_equal(value_check(6, bytes, sizeof(bytes), &version), -EBADMSG);
	assert_int_equal(value_check(5, bytes, VALUE_MIN - 1, &version), -EBADMSG);
}

static void test_keys(void **state)
{
	char key[KEY_MAX + 1] = {0};

	(void)state;
	key_write(4294967295u, key, KEY_MIN);
	assert_string_equal(key, "k4294967295");
	memset(key, 0, sizeof(key));
	key_write(12, key, 15);
	assert_string_equal(key, "k00000000000012");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_any_changed_bit_is_noticed),
		cmocka_unit_test(test_value_of_another_key),
		cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
