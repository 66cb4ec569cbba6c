// SPDX-License-Identifier: BSD-3-Clause
/* log.c - see log.h. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>

/* One write per line: lines of several processes on one terminal stay whole. */
static void write_line(const char *word, const char *format, va_list arguments)
{
	char line[512];

	vsnprintf(line, sizeof(line), format, arguments);
	fprintf(stderr, "elisa-netd: %s%s\n", word, line);
}

void netd_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line("error: ", format, arguments);
	va_end(arguments);
}

void netd_notice(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line("", format, arguments);
	va_end(arguments);
}
