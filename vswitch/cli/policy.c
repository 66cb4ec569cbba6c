// SPDX-License-Identifier: BSD-3-Clause
/* policy.c - see policy.h. */
#include "policy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What k, M and G multiply by, as in tc(8), where bits may also be "10Mbit". 0: no such thing. */
static json_int_t factor_of(const char *suffix, bool bits)
{
	json_int_t factor = 1;

	switch (*suffix) {
	case 'g':
	case 'G':
		factor *= 1000;
		__attribute__((fallthrough));
	case 'm':
	case 'M':
		factor *= 1000;
		__attribute__((fallthrough));
	case 'k':
	case 'K':
		factor *= 1000;
		suffix++;
	}
	return !*suffix || (bits && !strcasecmp(suffix, "bit")) ? factor : 0;
}

static json_t *limit(const char *text, bool bits)
{
	json_int_t number, factor;
	char *end;

	if (!strcmp(text, "none"))
		return json_null();
	errno = 0;
	number = strtoll(text, &end, 10);
	factor = factor_of(end, bits);
	if (errno || end == text || !factor || __builtin_mul_overflow(number, factor, &number))
		return NULL;
	return json_integer(number);
}

static json_t *packets(const char *text)
{
	return limit(text, false);
}

static json_t *bits(const char *text)
{
	return limit(text, true);
}

static json_t *word(const char *text, size_t length)
{
	return json_stringn(text, length);
}

static json_t *number(const char *text, size_t length)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	return errno || !length || end != text + length ? NULL : json_integer(number);
}

/* "a,b" as a list of items; "none" is the empty one. NULL: one is no item. */
static json_t *list(const char *text, json_t *(*item)(const char *text, size_t length))
{
	json_t *list = json_array();

	if (!strcmp(text, "none"))
		return list;
	for (;;) {
		size_t length = strcspn(text, ",");

		if (json_array_append_new(list, item(text, length))) {
			json_decref(list);
			return NULL;
		}
		if (!text[length])
			return list;
		text += length + 1;
	}
}

static json_t *words(const char *text)
{
	return list(text, word);
}

static json_t *numbers(const char *text)
{
	return list(text, number);
}

static json_t *on_off(const char *text)
{
	if (!strcmp(text, "on"))
		return json_true();
	return strcmp(text, "off") ? NULL : json_false();
}

#define LIMIT_RULE "a whole number, with k, M or G behind it or without, or none"

static const struct {
	const char *option, *key, *rule;
	json_t *(*parse)(const char *text); /* NULL: it does not keep to the rule */
} options[] = {
	{"rate-packets", "rate_packets", LIMIT_RULE, packets},
	{"rate-bits", "rate_bits", LIMIT_RULE, bits},
	{"storm", "storm", LIMIT_RULE, packets},
	{"learn", "learn", LIMIT_RULE, packets},
	{"guard", "guard", "a list such as mac,ip,vlan, or none", words},
	{"allow-ip", "allow_ip", "addresses with commas between them, or none", words},
	{"allow-vlan", "allow_vlan", "numbers with commas between them, or none", numbers},
	{"private", "private", "on or off", on_off},
};

const char *elisa_cli_policy_set(json_t *arguments, const char *option, const char *text)
{
	unsigned int i = 0;

	while (strcmp(option, options[i].option))
		i++;
	if (json_object_set_new(arguments, options[i].key, options[i].parse(text)))
		return options[i].rule;
	return NULL;
}
