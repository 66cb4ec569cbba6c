// SPDX-License-Identifier: BSD-3-Clause
/*
 * test_pages_run.c - the code pages run: as intended, and from every byte with hostile registers.
 *
 * The gate page, to which a guest can come at any byte with any registers. What must hold at each VMFUNC
 * that would succeed: slot 2 is empty or the table's value, and every other slot of the list is as the host
 * wrote it. Changed gate pages that break this are caught.
 *
 * The entry page, to which a guest comes at its one entry only, with any registers: it always leaves by
 * VMFUNC(0, 0) with slot 2 empty. From all its other bytes it is run too, though nothing leads there, with
 * hostile registers and a hostile stack: where no register points at the list, nothing comes into the list,
 * and a VMFUNC can only lead to the default context, or to the gate's, where LIST, the next fetch, is not
 * executable. A register that does point there can be stored through by whoever starts inside a step: that
 * is what the one entry is for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "emulator.h"
#include "gate/pages.h"

#define PAGE ELISA_PAGE_SIZE
#define DEFAULT_EPTP 0x23456705eull
#define GATE_EPTP 0x71234501eull
#define TRUSTED_EPTP 0x6fedcba01eull
#define EVIL_EPTP 0x13370001eull
#define LIST_GVA ELISA_GVA(ELISA_OFFSET_LIST)
#define TABLE_GVA ELISA_GVA(ELISA_OFFSET_TABLE)

#define CODE_START 0x143u
#define CODE_END 0x190u
#define RUNS_CODE 13000u /* of each byte of code: a million in all */
#define RUNS_PADDING 2u
#define ENTRY_CODE_END 0x21au
#define RUNS_ENTRY 1000u
#define RFLAGS_ARITHMETIC 0x8d5ull

static uint64_t random_state = 4711;

static uint64_t draw(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* A register value such as an attacker would choose: mostly near what matters. */
static uint64_t hostile_value(void)
{
	static const uint64_t values[] = {0,
					  1,
					  2,
					  3,
					  EVIL_EPTP,
					  TRUSTED_EPTP,
					  GATE_EPTP,
					  DEFAULT_EPTP,
					  LIST_GVA,
					  TABLE_GVA,
					  ~0ull,
					  ~1ull,
					  0x1e,
					  0x1e00,
					  TABLE_GVA + 8};

	switch (draw() % 8) {
	case 0:
		return draw();
	case 1:
		return LIST_GVA + draw() % PAGE;
	case 2: /* slot 2, through the displacements that the page's bytes decode to */
		return LIST_GVA + 16 + draw() % 8 + 0x6f6f6f70;
	case 3:
		return LIST_GVA + 16 + draw() % 8 - 0x10f0248;
	case 4: /* slots 0 to 3, by any small displacement */
		return LIST_GVA + draw() % 32 - draw() % 256;
	case 5:
		return draw() % 0x10000 - 0x8000;
	default:
		return values[draw() % (sizeof(values) / sizeof(values[0]))];
	}
}

static void write_list(struct emulator *emulator)
{
	static const uint64_t list[512] = {DEFAULT_EPTP, GATE_EPTP};

	emulator_write(emulator, ELISA_OFFSET_LIST, list, sizeof(list));
}

/* Whether the VMFUNC that the run arrived at could harm: see the head of this file. */
static bool is_harmful(struct emulator *emulator)
{
	uint32_t function = emulator_get(emulator, UC_X86_REG_RAX);
	uint32_t index = emulator_get(emulator, UC_X86_REG_RCX);
	uint64_t list[512];
	unsigned int i;

	if (function != 0 || index >= 512)
		return false; /* an exit, or #UD */
	emulator_read(emulator, ELISA_OFFSET_LIST, list, sizeof(list));
	if (list[index] == 0)
		return false; /* an exit */
	if (list[0] != DEFAULT_EPTP || list[1] != GATE_EPTP)
		return true;
	for (i = 3; i < 512; i++) {
		if (list[i] != 0)
			return true;
	}
	return index == 2 ? list[2] != TRUSTED_EPTP : list[2] != 0;
}

static void run_once(struct emulator *emulator, unsigned int offset)
{
	unsigned int i;

	write_list(emulator);
	for (i = 0; i < EMULATOR_REGISTERS; i++)
		emulator_set(emulator, emulator_registers[i], hostile_value());
	emulator_set(emulator, UC_X86_REG_EFLAGS, 2 | (draw() & RFLAGS_ARITHMETIC));
	emulator_run(emulator, offset);
}

/* Runs from every byte, until one run ends in harm; says whether one did. */
static bool attack(const unsigned char *page, unsigned int vmfunc, unsigned int *runs,
		   unsigned int *arrived)
{
	uint64_t table = TRUSTED_EPTP;
	struct emulator emulator;
	unsigned int at, i;
	bool harm = false;

	*runs = 0;
	*arrived = 0;
	emulator_open(&emulator, page, vmfunc);
	emulator_write(&emulator, ELISA_OFFSET_TABLE, &table, sizeof(table));
	for (at = 0; !harm && at < PAGE; at++) {
		bool code = at < 5 || (at >= CODE_START && at < CODE_END);

		for (i = 0; !harm && i < (code ? RUNS_CODE : RUNS_PADDING); i++) {
			run_once(&emulator, at);
			++*runs;
			*arrived += emulator.at_vmfunc;
			harm = emulator.at_vmfunc && is_harmful(&emulator);
		}
	}
	if (harm)
		print_message("harm from 0x%03x\n", at - 1);
	emulator_close(&emulator);
	return harm;
}

static void gate_page_withstands(void **state)
{
	unsigned int runs, arrived;

	(void)state;
	assert_false(attack(elisa_gate_page, ELISA_GATE_PAGE_VMFUNC, &runs, &arrived));
	print_message("%u runs, %u came to the VMFUNC\n", runs, arrived);
	assert_true(runs >= 1000000);
	assert_true(arrived > RUNS_CODE);
}

static void without(unsigned int at, unsigned int length)
{
	unsigned char page[ELISA_PAGE_SIZE];
	unsigned int runs, arrived;

	memcpy(page, elisa_gate_page, PAGE);
	memset(page + at, 0x90, length);
	assert_true(attack(page, ELISA_GATE_PAGE_VMFUNC, &runs, &arrived));
}

static void without_a_compare_it_falls(void **state)
{
	(void)state;
	without(0x16d, 2); /* the branch after the comparison with the table */
	without(0x17d, 2); /* the branch after the comparison with the slot */
}

/* The same steps without the NOPs: a displacement's tail then swallows the last branch. */
static void without_the_nops_it_falls(void **state)
{
	static const unsigned char code[] = {
		0x48, 0x8b, 0x05, 0xb6, 0x1e, 0,    0, /* mov table, rax */
		0x48, 0x89, 0x05, 0xbf, 0x0e, 0,    0, /* mov rax, slot */
		0x48, 0x3b, 0x05, 0xa8, 0x1e, 0,    0, /* cmp table, rax */
		0x75, 0x1d,                            /* jne to padding */
		0x48, 0x3b, 0x05, 0xaf, 0x0e, 0,    0, /* cmp slot, rax */
		0x75, 0x14,                            /* jne to padding */
		0x31, 0xc0, 0x8d, 0x48, 0x02, 0x0f, 0x01, 0xd4,
	};
	unsigned char page[ELISA_PAGE_SIZE];
	unsigned int runs, arrived;

	(void)state;
	memset(page, 0xcc, PAGE);
	memcpy(page + CODE_START, code, sizeof(code));
	assert_true(attack(page, CODE_START + sizeof(code) - 3, &runs, &arrived));
}

static void gate_page_does_its_work(void **state)
{
	uint64_t table = TRUSTED_EPTP, slot;
	struct emulator emulator;

	(void)state;
	emulator_open(&emulator, elisa_gate_page, ELISA_GATE_PAGE_VMFUNC);
	emulator_write(&emulator, ELISA_OFFSET_TABLE, &table, sizeof(table));
	write_list(&emulator);
	emulator_set(&emulator, UC_X86_REG_RDI, 11);
	emulator_set(&emulator, UC_X86_REG_RSI, 22);
	emulator_set(&emulator, UC_X86_REG_RDX, 33);
	emulator_set(&emulator, UC_X86_REG_RSP, 44);
	emulator_run(&emulator, ELISA_GATE_PAGE_START);
	assert_true(emulator.at_vmfunc);
	assert_int_equal(emulator_get(&emulator, UC_X86_REG_RAX), 0);
	assert_int_equal(emulator_get(&emulator, UC_X86_REG_RCX), ELISA_SLOT_TRUSTED);
	assert_int_equal(emulator_get(&emulator, UC_X86_REG_RDI), 11);
	assert_int_equal(emulator_get(&emulator, UC_X86_REG_RSI), 22);
	assert_int_equal(emulator_get(&emulator, UC_X86_REG_RDX), 33);
	assert_int_equal(emulator_get(&emulator, UC_X86_REG_RSP), 44);
	emulator_read(&emulator, ELISA_OFFSET_LIST + 16, &slot, sizeof(slot));
	assert_int_equal(slot, TRUSTED_EPTP);
	emulator_close(&emulator);
}

/*
 * An image for the entry page: notes RSP and RFLAGS at RODATA, then leaves a mess in what a callee
 * may change, and returns RDI + RSI + RDX.
 */
static const unsigned char image[] = {
	0x48, 0x89, 0x25, 0xf9, 0xff, 0x1f, 0x00,             /* mov %rsp, RODATA */
	0x9c, 0x58,                                           /* pushfq; pop %rax */
	0x48, 0x89, 0x05, 0xf8, 0xff, 0x1f, 0x00,             /* mov %rax, RODATA + 8 */
	0x48, 0x8d, 0x04, 0x37, 0x48, 0x01, 0xd0,             /* rax = rdi + rsi + rdx */
	0x48, 0x89, 0xc1, 0x48, 0x89, 0xc6, 0x48, 0x89, 0xc7, /* rcx, rsi, rdi = rax */
	0x49, 0x89, 0xc0, 0x49, 0x89, 0xc1, 0x49, 0x89, 0xc2, 0x49, 0x89, 0xc3, /* r8 to r11 */
	0x66, 0x0f, 0x76, 0xc0,                                                 /* xmm0 = ones */
	0x66, 0x44, 0x0f, 0x6f, 0xf8,                                           /* xmm15 = xmm0 */
	0xc3,
};

static void open_trusted(struct emulator *emulator)
{
	uint64_t slots[3] = {DEFAULT_EPTP, GATE_EPTP, TRUSTED_EPTP};

	emulator_open(emulator, elisa_entry_page, ELISA_ENTRY_PAGE_VMFUNC);
	assert_int_equal(uc_mem_map(emulator->engine, ELISA_GVA(ELISA_OFFSET_STACK),
				    ELISA_STACK_SIZE, UC_PROT_READ | UC_PROT_WRITE),
			 UC_ERR_OK);
	assert_int_equal(
		uc_mem_map(emulator->engine, ELISA_GVA(ELISA_OFFSET_TEXT), PAGE, UC_PROT_EXEC),
		UC_ERR_OK);
	assert_int_equal(uc_mem_map(emulator->engine, ELISA_GVA(ELISA_OFFSET_RODATA), PAGE,
				    UC_PROT_READ | UC_PROT_WRITE),
			 UC_ERR_OK);
	/* No part of this context. */
	assert_int_equal(uc_mem_unmap(emulator->engine, TABLE_GVA, PAGE), UC_ERR_OK);
	emulator_write(emulator, ELISA_OFFSET_TEXT, image, sizeof(image));
	emulator_write(emulator, ELISA_OFFSET_LIST, slots, sizeof(slots));
}

static bool is_kept(int reg)
{
	static const int kept[] = {UC_X86_REG_RBX, UC_X86_REG_RSP, UC_X86_REG_RBP, UC_X86_REG_R12,
				   UC_X86_REG_R13, UC_X86_REG_R14, UC_X86_REG_R15};
	unsigned int i;

	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if (kept[i] == reg)
			return true;
	}
	return false;
}

static void expect_return(struct emulator *emulator, const uint64_t *before)
{
	uint64_t vector[2], slot;
	unsigned int i;

	for (i = 0; i < EMULATOR_REGISTERS; i++) {
		int reg = emulator_registers[i];
		uint64_t expected = is_kept(reg) ? before[i] : 0;

		if (reg == UC_X86_REG_RDX) /* RDI, RSI, RDX are 7, 6, 2 in the list */
			expected = before[7] + before[6] + before[2];
		assert_int_equal(emulator_get(emulator, reg), expected);
	}
	for (i = 0; i < 16; i++) {
		assert_int_equal(uc_reg_read(emulator->engine, UC_X86_REG_XMM0 + i, vector),
				 UC_ERR_OK);
		assert_int_equal(vector[0] | vector[1], 0);
	}
	emulator_read(emulator, ELISA_OFFSET_LIST + 16, &slot, sizeof(slot));
	assert_int_equal(slot, 0);
}

/* DF, AC, NT and all arithmetic flags set; registers hostile. */
static void entry_page_calls_and_comes_back(void **state)
{
	uint64_t before[EMULATOR_REGISTERS], seen[2], ones[2] = {~0ull, ~0ull};
	struct emulator emulator;
	unsigned int i, round;

	(void)state;
	open_trusted(&emulator);
	for (round = 0; round < 500; round++) {
		for (i = 0; i < EMULATOR_REGISTERS; i++) {
			before[i] = hostile_value();
			emulator_set(&emulator, emulator_registers[i], before[i]);
		}
		for (i = 0; i < 16; i++)
			uc_reg_write(emulator.engine, UC_X86_REG_XMM0 + i, ones);
		emulator_set(&emulator, UC_X86_REG_EFLAGS, 0x44cd7);
		emulator_run(&emulator, ELISA_ENTRY_PAGE_START);
		assert_true(emulator.at_vmfunc);
		expect_return(&emulator, before);
		emulator_read(&emulator, ELISA_OFFSET_RODATA, seen, sizeof(seen));
		assert_int_equal(seen[0] % 16, 8); /* System V: aligned before the call */
		assert_in_range(seen[0], ELISA_GVA(ELISA_OFFSET_STACK),
				ELISA_GVA(ELISA_OFFSET_STACK + ELISA_STACK_SIZE));
		assert_int_equal(seen[1] & ~0x200ull, 2);
	}
	emulator_close(&emulator);
}

/* As hostile_value(), but none from which an instruction of the entry page would get to the list. */
static uint64_t value_beside_list(void)
{
	static const uint64_t values[] = {0,           1, 2, 3, EVIL_EPTP, GATE_EPTP, TRUSTED_EPTP,
					  DEFAULT_EPTP};

	switch (draw() % 5) {
	case 0:
		return draw();
	case 1:
		return draw() % 0x8000;
	case 2:
		return ELISA_GVA(ELISA_OFFSET_RODATA) + draw() % PAGE;
	case 3:
		return values[draw() % (sizeof(values) / sizeof(values[0]))];
	default:
		return ELISA_GVA(ELISA_OFFSET_STACK) + draw() % ELISA_STACK_SIZE;
	}
}

static void fill_stack(struct emulator *emulator)
{
	uint64_t stack[ELISA_STACK_SIZE / sizeof(uint64_t)];
	unsigned int i;

	for (i = 0; i < sizeof(stack) / sizeof(stack[0]); i++)
		stack[i] = value_beside_list();
	emulator_write(emulator, ELISA_OFFSET_STACK, stack, sizeof(stack));
}

/* Starts inside, where slot 2 is empty. */
static void run_inside(struct emulator *emulator, unsigned int offset)
{
	unsigned int i;

	write_list(emulator);
	for (i = 0; i < EMULATOR_REGISTERS; i++)
		emulator_set(emulator, emulator_registers[i], value_beside_list());
	emulator_set(emulator, UC_X86_REG_EFLAGS, 2 | (draw() & RFLAGS_ARITHMETIC));
	emulator_run(emulator, offset);
}

static bool is_list_untouched(struct emulator *emulator)
{
	static const uint64_t expected[512] = {DEFAULT_EPTP, GATE_EPTP};
	uint64_t list[512];

	emulator_read(emulator, ELISA_OFFSET_LIST, list, sizeof(list));
	return !memcmp(list, expected, sizeof(list));
}

static void entry_page_from_every_byte(void **state)
{
	unsigned int at, i, runs = 0, arrived = 0, left = 0;
	struct emulator emulator;

	(void)state;
	open_trusted(&emulator);
	for (at = 0; at < PAGE; at++) {
		bool code = at >= ELISA_ENTRY_PAGE_START && at < ENTRY_CODE_END;

		fill_stack(&emulator);
		for (i = 0; i < (code ? RUNS_ENTRY : RUNS_PADDING); i++) {
			run_inside(&emulator, at);
			runs++;
			if (!is_list_untouched(&emulator))
				fail_msg("the list has changed, from 0x%03x", at);
			arrived += emulator.at_vmfunc;
			left += emulator.at_vmfunc &&
				!(uint32_t)emulator_get(&emulator, UC_X86_REG_RAX) &&
				(uint32_t)emulator_get(&emulator, UC_X86_REG_RCX) < 2;
		}
	}
	emulator_close(&emulator);
	print_message("%u runs, %u came to the VMFUNC, %u of them with a slot that is filled\n",
		      runs, arrived, left);
	assert_true(arrived && left);
}

/* The slot is empty before anything can fault: here the stack is missing. */
static void entry_page_empties_the_slot_first(void **state)
{
	struct emulator emulator;
	uint64_t slot;

	(void)state;
	open_trusted(&emulator);
	assert_int_equal(
		uc_mem_unmap(emulator.engine, ELISA_GVA(ELISA_OFFSET_STACK), ELISA_STACK_SIZE),
		UC_ERR_OK);
	emulator_run(&emulator, ELISA_ENTRY_PAGE_START);
	assert_false(emulator.at_vmfunc);
	emulator_read(&emulator, ELISA_OFFSET_LIST + 16, &slot, sizeof(slot));
	assert_int_equal(slot, 0);
	emulator_close(&emulator);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gate_page_does_its_work),
		cmocka_unit_test(gate_page_withstands),
		cmocka_unit_test(without_a_compare_it_falls),
		cmocka_unit_test(without_the_nops_it_falls),
		cmocka_unit_test(entry_page_calls_and_comes_back),
		cmocka_unit_test(entry_page_empties_the_slot_first),
		cmocka_unit_test(entry_page_from_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
