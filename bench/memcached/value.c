// SPDX-License-Identifier: BSD-3-Clause
/* value.c - see value.h. Called by connection.c. */
#include "bench/memcached/value.h"

#include <errno.h>
#include <string.h>

#include "bench/memcached/random.h"

void key_write(uint32_t key, char *to, size_t size)
{
	to[0] = 'k';
	for (size_t at = size - 1; at > 0; at--, key /= 10)
		to[at] = (char)('0' + key % 10);
}

static void version_write(uint32_t version, char *to)
{
	for (int digit = 0; digit < VALUE_MIN; digit++)
		to[digit] = "0123456789abcdef"[version >> (28 - 4 * digit) & 15];
}

static int version_read(const char *from, uint32_t *version)
{
	*version = 0;
	for (int digit = 0; digit < VALUE_MIN; digit++) {
		char c = from[digit];

		if (c >= '0' && c <= '9')
			*version = *version << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*version = *version << 4 | (uint32_t)(c - 'a' + 10);
		else
			return -EBADMSG;
	}
	return 0;
}

/* What follows the version: eight bytes of each number of a generator that starts at both. */
static uint64_t filling_start(uint32_t key, uint32_t version)
{
	return (uint64_t)key << 32 | version;
}

void value_write(uint32_t key, uint32_t version, char *to, size_t size)
{
	uint64_t state = filling_start(key, version);

	version_write(version, to);
	for (size_t at = VALUE_MIN; at < size; at += 8) {
		uint64_t bytes = random_next(&state);

		memcpy(to + at, &bytes, size - at < 8 ? size - at : 8);
	}
}

int value_check(uint32_t key, const char *bytes, size_t size, uint32_t *version)
{
	uint64_t state;

	if (size < VALUE_MIN || version_read(bytes, version))
		return -EBADMSG;
	state = filling_start(key, *version);
	for (size_t at = VALUE_MIN; at < size; at += 8) {
		uint64_t wanted = random_next(&state);

		if (memcmp(bytes + at, &wanted, size - at < 8 ? size - at : 8))
			return -EBADMSG;
	}
	return 0;
}
