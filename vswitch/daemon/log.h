/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * log.h - lines on standard error, where systemd's journal and a person at a terminal look.
 *
 * Only the main thread writes.
 */
#ifndef ELISA_DAEMON_LOG_H
#define ELISA_DAEMON_LOG_H

enum elisa_log_level {
	ELISA_LOG_ERROR = 3, /* syslog's numbers, which the journal understands */
	ELISA_LOG_WARNING = 4,
	ELISA_LOG_NOTICE = 5,
};

/* Lines begin with "elisa-switchd NAME: ". The name is kept, not copied. */
void elisa_log_open(const char *switch_name);

void elisa_log(enum elisa_log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * For lines that a guest can provoke at will: at most ELISA_LOG_BURST in a second, the rest are
 * counted, and the count is told with the first line of a later second.
 */
#define ELISA_LOG_BURST 20u

void elisa_log_limited(enum elisa_log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
