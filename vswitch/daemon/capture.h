/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * capture.h - all captures of the switch: which ports are captured, and a turn of work for them.
 *
 * Main thread, under the daemon's lock. While there is one, elisa_captures_turn() wants to be
 * called every ELISA_CAPTURE_TURN_MS; what takes longer may cost packets, which are counted.
 */
#ifndef ELISA_DAEMON_CAPTURE_H
#define ELISA_DAEMON_CAPTURE_H

#include "capture_clock.h"
#include "capture_memory.h"
#include "capture_rings.h"
#include "capture_stream.h"
#include "domain.h"
#include "failure.h"
#include "vms.h"

#define ELISA_CAPTURES_MAX 8u
#define ELISA_CAPTURE_TURN_MS 10

/* All zero: none. */
struct elisa_captures {
	struct elisa_capture_stream streams[ELISA_CAPTURES_MAX];
	struct elisa_capture_stream *begun; /* by the request that is being answered, or NULL */
	struct elisa_capture_memory memory;
	struct elisa_capture_rings rings;
	struct elisa_clock clock;
};

/*
 * Begins a capture of a port that is there, after a turn for those that run. It belongs to the
 * request that asked for it: elisa_captures_adopt() or elisa_captures_give_up() has to follow before
 * the next turn or request.
 *	-EUSERS	as many as there can be	-EINVAL	the filter	-ENOMEM
 */
int elisa_captures_begin(struct elisa_captures *captures, struct elisa_domain *domain,
			 struct elisa_vms *vms, const struct elisa_capture_request *request,
			 struct elisa_failure *failure);

/* Takes the request's connection over, if the request has begun a capture. False: it has not. */
bool elisa_captures_adopt(struct elisa_captures *captures, int fd, const char *answer);

/* Ends what the request has begun, if it has: it is not answered with success. */
void elisa_captures_give_up(struct elisa_captures *captures, struct elisa_domain *domain);

/* How long poll() may wait, at most `most`. */
int elisa_captures_wait_ms(const struct elisa_captures *captures, int most);

/* Moves packets to readers; ends captures whose reader or port has gone. */
void elisa_captures_turn(struct elisa_captures *captures, struct elisa_domain *domain,
			 struct elisa_vms *vms);

/* Ends them all, without waiting for readers. Before the domain is closed. */
void elisa_captures_close(struct elisa_captures *captures, struct elisa_domain *domain);

#endif
