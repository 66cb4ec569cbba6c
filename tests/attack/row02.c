// SPDX-License-Identifier: BSD-3-Clause
/*
 * row02.c - VMFUNC(1) so that the next fetch is at any byte of the gate page, with any registers.
 *
 * The guest maps a page of its own where the gate's page is in the gate context, and puts the VMFUNC
 * right before the byte. Whatever runs there must end outside, with the trusted slot empty: a VMFUNC to
 * it must still be refused.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "attacks.h"

#define PAGE 4096
#define OWN_PAGE 0x620000 /* guest-physical: the page before the gate's, and the gate's */
#define STEPS 2           /* register sets for each byte */

struct counts {
	uint64_t tried;
	uint64_t ends[3];
};

static uint64_t next_random(void)
{
	static uint64_t state = 0x2545f4914f6cdd1d;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Something that a gate could stumble over, or anything. */
static uint64_t hostile_value(void)
{
	static const uint64_t values[] = {0,
					  1,
					  2,
					  ~0ull,
					  ELISA_GVA(ELISA_OFFSET_LIST),
					  ELISA_GVA(ELISA_OFFSET_LIST) + 16,
					  ELISA_GVA(ELISA_OFFSET_TABLE),
					  ELISA_GVA(ELISA_OFFSET_STACK) + 0x800,
					  ELISA_GVA(ELISA_OFFSET_GATE),
					  ELISA_GVA(ELISA_OFFSET_TEXT),
					  ELISA_GVA(ELISA_OFFSET_SWITCH),
					  0x8000000000000000ull,
					  0x4000};
	uint64_t choice = next_random();

	if (choice & 1)
		return next_random();
	return values[(choice >> 8) % (sizeof(values) / sizeof(values[0]))];
}

static void map_own_pages(struct attacker *attacker)
{
	uint64_t *table = (uint64_t *)(attacker->vm.memory + GUEST_TABLES + 0x6000);

	table[ELISA_OFFSET_GATE >> 12] = (OWN_PAGE + PAGE) | 7;
}

/* The bytes before the gate's page are the call stub's: its own VMFUNC ends there. */
static uint8_t *byte_before(struct attacker *attacker, int offset)
{
	if (offset < 0)
		return attacker->vm.memory + GUEST_STUB_PAGES + PAGE + offset;
	return attacker->vm.memory + OWN_PAGE + PAGE + offset;
}

static void place_vmfunc(struct attacker *attacker, int offset)
{
	static const uint8_t vmfunc[] = {0x0f, 0x01, 0xd4};

	for (int i = 0; i < 3; i++)
		*byte_before(attacker, offset - 3 + i) = vmfunc[i];
}

static void set_registers(struct attacker *attacker, int offset)
{
	struct kvm_regs regs = {
		.rflags = 2 | (next_random() & 0xcd5), .rip = 0, .rax = 0, .rcx = 1};
	__u64 *values[] = {&regs.rbx, &regs.rdx, &regs.rsi, &regs.rdi, &regs.rsp,
			   &regs.rbp, &regs.r8,  &regs.r9,  &regs.r10, &regs.r11,
			   &regs.r12, &regs.r13, &regs.r14, &regs.r15};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		*values[i] = hostile_value();
	regs.rip = ELISA_GVA(ELISA_OFFSET_GATE) + offset - 3;
	if (ioctl(attacker->vm.vcpu, KVM_SET_REGS, &regs))
		die("KVM_SET_REGS");
}

static const char *try(struct attacker *attacker, int offset, struct counts *counts)
{
	const uint64_t none[3] = {0, 0, 0};
	enum outcome outcome;
	enum attack_end end;
	int64_t result;
	const char *reason = attacker_rejoin(attacker);

	if (reason)
		return reason;
	vm_begin(&attacker->vm, 0, GUEST_TABLES, 3, none);
	place_vmfunc(attacker, offset);
	set_registers(attacker, offset);
	outcome = vm_finish(&attacker->vm, &result);
	place_vmfunc(attacker, 0);
	end = attack_end(&attacker->vm, outcome);
	counts->tried++;
	counts->ends[end]++;
	REQUIRE(end != ATTACK_LOST, "offset %#x: outcome %d, exit reason %u", offset, outcome,
		attacker->vm.run->exit_reason);
	/* Back: at the return stub, which it left by a RET to wherever RSP led, not in what runs inside. */
	if (outcome == OUTCOME_FAULT && end == ATTACK_BACK) {
		uint64_t rip = vm_mailbox(&attacker->vm, GUEST_FAULT_RIP);

		REQUIRE(rip - ELISA_GVA(ELISA_OFFSET_LIST) < PAGE ||
				rip - ELISA_GVA(0) >= ELISA_WINDOW_SIZE,
			"offset %#x: a fault at %#llx", offset, (unsigned long long)rip);
	}
	return NULL;
}

/* VMFUNC to the trusted slot, or any other: still refused. */
static const char *slots_are_empty(struct attacker *attacker, int offset)
{
	int64_t result;

	for (uint64_t slot = 2; slot < 8; slot++)
		REQUIRE(attacker_call(attacker, "row01_vmfunc", 0, slot, 0, &result) ==
				OUTCOME_FAULT,
			"offset %#x: slot %llu can be entered", offset, (unsigned long long)slot);
	return NULL;
}

const char *attack_row02(struct attacker *attacker)
{
	struct counts counts = {0};
	const char *reason = NULL;

	attacker_begin(attacker);
	map_own_pages(attacker);
	for (int offset = 0; offset < PAGE && !reason; offset++) {
		for (int set = 0; set < STEPS && !reason; set++)
			reason = try(attacker, offset, &counts);
		if (!reason)
			reason = slots_are_empty(attacker, offset);
	}
	attack_tried(counts.tried);
	attack_saw("thrown_out", counts.ends[ATTACK_THROWN_OUT]);
	attack_saw("back", counts.ends[ATTACK_BACK]);
	return reason ? reason : attacker_is_well(attacker);
}
