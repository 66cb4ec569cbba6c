/* SPDX-License-Identifier: BSD-3-Clause */
/* adopt.h - taking over what a daemon that has ended had: VMs, ports, uplinks. Main thread. */
#ifndef ELISA_DAEMON_ADOPT_H
#define ELISA_DAEMON_ADOPT_H

#include "daemon.h"

/*
 * The domain has been adopted. What is whole is taken over as it is, traffic flows meanwhile; what the
 * last daemon had half done is finished or removed, with a line in the log. Captures have ended. Uplinks
 * are taken down: elisa_adopt_uplinks() sets them up again.
 */
void elisa_adopt(struct elisa_daemon *daemon, struct elisa_kept *kept);

/*
 * After elisa_uplinks_open(): sets up uplinks again, under their names and numbers. The log tells of
 * those that cannot be had again.
 */
void elisa_adopt_uplinks(struct elisa_daemon *daemon, struct elisa_kept *kept);

#endif
