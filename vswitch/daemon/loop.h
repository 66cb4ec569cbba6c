/* SPDX-License-Identifier: BSD-3-Clause */
/* loop.h - waiting for whatever comes next. Main thread. */
#ifndef ELISA_DAEMON_LOOP_H
#define ELISA_DAEMON_LOOP_H

#include "control.h"
#include "daemon.h"

/* Of elisa_loop_run(): end, leave all as it is, and be started again. */
#define ELISA_LOOP_LEAVE 1

/* Blocks the signals that end the daemon, in this thread and all made after. A signalfd, -errno. */
int elisa_loop_block_signals(void);

/*
 * Serves clients, events, VMs that end and the ageing of addresses, until a signal comes to
 * `signals`, which is told in the log. Takes the daemon's lock while it works. 0: told to end.
 * ELISA_LOOP_LEAVE: told by SIGHUP, and somebody keeps what it has (store.h). -errno.
 */
int elisa_loop_run(struct elisa_daemon *daemon, struct elisa_control *control, int signals);

#endif
