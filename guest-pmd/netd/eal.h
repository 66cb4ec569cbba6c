/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * eal.h - DPDK's environment, with the arguments that this program needs.
 *
 * Called by main(), once.
 */
#ifndef NETD_EAL_H
#define NETD_EAL_H

#include "options.h"

/*
 * Starts DPDK with one lcore for each queue of each port and one for main(); they may run on every
 * CPU that the process may. One line says why it failed.	-ENOMEM	too few hugepages
 */
int netd_eal_start(const struct netd_options *options);

/* More CPUs than workers? */
bool netd_eal_has_cpu_for_each(const struct netd_options *options);

#endif
