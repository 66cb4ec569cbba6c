// SPDX-License-Identifier: BSD-3-Clause
/* log.c - see log.h. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *log_switch = "";
static int log_journal;

void elisa_log_open(const char *switch_name)
{
	log_switch = switch_name;
	log_journal = getenv("JOURNAL_STREAM") != NULL;
}

static const char *level_word(enum elisa_log_level level)
{
	switch (level) {
	case ELISA_LOG_ERROR:
		return "error: ";
	case ELISA_LOG_WARNING:
		return "warning: ";
	case ELISA_LOG_NOTICE:
		break;
	}
	return "";
}

/* One write per line: lines of several processes on one terminal stay whole. */
static void write_line(enum elisa_log_level level, const char *format, va_list arguments)
{
	char line[1024];
	char mark[4] = "";

	if (log_journal)
		snprintf(mark, sizeof(mark), "<%d>", level);
	vsnprintf(line, sizeof(line), format, arguments);
	fprintf(stderr, "%selisa-switchd %s: %s%s\n", mark, log_switch, level_word(level), line);
}

void elisa_log(enum elisa_log_level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line(level, format, arguments);
	va_end(arguments);
}

void elisa_log_limited(enum elisa_log_level level, const char *format, ...)
{
	static time_t second;
	static unsigned int lines;
	struct timespec now;
	va_list arguments;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec != second) {
		if (lines > ELISA_LOG_BURST)
			elisa_log(level, "%u more lines like the last were left out",
				  lines - ELISA_LOG_BURST);
		second = now.tv_sec;
		lines = 0;
	}
	if (++lines > ELISA_LOG_BURST)
		return;
	va_start(arguments, format);
	write_line(level, format, arguments);
	va_end(arguments);
}
