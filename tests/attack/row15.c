// SPDX-License-Identifier: BSD-3-Clause
/*
 * row15.c - the VM changes under a vCPU that is inside: memory slots come and go (KVM drops its page
 * tables), the vCPU is reset (INIT), an SMI arrives. It goes on where it stood, or is thrown out.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "attacks.h"
#include "step.h"

#define STEP 11
#define MAX_STEPS 20000
#define SLOT_GPA 0x40000000ull
#define SLOT_SIZE 0x200000ull

static void set_slot(struct vm *vm, void *memory, uint64_t size)
{
	struct kvm_userspace_memory_region slot = {
		.slot = 7,
		.guest_phys_addr = SLOT_GPA,
		.memory_size = size,
		.userspace_addr = (uintptr_t)memory,
	};

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &slot))
		die("KVM_SET_USER_MEMORY_REGION");
}

/* A slot is made and deleted while the vCPU stands inside: the deletion makes KVM drop every root. */
static const char *change_slots(struct attacker *attacker, uint64_t *went_on)
{
	void *memory =
		mmap(NULL, SLOT_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t arguments[3];
	enum outcome outcome;
	int64_t result;

	step_prepare_send(attacker, arguments);
	for (unsigned int steps = 5; steps < MAX_STEPS; steps += STEP) {
		if (!step_into_call(&attacker->vm, arguments, steps))
			return NULL;
		set_slot(&attacker->vm, memory, SLOT_SIZE);
		set_slot(&attacker->vm, memory, 0);
		outcome = vm_finish(&attacker->vm, &result);
		REQUIRE(outcome == OUTCOME_RETURNED && result == 1,
			"after %u instructions: outcome %d, result %lld", steps, outcome,
			(long long)result);
		++*went_on;
	}
	return "the call never ended";
}

/* INIT: what KVM does to a vCPU then, in the parts that user space may set. */
static void reset(struct vm *vm)
{
	struct kvm_regs regs = {.rip = 0xfff0, .rflags = 2};
	struct kvm_sregs sregs;

	if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs))
		die("KVM_GET_SREGS");
	sregs.cr0 = 0x60000010;
	sregs.cr3 = sregs.cr4 = sregs.efer = 0;
	sregs.cs = (struct kvm_segment){.base = 0xffff0000,
					.selector = 0xf000,
					.limit = 0xffff,
					.type = 11,
					.present = 1,
					.s = 1};
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss =
		(struct kvm_segment){.limit = 0xffff, .type = 3, .present = 1, .s = 1};
	sregs.idt = sregs.gdt = (struct kvm_dtable){.limit = 0xffff};
	if (ioctl(vm->vcpu, KVM_SET_SREGS, &sregs) || ioctl(vm->vcpu, KVM_SET_REGS, &regs))
		die("KVM_SET_SREGS");
}

static const char *reset_inside(struct attacker *attacker, uint64_t *thrown_out)
{
	const char *reason = NULL;
	uint64_t arguments[3];
	enum outcome outcome;
	int64_t result;

	for (unsigned int steps = 5; steps < MAX_STEPS && !reason; steps += 5 * STEP) {
		step_prepare_send(attacker, arguments);
		if (!step_into_call(&attacker->vm, arguments, steps))
			return NULL;
		reset(&attacker->vm);
		outcome = vm_finish(&attacker->vm, &result);
		attack_forget_events(&attacker->vm);
		REQUIRE(outcome == OUTCOME_OTHER, "after %u instructions: outcome %d", steps,
			outcome);
		*thrown_out += 1;
		reason = attacker_is_well(attacker);
	}
	return reason;
}

#define SMBASE 0x30000
#define SMI_HANDLER (SMBASE + 0x8000)
#define SAVED_RIP (SMBASE + 0xff78) /* of the state that an SMI saves (AMD64, as KVM has it) */

/* In system management mode a vCPU has another address space: the same memory there. */
static void give_memory_to_smm(struct vm *vm)
{
	struct kvm_userspace_memory_region slot = {
		.slot = 1u << 16,
		.memory_size = GUEST_MEMORY,
		.userspace_addr = (uintptr_t)vm->memory,
	};

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &slot))
		die("KVM_SET_USER_MEMORY_REGION");
}

static void leave_smm(struct vm *vm)
{
	struct kvm_vcpu_events events = {.flags = KVM_VCPUEVENT_VALID_SMM};

	if (ioctl(vm->vcpu, KVM_SET_VCPU_EVENTS, &events))
		die("KVM_SET_VCPU_EVENTS");
}

/* What the vCPU did when the SMI took it is in the guest's memory: it must have been outside. */
static const char *smi_inside(struct attacker *attacker, uint64_t *after_return)
{
	static const uint8_t handler[] = {0xe6, GUEST_PORT_RETURNED, 0xf4}; /* out; hlt */
	struct vm *vm = &attacker->vm;
	uint64_t arguments[3], rip;
	struct kvm_vcpu_events events;
	int64_t result;
	bool inside;

	give_memory_to_smm(vm);
	memcpy(vm->memory + SMI_HANDLER, handler, sizeof(handler));
	for (unsigned int steps = 5; steps < MAX_STEPS; steps += 5 * STEP) {
		step_prepare_send(attacker, arguments);
		if (!step_into_call(vm, arguments, steps))
			return NULL;
		inside = step_is_inside(vm);
		if (ioctl(vm->vcpu, KVM_SMI)) {
			attack_skipped("smi", "this KVM has no system management mode");
			return NULL;
		}
		/* It ends in the handler, one way or the other. */
		vm_finish(vm, &result);
		if (ioctl(vm->vcpu, KVM_GET_VCPU_EVENTS, &events))
			die("KVM_GET_VCPU_EVENTS");
		leave_smm(vm);
		rip = *(uint64_t *)(vm->memory + SAVED_RIP);
		REQUIRE(events.smi.smm, "no SMI after %u instructions", steps);
		REQUIRE(!inside || rip == ELISA_GVA(ELISA_OFFSET_LIST),
			"after %u instructions: taken at %#llx", steps, (unsigned long long)rip);
		++*after_return;
	}
	return "the call never ended";
}

const char *attack_row15(struct attacker *attacker)
{
	uint64_t went_on = 0, thrown_out = 0, after_return = 0, recoveries;
	const char *reason;

	attacker_begin(attacker);
	reason = change_slots(attacker, &went_on);
	recoveries = attacker_recoveries(attacker);
	if (!reason)
		reason = reset_inside(attacker, &thrown_out);
	recoveries = attacker_recoveries(attacker) - recoveries;
	if (!reason)
		reason = smi_inside(attacker, &after_return);
	attack_tried(went_on + thrown_out + after_return);
	attack_saw("went_on", went_on);
	attack_saw("reset", thrown_out);
	attack_saw("thrown_out_by_reset", recoveries);
	attack_saw("smi_after_return", after_return);
	if (reason)
		return reason;
	REQUIRE(went_on, "no slot was changed inside");
	REQUIRE(recoveries > 0 && recoveries <= thrown_out, "%llu recoveries",
		(unsigned long long)recoveries);
	return attacker_is_well(attacker);
}
