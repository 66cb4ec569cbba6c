/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * confine.h - what elisa-switchd gives away for good once it does not need it any more.
 *
 * Called by main.c, in this order, each once. docs/hardening.md has the whole.
 */
#ifndef ELISA_DAEMON_CONFINE_H
#define ELISA_DAEMON_CONFINE_H

#include "failure.h"

#include <stdbool.h>

/*
 * Of the process: no core dump, no debugger without CAP_SYS_PTRACE, no privilege gained by exec, files
 * for this user only. Before anything of a guest or a client is in memory. -errno as the kernel says.
 */
int elisa_confine_process(struct elisa_failure *failure);

/*
 * Of this thread and those it makes from now on: every capability but those that adding ports needs,
 * and, with `uplinks`, what DPDK needs to set up a NIC. One that is missing is not asked for. Before
 * DPDK makes its threads.
 */
int elisa_confine_capabilities(bool uplinks, struct elisa_failure *failure);

/*
 * Of all threads: every system call that is not in the table of confine_calls.c. One that is not gets
 * EPERM; one that only an attack makes ends the process with SIGSYS. After the control socket is there:
 * no other can be bound. Needs elisa_confine_process().
 */
int elisa_confine_calls(bool uplinks, struct elisa_failure *failure);

#endif
