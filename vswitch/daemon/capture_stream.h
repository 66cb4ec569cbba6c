/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * capture_stream.h - one capture's reader: what it wants, and what is on its way to it.
 *
 * A reader that is slow loses packets, which are counted; nobody waits for it. Main thread.
 */
#ifndef ELISA_DAEMON_CAPTURE_STREAM_H
#define ELISA_DAEMON_CAPTURE_STREAM_H

#include "failure.h"

#include "vswitch/datapath/capture.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define ELISA_STREAM_ROOM (2u << 20) /* bytes on their way to one reader */

struct bpf_insn; /* of libpcap */

/* What a capture is about, checked already but for the filter. */
struct elisa_capture_request {
	const char *name; /* of the port, for messages */
	uint32_t port;
	uint32_t bytes; /* of each packet, 1..ELISA_STREAM_MAX */
	const struct bpf_insn *filter;
	uint32_t nb_filter; /* 0: all packets */
};

enum elisa_stream_state {
	ELISA_STREAM_FREE = 0,
	ELISA_STREAM_BEGUN,  /* its connection is still to be handed over */
	ELISA_STREAM_OPEN,   /* gets packets */
	ELISA_STREAM_ENDING, /* gets what is on its way, and is closed then */
};

struct elisa_capture_stream {
	enum elisa_stream_state state;
	int fd;
	char name[ELISA_NAME_SIZE];
	uint32_t port;
	uint32_t bytes;
	struct bpf_insn *filter; /* NULL: all packets */
	uint8_t *output;         /* ELISA_STREAM_ROOM bytes */
	size_t first, end;       /* of it, not sent yet */
	time_t deadline;         /* ENDING: when to give up, monotonic seconds */
	uint64_t lost_before;    /* elisa_capture_lost() at the begin */
	uint64_t matched;        /* packets that the filter let through */
	uint64_t dropped;        /* of them, no room here */
};

/*
 * -EINVAL: the filter cannot be run (capture_filter.h); -ENOMEM. The filter is copied. The stream is
 * BEGUN.
 */
int elisa_stream_begin(struct elisa_capture_stream *stream,
		       const struct elisa_capture_request *request, struct elisa_failure *failure);

/* Takes the connection over, which is non-blocking; `answer` is what it gets first. */
void elisa_stream_open(struct elisa_capture_stream *stream, int fd, const char *answer);

/* A packet of the stream's port. */
void elisa_stream_packet(struct elisa_capture_stream *stream, uint64_t ns,
			 const struct elisa_capture_record *record);

/*
 * No more packets: the result follows, and the end. `lost` packets found no room before they came
 * here. `message` may be NULL: the reader asked for the end.
 */
void elisa_stream_end(struct elisa_capture_stream *stream, uint64_t lost, const char *message,
		      time_t now);

/* What the reader did: true while it has neither asked for the end nor gone. */
bool elisa_stream_wanted(struct elisa_capture_stream *stream);

/* Sends what the reader takes. False: it is gone, or was sent all of an ended stream. */
bool elisa_stream_send(struct elisa_capture_stream *stream, time_t now);

/* Closes the connection, frees what it has; FREE then. */
void elisa_stream_close(struct elisa_capture_stream *stream);

#endif
