/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * trace.h - every instruction boundary of a guest function, the switch's part included, and a way to get
 * to each of them.
 *
 * One run of the function is stepped through. From then on a boundary is a place (struct point) to which a
 * run that takes the same way can be brought by a breakpoint: also that of another VM in another process.
 */
#ifndef ELISA_TEST_ATTACK_TRACE_H
#define ELISA_TEST_ATTACK_TRACE_H

#include "vmm.h"

/* Just before the instruction at `address` when the function comes there for the hit-th time, from 1. */
struct point {
	uint64_t address;
	uint32_t hit;
	uint32_t steps; /* further: of an instruction with REP that is half-way */
};

#define TRACE_MAX 8192

struct trace {
	uint32_t count;
	struct point points[TRACE_MAX]; /* in the order of the run */
};

/*
 * Steps through what vm_begin() began, to its end: how that was. Only boundaries in the contexts' window
 * are kept, from the call stub to the return stub. OUTCOME_OTHER: also if it has more than TRACE_MAX.
 */
enum outcome trace_record(struct trace *trace, struct vm *vm, int64_t *result);

/* Runs what vm_begin() began to the point. OUTCOME_STOPPED: it stands there; else how it ended instead. */
enum outcome trace_go(struct vm *vm, const struct point *point);

#endif
