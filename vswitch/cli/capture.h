/* SPDX-License-Identifier: BSD-3-Clause */
/* capture.h - the command "capture": packets from the daemon into a file, until somebody has enough. */
#ifndef ELISA_CLI_CAPTURE_H
#define ELISA_CLI_CAPTURE_H

#include "options.h"

/* Ends with an exit code, and closing counts on stderr, or with --json on stdout. */
int elisa_cli_capture(struct elisa_cli_options *options);

#endif
