// SPDX-License-Identifier: BSD-3-Clause
/* cases_inside.c - crossing, being inside, and being thrown out. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cases.h"

#define ROUND_TRIPS 10000
#define MEMORY_GVA ELISA_GVA(ELISA_OFFSET_SWITCH)
#define EXIT_EXTERNAL_INTERRUPT 1
#define EXIT_IO 30
#define EXIT_PAUSE 40
#define EXIT_EPT_VIOLATION 48
#define EXIT_PREEMPTION_TIMER 52
#define CR4_FSGSBASE 0x10000u
#define GUEST_FS_BASE 0x7f1234567000ull

const char *case_round_trip(void)
{
	struct setup setup;
	const uint64_t arguments[3] = {IMAGE_SUM, 0xabcd, 1};
	enum outcome outcome;
	int64_t result;
	unsigned int i;

	setup_hello(&setup);
	outcome = vm_call_at(&setup.vm, guest_gate_registers, GUEST_TABLES, 3, arguments, &result);
	CHECK(outcome == OUTCOME_RETURNED, "outcome %d, vector %llu at %#llx", outcome,
	      (unsigned long long)vm_mailbox(&setup.vm, GUEST_FAULT_VECTOR),
	      (unsigned long long)vm_mailbox(&setup.vm, GUEST_FAULT_RIP));
	CHECK(vm_dump(&setup.vm, 0x08) == 0xabce, "RAX %#llx",
	      (unsigned long long)vm_dump(&setup.vm, 0x08));
	CHECK(vm_dump(&setup.vm, 0x10) == 0x1111 && vm_dump(&setup.vm, 0x38) == 0x2222,
	      "RBX or RBP not kept");
	for (i = 0; i < 4; i++)
		CHECK(vm_dump(&setup.vm, 0x68 + 8 * i) == 0x4444 + 0x1111 * i, "R%u not kept",
		      12 + i);
	CHECK(vm_dump(&setup.vm, 0x40) == vm_dump(&setup.vm, 0), "RSP not kept");
	for (i = 0x18; i <= 0x30; i += 8)
		CHECK(!vm_dump(&setup.vm, i), "RCX, RDX, RSI or RDI not clear (%#x)", i);
	for (i = 0x48; i <= 0x60; i += 8)
		CHECK(!vm_dump(&setup.vm, i), "R8..R11 not clear (%#x)", i);
	for (i = 0x90; i < 0xb0; i += 8)
		CHECK(!vm_dump(&setup.vm, i), "XMM0 or XMM15 not clear");
	CHECK(vm_gate(&setup.vm, IMAGE_LOAD, ELISA_GVA(ELISA_OFFSET_IDENTITY), 0) ==
		      (int64_t)((uint64_t)ELISA_IMAGE_ABI << 32 | ELISA_IDENTITY_MAGIC),
	      "identity page");
	CHECK(vm_gate(&setup.vm, IMAGE_LOAD, ELISA_GVA(ELISA_OFFSET_IDENTITY) + 16, 0) == 1,
	      "ports in the identity page");
	CHECK(vm_gate(&setup.vm, IMAGE_STORE, MEMORY_GVA, 77) == 0 && setup.host.memory[0] == 77,
	      "the switch's memory");
	CHECK(host_prove(&setup.host) == 0, "invariant %u", host_prove(&setup.host));
	return setup_end(&setup);
}

const char *case_no_exits(void)
{
	struct elisa_vcpu_stats before, after;
	uint64_t others, ticks;
	struct setup setup;
	int64_t wrong;

	setup_hello(&setup);
	/* KVM maps the pages that the loop touches. */
	CHECK(vm_call(&setup.vm, guest_gate_loop, 10, 0, 0, &wrong) == OUTCOME_RETURNED, "warm-up");
	before = host_stats(setup.vm_fd);
	CHECK(vm_call(&setup.vm, guest_gate_loop, ROUND_TRIPS, 0, 0, &wrong) == OUTCOME_RETURNED,
	      "loop");
	after = host_stats(setup.vm_fd);
	CHECK(wrong == 0, "%lld calls", (long long)wrong);
	/* What is not a tick of the host is the OUT at the function's end. */
	ticks = after.by_reason[EXIT_EXTERNAL_INTERRUPT] -
		before.by_reason[EXIT_EXTERNAL_INTERRUPT] + after.by_reason[EXIT_PREEMPTION_TIMER] -
		before.by_reason[EXIT_PREEMPTION_TIMER];
	others = after.exits - before.exits - ticks;
	CHECK(others == 1 && after.by_reason[EXIT_IO] - before.by_reason[EXIT_IO] == 1,
	      "%llu exits that are not ticks, %llu of them EPT violations",
	      (unsigned long long)others,
	      (unsigned long long)(after.by_reason[EXIT_EPT_VIOLATION] -
				   before.by_reason[EXIT_EPT_VIOLATION]));
	CHECK(after.recoveries == before.recoveries && after.traps == before.traps,
	      "%llu recoveries, %llu traps", (unsigned long long)after.recoveries,
	      (unsigned long long)after.traps);
	return setup_end(&setup);
}

const char *case_cr3_not_admitted(void)
{
	const uint64_t arguments[3] = {IMAGE_NOTHING, 0, 0};
	struct setup setup;
	int64_t result;

	setup_hello(&setup);
	CHECK(vm_call_at(&setup.vm, guest_gate, GUEST_OTHER_ROOT, 3, arguments, &result) ==
		      OUTCOME_FAULT,
	      "the call went through: %lld", (long long)result);
	CHECK(vm_mailbox(&setup.vm, GUEST_FAULT_VECTOR) == 13, "vector %llu",
	      (unsigned long long)vm_mailbox(&setup.vm, GUEST_FAULT_VECTOR));
	/* The process that was admitted has lost nothing: nothing was in flight, so nothing is held. */
	CHECK(host_stats(setup.vm_fd).held == 0, "held");
	CHECK(vm_gate(&setup.vm, IMAGE_SUM, 1, 2) == 3, "the admitted process");
	CHECK(host_prove(&setup.host) == 0, "a proof");
	return setup_end(&setup);
}

static bool faults_with(struct vm *vm, uint32_t eax, uint32_t ecx, int ring, uint64_t vector)
{
	const uint64_t arguments[3] = {eax, ecx, 0};
	int64_t result;

	return vm_call_at(vm, guest_vmfunc, GUEST_TABLES, ring, arguments, &result) ==
		       OUTCOME_FAULT &&
	       vm_mailbox(vm, GUEST_FAULT_VECTOR) == vector;
}

const char *case_rogue_vmfunc(void)
{
	struct setup setup;
	int64_t result;
	uint32_t i;

	setup_hello(&setup);
	CHECK(vm_call(&setup.vm, guest_vmfunc, 0, 0, 0, &result) == OUTCOME_RETURNED,
	      "VMFUNC(0) in the default context");
	/* 1 is the gate, entered where it has no page to fetch from. */
	for (i = 1; i < 520; i++)
		CHECK(faults_with(&setup.vm, 0, i, i & 1 ? 3 : 0, 13), "index %u", i);
	CHECK(faults_with(&setup.vm, 0, 0xffffffff, 3, 13), "index -1");
	for (i = 1; i < 64; i++)
		CHECK(faults_with(&setup.vm, i, 0, i & 1 ? 3 : 0, 13), "function %u", i);
	for (i = 64; i < 71; i++)
		CHECK(faults_with(&setup.vm, i, 0, 3, 6), "function %u", i);
	if (hello(&setup.vm) && vm_gate(&setup.vm, IMAGE_SUM, 1, 2) != 3)
		return "the VM does not work any more";
	CHECK(host_prove(&setup.host) == 0, "a proof");
	return setup_end(&setup);
}

const char *case_faults_inside(void)
{
	static const struct {
		uint64_t operation;
		uint64_t argument;
	} faults[] = {
		{IMAGE_LOAD, 0x10},                              /* the guest's own memory */
		{IMAGE_LOAD, ELISA_GVA(ELISA_OFFSET_MEMORY)},    /* nothing registered */
		{IMAGE_LOAD, ELISA_GVA(ELISA_OFFSET_TEXT)},      /* execute only */
		{IMAGE_LOAD, ELISA_GVA(ELISA_OFFSET_STACK) - 8}, /* guard page */
		{IMAGE_STORE, ELISA_GVA(ELISA_OFFSET_TEXT)},
		{IMAGE_STORE, ELISA_GVA(ELISA_OFFSET_IDENTITY)},
		{IMAGE_STORE, ELISA_GVA(ELISA_OFFSET_PORT_MAPS)},
		{IMAGE_UD2, 0},
		{IMAGE_CPUID, 0},
		{IMAGE_VMCALL, 0},
		{IMAGE_DIVIDE, 0},
		{IMAGE_VMFUNC, 2},
		{IMAGE_VMFUNC, 300},
	};
	const char *reason;
	struct setup setup;
	unsigned int i;

	setup_hello(&setup);
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		reason = expect_thrown_out(&setup, faults[i].operation, faults[i].argument);
		if (reason)
			return reason;
	}
	CHECK(host_prove(&setup.host) == 0, "a proof");
	return setup_end(&setup);
}

/*
 * Nowhere that the guest or its VMM can look. KVM_GET_FPU shows what it does not: the memory that the
 * vector registers were last saved to, where a save of registers that are zero leaves what was there.
 */
static const char *check_no_secret(struct vm *vm)
{
	const char secret[] = "\xe7\xc2\x5e\xe7\xc2\x5e"; /* IMAGE_SECRET, as bytes in memory */
	struct kvm_xsave xsave;
	struct kvm_regs regs;
	struct kvm_fpu fpu;

	/* The handler has used RAX; it kept the value. */
	if (ioctl(vm->vcpu, KVM_GET_REGS, &regs) || ioctl(vm->vcpu, KVM_GET_XSAVE, &xsave) ||
	    ioctl(vm->vcpu, KVM_GET_FPU, &fpu))
		die("KVM_GET_REGS");
	CHECK(!memmem(&regs, sizeof(regs), secret, sizeof(secret) - 1), "a general register");
	CHECK(!memmem(&xsave, sizeof(xsave), secret, sizeof(secret) - 1), "a vector register");
	CHECK(!memmem(&fpu, sizeof(fpu), secret, sizeof(secret) - 1), "a saved vector register");
	CHECK(!memmem(vm->memory, GUEST_MEMORY, secret, sizeof(secret) - 1), "the guest's memory");
	return NULL;
}

const char *case_registers_after_recovery(void)
{
	struct setup setup;
	const char *reason;
	int64_t result;

	setup_hello(&setup);
	CHECK(vm_call(&setup.vm, guest_gate, IMAGE_SECRETS, 0, 0, &result) == OUTCOME_FAULT,
	      "no fault");
	reason = check_no_secret(&setup.vm);
	return reason ? reason : setup_end(&setup);
}

static void *call_with_secrets(void *argument)
{
	vm_gate(argument, IMAGE_SECRETS_WAIT, 0, 0);
	return NULL;
}

static void *call_with_vectors(void *argument)
{
	vm_gate(argument, IMAGE_VECTORS_WAIT, MEMORY_GVA, 0);
	return NULL;
}

/* The vCPU stands inside, in `call`, with IMAGE_SECRET in registers. */
static void park_inside(struct setup *setup, void *(*call)(void *vm))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, call, &setup->vm))
		die("pthread_create");
	while (!*(volatile uint64_t *)setup->host.memory)
		usleep(1000);
	vm_park(&setup->vm, thread);
}

/* Thrown out by the host while it stood still, not at an exit of its own. */
const char *case_registers_after_eviction(void)
{
	struct setup setup;
	const char *reason;
	int64_t result;

	_Static_assert(IMAGE_TO_SWITCH == ELISA_OFFSET_SWITCH - ELISA_OFFSET_TEXT, "distance");
	setup_hello(&setup);
	park_inside(&setup, call_with_secrets);
	CHECK(host_evict(&setup.host, 0) == 0, "evict");
	CHECK(vm_resume(&setup.vm, &result) == OUTCOME_FAULT, "it went on");
	reason = check_no_secret(&setup.vm);
	return reason ? reason : setup_end(&setup);
}

/* Parked with vectors that the host had to save, and gone on to a return of its own. */
const char *case_saved_vectors(void)
{
	struct setup setup;
	const char *reason;
	int64_t result;

	setup_hello(&setup);
	park_inside(&setup, call_with_vectors);
	setup.host.memory[1] = 5;
	CHECK(vm_resume(&setup.vm, &result) == OUTCOME_RETURNED && result == 5, "%lld",
	      (long long)result);
	reason = check_no_secret(&setup.vm);
	return reason ? reason : setup_end(&setup);
}

const char *case_timer_while_inside(void)
{
	struct elisa_vcpu_stats before, after;
	struct setup setup;
	int64_t interrupts;

	setup_hello(&setup);
	before = host_stats(setup.vm_fd);
	/* Due after 1 ms; inside for much longer. */
	CHECK(vm_call(&setup.vm, guest_gate_timer, IMAGE_SPIN, 20000000, 1000000, &interrupts) ==
		      OUTCOME_RETURNED,
	      "vector %llu at %#llx", (unsigned long long)vm_mailbox(&setup.vm, 0),
	      (unsigned long long)vm_mailbox(&setup.vm, GUEST_FAULT_RIP));
	after = host_stats(setup.vm_fd);
	CHECK(interrupts == 1, "%lld interrupts, %llu traps, %llu exits inside",
	      (long long)interrupts, (unsigned long long)(after.traps - before.traps),
	      (unsigned long long)(after.exits_inside - before.exits_inside));
	CHECK(vm_mailbox(&setup.vm, GUEST_INTERRUPTED_RIP) == ELISA_GVA(ELISA_OFFSET_LIST),
	      "delivered at %#llx, not at the return stub",
	      (unsigned long long)vm_mailbox(&setup.vm, GUEST_INTERRUPTED_RIP));
	CHECK(after.traps == before.traps + 1, "%llu traps",
	      (unsigned long long)(after.traps - before.traps));
	CHECK(after.exits_inside > before.exits_inside, "no exit inside");
	CHECK(after.recoveries == before.recoveries, "recovered");
	return setup_end(&setup);
}

/* Waits until the image says that it is inside, sends an NMI, lets it go on. */
static void *send_nmi(void *argument)
{
	struct setup *setup = argument;
	struct kvm_msi nmi = {.address_lo = GUEST_APIC, .data = 0x400}; /* delivery mode NMI */
	volatile uint64_t *memory = setup->host.memory;

	while (!memory[0])
		usleep(1000);
	if (ioctl(setup->vm.fd, KVM_SIGNAL_MSI, &nmi) != 1)
		die("KVM_SIGNAL_MSI");
	usleep(20000);
	memory[1] = 5;
	return NULL;
}

const char *case_nmi_while_inside(void)
{
	struct elisa_vcpu_stats before, after;
	struct setup setup;
	pthread_t thread;
	int64_t result;

	setup_hello(&setup);
	/* Turns the local APIC on; no tick. */
	CHECK(vm_call(&setup.vm, guest_gate_timer, IMAGE_NOTHING, 0, 0, &result) ==
		      OUTCOME_RETURNED,
	      "APIC");
	before = host_stats(setup.vm_fd);
	if (pthread_create(&thread, NULL, send_nmi, &setup))
		die("pthread_create");
	result = vm_gate(&setup.vm, IMAGE_WAIT, MEMORY_GVA, 0);
	pthread_join(thread, NULL);
	after = host_stats(setup.vm_fd);
	CHECK(result == 5, "%lld", (long long)result);
	CHECK(vm_mailbox(&setup.vm, GUEST_NMIS) == 1, "%llu NMIs",
	      (unsigned long long)vm_mailbox(&setup.vm, GUEST_NMIS));
	CHECK(vm_mailbox(&setup.vm, GUEST_INTERRUPTED_RIP) == ELISA_GVA(ELISA_OFFSET_LIST),
	      "delivered at %#llx",
	      (unsigned long long)vm_mailbox(&setup.vm, GUEST_INTERRUPTED_RIP));
	CHECK(after.traps == before.traps + 1 && after.recoveries == before.recoveries,
	      "%llu traps", (unsigned long long)(after.traps - before.traps));
	return setup_end(&setup);
}

const char *case_long_stay(void)
{
	struct elisa_vcpu_stats before, after;
	struct setup setup;

	setup_hello(&setup);
	before = host_stats(setup.vm_fd);
	CHECK(vm_gate(&setup.vm, IMAGE_SPIN, 20000000, 0) == 0, "did not return");
	after = host_stats(setup.vm_fd);
	CHECK(after.inside_by_reason[EXIT_EXTERNAL_INTERRUPT] >
		      before.inside_by_reason[EXIT_EXTERNAL_INTERRUPT],
	      "no tick of the host inside");
	CHECK(after.recoveries == before.recoveries, "recovered");
	return setup_end(&setup);
}

const char *case_pause_inside(void)
{
	struct setup setup;

	setup_hello(&setup);
	CHECK(vm_gate(&setup.vm, IMAGE_PAUSE, 200000, 0) == 0, "did not return");
	CHECK(host_stats(setup.vm_fd).recoveries == 0, "recovered");
	return setup_end(&setup);
}

const char *case_descriptor_tables(void)
{
	const uint64_t arguments[3] = {GUEST_ARGUMENT, 0, 0};
	struct setup setup;
	int64_t result;

	setup_hello(&setup);
	/* An IDT over the gate page: the gate closes. vm_call puts the proper one back. */
	*(uint16_t *)(setup.vm.memory + GUEST_ARGUMENT) = 0xfff;
	*(uint64_t *)(setup.vm.memory + GUEST_ARGUMENT + 2) = ELISA_GVA(ELISA_OFFSET_GATE);
	CHECK(vm_call_at(&setup.vm, guest_lidt_gate, GUEST_TABLES, 0, arguments, &result) ==
		      OUTCOME_OTHER,
	      "a gate call went through with the IDT in the window");
	CHECK(host_stats(setup.vm_fd).recoveries == 0, "it had been inside");
	CHECK(vm_gate(&setup.vm, IMAGE_SUM, 1, 2) == 3, "the gate stays closed");
	return setup_end(&setup);
}

static uint64_t fs_base(struct vm *vm)
{
	struct kvm_sregs sregs;

	if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs))
		die("KVM_GET_SREGS");
	return sregs.fs.base;
}

static const char *check_fs_base(struct setup *setup, uint64_t guest)
{
	struct vm *vm = &setup->vm;
	int64_t result;

	CHECK(vm_call(vm, guest_gate_fs, IMAGE_KEEP_FS, 0, guest, &result) == OUTCOME_FAULT &&
		      vm_mailbox(vm, GUEST_FAULT_VECTOR) == 13,
	      "vector %llu", (unsigned long long)vm_mailbox(vm, GUEST_FAULT_VECTOR));
	CHECK(fs_base(vm) == guest, "%#llx after a fault", (unsigned long long)fs_base(vm));
	CHECK(hello(vm) == 0 && host_reopen(&setup->host, 0) == 0, "hello");
	CHECK(vm_gate(vm, IMAGE_LOAD, IMAGE_KEPT_FS_BASE, 0) == 0, "the kept word is not cleared");
	return NULL;
}

const char *case_fs_base(void)
{
	const char *reason;
	struct setup setup;

	_Static_assert(IMAGE_KEPT_FS_BASE == ELISA_GVA(ELISA_OFFSET_KEPT_FS_BASE), "kept word");
	setup_hello(&setup);
	reason = check_fs_base(&setup, GUEST_FS_BASE);
	if (!reason)
		reason = check_fs_base(&setup, 0);
	return reason ? reason : setup_end(&setup);
}

static void *call_with_fs(void *argument)
{
	int64_t result;

	vm_call(argument, guest_gate_fs, IMAGE_KEEP_FS, MEMORY_GVA, GUEST_FS_BASE, &result);
	return NULL;
}

static void park_with_fs(struct setup *setup)
{
	volatile uint64_t *memory = setup->host.memory;
	pthread_t thread;

	memory[0] = 0;
	if (pthread_create(&thread, NULL, call_with_fs, &setup->vm))
		die("pthread_create");
	while (!memory[0])
		usleep(1000);
	vm_park(&setup->vm, thread);
}

/* A VMM that takes a parked vCPU elsewhere, or gives it an FS base, gets what it asked for. */
const char *case_fs_base_by_vmm(void)
{
	struct setup setup;
	struct vm *vm = &setup.vm;
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	int64_t result;

	setup_hello(&setup);
	park_with_fs(&setup);
	CHECK(fs_base(vm) == IMAGE_FS_BASE, "%#llx inside", (unsigned long long)fs_base(vm));
	if (ioctl(vm->vcpu, KVM_GET_REGS, &regs))
		die("KVM_GET_REGS");
	regs.rip = vm_code_address(guest_returned);
	if (ioctl(vm->vcpu, KVM_SET_REGS, &regs))
		die("KVM_SET_REGS");
	CHECK(vm_resume(vm, &result) == OUTCOME_RETURNED, "it did not go where it was sent");
	CHECK(fs_base(vm) == GUEST_FS_BASE, "%#llx elsewhere", (unsigned long long)fs_base(vm));
	CHECK(hello(vm) == 0 && host_reopen(&setup.host, 0) == 0, "hello");
	park_with_fs(&setup);
	if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs))
		die("KVM_GET_SREGS");
	sregs.fs.base = 0x77000;
	if (ioctl(vm->vcpu, KVM_SET_SREGS, &sregs))
		die("KVM_SET_SREGS");
	CHECK(vm_resume(vm, &result) == OUTCOME_FAULT, "it went on with the VMM's FS base");
	CHECK(fs_base(vm) == 0x77000, "the VMM's FS base became %#llx",
	      (unsigned long long)fs_base(vm));
	return setup_end(&setup);
}

/* The identity page says what CR4.FSGSBASE was when the vCPU was last entered. */
const char *case_fsgsbase(void)
{
	const uint64_t features = ELISA_GVA(ELISA_OFFSET_IDENTITY) + 8; /* with the vCPU's number */
	const uint64_t change[3] = {IMAGE_LOAD, features, CR4_FSGSBASE};
	const uint64_t keep[3] = {IMAGE_LOAD, features, 0};
	struct setup setup;
	int64_t result;

	setup_hello(&setup);
	CHECK(vm_gate(&setup.vm, IMAGE_LOAD, features, 0) >> 32 & ELISA_IDENTITY_FSGSBASE,
	      "not there although it is set");
	CHECK(vm_call_at(&setup.vm, guest_gate_cr4, GUEST_TABLES, 0, change, &result) ==
			      OUTCOME_RETURNED &&
		      !(result >> 32 & ELISA_IDENTITY_FSGSBASE),
	      "%#llx after the guest cleared it", (unsigned long long)result);
	/* vm_call_at() has set it again. */
	CHECK(vm_call_at(&setup.vm, guest_gate_cr4, GUEST_TABLES, 0, keep, &result) ==
			      OUTCOME_RETURNED &&
		      result >> 32 & ELISA_IDENTITY_FSGSBASE,
	      "%#llx after it was set", (unsigned long long)result);
	CHECK(host_stats(setup.vm_fd).recoveries == 0, "recovered");
	return setup_end(&setup);
}
