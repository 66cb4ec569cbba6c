// SPDX-License-Identifier: BSD-3-Clause
/*
 * row06.c - a caller with odd state: flags, segment bases, MXCSR, XCR0. The call's results and what the
 * receiver gets are those of a clean caller, and the state is the caller's afterwards.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "attacks.h"
#include "step.h"

struct oddity {
	const char *name;
	uint64_t rflags;
	uint64_t fs_base, gs_base;
	uint32_t mxcsr; /* 0: as it is */
	uint64_t xcr0;  /* 0: as it is */
};

static const struct oddity oddities[] = {
	{.name = "none"},
	{.name = "DF", .rflags = 0x400},
	{.name = "AC", .rflags = 0x40000},
	{.name = "NT", .rflags = 0x4000},
	{.name = "IOPL", .rflags = 0x3000},
	{.name = "RF", .rflags = 0x10000},
	{.name = "all-flags", .rflags = 0x57cd5 & ~0x100u},
	{.name = "FS-window", .fs_base = ELISA_GVA(ELISA_OFFSET_SWITCH)},
	{.name = "GS-window", .gs_base = ELISA_GVA(ELISA_OFFSET_STACK)},
	{.name = "FS-kernel", .fs_base = 0xffff800000000000ull, .gs_base = 0xffffffff81000000ull},
	{.name = "MXCSR-unmasked", .mxcsr = 0xe000},
	{.name = "MXCSR-flags", .mxcsr = 0xffbf},
	{.name = "XCR0-x87", .xcr0 = 1},
	{.name = "XCR0-sse", .xcr0 = 3},
};

#define LENGTH 600

/* Words of the XSAVE area (SDM 13.4): MXCSR, and which parts are there. */
#define XSAVE_MXCSR 6
#define XSAVE_PARTS 128
#define XSAVE_SSE 2u

static uint32_t mxcsr(struct vm *vm)
{
	static struct kvm_xsave area;

	if (ioctl(vm->vcpu, KVM_GET_XSAVE, &area))
		die("KVM_GET_XSAVE");
	return area.region[XSAVE_MXCSR];
}

static void set_vector_state(struct vm *vm, const struct oddity *odd)
{
	struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs[0] = {.xcr = 0, .value = odd->xcr0}};
	static struct kvm_xsave area;

	if (ioctl(vm->vcpu, KVM_GET_XSAVE, &area))
		die("KVM_GET_XSAVE");
	if (odd->mxcsr)
		area.region[XSAVE_MXCSR] = odd->mxcsr;
	area.region[XSAVE_PARTS] |= XSAVE_SSE;
	if (ioctl(vm->vcpu, KVM_SET_XSAVE, &area))
		die("KVM_SET_XSAVE");
	if (odd->xcr0 && ioctl(vm->vcpu, KVM_SET_XCRS, &xcrs))
		die("KVM_SET_XCRS");
}

static void set_state(struct vm *vm, const struct oddity *odd)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs) || ioctl(vm->vcpu, KVM_GET_REGS, &regs))
		die("KVM_GET_SREGS");
	sregs.fs.base = odd->fs_base;
	sregs.gs.base = odd->gs_base;
	sregs.cr4 |= odd->xcr0 ? 0x40000 : 0; /* OSXSAVE */
	regs.rflags |= odd->rflags;
	if (ioctl(vm->vcpu, KVM_SET_SREGS, &sregs) || ioctl(vm->vcpu, KVM_SET_REGS, &regs))
		die("KVM_SET_SREGS");
	set_vector_state(vm, odd);
}

/* A packet from the port to its VM's second port; both looked at by the VMM, which sees their memory. */
static const char *try(struct attacker *attacker, const struct oddity *odd)
{
	struct vm *vm = &attacker->vm;
	const struct oddity none = {.mxcsr = 0x1f80, .xcr0 = odd->xcr0 ? 7 : 0};
	struct kvm_sregs sregs;
	uint64_t arguments[3] = {ELISA_CALL_TX, 0, 1};
	enum outcome outcome;
	int64_t result;

	if (attacker_call(attacker, "row06_prepare", LENGTH, 0, 0, &result) != OUTCOME_RETURNED)
		return "the packet cannot be made";
	arguments[1] = result;
	vm_begin(vm, ELISA_GVA(ELISA_OFFSET_GATE) - 10, GUEST_TABLES, 3, arguments);
	set_state(vm, odd);
	outcome = vm_finish(vm, &result);
	if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs))
		die("KVM_GET_SREGS");
	REQUIRE(outcome == OUTCOME_RETURNED && result == 1,
		"%s: outcome %d, result %lld, vector %llu", odd->name, outcome, (long long)result,
		(unsigned long long)vm_mailbox(vm, GUEST_FAULT_VECTOR));
	REQUIRE(sregs.fs.base == odd->fs_base && sregs.gs.base == odd->gs_base,
		"%s: FS base %#llx, GS base %#llx", odd->name, (unsigned long long)sregs.fs.base,
		(unsigned long long)sregs.gs.base);
	REQUIRE(!odd->mxcsr || mxcsr(vm) == odd->mxcsr, "%s: MXCSR %#x", odd->name, mxcsr(vm));
	set_vector_state(vm, &none);
	if (attacker_call(attacker, "row06_check", LENGTH, 0, 0, &result) != OUTCOME_RETURNED)
		return "the packet cannot be looked at";
	REQUIRE(!result, "%s: what arrived differs at byte %lld", odd->name, (long long)result - 1);
	return NULL;
}

const char *attack_row06(struct attacker *attacker)
{
	const char *reason = NULL;
	uint64_t same = 0;

	attacker_begin(attacker);
	attacker_open_second(attacker);
	for (size_t i = 0; i < sizeof(oddities) / sizeof(oddities[0]) && !reason; i++) {
		reason = try(attacker, &oddities[i]);
		same += !reason;
	}
	attack_tried(sizeof(oddities) / sizeof(oddities[0]));
	attack_saw("as_a_clean_caller", same);
	return reason;
}
