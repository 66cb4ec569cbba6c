/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * failure.h - an error and the sentence about it that a person reads.
 *
 * Whoever knows best what went wrong fills it; whoever has the person (the log, a reply on the
 * control socket) prints it. Every sentence says what to do. Any thread: no state but the argument.
 */
#ifndef ELISA_DAEMON_FAILURE_H
#define ELISA_DAEMON_FAILURE_H

#define ELISA_FAILURE_SIZE 512

struct elisa_failure {
	int error;                        /* -errno; 0 = none */
	char message[ELISA_FAILURE_SIZE]; /* one sentence, no newline */
};

/* Fills `failure` (cut off at its size) and returns `error`, so that it can be returned at once. */
int elisa_fail(struct elisa_failure *failure, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The symbolic name of an error, for example "EEXIST" for -EEXIST; "EIO" for one without a name. */
const char *elisa_failure_code(const struct elisa_failure *failure);

#endif
