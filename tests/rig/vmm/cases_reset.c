// SPDX-License-Identifier: BSD-3-Clause
/* cases_reset.c - a vCPU that is inside is reset: by INIT from another vCPU, or by its VMM. */
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cases.h"

#define MEMORY_GVA ELISA_GVA(ELISA_OFFSET_SWITCH)

struct caller {
	struct setup setup;
	pthread_t thread;
	enum outcome outcome;
	int64_t result;
};

static void *call(void *argument)
{
	struct caller *caller = argument;

	caller->outcome =
		vm_call(&caller->setup.vm, guest_gate, IMAGE_WAIT, MEMORY_GVA, 0, &caller->result);
	return NULL;
}

static void *go_on(void *argument)
{
	struct caller *caller = argument;

	caller->outcome = vm_resume(&caller->setup.vm, &caller->result);
	return NULL;
}

static void start(struct caller *caller, void *(*function)(void *))
{
	if (pthread_create(&caller->thread, NULL, function, caller))
		die("pthread_create");
}

static void call_and_wait(struct caller *caller)
{
	start(caller, call);
	while (!*(volatile uint64_t *)caller->setup.host.memory)
		usleep(1000);
}

/* It waits until the vCPU has returned, and is taken then. */
const char *case_init_while_inside(void)
{
	struct elisa_vcpu_stats before, after;
	struct caller caller;
	struct setup *setup = &caller.setup;
	struct vm other;

	setup_hello(setup);
	vm_add_vcpu(&setup->vm, &other);
	before = host_stats(setup->vm_fd);
	call_and_wait(&caller);
	vm_send_ipi(&other, &setup->vm, IPI_INIT);
	usleep(20000);
	setup->host.memory[1] = 5;
	pthread_join(caller.thread, NULL);
	after = host_stats(setup->vm_fd);
	CHECK(caller.outcome == OUTCOME_OTHER && vm_was_reset(&setup->vm),
	      "outcome %d, result %lld", caller.outcome, (long long)caller.result);
	CHECK(after.traps == before.traps + 1 && after.recoveries == before.recoveries,
	      "%llu traps, %llu recoveries", (unsigned long long)(after.traps - before.traps),
	      (unsigned long long)(after.recoveries - before.recoveries));
	CHECK(after.held == ELISA_HELD_NOT, "held %llu", (unsigned long long)after.held);
	CHECK(vm_gate(&setup->vm, IMAGE_SUM, 1, 2) == 3, "afterwards");
	vm_destroy(&other);
	return setup_end(setup);
}

static int set_state(struct vm *vm, uint32_t state)
{
	struct kvm_mp_state argument = {.mp_state = state};

	return ioctl(vm->vcpu, KVM_SET_MP_STATE, &argument);
}

/* A VMM that resets its VM lets all vCPUs but the first wait for INIT: nobody else is to wait for them. */
const char *case_waiting_inside(void)
{
	struct elisa_event event;
	struct caller caller;
	struct setup *setup = &caller.setup;

	setup_hello(setup);
	call_and_wait(&caller);
	vm_park(&setup->vm, caller.thread);
	CHECK(caller.outcome == OUTCOME_PARKED, "outcome %d", caller.outcome);
	CHECK(set_state(&setup->vm, KVM_MP_STATE_INIT_RECEIVED) == -1 && errno == EINVAL,
	      "it waits at once, %d", errno);
	CHECK(!set_state(&setup->vm, KVM_MP_STATE_UNINITIALIZED) &&
		      !set_state(&setup->vm, KVM_MP_STATE_INIT_RECEIVED),
	      "it cannot be made to wait");
	start(&caller, go_on);
	do
		event = host_event(&setup->host);
	while (event.type && event.type != ELISA_EVENT_VCPU_RECOVERED);
	CHECK(event.type && event.vcpu == 0 && event.reason == ELISA_AT_ENTRY,
	      "event %u, vCPU %u, reason %#x", event.type, event.vcpu, event.reason);
	CHECK(host_stats(setup->vm_fd).held == ELISA_HELD_THROWN_OUT, "held %llu",
	      (unsigned long long)host_stats(setup->vm_fd).held);
	CHECK(host_reopen(&setup->host, 0) == 0, "reopen");
	vm_park(&setup->vm, caller.thread);
	CHECK(!set_state(&setup->vm, KVM_MP_STATE_RUNNABLE), "it cannot be made to run");
	CHECK(vm_resume(&setup->vm, &caller.result) == OUTCOME_FAULT &&
		      vm_mailbox(&setup->vm, GUEST_FAULT_VECTOR) == 13,
	      "it went on inside");
	CHECK(hello(&setup->vm) == 0 && vm_gate(&setup->vm, IMAGE_SUM, 1, 2) == 3, "afterwards");
	return setup_end(setup);
}
