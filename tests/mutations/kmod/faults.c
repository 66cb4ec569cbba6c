// SPDX-License-Identifier: BSD-3-Clause
/*
 * faults.c - see faults.h. A test writes `allocations` := 0 and `fail_at` := n: the n-th allocation
 * from then on fails, once. `allocations` says how many there have been.
 */
#include <linux/module.h>
#include <linux/spinlock.h>
#include <linux/types.h>

bool elisa_test_fails(void);

static DEFINE_SPINLOCK(lock);
static unsigned long fail_at;
static unsigned long allocations;
module_param(fail_at, ulong, 0644);
module_param(allocations, ulong, 0644);

bool elisa_test_fails(void)
{
	unsigned long flags;
	bool fails;

	spin_lock_irqsave(&lock, flags);
	fails = ++allocations == fail_at;
	spin_unlock_irqrestore(&lock, flags);
	return fails;
}
