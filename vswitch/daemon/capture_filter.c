// SPDX-License-Identifier: BSD-3-Clause
/*
 * capture_filter.c - see capture_filter.h.
 *
 * libpcap's own check lets pass what its interpreter aborts at (codes that are none) and programs
 * that go round for ever: those are found here, the rest (jumps out, scratch memory) there.
 */
#include "capture_filter.h"

#include <pcap/pcap.h>

/* pcap/bpf.h builds a code of a class, and of what that class has. */
static bool is_load(uint32_t code)
{
	switch (code) {
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_B | BPF_ABS:
	case BPF_LD | BPF_W | BPF_IND:
	case BPF_LD | BPF_H | BPF_IND:
	case BPF_LD | BPF_B | BPF_IND:
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_IMM:
	case BPF_LDX | BPF_MEM:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_MSH | BPF_B:
		return true;
	default:
		return false;
	}
}

static bool is_arithmetic(uint32_t code)
{
	uint32_t operation = BPF_OP(code);

	if (code == (BPF_ALU | BPF_NEG))
		return true;
	return BPF_CLASS(code) == BPF_ALU && code <= 0xff && operation <= BPF_XOR &&
	       operation != BPF_NEG;
}

static bool is_jump(uint32_t code)
{
	uint32_t operation = BPF_OP(code);

	return BPF_CLASS(code) == BPF_JMP && code <= 0xff && operation >= BPF_JEQ &&
	       operation <= BPF_JSET;
}

static bool is_code(uint32_t code)
{
	switch (code) {
	case BPF_ST:
	case BPF_STX:
	case BPF_JMP | BPF_JA:
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
		return true;
	default:
		return is_load(code) || is_arithmetic(code) || is_jump(code);
	}
}

bool elisa_filter_is_safe(const struct bpf_insn *filter, uint32_t nb)
{
	if (!nb || nb > ELISA_FILTER_MAX)
		return false;
	for (uint32_t i = 0; i < nb; i++) {
		if (!is_code(filter[i].code))
			return false;
		/* The only jump that can go back. */
		if (filter[i].code == (BPF_JMP | BPF_JA) && filter[i].k >= nb - i - 1)
			return false;
	}
	return bpf_validate(filter, (int)nb);
}
