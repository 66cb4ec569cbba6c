/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vmm.h - a virtual machine with the bare guest of guest.S, driven function by function.
 *
 * A failure that is not a test's subject (no KVM, no memory) ends the process with a message.
 */
#ifndef ELISA_TEST_VMM_H
#define ELISA_TEST_VMM_H

#include <elisa/hypercall.h>
#include <elisa/layout.h>
#include <elisa/uapi.h>
#include <elisa/version.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "guest.h"
#include "image.h"

struct vm {
	int fd;
	int vcpu;
	struct kvm_run *run;
	unsigned int number; /* of the vCPU */
	uint8_t *memory;     /* GUEST_MEMORY bytes */
};

/* How a guest function ended. */
enum outcome {
	OUTCOME_RETURNED,
	OUTCOME_FAULT,   /* an exception; see the mailbox */
	OUTCOME_PARKED,  /* it was not to run any more: vm_park() */
	OUTCOME_STOPPED, /* at an instruction: vm_step(), vm_run_to() */
	OUTCOME_OTHER,   /* KVM gave up: exit_reason in vm->run */
};

/* From guest.S. */
extern const char guest_hypercall[], guest_gate[], guest_gate_loop[], guest_gate_registers[],
	guest_vmfunc[], guest_gate_timer[], guest_load[], guest_lidt_gate[], guest_lgdt_gate[],
	guest_lldt_gate[], guest_ltr_gate[], guest_gate_fs[], guest_gate_cr4[], guest_rdtsc[],
	guest_returned[], guest_gate_vmcall[], guest_vmcall_loop[], guest_send_ipi[];

/* Where the guest has it. */
uint64_t vm_code_address(const char *label);

void vm_create(struct vm *vm);
void vm_destroy(struct vm *vm);

/*
 * One more vCPU of the same VM, as a struct vm of its own: same memory, stacks of its own, one mailbox
 * for both, so that of two that fault one is not heard. Before the VM is attached, or it has no contexts. To be
 * destroyed first.
 */
void vm_add_vcpu(struct vm *first, struct vm *vm);

/* Runs a guest function in ring 3 (or 0) with the page table at `root`; *result = RAX. */
enum outcome vm_call_at(struct vm *vm, const char *function, uint64_t root, int ring,
			const uint64_t arguments[3], int64_t *result);

/*
 * The same in parts, for functions at any address, stopped on the way: vm_begin(), then any of vm_step()
 * (one instruction, wherever it is: also inside), vm_run_to() (until the instruction at `address` is
 * next; not if it is next already), and vm_finish().
 */
void vm_begin(struct vm *vm, uint64_t function, uint64_t root, int ring,
	      const uint64_t arguments[3]);
enum outcome vm_step(struct vm *vm, uint64_t *rip);
enum outcome vm_run_to(struct vm *vm, uint64_t address);
enum outcome vm_finish(struct vm *vm, int64_t *result);

/* The usual case: ring 3, the page table that says hello. */
enum outcome vm_call(struct vm *vm, const char *function, uint64_t first, uint64_t second,
		     uint64_t third, int64_t *result);

/* What one vCPU writes, in ring 0, to make an interrupt of the other; START_UP: at page `page`. */
#define IPI_INIT 0x4500u
#define IPI_START_UP(page) (0x4600u | (page))
void vm_send_ipi(struct vm *from, const struct vm *to, uint32_t command);

/* Does it stand where INIT leaves a vCPU that is the first? */
bool vm_was_reset(struct vm *vm);

/*
 * `thread` is in a vm_call(), which ends with OUTCOME_PARKED, or with what it has just come to, and the
 * thread with it: the vCPU stands where it stood, and nobody runs it.
 */
void vm_park(struct vm *vm, pthread_t thread);

/* Runs a parked vCPU on: what vm_call() would have returned. */
enum outcome vm_resume(struct vm *vm, int64_t *result);

/* A word of the mailbox, of the dump. */
uint64_t vm_mailbox(const struct vm *vm, unsigned int offset);
uint64_t vm_dump(const struct vm *vm, unsigned int offset);

/* A hypercall with an argument structure, which is copied in before and out after. */
int64_t vm_hypercall(struct vm *vm, uint32_t number, void *argument, uint32_t size);

/* A gate call that is expected to return. INT64_MIN if it did not. */
int64_t vm_gate(struct vm *vm, uint64_t operation, uint64_t first, uint64_t second);

/* The test's side of /dev/elisa: a domain with the test's image and some switch memory. */
struct host {
	int device;
	int domain;
	uint64_t *memory; /* at ELISA_OFFSET_SWITCH */
	uint64_t length;  /* of it, bytes */
};

void host_open(struct host *host); /* with one page */
void host_open_with(struct host *host, uint64_t length);
void host_close(struct host *host);
int host_attach(struct host *host, int kvm_fd, struct elisa_vm_attach *argument);
int host_port_add(int vm_fd, uint32_t number, const char *name);
struct elisa_info host_info(struct host *host);
struct elisa_vcpu_stats host_stats(int vm_fd);
int host_stats_error(int vm_fd); /* the errno of asking */
int host_reopen(struct host *host, uint32_t vcpu);
uint32_t host_prove(struct host *host);

/* 0 or the errno. */
int host_map(struct host *host, const volatile void *address, uint64_t length, uint64_t offset,
	     uint32_t access);
int host_unmap(struct host *host, uint64_t offset, uint64_t length);
int host_evict(struct host *host, uint32_t vcpu);

/* The next event within a second, or type 0. */
struct elisa_event host_event(struct host *host);

/* Was the module loaded with vmcall_gate=1? */
bool host_offers_vmcall(void);

/* What a test says whose condition does not hold: that, and what was seen. Valid until the next call. */
const char *not_so(const char *condition, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void die(const char *what) __attribute__((noreturn));

#endif
