/* SPDX-License-Identifier: BSD-3-Clause */
/* host_check.h - whether this host can carry a switch, and if not what to do about it. */
#ifndef ELISA_DAEMON_HOST_CHECK_H
#define ELISA_DAEMON_HOST_CHECK_H

#include "failure.h"

#include <elisa/uapi.h>

/*
 * Opens the module and asks it what the host offers. Returns the module's descriptor, the
 * caller's, or -errno with a message: the module is not loaded, has another version, or says that
 * the CPU or its settings lack something (unless that is side-channel immunity, and accepted).
 * Main thread.
 */
int elisa_host_check(bool accept_side_channels, struct elisa_info *info,
		     struct elisa_failure *failure);

/* Why a VM was refused, and what to do. A whole sentence's rest: "…because <text>". */
const char *elisa_refusal_text(uint32_t refusal);

#endif
