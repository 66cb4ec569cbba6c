/* SPDX-License-Identifier: BSD-3-Clause */
/* connection.h - one request to the daemon and its answer. */
#ifndef ELISA_CLI_CONNECTION_H
#define ELISA_CLI_CONNECTION_H

#include "options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A connection that goes on after the answer. */
struct elisa_cli_stream {
	int fd;
	uint8_t *bytes;    /* received */
	size_t first, end; /* of them, not used yet */
	size_t room;
};

/*
 * Sends the request and waits for its answer, at most a minute. An exit code; a message is on
 * stderr unless it is 0, then *result is the daemon's result object, the caller's; and the
 * connection stays open for `stream`, if that is not NULL.
 */
int elisa_cli_ask(const struct elisa_cli_options *options, json_t **result,
		  struct elisa_cli_stream *stream);

/* Receives what there is behind what is not used yet; waits for something. False: no more comes. */
bool elisa_cli_receive(struct elisa_cli_stream *stream);

void elisa_cli_stream_close(struct elisa_cli_stream *stream);

#endif
