// SPDX-License-Identifier: BSD-3-Clause
/* trace.c - see trace.h. */
#include "trace.h"

#include <sys/ioctl.h>

static bool is_in_window(uint64_t address)
{
	return address - ELISA_WINDOW_GVA < ELISA_WINDOW_SIZE;
}

static void add(struct trace *trace, uint64_t address, uint64_t before)
{
	struct point *point = &trace->points[trace->count];

	*point = (struct point){.address = address, .hit = 1};
	if (address == before) {
		*point = point[-1];
		point->steps++;
	} else {
		for (uint32_t i = 0; i < trace->count; i++)
			point->hit +=
				trace->points[i].address == address && !trace->points[i].steps;
	}
	trace->count++;
}

/* The last step's, which the next function would meet. */
static void take_trap(struct vm *vm)
{
	const uint64_t arguments[3] = {0};
	int64_t result;

	vm_begin(vm, vm_code_address(guest_returned), GUEST_TABLES, 3, arguments);
	vm_finish(vm, &result);
}

enum outcome trace_record(struct trace *trace, struct vm *vm, int64_t *result)
{
	enum outcome outcome = OUTCOME_STOPPED;
	uint64_t before = 0, rip;
	struct kvm_regs regs;

	trace->count = 0;
	while (outcome == OUTCOME_STOPPED && trace->count < TRACE_MAX) {
		outcome = vm_step(vm, &rip);
		if (outcome != OUTCOME_STOPPED)
			break;
		if (is_in_window(rip))
			add(trace, rip, before);
		before = rip;
	}
	if (ioctl(vm->vcpu, KVM_GET_REGS, &regs))
		die("KVM_GET_REGS");
	*result = (int64_t)regs.rax;
	take_trap(vm);
	return outcome == OUTCOME_STOPPED ? OUTCOME_OTHER : outcome;
}

enum outcome trace_go(struct vm *vm, const struct point *point)
{
	enum outcome outcome = OUTCOME_STOPPED;
	uint64_t rip;

	for (uint32_t i = 0; i < point->hit && outcome == OUTCOME_STOPPED; i++) {
		/* Away from it: the breakpoint would be met where it was met last. */
		if (i)
			outcome = vm_step(vm, &rip);
		if (outcome == OUTCOME_STOPPED)
			outcome = vm_run_to(vm, point->address);
	}
	for (uint32_t i = 0; i < point->steps && outcome == OUTCOME_STOPPED; i++)
		outcome = vm_step(vm, &rip);
	return outcome;
}
