/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * connection.h - one connection to memcached: text protocol, requests pipelined. Requests are
 * answered in the order in which they were queued.
 */
#ifndef BENCH_CONNECTION_H
#define BENCH_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIPELINE 1024 /* unanswered requests of a connection, at most; a power of two */

struct request {
	uint64_t due; /* planned time, ns of CLOCK_MONOTONIC */
	uint32_t key;
	uint32_t version; /* of a SET: the one written; of a GET: the oldest that may come back */
	bool set;
	bool measured; /* due after the warm-up */
};

enum answer {
	ANSWER_STORED,
	ANSWER_HIT,
	ANSWER_MISS,
	ANSWER_WRONG_BYTES,
};

/* One answer; version: of an ANSWER_HIT. */
typedef void answered_fn(void *context, const struct request *request, enum answer answer,
			 uint32_t version);

struct connection {
	int fd; /* -1: not open */
	uint32_t key_size, value_size;
	char *out, *in; /* owned */
	size_t out_size, out_begin, out_end;
	size_t in_size, in_end;
	struct request requests[PIPELINE]; /* a ring: head is the oldest */
	uint32_t head, tail;
	uint64_t bytes_out, bytes_in;
};

/*
 * Connects, in at most `timeout` seconds; then the socket is non-blocking. 0, or -errno and the
 * connection is not open; connection_close() it either way. host and port are numeric.
 */
int connection_open(struct connection *connection, const char *host, const char *port,
		    uint32_t key_size, uint32_t value_size, double timeout);
void connection_close(struct connection *connection);

uint32_t connection_outstanding(const struct connection *connection);
const struct request *connection_oldest(const struct connection *connection);

/* Is there room for one more request? */
bool connection_has_room(const struct connection *connection);

/* Queues a request: the caller has seen that there is room. connection_flush() sends. */
void connection_queue(struct connection *connection, const struct request *request);

/* Writes what the socket takes. 1 when some is left, 0, or -errno: the connection is lost. */
int connection_flush(struct connection *connection);

/*
 * Reads what is there and reports each answer that is whole. 0, or -errno: the connection is lost.
 * -EPROTO: the server said something else than an answer to the oldest request.
 */
int connection_receive(struct connection *connection, answered_fn *answered, void *context);

#endif
