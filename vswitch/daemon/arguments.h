/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * arguments.h - taking typed values out of a request's JSON object. Pure functions, any thread.
 *
 * Each answers -EINVAL with a message that names the key and says what it has to be.
 */
#ifndef ELISA_DAEMON_ARGUMENTS_H
#define ELISA_DAEMON_ARGUMENTS_H

#include "failure.h"

#include <elisa/types.h>

#include <jansson.h>

/* No key but those of the list, which ends with NULL. */
int elisa_arguments_only(const json_t *arguments, const char *const *keys,
			 struct elisa_failure *failure);

/* A text of 1..max bytes. It lives as long as `arguments`. Absent: NULL if it is not required. */
int elisa_argument_text(const json_t *arguments, const char *key, bool required, size_t max,
			const char **text, struct elisa_failure *failure);

/* A whole number from low to high. Absent: *number stays as it is. */
int elisa_argument_number(const json_t *arguments, const char *key, uint32_t low, uint32_t high,
			  uint32_t *number, struct elisa_failure *failure);

/* The same with null for `none`, a limit that is none. */
int elisa_argument_limit(const json_t *arguments, const char *key, uint64_t low, uint64_t high,
			 uint64_t none, uint64_t *limit, struct elisa_failure *failure);

/* The text as JSON, bytes that are not UTF-8 replaced. NULL: no memory. */
json_t *elisa_json_text(const char *text);

/* JSON as text without spaces, `end` behind it; the caller's to free(). NULL: no memory. */
char *elisa_json_dump(const json_t *json, const char *end);

#endif
