/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * load.h - sends the planned requests over the connections and judges the answers.
 *
 * A GET goes to the connections in turn; the SETs of a key all go over one connection, so they take
 * effect in the order of their versions. A GET must then bring a version that is not older than
 * the last one acknowledged before it was queued, and not newer than the last one sent.
 *
 * A connection that is lost is not opened again: what was unanswered on it is counted as errors,
 * the others go on.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/memcached/connection.h"
#include "bench/memcached/options.h"
#include "bench/memcached/schedule.h"
#include "bench/memcached/zipf.h"

enum load_error {
	LOAD_CONNECT,  /* a connection that could not be made */
	LOAD_TIMEOUT,  /* no answer in time */
	LOAD_PROTOCOL, /* something else than an answer */
	LOAD_CLOSED,   /* the connection ended */
	LOAD_BYTES,    /* a value that is none of its key */
	LOAD_VERSION,  /* a value of its key, too old or never sent */
	LOAD_UNSENT,   /* planned, but no connection was left */
	LOAD_ERRORS,
};

/* What one step counted, warm-up included; latencies without it. */
struct step {
	double rate; /* 0: each key was set once, as fast as it went */
	uint64_t sent, stored, hits, misses;
	uint64_t errors[LOAD_ERRORS];
	uint64_t bytes_out, bytes_in;
	uint64_t lag;        /* ns: the most by which a request was queued after its planned time */
	uint64_t measured;   /* ns from the end of the warm-up to the last measured answer */
	uint32_t *latencies; /* microseconds, rounded up, in order of arrival; owned */
	size_t nb_latencies, room;
};

struct load {
	const struct options *options;
	struct connection *connections; /* of options->connections; owned */
	uint32_t nb_open, turn;
	struct zipf zipf;
	uint32_t *sent_version, *stored_version; /* of each key; owned */
	int epoll;
	uint64_t random_key, random_mix;
	struct schedule schedule; /* of the step under way, as are these */
	uint64_t start, warm_up, end;
	struct request next; /* the one that is due next */
	struct step *step;
};

/* Connects. 0, or -errno: out of memory or descriptors. load_free() it either way. */
int load_init(struct load *load, const struct options *options, struct step *fill);
void load_free(struct load *load);

/* Sets each key once. load_init's step takes the counts. */
void load_fill(struct load *load);

/* Runs one step. -ENOMEM. step->latencies is the caller's to free. */
int load_run(struct load *load, double rate, struct step *step);

#endif
