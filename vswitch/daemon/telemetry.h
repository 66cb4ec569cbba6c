/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * telemetry.h - DPDK's telemetry socket: /elisa/ports, /elisa/port,NAME and /elisa/fdb.
 *
 * The switch needs none of it: without telemetry everything else works.
 */
#ifndef ELISA_DAEMON_TELEMETRY_H
#define ELISA_DAEMON_TELEMETRY_H

#include "daemon.h"

/*
 * Registers the commands, which then run in DPDK's threads and take the daemon's lock. Main thread,
 * once, after elisa_environment_start(). -ENOTSUP with a message.
 */
int elisa_telemetry_start(struct elisa_daemon *daemon, struct elisa_failure *failure);

/* No command touches the daemon after this. Without the daemon's lock. */
void elisa_telemetry_stop(void);

#endif
