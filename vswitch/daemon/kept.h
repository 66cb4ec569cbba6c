/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kept.h - what the last daemon had kept (store.h), as this process was started with it: systemd's
 * protocol for passing descriptors (sd_listen_fds(3)). Main thread.
 */
#ifndef ELISA_DAEMON_KEPT_H
#define ELISA_DAEMON_KEPT_H

#include "store.h"

/* Of domain, VMs, ports and uplinks: more than there can be. */
#define ELISA_KEPT_MAX 512u

struct elisa_kept_fd {
	int fd; /* -1: taken */
	char name[ELISA_KEPT_NAME_SIZE];
};

struct elisa_kept {
	unsigned int nb;
	struct elisa_kept_fd fds[ELISA_KEPT_MAX];
};

/* The descriptors of one thing, told apart by what they are; -1: not there. */
struct elisa_kept_thing {
	int record;
	int memory; /* the switch's */
	int pidfd;  /* a VM's */
	int object; /* the module's */
};

/* Takes what this process was started with. Once. */
void elisa_kept_open(struct elisa_kept *kept);

/* Takes a thing out of it, the caller's from now on. False: there is nothing of it. */
bool elisa_kept_take(struct elisa_kept *kept, enum elisa_kept_kind kind, unsigned int number,
		     struct elisa_kept_thing *thing);

/* Closes a thing's descriptors without revoking anything. */
void elisa_kept_close_thing(const struct elisa_kept_thing *thing);

/* Revokes the object, closes all of the thing, and has it dropped from the store. */
void elisa_kept_discard(enum elisa_kept_kind kind, unsigned int number,
			const struct elisa_kept_thing *thing);

/* Closes what nobody took and has it dropped from the store: the log tells of each. */
void elisa_kept_drop_rest(struct elisa_kept *kept);

#endif
