/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * program.h - a guest program: an ELF file of tests/attack/guest, put into a VM's memory.
 *
 * What cannot be (no file, no such symbol) ends the process with a message.
 */
#ifndef ELISA_TEST_ATTACK_PROGRAM_H
#define ELISA_TEST_ATTACK_PROGRAM_H

#include "vmm.h"

struct program {
	uint8_t *file;
	uint64_t size;
};

/* Reads NAME.elf from the folder that this program is in. It stays in memory. */
void program_read(struct program *program, const char *name);

/* Its code and data to where it was linked for. */
void program_load(const struct program *program, struct vm *vm);

/* Guest-virtual = guest-physical address of a function or variable. */
uint64_t program_symbol(const struct program *program, const char *name);

#endif
