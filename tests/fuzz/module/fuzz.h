/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz.h - the parts of elisa-fuzz: inputs, what they are run by, and what has to hold afterwards.
 *
 * A function that judges returns NULL or why not, as in tests/rig/vmm/cases.h.
 */
#ifndef ELISA_FUZZ_H
#define ELISA_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cases.h"
#include "tests/mutations/kmod/coverage.h"

#define BODY 60
#define MAX_OPERATIONS 12u

/* What the bytes mean is the target's business; the body begins with the call's structure, mostly. */
struct operation {
	uint8_t kind;
	uint8_t who;
	uint8_t where;
	uint8_t size;
	uint8_t body[BODY];
};

struct input {
	uint32_t nb;
	struct operation operations[MAX_OPERATIONS];
};

/*
 * As text: a line of hexadecimal bytes for an operation, zeroes at its end left out, "#" before comments;
 * an empty line after each input. Reads from *text on to the next; false: there is none.
 */
bool input_read(const char **text, struct input *input);
void input_write(FILE *file, const struct input *input);

uint32_t draw(uint64_t *random, uint32_t below);
/* A changed one of `count` inputs. */
void input_mutate(uint64_t *random, const struct input *inputs, uint32_t count, struct input *to);

/* What all runs share: a switch with a bystander in it, a VM beside it that is not attached. */
struct world {
	struct host host;
	struct vm bystander;
	int bystander_port;
	struct elisa_port_state state; /* of it */
	struct elisa_info info;        /* with nothing of an input's */
	struct vm vm;
	int messages; /* of the kernel */
};

void world_open(struct world *world);
/* How many edges there are. */
uint32_t world_record(struct world *world, enum elisa_test_record record);
/* After each input: pins, VMs, the bystander's port, warnings of the kernel. */
const char *world_check(struct world *world);
/* Now and then: the contexts are proven, and the bystander's gate is open. */
const char *world_prove(struct world *world);

struct target {
	const char *name;
	const char *corpus; /* text */
	void (*open)(struct world *world);
	/* Leaves everything as it was. */
	const char *(*run)(struct world *world, const struct input *input);
};

extern const struct target fuzz_hypercalls, fuzz_ioctls;
extern const char fuzz_hypercalls_corpus[], fuzz_ioctls_corpus[];

/* The body, again and again, as `size` bytes. */
void operation_fill(const struct operation *operation, void *to, uint32_t size);
uint64_t operation_word(const struct operation *operation, uint32_t at, uint32_t size);

#endif
