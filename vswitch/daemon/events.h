/* SPDX-License-Identifier: BSD-3-Clause */
/* events.h - what the module tells of, and VMs that end. Main thread, under the daemon's lock. */
#ifndef ELISA_DAEMON_EVENTS_H
#define ELISA_DAEMON_EVENTS_H

#include "daemon.h"

/*
 * Handles all events that wait, without blocking. Called before each request too, so that an index
 * of a vCPU is never given anew while an event about its last holder waits.
 */
void elisa_events_handle(struct elisa_daemon *daemon);

/*
 * Finds out by looking what events would have told of, when there are none: after an overflow, and for a
 * switch that was adopted.
 */
void elisa_events_resynchronize(struct elisa_daemon *daemon);

/* Removes the ports of VMs whose VMM's process is gone. Call elisa_events_handle() first. */
void elisa_events_reap(struct elisa_daemon *daemon);

#endif
