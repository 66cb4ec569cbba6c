/* SPDX-License-Identifier: GPL-2.0-only */
/* window.h - which parts of the window's MEMORY area are taken. One caller at a time. */
#ifndef ELISA_KMOD_WINDOW_H
#define ELISA_KMOD_WINDOW_H

#include <linux/list.h>
#include <linux/types.h>

struct elisa_window {
	struct list_head ranges; /* by offset */
};

void elisa_window_init(struct elisa_window *window);

/*
 * Take `length` bytes (page-aligned), at an offset that has `like`'s place in its 2 MiB, so that
 * huge pages can stay whole. -ENOSPC, -ENOMEM.
 */
int elisa_window_take(struct elisa_window *window, u64 length, u64 like, u64 *offset);

/* Give back what elisa_window_take() gave. */
void elisa_window_give(struct elisa_window *window, u64 offset);

#endif
