/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control.h - the control socket: who may connect, how many, and whose turn it is.
 *
 * Main thread. elisa_control_serve() runs under the daemon's lock.
 */
#ifndef ELISA_DAEMON_CONTROL_H
#define ELISA_DAEMON_CONTROL_H

#include "client.h"
#include "daemon.h"
#include "failure.h"

#include <poll.h>

#define ELISA_CLIENTS_MAX 16u

struct elisa_control {
	int listener; /* or -1 */
	int reserve;  /* a descriptor given up to turn a client away when there are no others */
	char path[ELISA_SOCKET_SIZE]; /* empty: nothing to remove */
	struct elisa_client clients[ELISA_CLIENTS_MAX];
};

/* Without a listener: clients only come by elisa_control_adopt(). */
void elisa_control_init(struct elisa_control *control);

/*
 * Listens on `path`, mode 0600, in a directory that is made (0755) if it is not there. A socket
 * that a daemon left which is gone is replaced. -EADDRINUSE: another daemon answers there.
 */
int elisa_control_listen(struct elisa_control *control, const char *path,
			 struct elisa_failure *failure);

/*
 * Binds a socket to `path`, mode 0600, in a directory that is made (0755) if it is not there. 0 or
 * -errno.
 */
int elisa_bind_private(int fd, const char *path);

/* Removes the socket and closes all clients. */
void elisa_control_close(struct elisa_control *control);

/* Serves a connected socket, which it takes over; full: the peer is told and it is closed. */
void elisa_control_adopt(struct elisa_control *control, int fd, time_t now);

/* Number of entries filled for poll(): 1 + ELISA_CLIENTS_MAX, unused ones with fd -1. */
#define ELISA_CONTROL_POLLS (1u + ELISA_CLIENTS_MAX)
void elisa_control_polls(const struct elisa_control *control, struct pollfd *polls);

/*
 * Does what poll() told of: takes clients in, reads, answers at most one request of each client,
 * writes, closes those past their deadline. Returns whether another request waits already, so that
 * the next poll() must not wait.
 */
bool elisa_control_serve(struct elisa_control *control, struct elisa_daemon *daemon,
			 const struct pollfd *polls, time_t now);

#endif
