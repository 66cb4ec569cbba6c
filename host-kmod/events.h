/* SPDX-License-Identifier: GPL-2.0-only */
/* events.h - a domain's queue of events for the daemon. */
#ifndef ELISA_KMOD_EVENTS_H
#define ELISA_KMOD_EVENTS_H

#include <linux/kfifo.h>
#include <linux/poll.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <elisa/uapi.h>

#define ELISA_EVENT_NONE 0xffffffffu /* no port, no vCPU */
#define ELISA_EVENTS 256

struct elisa_events {
	spinlock_t lock; /* both ends of the queue */
	bool overflow;
	wait_queue_head_t wait;
	DECLARE_KFIFO(queue, struct elisa_event, ELISA_EVENTS);
};

void elisa_events_init(struct elisa_events *events);

/* Any context. A full queue loses the event; the next one that fits, or the last one read, says so. */
void elisa_events_post(struct elisa_events *events, u32 type, u32 port, u32 vcpu, u32 reason);

/* read() and poll() of the domain's file. */
ssize_t elisa_events_read(struct elisa_events *events, struct file *file, char __user *buffer,
			  size_t size);
__poll_t elisa_events_poll(struct elisa_events *events, struct file *file, poll_table *table);

#endif
