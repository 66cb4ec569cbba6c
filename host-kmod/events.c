// SPDX-License-Identifier: GPL-2.0-only
/* events.c - a domain's queue of events for the daemon. Called by whoever has news, and domain.c. */
#include <linux/fs.h>
#include <linux/uaccess.h>

#include "events.h"

void elisa_events_init(struct elisa_events *events)
{
	spin_lock_init(&events->lock);
	init_waitqueue_head(&events->wait);
	INIT_KFIFO(events->queue);
}

void elisa_events_post(struct elisa_events *events, u32 type, u32 port, u32 vcpu, u32 reason)
{
	struct elisa_event event = {
		.type = type,
		.port = port,
		.vcpu = vcpu,
		.reason = reason,
	};
	unsigned long flags;

	spin_lock_irqsave(&events->lock, flags);
	if (events->overflow)
		event.flags = ELISA_EVENT_OVERFLOW;
	events->overflow = !kfifo_put(&events->queue, event);
	spin_unlock_irqrestore(&events->lock, flags);
	wake_up_interruptible(&events->wait);
}

static bool take(struct elisa_events *events, struct elisa_event *event)
{
	unsigned long flags;
	bool taken;

	spin_lock_irqsave(&events->lock, flags);
	taken = kfifo_get(&events->queue, event);
	/* There may be no next one to tell of what was lost behind the last one. */
	if (taken && events->overflow && kfifo_is_empty(&events->queue)) {
		event->flags |= ELISA_EVENT_OVERFLOW;
		events->overflow = false;
	}
	spin_unlock_irqrestore(&events->lock, flags);
	return taken;
}

ssize_t elisa_events_read(struct elisa_events *events, struct file *file, char __user *buffer,
			  size_t size)
{
	struct elisa_event event;
	size_t done = 0;
	int error;

	if (size < sizeof(event))
		return -EINVAL;
	while (size - done >= sizeof(event)) {
		if (!take(events, &event)) {
			if (done)
				break;
			if (file->f_flags & O_NONBLOCK)
				return -EAGAIN;
			error = wait_event_interruptible(events->wait,
							 !kfifo_is_empty(&events->queue));
			if (error)
				return error;
			continue;
		}
		if (copy_to_user(buffer + done, &event, sizeof(event)))
			return done ? done : -EFAULT;
		done += sizeof(event);
	}
	return done;
}

__poll_t elisa_events_poll(struct elisa_events *events, struct file *file, poll_table *table)
{
	poll_wait(file, &events->wait, table);
	return kfifo_is_empty(&events->queue) ? 0 : EPOLLIN | EPOLLRDNORM;
}
