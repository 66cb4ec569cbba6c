// SPDX-License-Identifier: BSD-3-Clause
/* load.c - see load.h. Called by memload.c. */
#include "bench/memcached/load.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "bench/memcached/random.h"

#define EVENTS 64
#define SECOND 1000000000ull
#define PATIENCE (SECOND / 100) /* between two looks for connections that time out */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static int watch(struct load *load, struct connection *connection, int operation, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = connection};

	return epoll_ctl(load->epoll, operation, connection->fd, &event) ? -errno : 0;
}

/* Every unanswered request is one error; a connection that had none is one too. */
static void lose(struct load *load, struct connection *connection, enum load_error why)
{
	uint32_t lost = connection_outstanding(connection);

	load->step->errors[why] += lost ? lost : 1;
	load->step->bytes_out += connection->bytes_out;
	load->step->bytes_in += connection->bytes_in;
	connection->bytes_out = connection->bytes_in = 0;
	connection->head = connection->tail;
	connection_close(connection);
	load->nb_open--;
}

static enum load_error why_lost(int error)
{
	return error == -EPROTO ? LOAD_PROTOCOL : LOAD_CLOSED;
}

int load_init(struct load *load, const struct options *options, struct step *fill)
{
	*load = (struct load){.options = options, .step = fill, .epoll = -1};
	load->random_key = options->seed ^ 0x6b6579;
	load->random_mix = options->seed ^ 0x6d6978;
	/* The kernel would let a sleeper's timer slip by 50 us to save wake-ups. */
	prctl(PR_SET_TIMERSLACK, 1ul);
	load->connections = calloc(options->connections, sizeof(*load->connections));
	load->sent_version = calloc(options->keys, sizeof(uint32_t));
	load->stored_version = calloc(options->keys, sizeof(uint32_t));
	if (!load->connections || !load->sent_version || !load->stored_version ||
	    zipf_init(&load->zipf, options->keys, options->theta))
		return -ENOMEM;
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (load->epoll < 0)
		return -errno;
	for (uint32_t n = 0; n < options->connections; n++) {
		struct connection *connection = &load->connections[n];

		if (connection_open(connection, options->host, options->port, options->key_size,
				    options->value_size, options->timeout) ||
		    watch(load, connection, EPOLL_CTL_ADD, EPOLLIN)) {
			connection_close(connection);
			fill->errors[LOAD_CONNECT]++;
		} else {
			load->nb_open++;
		}
	}
	return 0;
}

void load_free(struct load *load)
{
	for (uint32_t n = 0; load->connections && n < load->options->connections; n++)
		connection_close(&load->connections[n]);
	free(load->connections);
	free(load->sent_version);
	free(load->stored_version);
	zipf_free(&load->zipf);
	if (load->epoll >= 0)
		close(load->epoll);
}

static void keep_latency(struct load *load, const struct request *request)
{
	struct step *step = load->step;
	uint64_t now = now_ns(), us = (now - request->due + 999) / 1000;

	step->measured = now - load->start - load->warm_up;
	if (step->nb_latencies < step->room)
		step->latencies[step->nb_latencies++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static void answered(void *context, const struct request *request, enum answer answer,
		     uint32_t version)
{
	struct load *load = context;
	struct step *step = load->step;

	switch (answer) {
	case ANSWER_STORED:
		load->stored_version[request->key] = request->version;
		step->stored++;
		break;
	case ANSWER_HIT:
		if (version < request->version || version > load->sent_version[request->key])
			step->errors[LOAD_VERSION]++;
		else
			step->hits++;
		break;
	case ANSWER_MISS:
		step->misses++;
		break;
	case ANSWER_WRONG_BYTES:
		step->errors[LOAD_BYTES]++;
		break;
	}
	if (request->measured)
		keep_latency(load, request);
}

/* The n-th connection, or the first open one after it; the caller knows that there is one. */
static struct connection *open_from(struct load *load, uint32_t n)
{
	for (;; n++) {
		struct connection *connection = &load->connections[n % load->options->connections];

		if (connection->fd >= 0)
			return connection;
	}
}

/* False: no room on its connection yet. */
static bool queue(struct load *load, struct request *request)
{
	struct connection *connection = open_from(load, request->set ? request->key : load->turn);

	if (!connection_has_room(connection))
		return false;
	if (request->set) {
		request->version = ++load->sent_version[request->key];
	} else {
		request->version = load->stored_version[request->key];
		load->turn++;
	}
	connection_queue(connection, request);
	load->step->sent++;
	return true;
}

static void flush_all(struct load *load)
{
	for (uint32_t n = 0; n < load->options->connections; n++) {
		struct connection *connection = &load->connections[n];
		int left;

		if (connection->fd < 0 || !connection->out_end)
			continue;
		left = connection_flush(connection);
		if (left < 0)
			lose(load, connection, why_lost(left));
		else
			watch(load, connection, EPOLL_CTL_MOD, left ? EPOLLIN | EPOLLOUT : EPOLLIN);
	}
}

/* Gives up connections whose oldest request is too old; true while any request is unanswered. */
static bool look_for_timeouts(struct load *load, uint64_t now)
{
	uint64_t limit = (uint64_t)(load->options->timeout * SECOND);
	bool waiting = false;

	for (uint32_t n = 0; n < load->options->connections; n++) {
		struct connection *connection = &load->connections[n];

		if (connection->fd < 0 || !connection_outstanding(connection))
			continue;
		if (now > connection_oldest(connection)->due + limit)
			lose(load, connection, LOAD_TIMEOUT);
		else
			waiting = true;
	}
	return waiting;
}

/* Waits until `until` at most for answers and for room to send, and takes what came. */
static void receive(struct load *load, uint64_t until)
{
	struct epoll_event events[EVENTS];
	uint64_t now = now_ns(), wait = until > now ? until - now : 0;
	struct timespec limit;
	int count;

	wait = wait > PATIENCE ? PATIENCE : wait;
	limit = (struct timespec){.tv_sec = 0, .tv_nsec = (long)wait};
	count = epoll_pwait2(load->epoll, events, EVENTS, &limit, NULL);
	for (int n = 0; n < count; n++) {
		struct connection *connection = events[n].data.ptr;
		int error = connection_receive(connection, answered, load);

		if (error)
			lose(load, connection, why_lost(error));
	}
}

static void count_bytes(struct load *load)
{
	for (uint32_t n = 0; n < load->options->connections; n++) {
		struct connection *connection = &load->connections[n];

		load->step->bytes_out += connection->bytes_out;
		load->step->bytes_in += connection->bytes_in;
		connection->bytes_out = connection->bytes_in = 0;
	}
}

void load_fill(struct load *load)
{
	uint32_t key = 0;
	uint64_t now = now_ns();

	do {
		while (load->nb_open && key < load->options->keys) {
			struct request request = {.due = now, .key = key, .set = true};

			if (!queue(load, &request))
				break;
			key++;
		}
		flush_all(load);
		receive(load, now + PATIENCE);
		now = now_ns();
	} while (look_for_timeouts(load, now) || (load->nb_open && key < load->options->keys));
	load->step->errors[LOAD_UNSENT] += load->options->keys - key;
	count_bytes(load);
}

/* Decides what is asked for next, and when; false: the step's time is up. */
static bool plan(struct load *load)
{
	uint64_t due = schedule_due(&load->schedule);

	if (due >= load->end)
		return false;
	load->next = (struct request){
		.due = load->start + due,
		.key = zipf_draw(&load->zipf, &load->random_key),
		.set = random_unit(&load->random_mix) * 100 < load->options->set_percent,
		.measured = due >= load->warm_up,
	};
	schedule_advance(&load->schedule);
	return true;
}

/* Queues all that is due; false: nothing is planned any more. */
static bool send_due(struct load *load, uint64_t now)
{
	while (load->next.due <= now && load->nb_open) {
		if (!queue(load, &load->next))
			return true;
		if (now - load->next.due > load->step->lag)
			load->step->lag = now - load->next.due;
		if (!plan(load))
			return false;
	}
	return true;
}

static void count_unsent(struct load *load)
{
	do
		load->step->errors[LOAD_UNSENT]++;
	while (plan(load));
}

int load_run(struct load *load, double rate, struct step *step)
{
	const struct options *options = load->options;
	bool planned, waiting;

	/* Far above what a Poisson process can bring. */
	step->room = (size_t)(rate * options->duration * 1.5) + 1000;
	step->latencies = malloc(step->room * sizeof(uint32_t));
	if (!step->latencies)
		return -ENOMEM;
	step->rate = rate;
	load->step = step;
	load->warm_up = (uint64_t)(options->warm_up * SECOND);
	load->end = load->warm_up + (uint64_t)(options->duration * SECOND);
	schedule_init(&load->schedule, rate, !options->fixed, options->seed);
	load->start = now_ns();
	planned = plan(load);
	do {
		uint64_t now = now_ns();

		planned = planned && send_due(load, now);
		flush_all(load);
		waiting = look_for_timeouts(load, now);
		receive(load, planned && load->next.due > now ? load->next.due : now + PATIENCE);
	} while (load->nb_open && (planned || waiting));
	if (planned)
		count_unsent(load);
	count_bytes(load);
	return 0;
}
