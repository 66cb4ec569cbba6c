/* SPDX-License-Identifier: BSD-3-Clause */
/* monitor_store.h - the receiving end of store.h, for monitor.c: a socket, and what came in by it. */
#ifndef ELISA_DAEMON_MONITOR_STORE_H
#define ELISA_DAEMON_MONITOR_STORE_H

#include "failure.h"
#include "kept.h"
#include "options.h"

#include <sys/types.h>

struct elisa_monitor_store {
	int socket; /* poll it */
	char path[ELISA_SOCKET_SIZE];
	struct elisa_kept kept;
};

/* A socket beside the control socket `beside`, for this user only. */
int elisa_monitor_store_open(struct elisa_monitor_store *store, const char *beside,
			     struct elisa_failure *failure);
void elisa_monitor_store_close(struct elisa_monitor_store *store);

/* Does what messages of the process `child` say, until there are no more. Others' are thrown away. */
void elisa_monitor_store_receive(struct elisa_monitor_store *store, pid_t child);

/* In a child between fork() and execv(): hands it all that is kept. False: it cannot. */
bool elisa_monitor_store_pass(const struct elisa_monitor_store *store);

#endif
