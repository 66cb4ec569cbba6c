// SPDX-License-Identifier: BSD-3-Clause
/*
 * row04.c - the gate in a paging mode that it is not made for: paging off, 32-bit, PAE, compatibility
 * mode, five levels; and another vCPU that changes its own control registers while one is inside.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "attacks.h"
#include "step.h"

#define CODE 0x630000
#define PAE_DIRECTORIES 0x631000
#define PAE_DIRECTORY 0x632000
#define LEGACY_DIRECTORY 0x633000
#define CR0_PG 0x80000000u
#define CR4_PSE 0x10u
#define CR4_PAE 0x20u
#define CR4_PGE 0x80u
#define CR4_LA57 0x1000u
#define EFER_LONG 0x500ull /* LME, LMA */
#define INSIDE_STEPS 140   /* more instructions than an empty call has */

enum mode {
	MODE_NO_PAGING,
	MODE_LEGACY,
	MODE_PAE,
	MODE_COMPATIBILITY,
	MODE_FIVE_LEVELS,
	MODES,
};

/* xor %eax,%eax; mov $1,%ecx; vmfunc; out %al,$GUEST_PORT_RETURNED: the same in 32 and 64 bits. */
static const uint8_t code[] = {0x31, 0xc0, 0xb9, 1,    0,    0,
			       0,    0x0f, 0x01, 0xd4, 0xe6, GUEST_PORT_RETURNED};

static void fill(struct attacker *attacker)
{
	uint8_t *memory = attacker->vm.memory;

	memcpy(memory + CODE, code, sizeof(code));
	for (uint64_t i = 0; i < 4; i++) {
		((uint64_t *)(memory + PAE_DIRECTORIES))[i] = i ? 0 : PAE_DIRECTORY | 1;
		((uint64_t *)(memory + PAE_DIRECTORY))[i] = i << 21 | 0x87;
	}
	((uint32_t *)(memory + LEGACY_DIRECTORY))[0] = 0x87;
	((uint32_t *)(memory + LEGACY_DIRECTORY))[1] = 0x400087;
}

static void set_mode(struct vm *vm, enum mode mode)
{
	struct kvm_sregs sregs;

	if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs))
		die("KVM_GET_SREGS");
	if (mode == MODE_FIVE_LEVELS) {
		/* Read so, the root's first entry maps the first GiB to itself: code and handlers are there. */
		sregs.cr4 |= CR4_LA57;
	} else {
		sregs.cs.l = 0;
		sregs.cs.db = 1;
	}
	/* No handler of 64-bit mode is to be met in another one. */
	if (mode < MODE_COMPATIBILITY) {
		sregs.efer &= ~EFER_LONG;
		sregs.idt.limit = 0;
	}
	if (mode == MODE_NO_PAGING)
		sregs.cr0 &= ~(uint64_t)CR0_PG;
	if (mode == MODE_LEGACY) {
		sregs.cr4 = (sregs.cr4 & ~(uint64_t)CR4_PAE) | CR4_PSE;
		sregs.cr3 = LEGACY_DIRECTORY;
	}
	if (mode == MODE_PAE)
		sregs.cr3 = PAE_DIRECTORIES;
	if (ioctl(vm->vcpu, KVM_SET_SREGS, &sregs))
		die("KVM_SET_SREGS");
}

static const char *try_mode(struct attacker *attacker, enum mode mode, int ring)
{
	const uint64_t none[3] = {0, 0, 0};
	struct vm *vm = &attacker->vm;
	enum outcome outcome;
	int64_t result;

	vm_begin(vm, CODE, GUEST_TABLES, ring, none);
	set_mode(vm, mode);
	outcome = vm_finish(vm, &result);
	attack_forget_events(vm);
	REQUIRE(outcome != OUTCOME_RETURNED, "mode %d, ring %d: VMFUNC did nothing", mode, ring);
	return attacker_rejoin(attacker);
}

static const uint64_t nop[3] = {ELISA_CALL_NOP, 0, 0};

/* Another vCPU changes its own control registers meanwhile: that is nothing to the one inside. */
static const char *change_beside(struct attacker *attacker, uint64_t *undisturbed)
{
	static const uint64_t bits[] = {CR4_PGE, 0x200, 0x400, 0x10000}; /* OSFXSR, …, FSGSBASE */
	struct vm *vm = &attacker->vm;
	const uint64_t none[3] = {0, 0, 0};
	struct kvm_sregs sregs;
	enum outcome outcome;
	int64_t result;

	for (unsigned int steps = 5; steps < INSIDE_STEPS; steps += 3) {
		if (!step_into_call(vm, nop, steps))
			break;
		vm_begin(&attacker->second, vm_code_address(guest_rdtsc), GUEST_TABLES, 3, none);
		if (ioctl(attacker->second.vcpu, KVM_GET_SREGS, &sregs))
			die("KVM_GET_SREGS");
		sregs.cr4 ^= bits[steps % 4];
		if (ioctl(attacker->second.vcpu, KVM_SET_SREGS, &sregs))
			die("KVM_SET_SREGS");
		outcome = vm_finish(&attacker->second, &result);
		REQUIRE(outcome == OUTCOME_RETURNED, "the second vCPU: %d", outcome);
		outcome = vm_finish(vm, &result);
		REQUIRE(outcome == OUTCOME_RETURNED && !result, "after %u instructions: %d, %lld",
			steps, outcome, (long long)result);
		++*undisturbed;
	}
	REQUIRE(*undisturbed, "the call was over before its first stop");
	return NULL;
}

static bool has_five_levels(struct attacker *attacker)
{
	struct kvm_sregs sregs;

	if (ioctl(attacker->vm.vcpu, KVM_GET_SREGS, &sregs))
		die("KVM_GET_SREGS");
	sregs.cr4 |= CR4_LA57;
	return !ioctl(attacker->vm.vcpu, KVM_SET_SREGS, &sregs);
}

const char *attack_row04(struct attacker *attacker)
{
	uint64_t tried = 0, undisturbed = 0, recoveries;
	const char *reason = NULL;
	int modes = MODES;

	attacker_begin(attacker);
	fill(attacker);
	if (!has_five_levels(attacker)) {
		attack_skipped("la57", "this CPU has no 5-level paging");
		modes = MODE_FIVE_LEVELS;
	}
	recoveries = attacker_recoveries(attacker);
	for (int ring = 0; ring <= 3; ring += 3) {
		for (int mode = 0; mode < modes && !reason; mode++, tried++)
			reason = try_mode(attacker, mode, ring);
	}
	recoveries = attacker_recoveries(attacker) - recoveries;
	attack_saw("thrown_out", recoveries);
	/* Compatibility mode has the gate's paging: thrown out there. In the others the gate is closed. */
	REQUIRE(reason || recoveries == 2, "%llu times in the gate context, from both rings",
		(unsigned long long)recoveries);
	if (!reason)
		reason = change_beside(attacker, &undisturbed);
	attack_tried(tried + undisturbed);
	attack_saw("not_entered", tried);
	attack_saw("undisturbed", undisturbed);
	return reason ? reason : attacker_is_well(attacker);
}
