// SPDX-License-Identifier: BSD-3-Clause
/* input.c - inputs as text, and changed ones. Used by elisa-fuzz.c. */
#include <ctype.h>
#include <string.h>

#include "fuzz.h"

#define MUTATIONS 4u /* of an input, at most */

uint32_t draw(uint64_t *random, uint32_t below)
{
	*random = *random * 6364136223846793005ull + 1442695040888963407ull;
	return (*random >> 33) % below;
}

static void read_bytes(const char *line, uint32_t length, struct operation *operation)
{
	uint8_t *to = (uint8_t *)operation;
	uint32_t i, digits = 0, value;

	for (i = 0; i < length && line[i] != '#'; i++) {
		if (!isxdigit((unsigned char)line[i]) || digits == 2 * sizeof(*operation))
			continue;
		value = isdigit((unsigned char)line[i]) ? line[i] - '0' : (line[i] | 32) - 'a' + 10;
		to[digits / 2] |= digits % 2 ? value : value << 4;
		digits++;
	}
}

bool input_read(const char **text, struct input *input)
{
	uint32_t length;

	memset(input, 0, sizeof(*input));
	for (; **text; *text += length + ((*text)[length] == '\n')) {
		length = strcspn(*text, "\n");
		if (!length && input->nb)
			break;
		if (length && **text != '#' && input->nb < MAX_OPERATIONS)
			read_bytes(*text, length, &input->operations[input->nb++]);
	}
	return input->nb;
}

void input_write(FILE *file, const struct input *input)
{
	uint32_t i, k, length;

	for (i = 0; i < input->nb; i++) {
		const uint8_t *bytes = (const uint8_t *)&input->operations[i];

		length = sizeof(input->operations[i]);
		while (length > 4 && !bytes[length - 1])
			length--;
		for (k = 0; k < length; k++)
			fprintf(file, "%02x%s", bytes[k], k < 3 || k % 4 == 3 ? " " : "");
		fputc('\n', file);
	}
	fputc('\n', file);
}

/* Around powers of two, up to the layout's parts; and what else the layout has. */
static uint64_t draw_value(uint64_t *random)
{
	static const uint64_t values[] = {0,
					  1500,
					  ~0ull,
					  3 * ELISA_PAGE_SIZE,
					  ELISA_WINDOW_GVA,
					  ELISA_OFFSET_RODATA,
					  ELISA_OFFSET_SWITCH,
					  ELISA_OFFSET_CAPTURE,
					  ELISA_OFFSET_UPLINK_DEVICES,
					  ELISA_OFFSET_UPLINK_MEMORY,
					  ELISA_OFFSET_UPLINK_STATE,
					  GUEST_APIC,
					  GUEST_CALL_STUB};

	if (draw(random, 2))
		return values[draw(random, sizeof(values) / sizeof(values[0]))];
	return (1ull << draw(random, draw(random, 4) ? 34 : 64)) + draw(random, 3) - 1;
}

/* What calls look at is at the beginning. */
static uint32_t draw_place(uint64_t *random, uint32_t size)
{
	return draw(random, draw(random, 4) ? 32 / size : BODY / size) * size;
}

static void change_word(uint64_t *random, struct operation *operation)
{
	uint32_t size = draw(random, 2) ? 4 : 8;
	uint8_t *at = operation->body + draw_place(random, size);
	uint64_t word = 0;

	memcpy(&word, at, size);
	if (draw(random, 3))
		word = draw_value(random);
	else
		word += draw(random, 2) ? 1ull << draw(random, 22) : -(1ull << draw(random, 22));
	memcpy(at, &word, size);
}

static void change_operation(uint64_t *random, struct operation *operation)
{
	switch (draw(random, 8)) {
	case 0:
		operation->kind = draw(random, 32);
		break;
	case 1:
		operation->who = draw(random, 32);
		break;
	case 2:
		operation->where = draw(random, 4) ? 0 : draw(random, 32);
		break;
	case 3:
		operation->size = draw(random, 4) ? 0 : draw(random, 32);
		break;
	case 4:
	case 5:
		operation->body[draw_place(random, 1)] ^= 1u << draw(random, 8);
		break;
	default:
		change_word(random, operation);
	}
}

static void insert(struct input *input, uint32_t at, const struct operation *operation)
{
	struct operation copy = *operation;

	if (input->nb == MAX_OPERATIONS)
		return;
	memmove(&input->operations[at + 1], &input->operations[at],
		(input->nb - at) * sizeof(copy));
	input->operations[at] = copy;
	input->nb++;
}

static void drop(struct input *input, uint32_t at)
{
	if (input->nb == 1)
		return;
	input->nb--;
	memmove(&input->operations[at], &input->operations[at + 1],
		(input->nb - at) * sizeof(input->operations[0]));
}

/* Its end becomes another's. */
static void splice(struct input *input, uint32_t at, const struct input *other, uint32_t from)
{
	input->nb = at;
	while (from < other->nb && input->nb < MAX_OPERATIONS)
		input->operations[input->nb++] = other->operations[from++];
}

void input_mutate(uint64_t *random, const struct input *inputs, uint32_t count, struct input *to)
{
	const struct input *other = &inputs[draw(random, count)];
	uint32_t left = 1 + draw(random, MUTATIONS), at, from;

	*to = inputs[draw(random, count)];
	for (; left; left--) {
		at = draw(random, to->nb);
		from = draw(random, other->nb);
		switch (draw(random, 12)) {
		case 0:
			insert(to, at, &other->operations[from]);
			break;
		case 1:
			insert(to, at, &to->operations[draw(random, to->nb)]);
			break;
		case 2:
			drop(to, at);
			break;
		case 3:
			splice(to, at + 1, other, from);
			break;
		default:
			change_operation(random, &to->operations[at]);
		}
	}
}

void operation_fill(const struct operation *operation, void *to, uint32_t size)
{
	uint32_t i;

	for (i = 0; i < size; i += BODY)
		memcpy((uint8_t *)to + i, operation->body, size - i < BODY ? size - i : BODY);
}

uint64_t operation_word(const struct operation *operation, uint32_t at, uint32_t size)
{
	uint64_t word = 0;

	memcpy(&word, operation->body + at, size);
	return word;
}
