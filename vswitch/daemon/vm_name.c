// SPDX-License-Identifier: BSD-3-Clause
/* vm_name.c - see vm_name.h. Knows QEMU's option syntax (qemu-options.hx, util/qemu-option.c). */
#include "vm_name.h"

#include <string.h>

#define KEY "guest="

/* Copies one option up to its end or a single comma; returns what follows, NULL at the end. */
static const char *copy_option(const char *from, char *to, size_t room, bool *fits)
{
	size_t length = 0;

	*fits = true;
	for (; *from; from++) {
		if (*from == ',') {
			if (from[1] != ',')
				break;
			from++;
		}
		if (length + 1 < room)
			to[length++] = *from;
		else
			*fits = false;
	}
	to[length] = '\0';
	return *from ? from + 1 : NULL;
}

static bool starts_with(const char *text, const char *start)
{
	while (*start) {
		if (*text++ != *start++)
			return false;
	}
	return true;
}

/* Names are shown on terminals and in logs: one that could steer them is none. */
static bool presentable(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	}
	return true;
}

/* The value of -name: a first option without a key is the guest's name. */
static bool parse_value(const char *value, char name[ELISA_VM_NAME_SIZE])
{
	char option[ELISA_VM_NAME_SIZE + sizeof(KEY) - 1];
	bool found = false, first = true, fits;

	while (value) {
		const char *text = NULL;

		value = copy_option(value, option, sizeof(option), &fits);
		if (starts_with(option, KEY))
			text = option + strlen(KEY);
		else if (first && !strchr(option, '='))
			text = option;
		first = false;
		if (!text)
			continue;
		found = fits && *text && strlen(text) < ELISA_VM_NAME_SIZE && presentable(text);
		memcpy(name, found ? text : "", found ? strlen(text) + 1 : 1);
	}
	return found;
}

bool elisa_vm_name_parse(const char *cmdline, size_t size, char name[ELISA_VM_NAME_SIZE])
{
	const char *argument = cmdline, *end = cmdline + size;
	bool found = false, is_value = false;

	name[0] = '\0';
	while (argument < end) {
		size_t length = strnlen(argument, (size_t)(end - argument));

		if (argument + length == end)
			break; /* cut off: not an argument */
		if (is_value)
			found = parse_value(argument, name);
		is_value = !is_value && (!strcmp(argument, "-name") || !strcmp(argument, "--name"));
		argument += length + 1;
	}
	return found;
}
