// SPDX-License-Identifier: BSD-3-Clause
/* cases_mode.c - vCPUs that are not as the gate wants them, and what a process finds after a recovery. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cases.h"

#define MEMORY_GVA ELISA_GVA(ELISA_OFFSET_SWITCH)
#define PAGING_OFF_CR0 0x33u  /* protected mode */
#define PAGING_OFF_CR4 0x600u /* OSFXSR, OSXMMEXCPT */
#define RFLAGS_DF 0x400u
#define RFLAGS_AC 0x40000u

static struct kvm_sregs system_registers(struct vm *vm)
{
	struct kvm_sregs sregs;

	if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs))
		die("KVM_GET_SREGS");
	return sregs;
}

/* As vm_call(), with these system registers instead of the usual ones. */
static enum outcome call_with(struct vm *vm, const struct kvm_sregs *sregs, const char *function,
			      uint64_t first, uint64_t second, uint64_t third, int64_t *result)
{
	struct kvm_regs regs = {
		.rip = vm_code_address(function),
		.rsp = GUEST_USER_STACK - 8,
		.rflags = 0x202,
		.rdi = first,
		.rsi = second,
		.rdx = third,
	};

	*(uint64_t *)(vm->memory + regs.rsp) = vm_code_address(guest_returned);
	if (ioctl(vm->vcpu, KVM_SET_SREGS, sregs) || ioctl(vm->vcpu, KVM_SET_REGS, &regs))
		die("KVM_SET_SREGS");
	return vm_resume(vm, result);
}

/* Its system registers after something has run in ring 3 or 0. */
static struct kvm_sregs usual(struct vm *vm, int ring)
{
	const uint64_t nothing[3] = {0, 0, 0};
	int64_t result;

	if (vm_call_at(vm, guest_rdtsc, GUEST_TABLES, ring, nothing, &result) != OUTCOME_RETURNED)
		die("a guest that does nothing");
	return system_registers(vm);
}

/* Without paging a VMFUNC would lead to wherever the guest likes: no way in. */
const char *case_paging_off(void)
{
	struct setup setup;
	struct kvm_sregs sregs;
	enum outcome outcome;
	int64_t result;

	setup_hello(&setup);
	sregs = usual(&setup.vm, 0);
	sregs.cr0 = PAGING_OFF_CR0;
	sregs.cr4 = PAGING_OFF_CR4;
	sregs.efer = 0;
	sregs.cs.l = 0;
	sregs.cs.db = 1;
	/* The #GP finds no handler: the guest shuts down. */
	sregs.idt.limit = 0;
	outcome = call_with(&setup.vm, &sregs, guest_vmfunc, 0, ELISA_SLOT_GATE, 0, &result);
	CHECK(outcome == OUTCOME_OTHER, "outcome %d", outcome);
	CHECK(host_stats(setup.vm_fd).recoveries == 0, "it came into the gate");
	CHECK(vm_gate(&setup.vm, IMAGE_SUM, 1, 2) == 3, "the gate stays closed");
	return setup_end(&setup);
}

/* From ring 3 the closed gate answers; from ring 0 it is a #GP, for which GDT and IDT must be good. */
static const char *check_closed(struct setup *setup, const struct kvm_sregs *sregs,
				const struct kvm_sregs *good, const char *what)
{
	struct vm *vm = &setup->vm;
	enum outcome outcome;
	int64_t result;

	outcome = call_with(vm, sregs, guest_gate, IMAGE_SUM, 1, 2, &result);
	if (sregs->cs.dpl)
		CHECK(outcome == OUTCOME_RETURNED && result == -ENODEV, "%s: %d, %lld", what,
		      outcome, (long long)result);
	else
		CHECK(outcome == OUTCOME_FAULT && vm_mailbox(vm, GUEST_FAULT_VECTOR) == 13,
		      "%s: outcome %d", what, outcome);
	CHECK(host_stats(setup->vm_fd).recoveries == 0, "%s: it had been inside", what);
	if (ioctl(vm->vcpu, KVM_SET_SREGS, good))
		die("KVM_SET_SREGS");
	CHECK(vm_gate(vm, IMAGE_SUM, 1, 2) == 3, "%s: the gate stays closed", what);
	return NULL;
}

static const char *check_hello(struct setup *setup, struct kvm_sregs sregs)
{
	const struct elisa_hc_hello call = {.abi = ELISA_GUEST_ABI};
	int64_t result;

	memcpy(setup->vm.memory + GUEST_ARGUMENT, &call, sizeof(call));
	sregs.ldt.base = ELISA_GVA(ELISA_OFFSET_LIST);
	CHECK(call_with(&setup->vm, &sregs, guest_hypercall, ELISA_HYPERCALL(ELISA_HC_HELLO),
			GUEST_ARGUMENT, sizeof(call), &result) == OUTCOME_RETURNED &&
		      result == -EOPNOTSUPP,
	      "hello: %lld", (long long)result);
	return NULL;
}

/* GDT, LDT and TSS in the window, or reaching into it; IDT: case_descriptor_tables(). */
const char *case_other_tables(void)
{
	const uint64_t inside = ELISA_GVA(ELISA_OFFSET_MEMORY);
	struct kvm_sregs user, kernel, sregs;
	struct setup setup;
	const char *reason;

	setup_hello(&setup);
	kernel = usual(&setup.vm, 0);
	user = usual(&setup.vm, 3);
	sregs = user;
	sregs.gdt.base = inside;
	reason = check_closed(&setup, &sregs, &user, "GDT");
	sregs = user;
	sregs.gdt.base = ELISA_WINDOW_GVA - 0x1000;
	sregs.gdt.limit = 0xffff;
	if (!reason)
		reason = check_closed(&setup, &sregs, &user, "the end of a GDT");
	sregs = user;
	sregs.ldt.base = inside;
	if (!reason)
		reason = check_closed(&setup, &sregs, &user, "LDT");
	sregs = kernel;
	sregs.tr.base = inside;
	if (!reason)
		reason = check_closed(&setup, &sregs, &user, "TSS");
	if (!reason)
		reason = check_hello(&setup, user);
	return reason ? reason : setup_end(&setup);
}

/* A closed gate answers its documented caller, and nobody else. */
const char *case_closed_call(void)
{
	const uint64_t sum[3] = {IMAGE_SUM, 1, 2};
	struct setup setup;
	int64_t result;

	setup_hello(&setup);
	close(setup.vm_fd);
	setup.vm_fd = -1;
	CHECK(vm_gate(&setup.vm, IMAGE_SUM, 1, 2) == -ENODEV, "from the stub");
	CHECK(vm_call_at(&setup.vm, guest_gate, GUEST_TABLES, 0, sum, &result) == OUTCOME_FAULT &&
		      vm_mailbox(&setup.vm, GUEST_FAULT_VECTOR) == 13,
	      "from ring 0: %lld", (long long)result);
	CHECK(vm_call(&setup.vm, guest_vmfunc, 0, ELISA_SLOT_GATE, 0, &result) == OUTCOME_FAULT &&
		      vm_mailbox(&setup.vm, GUEST_FAULT_VECTOR) == 13,
	      "from elsewhere: %lld", (long long)result);
	return setup_end(&setup);
}

static void *wait_inside(void *argument)
{
	vm_gate(argument, IMAGE_WAIT, MEMORY_GVA, 0);
	return NULL;
}

/* A VMM that injects an interrupt while the vCPU is parked inside: it is out before that arrives. */
const char *case_event_by_vmm(void)
{
	struct kvm_vcpu_events events;
	struct elisa_event event;
	struct setup setup;
	pthread_t thread;
	int64_t result;

	setup_hello(&setup);
	if (pthread_create(&thread, NULL, wait_inside, &setup.vm))
		die("pthread_create");
	while (!*(volatile uint64_t *)setup.host.memory)
		usleep(1000);
	vm_park(&setup.vm, thread);
	if (ioctl(setup.vm.vcpu, KVM_GET_VCPU_EVENTS, &events))
		die("KVM_GET_VCPU_EVENTS");
	events.interrupt.injected = 1;
	events.interrupt.nr = GUEST_TIMER_VECTOR;
	if (ioctl(setup.vm.vcpu, KVM_SET_VCPU_EVENTS, &events))
		die("KVM_SET_VCPU_EVENTS");
	CHECK(vm_resume(&setup.vm, &result) == OUTCOME_FAULT, "it went on inside");
	do
		event = host_event(&setup.host);
	while (event.type && event.type != ELISA_EVENT_VCPU_RECOVERED);
	CHECK(event.type && event.reason == ELISA_AT_ENTRY, "event %u, reason %u", event.type,
	      event.reason);
	CHECK(host_stats(setup.vm_fd).held == ELISA_HELD_THROWN_OUT, "held %llu",
	      (unsigned long long)host_stats(setup.vm_fd).held);
	CHECK(vm_mailbox(&setup.vm, GUEST_INTERRUPTS) == 1, "%llu interrupts",
	      (unsigned long long)vm_mailbox(&setup.vm, GUEST_INTERRUPTS));
	return setup_end(&setup);
}

/* Flags and stack pointer are the guest's, and the process's port is free. */
const char *case_after_recovery(void)
{
	struct elisa_port_state state = {.version = ELISA_UAPI_VERSION};
	struct kvm_regs regs;
	struct setup setup;
	int64_t result;

	setup_hello(&setup);
	CHECK(vm_call(&setup.vm, guest_gate, IMAGE_FLAGS, 0, 0, &result) == OUTCOME_FAULT,
	      "no fault");
	if (ioctl(setup.vm.vcpu, KVM_GET_REGS, &regs))
		die("KVM_GET_REGS");
	CHECK(!(regs.rflags & (RFLAGS_DF | RFLAGS_AC)), "RFLAGS %#llx",
	      (unsigned long long)regs.rflags);
	CHECK(vm_mailbox(&setup.vm, GUEST_FAULT_RSP) - ELISA_WINDOW_GVA >= ELISA_WINDOW_SIZE,
	      "RSP %#llx", (unsigned long long)vm_mailbox(&setup.vm, GUEST_FAULT_RSP));
	CHECK(ioctl(setup.port_fd, ELISA_IOC_PORT_STATE, &state) == 0 && state.claimed == 0,
	      "still claimed");
	return setup_end(&setup);
}
