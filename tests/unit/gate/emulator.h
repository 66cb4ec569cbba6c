/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * emulator.h - a CPU in one of our contexts, for the tests that run the code pages (Unicorn).
 *
 * Exactly what the gate context (or the trusted one) maps is mapped, with its rights; all else
 * faults. A run ends at a VMFUNC, or at anything that would be an exit.
 */
#ifndef ELISA_TEST_EMULATOR_H
#define ELISA_TEST_EMULATOR_H

#include <unicorn/unicorn.h>

#include <elisa/layout.h>

struct emulator {
	uc_engine *engine;
	unsigned int vmfunc; /* offset in the code page where a run ends well */
	bool at_vmfunc;      /* the last run ended there */
};

/* Registers that a guest chooses. */
enum { EMULATOR_REGISTERS = 16 };
extern const int emulator_registers[EMULATOR_REGISTERS]; /* RAX first, RCX second */

/* A CPU with `page` execute-only at ELISA_OFFSET_GATE, and the list and the table page. */
void emulator_open(struct emulator *emulator, const unsigned char *page, unsigned int vmfunc);
void emulator_close(struct emulator *emulator);

/* Runs from byte `offset` of the code page to a VMFUNC, an exit, or 200 instructions. */
void emulator_run(struct emulator *emulator, unsigned int offset);

void emulator_write(struct emulator *emulator, uint64_t offset, const void *bytes, size_t size);
void emulator_read(struct emulator *emulator, uint64_t offset, void *bytes, size_t size);

uint64_t emulator_get(struct emulator *emulator, int reg);
void emulator_set(struct emulator *emulator, int reg, uint64_t value);

#endif
