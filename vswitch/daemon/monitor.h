/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * monitor.h - elisa-switchd --monitor: a parent of the daemon that keeps its descriptors (store.h) and
 * starts it again, for hosts where systemd does not do that.
 *
 * It knows nothing of switches, and reads nothing but signals and what its child sends.
 */
#ifndef ELISA_DAEMON_MONITOR_H
#define ELISA_DAEMON_MONITOR_H

#include "options.h"

/* The daemon's exit status that asks to be started again, with what it had kept. */
#define ELISA_EXIT_RESTART 75

/*
 * Runs this process's program file with the same arguments as a child, again and again, until it ends in
 * order or is told to end. A child that keeps dying is started ever later, a minute apart at most. Returns
 * the exit status of this process. The switch is gone when it returns.
 */
int elisa_monitor_run(const struct elisa_options *options, char **argv);

/* Whether this process was started by a monitor. */
bool elisa_monitor_is_parent(void);

#endif
