// SPDX-License-Identifier: BSD-3-Clause
/* failure.c - see failure.h. */
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int elisa_fail(struct elisa_failure *failure, int error, const char *format, ...)
{
	va_list arguments;

	failure->error = error;
	va_start(arguments, format);
	vsnprintf(failure->message, sizeof(failure->message), format, arguments);
	va_end(arguments);
	return error;
}

const char *elisa_failure_code(const struct elisa_failure *failure)
{
	const char *name = strerrorname_np(-failure->error);

	return name ? name : "EIO";
}
