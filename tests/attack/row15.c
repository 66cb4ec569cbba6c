// SPDX-License-Identifier: BSD-3-Clause
/*
 * row15.c - the VM changes under a vCPU that is inside: memory slots come and go (KVM drops its page
 * tables), the vCPU is reset, an SMI arrives. It goes on where it stood, or is thrown out; INIT and SMI wait
 * until it has returned.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attacks.h"
#include "step.h"

#define STEP 11
#define MAX_STEPS 20000
#define MIN_RESETS 5 /* of each kind, inside */
#define LENGTH 600   /* of the packet, bytes */
#define WAITS 100
#define WAIT_MICROSECONDS 20000
#define START_UP_PAGE 8u /* nothing of the guest is there */
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

/* As a VMM resets a vCPU: the state of after INIT, in the parts that user space may set. */
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

/* What was done to vCPUs at the instructions of a call, and how many of them stood inside. */
struct resets {
	uint64_t tried;
	uint64_t inside;
};

static const char *reset_by_vmm(struct attacker *attacker, struct resets *resets)
{
	const char *reason = NULL;
	uint64_t arguments[3];
	enum outcome outcome;
	int64_t result;

	for (unsigned int steps = 5; steps < MAX_STEPS && !reason; steps += 5 * STEP) {
		step_prepare_send(attacker, arguments);
		if (!step_into_call(&attacker->vm, arguments, steps))
			return NULL;
		resets->inside += step_is_inside(&attacker->vm);
		reset(&attacker->vm);
		outcome = vm_finish(&attacker->vm, &result);
		REQUIRE(outcome == OUTCOME_OTHER && vm_was_reset(&attacker->vm),
			"after %u instructions: outcome %d", steps, outcome);
		attack_forget_events(&attacker->vm);
		resets->tried++;
		reason = attacker_is_well(attacker);
	}
	return reason ? reason : "the call never ended";
}

static uint32_t state_of(struct vm *vm)
{
	struct kvm_mp_state state;

	if (ioctl(vm->vcpu, KVM_GET_MP_STATE, &state))
		die("KVM_GET_MP_STATE");
	return state.mp_state;
}

struct run {
	struct vm *vm;
	enum outcome outcome;
};

static void *finish(void *argument)
{
	struct run *run = argument;
	int64_t result;

	run->outcome = vm_finish(run->vm, &result);
	return NULL;
}

/* Its KVM_RUN does not end by itself while it waits. */
static const char *until_it_waits_for_start_up(struct vm *vm)
{
	struct run run = {.vm = vm, .outcome = OUTCOME_PARKED};
	pthread_t thread;

	for (int i = 0; i < WAITS && run.outcome == OUTCOME_PARKED; i++) {
		vm->run->immediate_exit = 0;
		if (pthread_create(&thread, NULL, finish, &run))
			die("pthread_create");
		usleep(WAIT_MICROSECONDS);
		vm_park(vm, thread);
		if (state_of(vm) == KVM_MP_STATE_INIT_RECEIVED)
			return NULL;
	}
	return not_so("INIT took effect", "outcome %d", run.outcome);
}

/* Another vCPU than the first waits after INIT, and goes on at the page that it is told. */
static const char *start_up(struct vm *vm, struct vm *other)
{
	static const uint8_t code[] = {0xe6, GUEST_PORT_RETURNED, 0xf4}; /* out; hlt */
	const char *reason = until_it_waits_for_start_up(vm);
	struct kvm_sregs sregs;
	enum outcome outcome;
	int64_t result;

	if (reason)
		return reason;
	memcpy(vm->memory + START_UP_PAGE * 4096, code, sizeof(code));
	vm_send_ipi(other, vm, IPI_START_UP(START_UP_PAGE));
	vm->run->immediate_exit = 0;
	outcome = vm_finish(vm, &result);
	if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs))
		die("KVM_GET_SREGS");
	REQUIRE(outcome == OUTCOME_RETURNED && sregs.cs.base == START_UP_PAGE * 4096,
		"outcome %d at %#llx", outcome, (unsigned long long)sregs.cs.base);
	return NULL;
}

static const char *take_init(struct attacker *attacker)
{
	struct vm *vm = &attacker->vm;
	enum outcome outcome;
	int64_t result;

	if (vm->number)
		return start_up(vm, &attacker->second);
	outcome = vm_finish(vm, &result);
	REQUIRE(outcome == OUTCOME_OTHER && vm_was_reset(vm), "outcome %d, result %lld", outcome,
		(long long)result);
	return NULL;
}

/* Into a send of a packet to the VM's second port. False: it ended before. */
static bool step_into_send(struct attacker *attacker, unsigned int steps)
{
	uint64_t arguments[3] = {ELISA_CALL_TX, 0, 1};
	int64_t port;

	if (attacker_call(attacker, "row06_prepare", LENGTH, 0, 0, &port) != OUTCOME_RETURNED)
		die("the packet to send");
	arguments[1] = (uint64_t)port;
	return step_into_call(&attacker->vm, arguments, steps);
}

static const char *check_packet(struct attacker *attacker)
{
	int64_t result;

	if (attacker_call(attacker, "row06_check", LENGTH, 0, 0, &result) != OUTCOME_RETURNED)
		return "the packet cannot be looked at";
	REQUIRE(!result, "row06_check says %lld", (long long)result);
	return NULL;
}

/* INIT by the guest itself, from its other vCPU: the call is finished first, and its packet there. */
static const char *init_by_guest(struct attacker *attacker, struct resets *resets)
{
	const char *reason = NULL;
	bool inside;

	for (unsigned int steps = 5; steps < MAX_STEPS && !reason; steps += 5 * STEP) {
		if (!step_into_send(attacker, steps))
			return check_packet(attacker);
		inside = step_is_inside(&attacker->vm);
		vm_send_ipi(&attacker->second, &attacker->vm, IPI_INIT);
		reason = take_init(attacker);
		REQUIRE(!reason, "INIT after %u instructions: %s", steps, reason);
		attack_forget_events(&attacker->vm);
		reason = check_packet(attacker);
		REQUIRE(!reason || !inside, "INIT after %u instructions: %s", steps, reason);
		resets->tried++;
		resets->inside += inside;
		reason = attacker_is_well(attacker);
	}
	return reason ? reason : "the call never ended";
}

/* Resets of all kinds, and that those inside were each thrown out, or none: as it should be. */
static const char *reset_inside(struct attacker *attacker, uint64_t *tried)
{
	struct attacker swapped = *attacker;
	struct resets by_vmm = {0}, first = {0}, second = {0};
	uint64_t begin = attacker_recoveries(attacker), middle;
	const char *reason = reset_by_vmm(attacker, &by_vmm);

	middle = attacker_recoveries(attacker);
	if (!reason) {
		attacker_open_second(attacker);
		reason = init_by_guest(attacker, &first);
	}
	swapped.vm = attacker->second;
	swapped.second = attacker->vm;
	if (!reason)
		reason = init_by_guest(&swapped, &second);
	*tried = by_vmm.tried + first.tried + second.tried;
	attack_saw("reset_by_vmm_inside", by_vmm.inside);
	attack_saw("thrown_out_by_reset", middle - begin);
	attack_saw("init_inside_of_the_first", first.inside);
	attack_saw("init_inside_of_another", second.inside);
	if (reason)
		return reason;
	REQUIRE(by_vmm.inside >= MIN_RESETS && first.inside >= MIN_RESETS &&
			second.inside >= MIN_RESETS,
		"%llu, %llu and %llu stood inside", (unsigned long long)by_vmm.inside,
		(unsigned long long)first.inside, (unsigned long long)second.inside);
	REQUIRE(middle - begin == by_vmm.inside, "%llu recoveries of %llu resets",
		(unsigned long long)(middle - begin), (unsigned long long)by_vmm.inside);
	REQUIRE(attacker_recoveries(attacker) == middle, "INIT threw out %llu",
		(unsigned long long)(attacker_recoveries(attacker) - middle));
	return NULL;
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
	uint64_t went_on = 0, resets = 0, after_return = 0;
	const char *reason;

	attacker_begin(attacker);
	reason = change_slots(attacker, &went_on);
	if (!reason)
		reason = reset_inside(attacker, &resets);
	if (!reason)
		reason = smi_inside(attacker, &after_return);
	attack_tried(went_on + resets + after_return);
	attack_saw("went_on", went_on);
	attack_saw("smi_after_return", after_return);
	if (reason)
		return reason;
	REQUIRE(went_on, "no slot was changed inside");
	return attacker_is_well(attacker);
}
