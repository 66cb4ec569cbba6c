// SPDX-License-Identifier: BSD-3-Clause
/*
 * row04.c - the gate in a paging mode that it is not made for: paging off, 32-bit, PAE, compatibility
 * mode, five levels; and control registers that change while a vCPU stands inside: its own, and those of
 * another one that then calls.
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
#define CR4_OSXMMEXCPT 0x400u
#define CR4_LA57 0x1000u
#define CR4_FSGSBASE 0x10000u
#define CR4_SMEP 0x100000u
#define EFER_SCE 1u
#define EFER_NXE 0x800u
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

static struct kvm_sregs system_registers(struct vm *vm)
{
	struct kvm_sregs sregs;

	if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs))
		die("KVM_GET_SREGS");
	return sregs;
}

static void set_mode(struct vm *vm, enum mode mode)
{
	struct kvm_sregs sregs = system_registers(vm);

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

static bool has_five_levels(struct attacker *attacker)
{
	struct kvm_sregs sregs = system_registers(&attacker->vm);

	sregs.cr4 |= CR4_LA57;
	return !ioctl(attacker->vm.vcpu, KVM_SET_SREGS, &sregs);
}

/* Bits that nothing inside depends on. */
static const struct change {
	uint64_t efer, cr4;
} harmless[] = {
	{.efer = EFER_SCE},      {.cr4 = CR4_FSGSBASE}, {.cr4 = CR4_PGE},
	{.cr4 = CR4_OSXMMEXCPT}, {.cr4 = CR4_SMEP},
};

/* The trusted page table has no-execute bits, which are reserved without it. */
static const struct change no_execute = {.efer = EFER_NXE};

#define HARMLESS (sizeof(harmless) / sizeof(harmless[0]))

static struct kvm_sregs toggle(struct vm *vm, const struct change *change)
{
	struct kvm_sregs sregs = system_registers(vm);

	sregs.efer ^= change->efer;
	sregs.cr4 ^= change->cr4;
	if (ioctl(vm->vcpu, KVM_SET_SREGS, &sregs))
		die("KVM_SET_SREGS");
	return sregs;
}

/* The call goes on as if nothing had been, and the registers stay as they were set. */
static const char *goes_on(struct vm *vm, const struct change *change)
{
	struct kvm_sregs set = toggle(vm, change), after;
	enum outcome outcome;
	int64_t result;

	outcome = vm_finish(vm, &result);
	after = system_registers(vm);
	REQUIRE(outcome == OUTCOME_RETURNED && !result, "EFER %#llx, CR4 %#llx: %d, %lld",
		(unsigned long long)set.efer, (unsigned long long)set.cr4, outcome,
		(long long)result);
	REQUIRE(after.efer == set.efer && after.cr4 == set.cr4,
		"EFER %#llx became %#llx, CR4 %#llx %#llx", (unsigned long long)set.efer,
		(unsigned long long)after.efer, (unsigned long long)set.cr4,
		(unsigned long long)after.cr4);
	return NULL;
}

/* Nor may it be inside any longer when the gate would be closed to it. */
static const char *does_not_go_on(struct attacker *attacker, bool five_levels)
{
	struct vm *vm = &attacker->vm;
	struct kvm_sregs sregs = system_registers(vm);
	enum outcome outcome;
	int64_t result;

	if (five_levels)
		sregs.cr4 |= CR4_LA57;
	else
		sregs.ldt = (struct kvm_segment){
			.base = ELISA_WINDOW_GVA, .limit = 0xfff, .type = 2, .present = 1};
	if (ioctl(vm->vcpu, KVM_SET_SREGS, &sregs))
		die("KVM_SET_SREGS");
	outcome = vm_finish(vm, &result);
	REQUIRE(five_levels ? outcome != OUTCOME_RETURNED
			    : attack_end(vm, outcome) == ATTACK_THROWN_OUT,
		"%s: outcome %d, result %lld", five_levels ? "five levels" : "an LDT in the window",
		outcome, (long long)result);
	attack_forget_events(vm);
	sregs.cr4 &= ~(uint64_t)CR4_LA57;
	sregs.ldt.base = 0;
	if (ioctl(vm->vcpu, KVM_SET_SREGS, &sregs))
		die("KVM_SET_SREGS");
	return attacker_rejoin(attacker);
}

/* The second vCPU's own call meanwhile: works with the bits, does not begin in another paging mode. */
static const char *second_calls(struct vm *second, unsigned int turn)
{
	static const enum mode modes[] = {MODE_NO_PAGING, MODE_LEGACY, MODE_PAE};
	const uint64_t none[3] = {0, 0, 0};
	enum outcome outcome;
	int64_t result;

	if (turn % 2) {
		vm_begin(second, vm_code_address(guest_gate), GUEST_TABLES, 3, nop);
		return goes_on(second, &harmless[turn / 2 % HARMLESS]);
	}
	vm_begin(second, CODE, GUEST_TABLES, 3, none);
	set_mode(second, modes[turn / 2 % 3]);
	outcome = vm_finish(second, &result);
	attack_forget_events(second);
	REQUIRE(outcome != OUTCOME_RETURNED, "the second vCPU, mode %d: VMFUNC did nothing",
		modes[turn / 2 % 3]);
	return NULL;
}

struct beside {
	uint64_t undisturbed, second_calls, thrown_out;
	uint64_t returned_without_nxe; /* of those undisturbed */
};

/* Whoever still has an access to data ahead faults; in the call's last part there is none. */
static const char *loses_nxe(struct attacker *attacker, struct vm *vm, struct beside *saw)
{
	enum outcome outcome;
	int64_t result;

	toggle(vm, &no_execute);
	outcome = vm_finish(vm, &result);
	if (outcome == OUTCOME_RETURNED && !result) {
		saw->returned_without_nxe++;
		saw->undisturbed++;
		return NULL;
	}
	REQUIRE(attack_end(vm, outcome) == ATTACK_THROWN_OUT && !saw->returned_without_nxe,
		"without NXE: outcome %d, result %lld, %llu have returned", outcome,
		(long long)result, (unsigned long long)saw->returned_without_nxe);
	saw->thrown_out++;
	return attacker_rejoin(attacker);
}

/* The first one's registers change where it stands. */
static const char *change_inside(struct attacker *attacker, unsigned int turn, bool five_levels,
				 struct beside *saw)
{
	struct vm *vm = &attacker->vm;

	if (turn % 4 == 1)
		return loses_nxe(attacker, vm, saw);
	if (turn % 4 == 3 && step_is_inside(vm)) {
		saw->thrown_out++;
		return does_not_go_on(attacker, five_levels && turn % 8 == 7);
	}
	saw->undisturbed++;
	return goes_on(vm, &harmless[turn / 2 % HARMLESS]);
}

/* One vCPU stands at an instruction of a call, the other calls, the first goes on with other registers. */
static const char *change_everywhere(struct attacker *attacker, bool five_levels,
				     struct beside *saw)
{
	const char *reason = NULL;
	unsigned int turn = 0;

	for (unsigned int steps = 5; steps < INSIDE_STEPS && !reason; steps += 2, turn++) {
		if (!step_into_call(&attacker->vm, nop, steps))
			break;
		reason = second_calls(&attacker->second, turn);
		saw->second_calls++;
		if (!reason)
			reason = change_inside(attacker, turn, five_levels, saw);
	}
	REQUIRE(reason || (turn >= 8 * HARMLESS && saw->returned_without_nxe),
		"%u instructions were tried, %llu calls returned without NXE", turn,
		(unsigned long long)saw->returned_without_nxe);
	if (reason)
		return reason;
	/* Its gate is open, and it does not come through. */
	vm_begin(&attacker->second, vm_code_address(guest_gate), GUEST_TABLES, 3, nop);
	saw->returned_without_nxe = 0;
	reason = loses_nxe(attacker, &attacker->second, saw);
	REQUIRE(reason || !saw->returned_without_nxe, "a call without NXE");
	return reason;
}

static const char *try_modes(struct attacker *attacker, int modes, uint64_t *tried)
{
	uint64_t recoveries = attacker_recoveries(attacker);
	const char *reason = NULL;

	for (int ring = 0; ring <= 3; ring += 3) {
		for (int mode = 0; mode < modes && !reason; mode++, ++*tried)
			reason = try_mode(attacker, mode, ring);
	}
	if (reason)
		return reason;
	recoveries = attacker_recoveries(attacker) - recoveries;
	/* Compatibility mode has the gate's paging: thrown out there. In the others the gate is closed. */
	REQUIRE(recoveries == 2, "%llu times in the gate context, from both rings",
		(unsigned long long)recoveries);
	return NULL;
}

/* Nobody is thrown out but who no longer fits. */
static const char *try_inside(struct attacker *attacker, bool five_levels, struct beside *saw)
{
	uint64_t recoveries = attacker_recoveries(attacker);
	const char *reason = change_everywhere(attacker, five_levels, saw);

	if (reason)
		return reason;
	recoveries = attacker_recoveries(attacker) - recoveries;
	REQUIRE(recoveries == saw->thrown_out, "%llu thrown out instead of %llu",
		(unsigned long long)recoveries, (unsigned long long)saw->thrown_out);
	return NULL;
}

const char *attack_row04(struct attacker *attacker)
{
	struct beside saw = {0};
	const char *reason;
	uint64_t tried = 0;
	bool five_levels;

	attacker_begin(attacker);
	fill(attacker);
	five_levels = has_five_levels(attacker);
	if (!five_levels)
		attack_skipped("la57", "this CPU has no 5-level paging");
	reason = try_modes(attacker, five_levels ? MODES : MODE_FIVE_LEVELS, &tried);
	if (!reason)
		reason = try_inside(attacker, five_levels, &saw);
	attack_tried(tried + saw.second_calls + saw.undisturbed + saw.thrown_out);
	attack_saw("not_entered", tried);
	attack_saw("undisturbed", saw.undisturbed);
	attack_saw("calls_of_the_second_vcpu", saw.second_calls);
	attack_saw("thrown_out", saw.thrown_out);
	return reason ? reason : attacker_is_well(attacker);
}
