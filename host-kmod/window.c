// SPDX-License-Identifier: GPL-2.0-only
/* window.c - which parts of the window's MEMORY area are taken: first fit. Called by port.c. */
#include <linux/slab.h>
#include <elisa/layout.h>

#include "window.h"

struct taken {
	struct list_head link;
	u64 start;
	u64 end;
};

void elisa_window_init(struct elisa_window *window)
{
	INIT_LIST_HEAD(&window->ranges);
}

static u64 align_like(u64 offset, u64 like)
{
	return offset + ((like - offset) & (ELISA_HUGE_PAGE_SIZE - 1));
}

int elisa_window_take(struct elisa_window *window, u64 length, u64 like, u64 *offset)
{
	u64 start = align_like(ELISA_OFFSET_MEMORY, like);
	struct taken *taken, *next;

	if (length > ELISA_WINDOW_SIZE)
		return -ENOSPC;
	list_for_each_entry(next, &window->ranges, link) {
		if (start + length <= next->start)
			break;
		start = align_like(next->end, like);
	}
	if (start + length > ELISA_WINDOW_SIZE)
		return -ENOSPC;
	taken = kmalloc(sizeof(*taken), GFP_KERNEL_ACCOUNT);
	if (!taken)
		return -ENOMEM;
	taken->start = start;
	taken->end = start + length;
	list_add_tail(&taken->link, &next->link);
	*offset = start;
	return 0;
}

void elisa_window_give(struct elisa_window *window, u64 offset)
{
	struct taken *taken;

	list_for_each_entry(taken, &window->ranges, link) {
		if (taken->start == offset) {
			list_del(&taken->link);
			kfree(taken);
			return;
		}
	}
}
