// SPDX-License-Identifier: BSD-3-Clause
/*
 * row07.c - what is left in registers: after a return, and after being thrown out at any instruction.
 *
 * The switch's code works with addresses in the window and with bytes of packets; none of that may be
 * seen by the guest. A vCPU is thrown out as it goes on, when its stack pointer was changed while it stood
 * inside, or by an exit, after its next instruction, when its trap flag was set.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "attacks.h"
#include "step.h"

#define FINE_STEPS 150 /* the way in, and the first of the switch: each one */
#define COARSE_STEP 7
#define MAX_STEPS 20000
#define CALLEE_KEEPS 6
#define EFLAGS_TF 0x100u
#define VMFUNC_LENGTH 3
#define SECRET 0x5a /* in each byte of the vector registers, as if the switch had it there */

static bool in_window(uint64_t value)
{
	return value - ELISA_WINDOW_GVA < ELISA_WINDOW_SIZE;
}

/* RAX is what the guest's handler works with; RSP is the handler's. */
static const char *registers_are_clean(struct vm *vm, unsigned int steps)
{
	struct kvm_regs regs;
	struct kvm_fpu fpu;

	if (ioctl(vm->vcpu, KVM_GET_REGS, &regs) || ioctl(vm->vcpu, KVM_GET_FPU, &fpu))
		die("KVM_GET_REGS");
	const uint64_t values[] = {
		regs.rbx, regs.rcx, regs.rdx, regs.rsi, regs.rdi,
		regs.rbp, regs.r8,  regs.r9,  regs.r10, regs.r11,
		regs.r12, regs.r13, regs.r14, regs.r15, vm_mailbox(vm, GUEST_FAULT_RAX)};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		REQUIRE(!values[i], "register %zu is %#llx after %u instructions", i,
			(unsigned long long)values[i], steps);
	for (size_t i = 0; i < sizeof(fpu.xmm); i++)
		REQUIRE(!((const uint8_t *)fpu.xmm)[i], "byte %zu of XMM0-15 after %u instructions",
			i, steps);
	REQUIRE(!in_window(vm_mailbox(vm, GUEST_FAULT_RSP)), "RSP after %u instructions", steps);
	return NULL;
}

/* Stopped on the way and gone on, so that the host kept its registers in memory meanwhile. */
static const char *returned_after(struct attacker *attacker, unsigned int steps)
{
	struct vm *vm = &attacker->vm;
	uint64_t arguments[3];
	enum outcome outcome;
	struct kvm_fpu fpu;
	int64_t result;

	step_prepare_send(attacker, arguments);
	if (!step_into_call(vm, arguments, steps))
		return NULL;
	outcome = vm_finish(vm, &result);
	REQUIRE(outcome == OUTCOME_RETURNED && result == 1, "outcome %d, result %lld", outcome,
		(long long)result);
	if (ioctl(vm->vcpu, KVM_GET_FPU, &fpu))
		die("KVM_GET_FPU");
	for (size_t i = 0; i < sizeof(fpu.xmm); i++)
		REQUIRE(!((const uint8_t *)fpu.xmm)[i],
			"byte %zu of XMM0-15, stopped after %u instructions", i, steps);
	return NULL;
}

/* The way out of the trusted context is its page's last instruction: a trap behind it is outside. */
static void spoil(struct vm *vm, bool by_exit)
{
	const struct kvm_guest_debug none = {0};
	struct kvm_regs regs;
	struct kvm_fpu fpu;

	/* While KVM steps the trap flag is KVM's. */
	if (ioctl(vm->vcpu, KVM_SET_GUEST_DEBUG, &none))
		die("KVM_SET_GUEST_DEBUG");
	if (ioctl(vm->vcpu, KVM_GET_REGS, &regs) || ioctl(vm->vcpu, KVM_GET_FPU, &fpu))
		die("KVM_GET_REGS");
	if (by_exit && regs.rip != ELISA_GVA(ELISA_OFFSET_LIST) - VMFUNC_LENGTH)
		regs.rflags |= EFLAGS_TF;
	else
		regs.rsp -= 8;
	memset(fpu.xmm, SECRET, sizeof(fpu.xmm));
	if (ioctl(vm->vcpu, KVM_SET_REGS, &regs) || ioctl(vm->vcpu, KVM_SET_FPU, &fpu))
		die("KVM_SET_REGS");
}

static const char *thrown_out_after(struct attacker *attacker, unsigned int steps,
				    uint64_t *thrown_out, bool *ended)
{
	struct vm *vm = &attacker->vm;
	uint64_t arguments[3];
	enum outcome outcome;
	const char *reason;
	int64_t result;

	step_prepare_send(attacker, arguments);
	*ended = !step_into_call(vm, arguments, steps);
	if (*ended || !step_is_inside(vm))
		return NULL;
	spoil(vm, steps % 2);
	outcome = vm_finish(vm, &result);
	REQUIRE(attack_end(vm, outcome) == ATTACK_THROWN_OUT,
		"after %u instructions: outcome %d, vector %llu at %#llx", steps, outcome,
		(unsigned long long)vm_mailbox(vm, GUEST_FAULT_VECTOR),
		(unsigned long long)vm_mailbox(vm, GUEST_FAULT_RIP));
	reason = registers_are_clean(vm, steps);
	++*thrown_out;
	if (!reason)
		reason = attacker_is_well(attacker);
	return reason ? reason : returned_after(attacker, steps);
}

/* The dump of guest_gate_registers: RAX is the result, what a callee keeps is kept, the rest is 0. */
static const char *after_a_return(struct attacker *attacker)
{
	static const unsigned int kept[CALLEE_KEEPS] = {0x10, 0x38, 0x68, 0x70, 0x78, 0x80};
	static const uint64_t pattern[CALLEE_KEEPS] = {0x1111, 0x2222, 0x4444,
						       0x5555, 0x6666, 0x7777};
	struct vm *vm = &attacker->vm;
	enum outcome outcome;
	uint64_t arguments[3];
	int64_t result;

	step_prepare_send(attacker, arguments);
	/* This function makes two-argument calls: the count is what RDX has. */
	vm_begin(vm, vm_code_address(guest_gate_registers), GUEST_TABLES, 3, arguments);
	outcome = vm_finish(vm, &result);
	REQUIRE(outcome == OUTCOME_RETURNED && vm_dump(vm, 0x08) == 1, "outcome %d, RAX %#llx",
		outcome, (unsigned long long)vm_dump(vm, 0x08));
	for (size_t i = 0; i < CALLEE_KEEPS; i++)
		REQUIRE(vm_dump(vm, kept[i]) == pattern[i], "a kept register: %#llx",
			(unsigned long long)vm_dump(vm, kept[i]));
	REQUIRE(vm_dump(vm, 0x40) == vm_dump(vm, 0), "RSP");
	for (unsigned int i = 0x18; i <= 0x30; i += 8)
		REQUIRE(!vm_dump(vm, i), "RCX, RDX, RSI or RDI (%#x)", i);
	for (unsigned int i = 0x48; i <= 0x60; i += 8)
		REQUIRE(!vm_dump(vm, i), "R8 to R11 (%#x)", i);
	for (unsigned int i = 0x90; i < 0xb0; i += 8)
		REQUIRE(!vm_dump(vm, i), "XMM0 or XMM15");
	return NULL;
}

const char *attack_row07(struct attacker *attacker)
{
	uint64_t thrown_out = 0;
	const char *reason;
	bool ended = false;

	attacker_begin(attacker);
	reason = after_a_return(attacker);
	for (unsigned int steps = 1; steps < MAX_STEPS && !ended && !reason;
	     steps += steps < FINE_STEPS ? 1 : COARSE_STEP)
		reason = thrown_out_after(attacker, steps, &thrown_out, &ended);
	attack_tried(2 * thrown_out + 1);
	attack_saw("clean_after_throw_out", thrown_out);
	attack_saw("clean_after_return", reason ? 0 : 1 + thrown_out);
	REQUIRE(reason || (thrown_out && ended), "thrown out %llu times, call %s",
		(unsigned long long)thrown_out, ended ? "ended" : "never ended");
	return reason;
}
