/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gate_bytes.h - VMFUNC so that the next fetch is at any byte of the page at ELISA_OFFSET_GATE: of the
 * gate's page (index 1), of the entry page (index 2).
 *
 * The guest maps a page of its own there, puts the VMFUNC right before the byte, and INT3 everywhere
 * else: code of its own that runs there, wherever the gate led to, is seen. It knows the gate's bytes and
 * aims at the list through them. And it has page tables for the CPU (an EPT) in its own memory, whose
 * place in the host it knows, as root on the host does: a gate that can be made to take that EPTP lets it out.
 */
#ifndef ELISA_TEST_GATE_BYTES_H
#define ELISA_TEST_GATE_BYTES_H

#include "vmm.h"

#define GATE_BYTES_EPTPS 4

struct gate_bytes {
	struct vm *vm;
	const uint8_t *page;              /* the gate's */
	uint64_t eptps[GATE_BYTES_EPTPS]; /* the guest's own, and what else it was told; 0: none */
	uint64_t random;
};

/* How a VMFUNC ended. */
enum gate_end {
	GATE_THROWN_OUT, /* #GP at the documented call's VMFUNC */
	GATE_BACK,       /* at the return stub, or where its RET led to */
	GATE_REFUSED,    /* #GP at this VMFUNC: it led nowhere */
	GATE_ESCAPED,    /* code of the guest's own ran behind a VMFUNC of the gate */
	GATE_LOST,       /* KVM could not go on */
};

/* For a VM whose tables are as vm_create() made them, and with `page` as the gate's page. */
void gate_bytes_begin(struct gate_bytes *bytes, struct vm *vm, const uint8_t *page);

/* No trap, and room for an instruction behind it. */
bool gate_bytes_is_code(const struct gate_bytes *bytes, unsigned int offset);

/* So many sets of registers are worth a try at this byte. */
unsigned int gate_bytes_sets(const struct gate_bytes *bytes, unsigned int offset);

/* One of them: VMFUNC(0, 1). */
enum gate_end gate_bytes_into_gate(struct gate_bytes *bytes, unsigned int offset, unsigned int set);

/* VMFUNC(0, 2), which has to be refused. */
enum gate_end gate_bytes_into_entry(struct gate_bytes *bytes, unsigned int offset);

/* Of the EPTP list: a VMFUNC to it, elsewhere, is refused. */
bool gate_bytes_slot_is_empty(struct gate_bytes *bytes, uint64_t slot);

#endif
