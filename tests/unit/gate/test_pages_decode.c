// SPDX-License-Identifier: BSD-3-Clause
/*
 * test_pages_decode.c - both code pages: all paths from each of their 4096 bytes, decoded with Capstone.
 *
 * A guest may start at any byte of the gate page. Whatever path it takes then, straight on or over
 * branches, meets only instructions that are on the list here, and one VMFUNC at its one place.
 *
 * The entry page is fetched in the trusted context only, where the gate's VMFUNC leads to its one entry and
 * no branch's target comes from the guest: nobody can start elsewhere. From the entry the list is that of its steps. From
 * any other byte it is longer, arithmetic that goes through whatever the registers point at, and there is a
 * return by whatever the stack pointer is; but still no system instruction, one VMFUNC, and calls only of TEXT
 * or of addresses at which nothing is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <capstone/capstone.h>

#include "gate/pages.h"

#define PAGE ELISA_PAGE_SIZE
#define BASE (ELISA_GVA(ELISA_OFFSET_GATE))

/* Ends a path: the CPU takes an exception, which ends as an exit that the host recovers. */
static const unsigned int traps[] = {X86_INS_INT3, X86_INS_UD2};

/*
 * What may be reached in the gate page from any byte: the steps themselves, and what the bytes of
 * their operands decode to. Loads, stores and arithmetic on general registers, nothing else: no
 * system instruction, no indirect branch, no stack, no port, no register that outlives the gate.
 */
static const unsigned int gate_allowed[] = {
	X86_INS_MOV, X86_INS_MOVABS, X86_INS_CMP, X86_INS_NOP, X86_INS_JNE,
	X86_INS_JMP, X86_INS_XOR,    X86_INS_LEA, X86_INS_ADD, X86_INS_ROR,
};

/* What the entry code consists of, from its one entry on. */
static const unsigned int entry_allowed[] = {
	X86_INS_MOV,   X86_INS_LEA, X86_INS_PUSH, X86_INS_POP,   X86_INS_PUSHFQ, X86_INS_AND,
	X86_INS_POPFQ, X86_INS_XOR, X86_INS_JMP,  X86_INS_XORPS, X86_INS_MOVAPS, X86_INS_CALL,
};

/* What else the bytes of the entry page decode to. None is a system instruction or takes a port. */
static const unsigned int entry_decoded[] = {
	X86_INS_MOV,   X86_INS_LEA,   X86_INS_PUSH, X86_INS_POP,   X86_INS_PUSHFQ, X86_INS_AND,
	X86_INS_POPFQ, X86_INS_XOR,   X86_INS_JMP,  X86_INS_XORPS, X86_INS_MOVAPS, X86_INS_CALL,
	X86_INS_ADD,   X86_INS_OR,    X86_INS_SUB,  X86_INS_INC,   X86_INS_DIV,    X86_INS_SAL,
	X86_INS_ROL,   X86_INS_ROR,   X86_INS_JLE,  X86_INS_JRCXZ, X86_INS_LOOPNE, X86_INS_CLC,
	X86_INS_ENTER, X86_INS_LEAVE, X86_INS_RET,  X86_INS_FADD,  X86_INS_FMUL,   X86_INS_FISTTP,
};

struct page_check {
	const unsigned char *bytes;
	const unsigned int *allowed;
	size_t nb_allowed;
	unsigned int vmfunc;        /* the only place for one */
	bool seen[ELISA_PAGE_SIZE]; /* decoded from here already */
	bool reached_vmfunc;
	unsigned int nb_returns; /* by whatever the stack pointer is */
	unsigned int finding;    /* offset of the first instruction that should not be, or PAGE */
};

static csh capstone;

static int setup(void **state)
{
	(void)state;
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &capstone) != CS_ERR_OK)
		return -1;
	return cs_option(capstone, CS_OPT_DETAIL, CS_OPT_ON);
}

static int teardown(void **state)
{
	(void)state;
	return cs_close(&capstone);
}

static bool is_in(unsigned int id, const unsigned int *list, size_t count)
{
	while (count-- > 0) {
		if (list[count] == id)
			return true;
	}
	return false;
}

/* MOV, PUSH and POP are one instruction to Capstone, whichever registers they move. */
static bool has_special_register(const cs_insn *insn)
{
	const cs_x86 *x86 = &insn->detail->x86;
	unsigned int i;

	for (i = 0; i < x86->op_count; i++) {
		unsigned int reg = x86->operands[i].type == X86_OP_REG ? x86->operands[i].reg : 0;

		if ((reg >= X86_REG_CR0 && reg <= X86_REG_CR15) ||
		    (reg >= X86_REG_DR0 && reg <= X86_REG_DR15) || reg == X86_REG_CS ||
		    reg == X86_REG_DS || reg == X86_REG_ES || reg == X86_REG_FS ||
		    reg == X86_REG_GS || reg == X86_REG_SS)
			return true;
	}
	return false;
}

static void found(struct page_check *check, const cs_insn *insn, unsigned int at)
{
	if (check->finding != PAGE)
		return;
	check->finding = at;
	print_message("at 0x%03x: %s %s\n", at, insn->mnemonic, insn->op_str);
}

static bool has_fixed_target(const cs_insn *insn)
{
	return insn->detail->x86.op_count == 1 && insn->detail->x86.operands[0].type == X86_OP_IMM;
}

/* In the trusted context: TEXT, or where nobody's page table or EPT has anything. */
static bool is_call_of_text_or_nothing(const cs_insn *insn)
{
	uint64_t offset;

	if (!has_fixed_target(insn))
		return false;
	offset = insn->detail->x86.operands[0].imm - ELISA_WINDOW_GVA;
	return offset == ELISA_OFFSET_TEXT || offset >= ELISA_WINDOW_SIZE ||
	       (offset >= ELISA_OFFSET_STACK + ELISA_STACK_SIZE && offset < ELISA_OFFSET_SHARED);
}

/* A branch or a call; those of the gate page stay in it. */
static bool leads_well(const cs_insn *insn)
{
	if (insn->id == X86_INS_CALL)
		return is_call_of_text_or_nothing(insn);
	return !cs_insn_group(capstone, insn, CS_GRP_JUMP) || has_fixed_target(insn);
}

/* Where the path goes on besides straight ahead; PAGE if nowhere in this page. */
static unsigned int branch_target(const cs_insn *insn)
{
	uint64_t target;

	if (!cs_insn_group(capstone, insn, CS_GRP_JUMP) || !has_fixed_target(insn))
		return PAGE;
	target = insn->detail->x86.operands[0].imm - BASE;
	return target < PAGE ? target : PAGE;
}

/* Follows all paths from `at`; a byte that was decoded from before needs no second visit. */
static void follow(struct page_check *check, unsigned int at)
{
	while (at < PAGE && !check->seen[at]) {
		unsigned int target, next;
		cs_insn *insn;

		check->seen[at] = true;
		if (cs_disasm(capstone, check->bytes + at, PAGE - at, BASE + at, 1, &insn) != 1)
			return; /* not an instruction */
		next = at + insn->size;
		target = branch_target(insn);
		if (is_in(insn->id, traps, 2)) {
			next = PAGE;
		} else if (insn->id == X86_INS_VMFUNC) {
			if (at != check->vmfunc)
				found(check, insn, at);
			check->reached_vmfunc = true;
			next = PAGE; /* another context, or a trap */
		} else if (!is_in(insn->id, check->allowed, check->nb_allowed) ||
			   has_special_register(insn) || !leads_well(insn)) {
			found(check, insn, at);
		} else if (insn->id == X86_INS_RET) {
			check->nb_returns++;
			next = PAGE;
		} else if (insn->id == X86_INS_JMP) {
			next = PAGE;
		}
		cs_free(insn, 1);
		follow(check, target);
		at = next;
	}
}

static struct page_check check_gate(const unsigned char *bytes)
{
	struct page_check check = {.bytes = bytes,
				   .allowed = gate_allowed,
				   .nb_allowed = sizeof(gate_allowed) / sizeof(gate_allowed[0]),
				   .vmfunc = ELISA_GATE_PAGE_VMFUNC,
				   .finding = PAGE};
	unsigned int at;

	for (at = 0; at < PAGE; at++)
		follow(&check, at);
	return check;
}

static void gate_page_from_every_byte(void **state)
{
	struct page_check check = check_gate(elisa_gate_page);

	(void)state;
	assert_int_equal(check.finding, PAGE);
	assert_true(check.reached_vmfunc);
}

static void gate_page_with_a_change_is_refused(void **state)
{
	static const struct {
		unsigned int at;
		unsigned char bytes[4];
	} changes[] = {
		{0x200, {0x0f, 0x05, 0xcc, 0xcc}}, /* syscall */
		{0x300, {0x0f, 0x01, 0xd4, 0xcc}}, /* a second VMFUNC */
		{0x155, {0x0f, 0x01, 0xd4, 0x90}}, /* one in a displacement */
		{0xffe, {0xee, 0xcc}},             /* out */
		{0x400, {0x0f, 0x22, 0xd8, 0xcc}}, /* mov to cr3 */
		{0x400, {0x0f, 0x30, 0xcc, 0xcc}}, /* wrmsr */
		{0x400, {0xff, 0xe0, 0xcc, 0xcc}}, /* jmp *%rax */
		{0x400, {0xc3, 0xcc, 0xcc, 0xcc}}, /* ret */
		{0x400, {0x0f, 0x01, 0xc1, 0xcc}}, /* vmcall */
		{0x400, {0x0f, 0x00, 0x00, 0xcc}}, /* sldt, as at an offset that was avoided */
		{0x400, {0x8e, 0xd8, 0xcc, 0xcc}}, /* mov to ds */
		{0x3ff, {0xf3, 0x0f, 0xae, 0xd0}}, /* wrfsbase */
	};
	unsigned char page[ELISA_PAGE_SIZE];
	struct page_check check;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		unsigned int room = PAGE - changes[i].at < 4 ? PAGE - changes[i].at : 4;

		memcpy(page, elisa_gate_page, PAGE);
		memcpy(page + changes[i].at, changes[i].bytes, room);
		check = check_gate(page);
		assert_int_equal(check.finding, changes[i].at);
	}
}

static void gate_page_padding_traps(void **state)
{
	unsigned int at;

	(void)state;
	assert_int_equal(elisa_gate_page[ELISA_GATE_PAGE_START], 0xe9);
	for (at = 5; at < 0x143; at++)
		assert_int_equal(elisa_gate_page[at], 0xcc);
	for (at = ELISA_GATE_PAGE_VMFUNC + 3; at < PAGE; at++)
		assert_int_equal(elisa_gate_page[at], 0xcc);
	assert_memory_equal(elisa_gate_page + ELISA_GATE_PAGE_VMFUNC, "\x0f\x01\xd4", 3);
}

static void entry_page_from_its_entry(void **state)
{
	struct page_check check = {.bytes = elisa_entry_page,
				   .allowed = entry_allowed,
				   .nb_allowed = sizeof(entry_allowed) / sizeof(entry_allowed[0]),
				   .vmfunc = ELISA_ENTRY_PAGE_VMFUNC,
				   .finding = PAGE};

	(void)state;
	follow(&check, ELISA_ENTRY_PAGE_START);
	assert_int_equal(check.finding, PAGE);
	assert_true(check.reached_vmfunc);
	assert_int_equal(check.nb_returns, 0);
}

static struct page_check check_entry(const unsigned char *bytes)
{
	struct page_check check = {.bytes = bytes,
				   .allowed = entry_decoded,
				   .nb_allowed = sizeof(entry_decoded) / sizeof(entry_decoded[0]),
				   .vmfunc = ELISA_ENTRY_PAGE_VMFUNC,
				   .finding = PAGE};
	unsigned int at;

	for (at = 0; at < PAGE; at++)
		follow(&check, at);
	return check;
}

static void entry_page_from_every_byte(void **state)
{
	struct page_check check = check_entry(elisa_entry_page);

	(void)state;
	assert_int_equal(check.finding, PAGE);
	assert_true(check.reached_vmfunc);
	assert_int_equal(check.nb_returns, 1); /* in `mov %rax, %rdx` and what follows */
}

static void entry_page_with_a_change_is_refused(void **state)
{
	static const struct {
		unsigned int at;
		unsigned char bytes[3];
	} changes[] = {
		{0x000, {0x0f, 0x05, 0xcc}}, /* syscall */
		{0x18e, {0x0f, 0x01, 0xd4}}, /* a second VMFUNC, in the immediate of step 1 */
		{0x300, {0x0f, 0x30, 0xcc}}, /* wrmsr */
		{0x300, {0xff, 0xe0, 0xcc}}, /* jmp *%rax */
		{0x300, {0xff, 0xd0, 0xcc}}, /* call *%rax */
		{0x300, {0x48, 0xcf, 0xcc}}, /* iretq */
		{0xffa, {0x0f, 0x22, 0xd8}}, /* mov to cr3, right before the VMFUNC */
	};
	unsigned char page[ELISA_PAGE_SIZE];
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		memcpy(page, elisa_entry_page, PAGE);
		memcpy(page + changes[i].at, changes[i].bytes, sizeof(changes[i].bytes));
		assert_int_equal(check_entry(page).finding, changes[i].at);
	}
}

static void entry_page_padding_traps(void **state)
{
	unsigned int at = ELISA_ENTRY_PAGE_VMFUNC;

	(void)state;
	while (elisa_entry_page[at - 1] == 0xcc)
		at--;
	/* What is before it jumps over it: a jump in its long form. */
	assert_int_equal(elisa_entry_page[at - 5], 0xe9);
	assert_true(at < 0x300);
	for (at = 0; at < ELISA_ENTRY_PAGE_START; at++)
		assert_int_equal(elisa_entry_page[at], 0xcc);
	assert_memory_equal(elisa_entry_page + ELISA_ENTRY_PAGE_VMFUNC, "\x0f\x01\xd4", 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gate_page_from_every_byte),
		cmocka_unit_test(gate_page_with_a_change_is_refused),
		cmocka_unit_test(gate_page_padding_traps),
		cmocka_unit_test(entry_page_from_its_entry),
		cmocka_unit_test(entry_page_from_every_byte),
		cmocka_unit_test(entry_page_with_a_change_is_refused),
		cmocka_unit_test(entry_page_padding_traps),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
