/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * input.h - a fuzzer's bytes, taken from the front, and how a fuzzer says that something is wrong.
 *
 * Where the bytes end, zeroes follow: every input is a whole one.
 */
#ifndef ELISA_FUZZ_INPUT_H
#define ELISA_FUZZ_INPUT_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <elisa/types.h>

/* The oracles. libFuzzer keeps the input of a process that aborts. */
#define CHECK(condition)                                                                      \
	do {                                                                                  \
		if (!(condition)) {                                                           \
			dprintf(STDERR_FILENO, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__, \
				__func__, #condition);                                        \
			abort();                                                              \
		}                                                                             \
	} while (0)

struct input {
	const uint8_t *at;
	size_t left;
};

/* The next `nb` bytes, 1..8, least significant first. */
static inline uint64_t take(struct input *input, unsigned int nb)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < nb && input->left; i++, input->left--)
		value |= (uint64_t)*input->at++ << 8 * i;
	return value;
}

/* libFuzzer's entries. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *nb_arguments, char ***arguments);

#endif
