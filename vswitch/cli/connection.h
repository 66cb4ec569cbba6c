/* SPDX-License-Identifier: BSD-3-Clause */
/* connection.h - one request to the daemon and its answer. */
#ifndef ELISA_CLI_CONNECTION_H
#define ELISA_CLI_CONNECTION_H

#include "options.h"

/*
 * Sends the request and waits for its answer, at most a minute. An exit code; a message is on
 * stderr unless it is 0, then *result is the daemon's result object, the caller's.
 */
int elisa_cli_ask(const struct elisa_cli_options *options, json_t **result);

#endif
