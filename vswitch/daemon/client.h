/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * client.h - one connection of the control socket: lines in, lines out, never blocking.
 *
 * A client that does not read its answers is not read from either, so what it can make the daemon
 * keep is one request and one answer. Main thread.
 */
#ifndef ELISA_DAEMON_CLIENT_H
#define ELISA_DAEMON_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define ELISA_CLIENT_IDLE_SECONDS 30

struct elisa_client {
	int fd;       /* -1: free */
	char *input;  /* ELISA_REQUEST_MAX bytes */
	size_t got;   /* bytes in input */
	char *output; /* an answer under way, or NULL */
	size_t left;  /* bytes of it still to send */
	size_t sent;
	bool last;       /* close when the answer is out */
	bool ended;      /* the peer sends no more; it may still wait for answers */
	time_t deadline; /* monotonic seconds: a client idle until then is closed */
};

/* Takes the descriptor over (it is made non-blocking). -ENOMEM: the descriptor is closed. */
int elisa_client_open(struct elisa_client *client, int fd, time_t now);
void elisa_client_close(struct elisa_client *client);

/* Forgets the client; its descriptor is the caller's. */
void elisa_client_release(struct elisa_client *client);

/* What poll() has to wait for: POLLIN or POLLOUT. */
short elisa_client_waits_for(const struct elisa_client *client);

/*
 * Reads what there is. Call it when POLLIN or POLLHUP is told. False: close the client.
 */
bool elisa_client_read(struct elisa_client *client);

/* The length of the request that is whole in `input` (without its newline), or -1. */
long elisa_client_request(const struct elisa_client *client);

/* Whether the input is full without a whole request in it. */
bool elisa_client_overlong(const struct elisa_client *client);

/* Drops the request from the input, and begins to send `answer`, which it takes over. */
void elisa_client_answer(struct elisa_client *client, char *answer, time_t now);

/* Sends what the peer takes. False: close the client. */
bool elisa_client_write(struct elisa_client *client, time_t now);

#endif
