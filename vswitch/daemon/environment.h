/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * environment.h - DPDK's environment (EAL): started once, for telemetry or for uplinks.
 *
 * Main thread, before the first use of DPDK and after the last.
 */
#ifndef ELISA_DAEMON_ENVIRONMENT_H
#define ELISA_DAEMON_ENVIRONMENT_H

#include "failure.h"
#include "options.h"

/*
 * As little of it as there can be, under the file prefix "elisa-NAME"; with uplinks also hugepages
 * and the PCI bus, but no device. All signals have to be blocked: DPDK starts threads. -ENOTSUP with
 * a message.
 */
int elisa_environment_start(const struct elisa_options *options, struct elisa_failure *failure);

/* Nothing if it was not started. */
void elisa_environment_stop(void);

#endif
