// SPDX-License-Identifier: BSD-3-Clause
/* vmm.c - a virtual machine with the bare guest of guest.S. Used by the cases in elisa-vmm.c. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm.h"

#define PTE_TABLE 0x7ull /* present, writable, user */
#define PTE_HUGE 0x87ull
#define PTE_HUGE_UNCACHED 0x9full
#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_DATA 0x1b
#define SELECTOR_USER_CODE 0x23
#define SELECTOR_TSS 0x28
#define RFLAGS_VALUE 0x202ull /* IF; IOPL 0, so that POPF inside leaves IF alone */
#define TSS_LIMIT 0x87
#define TSS_IO_MAP 0x68
#define TSS_SIZE 0x100
#define CR0_VALUE 0x80050033ull
#define CR4_VALUE 0x10620ull /* PAE, OSFXSR, OSXMMEXCPT, FSGSBASE */
#define RESET_CR0 0x10
#define CR0_CACHES 0x60000000ull /* CD and NW: INIT leaves them */
#define RESET_CS_BASE 0xffff0000
#define RESET_RIP 0xfff0
#define EFER_VALUE 0xd01ull /* SCE, LME, LMA, NXE */
#define KVM_TSS_ADDRESS 0xfffbd000
#define MAX_CPUID 128
#define DR7_EXECUTE_DR0 0x402ull /* G0, and the bit that is always set */

extern const char guest_begin[], guest_end[], guest_exceptions[], guest_timer_handler[],
	guest_nmi_handler[], guest_call_stub[], guest_call_stub_end[], guest_return_stub[],
	guest_return_stub_end[];

const char *not_so(const char *condition, const char *format, ...)
{
	static char reason[400];
	char seen[240];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(seen, sizeof(seen), format, arguments);
	va_end(arguments);
	snprintf(reason, sizeof(reason), "not (%.140s): %s", condition, seen);
	return reason;
}

void die(const char *what)
{
	fprintf(stderr, "elisa-vmm: %s: %s\n", what, strerror(errno));
	exit(2);
}

uint64_t vm_code_address(const char *label)
{
	return GUEST_CODE + (uint64_t)(label - guest_begin);
}

static uint64_t stack_address(const struct vm *vm, int ring)
{
	return (ring ? GUEST_USER_STACK : GUEST_KERNEL_STACK) - vm->number * GUEST_STACK_SIZE;
}

static uint64_t *words(struct vm *vm, uint64_t gpa)
{
	return (uint64_t *)(vm->memory + gpa);
}

/* Six pages: root, directory pointers and directory below 4 GiB, the same of the window. */
static void fill_tables(struct vm *vm, uint64_t root)
{
	uint64_t i;

	words(vm, root)[0] = (root + 0x1000) | PTE_TABLE;
	words(vm, root)[(ELISA_WINDOW_GVA >> 39) & 511] = (root + 0x4000) | PTE_TABLE;
	words(vm, root + 0x1000)[0] = (root + 0x2000) | PTE_TABLE;
	words(vm, root + 0x1000)[1] = (root + 0x7000) | PTE_TABLE;
	words(vm, root + 0x1000)[3] = (root + 0x3000) | PTE_TABLE;
	for (i = 0; i < GUEST_MEMORY >> 21; i++)
		words(vm, root + 0x2000)[i] = (i << 21) | PTE_HUGE;
	words(vm, root + 0x3000)[(GUEST_APIC >> 21) & 511] =
		(GUEST_APIC & ~0x1fffffull) | PTE_HUGE_UNCACHED;
	words(vm, root + 0x4000)[0] = (root + 0x5000) | PTE_TABLE;
	words(vm, root + 0x5000)[0] = (root + 0x6000) | PTE_TABLE;
	words(vm, root + 0x6000)[ELISA_OFFSET_CALL_STUB >> 12] = GUEST_STUB_PAGES | PTE_TABLE;
	words(vm, root + 0x6000)[ELISA_OFFSET_LIST >> 12] = (GUEST_STUB_PAGES + 0x1000) | PTE_TABLE;
	words(vm, root + 0x7000)[0] = (root + 0x8000) | PTE_TABLE;
	for (i = 0; i < 512; i++)
		words(vm, root + 0x8000)[i] = (GUEST_SMALL_PHYSICAL + (i << 12)) | PTE_TABLE;
}

static void fill_gate(struct vm *vm, int vector, uint64_t handler)
{
	uint64_t *gate = words(vm, GUEST_IDT) + 2 * vector;

	/* Interrupt gate, DPL 0, SELECTOR_KERNEL_CODE. */
	gate[0] = (handler & 0xffff) | ((uint64_t)SELECTOR_KERNEL_CODE << 16) | (0x8e00ull << 32) |
		  (((handler >> 16) & 0xffff) << 48);
	gate[1] = handler >> 32;
}

static void fill_memory(struct vm *vm)
{
	uint64_t *gdt = words(vm, GUEST_GDT);
	int vector;

	memcpy(vm->memory + GUEST_CODE, guest_begin, guest_end - guest_begin);
	fill_tables(vm, GUEST_TABLES);
	fill_tables(vm, GUEST_OTHER_ROOT);
	gdt[1] = 0x00af9b000000ffffull;
	gdt[2] = 0x00cf93000000ffffull;
	gdt[3] = 0x00cff3000000ffffull;
	gdt[4] = 0x00affb000000ffffull;
	gdt[5] = TSS_LIMIT | ((uint64_t)GUEST_TSS << 16) | (0x8bull << 40);
	for (vector = 0; vector < 32; vector++)
		fill_gate(vm, vector,
			  vm_code_address(guest_exceptions) + vector * GUEST_EXCEPTION_SIZE);
	fill_gate(vm, 2, vm_code_address(guest_nmi_handler));
	fill_gate(vm, GUEST_TIMER_VECTOR, vm_code_address(guest_timer_handler));
	memcpy(vm->memory + GUEST_STUB_PAGES + 0x1000 - (guest_call_stub_end - guest_call_stub),
	       guest_call_stub, guest_call_stub_end - guest_call_stub);
	memcpy(vm->memory + GUEST_STUB_PAGES + 0x1000, guest_return_stub,
	       guest_return_stub_end - guest_return_stub);
}

static uint64_t tss_address(const struct vm *vm)
{
	return GUEST_TSS + vm->number * TSS_SIZE;
}

/* Each vCPU has its own: the stack for ring 0 is in it. */
static void fill_tss(struct vm *vm)
{
	uint8_t *tss = vm->memory + tss_address(vm);

	*(uint64_t *)(tss + 4) = stack_address(vm, 0);
	/* Ring 3 may use ports 0 to 0xf7. */
	*(uint16_t *)(tss + 0x66) = TSS_IO_MAP;
	tss[TSS_LIMIT] = 0xff;
}

static void set_cpuid(int kvm, struct vm *vm)
{
	struct kvm_cpuid2 *cpuid;

	cpuid = calloc(1, sizeof(*cpuid) + MAX_CPUID * sizeof(cpuid->entries[0]));
	if (!cpuid)
		die("calloc");
	cpuid->nent = MAX_CPUID;
	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid) || ioctl(vm->vcpu, KVM_SET_CPUID2, cpuid))
		die("CPUID");
	free(cpuid);
}

/* Aligned to 2 MiB, so that the module may map it huge. */
static uint8_t *allocate_memory(void)
{
	uint64_t huge = ELISA_HUGE_PAGE_SIZE;
	uint8_t *area = mmap(NULL, GUEST_MEMORY + huge, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *start;

	if (area == MAP_FAILED)
		die("mmap of the guest's memory");
	start = (uint8_t *)(((uintptr_t)area + huge - 1) & ~(huge - 1));
	munmap(area, start - area);
	munmap(start + GUEST_MEMORY, area + huge - start);
	madvise(start, GUEST_MEMORY, MADV_HUGEPAGE);
	return start;
}

static void create_vcpu(int kvm, struct vm *vm)
{
	int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	vm->vcpu = ioctl(vm->fd, KVM_CREATE_VCPU, vm->number);
	if (vm->vcpu < 0)
		die("KVM_CREATE_VCPU");
	vm->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu, 0);
	if (vm->run == MAP_FAILED)
		die("mmap of a vCPU");
	set_cpuid(kvm, vm);
}

void vm_create(struct vm *vm)
{
	struct kvm_userspace_memory_region slot = {.memory_size = GUEST_MEMORY};
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	vm->fd = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm->fd < 0 || ioctl(vm->fd, KVM_SET_TSS_ADDR, KVM_TSS_ADDRESS) ||
	    ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0))
		die("/dev/kvm");
	vm->memory = allocate_memory();
	slot.userspace_addr = (uintptr_t)vm->memory;
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &slot))
		die("KVM_SET_USER_MEMORY_REGION");
	vm->number = 0;
	create_vcpu(kvm, vm);
	fill_memory(vm);
	fill_tss(vm);
	close(kvm);
}

void vm_add_vcpu(struct vm *first, struct vm *vm)
{
	struct kvm_mp_state runnable = {.mp_state = KVM_MP_STATE_RUNNABLE};
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0)
		die("/dev/kvm");
	*vm = (struct vm){.fd = first->fd, .memory = first->memory, .number = first->number + 1};
	create_vcpu(kvm, vm);
	/* It would wait for the INIT and SIPI of an operating system. */
	if (ioctl(vm->vcpu, KVM_SET_MP_STATE, &runnable))
		die("KVM_SET_MP_STATE");
	fill_tss(vm);
	close(kvm);
}

void vm_destroy(struct vm *vm)
{
	munmap(vm->run, getpagesize());
	close(vm->vcpu);
	if (vm->number)
		return;
	close(vm->fd);
	munmap(vm->memory, GUEST_MEMORY);
}

static void set_system_registers(struct vm *vm, uint64_t root, int ring)
{
	struct kvm_segment code = {.limit = ~0u, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1};
	struct kvm_segment data = {.limit = ~0u, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};
	struct kvm_sregs sregs;

	if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs))
		die("KVM_GET_SREGS");
	code.selector = ring ? SELECTOR_USER_CODE : SELECTOR_KERNEL_CODE;
	data.selector = ring ? SELECTOR_USER_DATA : SELECTOR_KERNEL_DATA;
	code.dpl = ring;
	data.dpl = ring;
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.tr = (struct kvm_segment){.base = tss_address(vm),
					.limit = TSS_LIMIT,
					.type = 11,
					.present = 1,
					.selector = SELECTOR_TSS};
	sregs.gdt = (struct kvm_dtable){.base = GUEST_GDT, .limit = 0x37};
	sregs.idt = (struct kvm_dtable){.base = GUEST_IDT, .limit = 0xfff};
	sregs.cr0 = CR0_VALUE;
	sregs.cr3 = root;
	sregs.cr4 = CR4_VALUE;
	sregs.efer = EFER_VALUE;
	if (ioctl(vm->vcpu, KVM_SET_SREGS, &sregs))
		die("KVM_SET_SREGS");
}

static enum outcome run(struct vm *vm)
{
	for (;;) {
		if (ioctl(vm->vcpu, KVM_RUN, 0)) {
			if (errno == EINTR && vm->run->immediate_exit)
				return OUTCOME_PARKED;
			if (errno == EINTR)
				continue;
			die("KVM_RUN");
		}
		if (vm->run->exit_reason == KVM_EXIT_INTR)
			continue;
		if (vm->run->exit_reason == KVM_EXIT_DEBUG)
			return OUTCOME_STOPPED;
		if (vm->run->exit_reason != KVM_EXIT_IO)
			return OUTCOME_OTHER;
		if (vm->run->io.port == GUEST_PORT_RETURNED)
			return OUTCOME_RETURNED;
		if (vm->run->io.port == GUEST_PORT_FAULT)
			return OUTCOME_FAULT;
	}
}

/* KVM finishes an OUT or a load at the next KVM_RUN, so registers set before that one would be changed. */
static void finish_io(struct vm *vm)
{
	vm->run->immediate_exit = 1;
	ioctl(vm->vcpu, KVM_RUN, 0);
	vm->run->immediate_exit = 0;
}

static bool is_unfinished(const struct vm *vm, enum outcome outcome)
{
	return outcome == OUTCOME_RETURNED || outcome == OUTCOME_FAULT ||
	       (outcome == OUTCOME_OTHER && vm->run->exit_reason == KVM_EXIT_MMIO);
}

static enum outcome run_to_end(struct vm *vm, int64_t *result)
{
	enum outcome outcome = run(vm);
	struct kvm_regs regs;

	if (ioctl(vm->vcpu, KVM_GET_REGS, &regs))
		die("KVM_GET_REGS");
	*result = regs.rax;
	if (is_unfinished(vm, outcome))
		finish_io(vm);
	return outcome;
}

void vm_begin(struct vm *vm, uint64_t function, uint64_t root, int ring,
	      const uint64_t arguments[3])
{
	uint64_t stack = stack_address(vm, ring) - 8;
	struct kvm_vcpu_events no_events = {0};
	struct kvm_regs regs = {
		.rip = function,
		.rsp = stack,
		.rflags = RFLAGS_VALUE,
		.rdi = arguments[0],
		.rsi = arguments[1],
		.rdx = arguments[2],
	};

	/* What the call before left to be delivered is not this one's. */
	if (ioctl(vm->vcpu, KVM_SET_VCPU_EVENTS, &no_events))
		die("KVM_SET_VCPU_EVENTS");
	*words(vm, stack) = vm_code_address(guest_returned);
	set_system_registers(vm, root, ring);
	if (ioctl(vm->vcpu, KVM_SET_REGS, &regs))
		die("KVM_SET_REGS");
}

enum outcome vm_call_at(struct vm *vm, const char *function, uint64_t root, int ring,
			const uint64_t arguments[3], int64_t *result)
{
	vm_begin(vm, vm_code_address(function), root, ring, arguments);
	return run_to_end(vm, result);
}

/* KVM raises RFLAGS.TF, or sets DR0, for the next KVM_RUN; the guest's own are put back. */
static void set_debug(struct vm *vm, struct kvm_guest_debug debug)
{
	if (ioctl(vm->vcpu, KVM_SET_GUEST_DEBUG, &debug))
		die("KVM_SET_GUEST_DEBUG");
}

/* The trap after a stepped OUT, which the VMCS keeps (pending debug exceptions), is no later call's. */
static void take_trap(struct vm *vm)
{
	struct kvm_regs regs, kept;
	uint64_t mailbox[8];

	if (ioctl(vm->vcpu, KVM_GET_REGS, &kept))
		die("KVM_GET_REGS");
	regs = kept;
	regs.rip = vm_code_address(guest_returned);
	memcpy(mailbox, vm->memory + GUEST_MAILBOX, sizeof(mailbox));
	if (ioctl(vm->vcpu, KVM_SET_REGS, &regs))
		die("KVM_SET_REGS");
	run(vm);
	finish_io(vm);
	memcpy(vm->memory + GUEST_MAILBOX, mailbox, sizeof(mailbox));
	if (ioctl(vm->vcpu, KVM_SET_REGS, &kept))
		die("KVM_SET_REGS");
}

static enum outcome run_debugged(struct vm *vm, struct kvm_guest_debug debug)
{
	enum outcome outcome;

	set_debug(vm, debug);
	outcome = run(vm);
	if (outcome != OUTCOME_STOPPED)
		set_debug(vm, (struct kvm_guest_debug){0});
	if (is_unfinished(vm, outcome))
		finish_io(vm);
	if (outcome != OUTCOME_STOPPED)
		take_trap(vm);
	return outcome;
}

enum outcome vm_step(struct vm *vm, uint64_t *rip)
{
	enum outcome outcome =
		run_debugged(vm, (struct kvm_guest_debug){.control = KVM_GUESTDBG_ENABLE |
								     KVM_GUESTDBG_SINGLESTEP});

	*rip = vm->run->debug.arch.pc;
	return outcome;
}

enum outcome vm_run_to(struct vm *vm, uint64_t address)
{
	const struct kvm_guest_debug debug = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP,
		.arch.debugreg = {[0] = address, [7] = DR7_EXECUTE_DR0},
	};
	enum outcome outcome;

	/* A step before this one may have left a trap to be taken. */
	do
		outcome = run_debugged(vm, debug);
	while (outcome == OUTCOME_STOPPED && vm->run->debug.arch.pc != address);
	return outcome;
}

enum outcome vm_finish(struct vm *vm, int64_t *result)
{
	set_debug(vm, (struct kvm_guest_debug){0});
	return run_to_end(vm, result);
}

enum outcome vm_resume(struct vm *vm, int64_t *result)
{
	vm->run->immediate_exit = 0;
	return run_to_end(vm, result);
}

void vm_send_ipi(struct vm *from, const struct vm *to, uint32_t command)
{
	const uint64_t arguments[3] = {to->number, command, 0};
	int64_t result;

	if (vm_call_at(from, guest_send_ipi, GUEST_TABLES, 0, arguments, &result) !=
	    OUTCOME_RETURNED) {
		errno = EIO;
		die("the interrupt command register");
	}
}

bool vm_was_reset(struct vm *vm)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs) || ioctl(vm->vcpu, KVM_GET_REGS, &regs))
		die("KVM_GET_SREGS");
	return (sregs.cr0 & ~CR0_CACHES) == RESET_CR0 && sregs.cs.base == RESET_CS_BASE &&
	       regs.rip == RESET_RIP;
}

static void do_nothing(int number)
{
	(void)number;
}

void vm_park(struct vm *vm, pthread_t thread)
{
	struct sigaction action = {.sa_handler = do_nothing};

	sigaction(SIGUSR1, &action, NULL);
	vm->run->immediate_exit = 1;
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
}

enum outcome vm_call(struct vm *vm, const char *function, uint64_t first, uint64_t second,
		     uint64_t third, int64_t *result)
{
	const uint64_t arguments[3] = {first, second, third};

	return vm_call_at(vm, function, GUEST_TABLES, 3, arguments, result);
}

uint64_t vm_mailbox(const struct vm *vm, unsigned int offset)
{
	return *(volatile uint64_t *)(vm->memory + GUEST_MAILBOX + offset);
}

uint64_t vm_dump(const struct vm *vm, unsigned int offset)
{
	return *(volatile uint64_t *)(vm->memory + GUEST_DUMP + offset);
}

int64_t vm_hypercall(struct vm *vm, uint32_t number, void *argument, uint32_t size)
{
	int64_t result;

	memcpy(vm->memory + GUEST_ARGUMENT, argument, size);
	if (vm_call(vm, guest_hypercall, ELISA_HYPERCALL(number), GUEST_ARGUMENT, size, &result) !=
	    OUTCOME_RETURNED)
		return INT64_MIN;
	memcpy(argument, vm->memory + GUEST_ARGUMENT, size);
	return result;
}

int64_t vm_gate(struct vm *vm, uint64_t operation, uint64_t first, uint64_t second)
{
	int64_t result;

	if (vm_call(vm, guest_gate, operation, first, second, &result) != OUTCOME_RETURNED)
		return INT64_MIN;
	return result;
}
