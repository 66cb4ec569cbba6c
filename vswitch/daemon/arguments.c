// SPDX-License-Identifier: BSD-3-Clause
/* arguments.c - see arguments.h. */
#include "arguments.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool listed(const char *key, const char *const *keys)
{
	for (; *keys; keys++) {
		if (!strcmp(key, *keys))
			return true;
	}
	return false;
}

int elisa_arguments_only(const json_t *arguments, const char *const *keys,
			 struct elisa_failure *failure)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)arguments, key, value)
	{
		if (!listed(key, keys))
			return elisa_fail(failure, -EINVAL,
					  "the request has an argument '%.64s', which it does not "
					  "take; leave it out",
					  key);
	}
	return 0;
}

int elisa_argument_text(const json_t *arguments, const char *key, bool required, size_t max,
			const char **text, struct elisa_failure *failure)
{
	const json_t *value = json_object_get(arguments, key);
	size_t length;

	*text = NULL;
	if (!value && !required)
		return 0;
	if (!json_is_string(value))
		return elisa_fail(failure, -EINVAL, "'%s' has to be given, as a text", key);
	length = json_string_length(value);
	if (length == 0 || length > max)
		return elisa_fail(failure, -EINVAL, "'%s' has to have 1 to %zu bytes, not %zu", key,
				  max, length);
	*text = json_string_value(value);
	return 0;
}

int elisa_argument_number(const json_t *arguments, const char *key, uint32_t low, uint32_t high,
			  uint32_t *number, struct elisa_failure *failure)
{
	const json_t *value = json_object_get(arguments, key);
	json_int_t given;

	if (!value)
		return 0;
	given = json_integer_value(value);
	if (!json_is_integer(value) || given < low || given > high)
		return elisa_fail(failure, -EINVAL, "'%s' has to be a whole number from %u to %u",
				  key, low, high);
	*number = (uint32_t)given;
	return 0;
}

int elisa_argument_limit(const json_t *arguments, const char *key, uint64_t low, uint64_t high,
			 uint64_t none, uint64_t *limit, struct elisa_failure *failure)
{
	const json_t *value = json_object_get(arguments, key);
	json_int_t given = json_integer_value(value);

	if (!value)
		return 0;
	if (json_is_null(value)) {
		*limit = none;
		return 0;
	}
	if (!json_is_integer(value) || given < 0 || (uint64_t)given < low || (uint64_t)given > high)
		return elisa_fail(failure, -EINVAL,
				  "'%s' has to be a whole number from %" PRIu64 " to %" PRIu64
				  ", or none (in JSON: null)",
				  key, low, high);
	*limit = (uint64_t)given;
	return 0;
}

json_t *elisa_json_text(const char *text)
{
	json_t *json = json_string(text);
	char copy[ELISA_FAILURE_SIZE];
	size_t length;

	if (json)
		return json;
	length = strnlen(text, sizeof(copy) - 1);
	for (size_t i = 0; i < length; i++)
		copy[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
	copy[length] = '\0';
	return json_string(copy);
}

/*
 * Into memory of its size: json_dumps() lets it grow, and goes on behind a key for which it could not.
 */
char *elisa_json_dump(const json_t *json, const char *end)
{
	const size_t flags = JSON_COMPACT | JSON_PRESERVE_ORDER;
	size_t size = json_dumpb(json, NULL, 0, flags);
	char *text = size ? malloc(size + strlen(end) + 1) : NULL;

	if (!text)
		return NULL;
	if (json_dumpb(json, text, size, flags) != size) {
		free(text);
		return NULL;
	}
	strcpy(text + size, end);
	return text;
}
