/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * daemon.h - everything that one elisa-switchd has, and the one lock over it.
 *
 * The main thread does all the work: it holds `lock` except while it waits in poll(). DPDK's
 * telemetry threads take it to read.
 */
#ifndef ELISA_DAEMON_DAEMON_H
#define ELISA_DAEMON_DAEMON_H

#include "capture.h"
#include "domain.h"
#include "failure.h"
#include "options.h"
#include "ports.h"
#include "uplinks.h"
#include "vms.h"

#include <pthread.h>
#include <time.h>

struct elisa_daemon {
	pthread_mutex_t lock;
	struct elisa_options options;
	struct elisa_domain domain;
	struct elisa_vms vms;
	struct elisa_ports ports;
	struct elisa_captures captures;
	struct elisa_uplinks uplinks;
	struct timespec started;                   /* CLOCK_MONOTONIC */
	struct elisa_clock_reading clock_at_start; /* tsc.h */
	bool adopted;                              /* the switch, from a daemon before this one */
	bool events_failed; /* the module's events cannot be read: do not wait for them */
};

/*
 * Makes the switch, without a port; or takes over the one that `kept` has, as it is. `proc` is "/proc",
 * see vm_find.h. All or nothing: a switch that was not taken over goes on, and is still kept.
 */
int elisa_daemon_open(struct elisa_daemon *daemon, const struct elisa_options *options,
		      const char *proc, struct elisa_kept *kept, struct elisa_failure *failure);

/* Removes all ports and uplinks, detaches all VMs and takes the switch down: nothing stays pinned. */
void elisa_daemon_close(struct elisa_daemon *daemon);

/*
 * Ends, and leaves ports and VMs as they are for the next daemon, which is to adopt them. NICs are given
 * back and captures end.
 */
void elisa_daemon_leave(struct elisa_daemon *daemon);

/* As elisa_ports_remove(), and looks after NICs that vCPUs of the VM had a queue of. */
void elisa_daemon_remove_port(struct elisa_daemon *daemon, struct elisa_port *port);

/* The port or uplink that has a number of the switch: its name, or NULL. */
const char *elisa_daemon_port_name(struct elisa_daemon *daemon, unsigned int number);

/* The number of the port or uplink of this name, or -ENOENT. */
int elisa_daemon_port_number(struct elisa_daemon *daemon, const char *name);

#endif
