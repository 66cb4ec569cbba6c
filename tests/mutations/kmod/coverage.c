// SPDX-License-Identifier: BSD-3-Clause
/*
 * coverage.c - see coverage.h. Edges are known by a hash of two return addresses, so that some meet; by
 * their distance from each other, so that it is the same hash wherever the module was loaded.
 *
 * Called by the code that -fsanitize-coverage=trace-pc puts into each basic block, and by domain.c.
 */
#include <linux/bitmap.h>
#include <linux/hash.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "coverage.h"

#define EDGE_BITS 16

void __sanitizer_cov_trace_pc(void);
long elisa_test_coverage(void __user *user);

static DECLARE_BITMAP(seen, 1 << EDGE_BITS);
static struct task_struct *recorder; /* NULL: nobody */
static u32 nb_edges, previous;       /* the recorder's own */

/* What interrupts does is not the thread's. */
void notrace __sanitizer_cov_trace_pc(void)
{
	u32 here, edge;

	if (current != READ_ONCE(recorder) || !in_task())
		return;
	here = hash_long(_RET_IP_ - (unsigned long)__sanitizer_cov_trace_pc, EDGE_BITS);
	edge = here ^ previous;
	previous = here >> 1;
	if (!__test_and_set_bit(edge, seen))
		nb_edges++;
}

long elisa_test_coverage(void __user *user)
{
	struct elisa_test_coverage argument;

	if (copy_from_user(&argument, user, sizeof(argument)))
		return -EFAULT;
	WRITE_ONCE(recorder, NULL);
	if (argument.record == ELISA_TEST_RECORD_FROM_0) {
		bitmap_zero(seen, 1 << EDGE_BITS);
		nb_edges = 0;
	}
	argument.nb_edges = nb_edges;
	if (copy_to_user(user, &argument, sizeof(argument)))
		return -EFAULT;
	previous = 0;
	WRITE_ONCE(recorder, argument.record == ELISA_TEST_RECORD_STOP ? NULL : current);
	return 0;
}
