// SPDX-License-Identifier: BSD-3-Clause
/* requests_capture.c - the command that begins a capture; see requests.h and capture.h. */
#include "requests.h"

#include "arguments.h"
#include "capture_filter.h"

#include <elisa/stream.h>

#include <ctype.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#define INSTRUCTION_DIGITS 16u /* code:4 jt:2 jf:2 k:8, hexadecimal */

static uint32_t take_digits(const char **text, unsigned int nb)
{
	uint32_t value = 0;

	for (; nb; nb--, (*text)++) {
		char digit = **text;

		value = value << 4 | (uint32_t)(isdigit(digit) ? digit - '0' : digit - 'a' + 10);
	}
	return value;
}

/* From text to *filter, the caller's to free(). No text: no filter. */
static int take_filter(const json_t *arguments, struct bpf_insn **filter, uint32_t *nb,
		       struct elisa_failure *failure)
{
	const char *text;
	int result =
		elisa_argument_text(arguments, "filter", false,
				    (size_t)ELISA_FILTER_MAX * INSTRUCTION_DIGITS, &text, failure);

	*filter = NULL;
	*nb = 0;
	if (result || !text)
		return result;
	if (strspn(text, "0123456789abcdef") != strlen(text) || strlen(text) % INSTRUCTION_DIGITS)
		return elisa_fail(
			failure, -EINVAL,
			"'filter' has to be a BPF program, %u hexadecimal digits for each "
			"instruction; elisactl makes it",
			INSTRUCTION_DIGITS);
	*nb = (uint32_t)(strlen(text) / INSTRUCTION_DIGITS);
	*filter = calloc(*nb, sizeof(**filter));
	if (!*filter)
		return elisa_fail(failure, -ENOMEM, "no memory for a capture; free some");
	for (uint32_t i = 0; i < *nb; i++) {
		(*filter)[i].code = (u_short)take_digits(&text, 4);
		(*filter)[i].jt = (u_char)take_digits(&text, 2);
		(*filter)[i].jf = (u_char)take_digits(&text, 2);
		(*filter)[i].k = take_digits(&text, 8);
	}
	return 0;
}

json_t *elisa_request_capture(struct elisa_daemon *daemon, const json_t *arguments,
			      struct elisa_failure *failure)
{
	static const char *const keys[] = {"name", "snaplen", "filter", NULL};
	struct elisa_capture_request request = {.bytes = ELISA_STREAM_MAX};
	struct bpf_insn *filter;
	int result;

	if (elisa_arguments_only(arguments, keys, failure) ||
	    elisa_argument_number(arguments, "snaplen", 1, ELISA_STREAM_MAX, &request.bytes,
				  failure) ||
	    elisa_argument_text(arguments, "name", true, ELISA_NAME_SIZE - 1, &request.name,
				failure) ||
	    elisa_request_number(daemon, arguments, &request.port, failure) ||
	    take_filter(arguments, &filter, &request.nb_filter, failure))
		return NULL;
	request.filter = filter;
	result = elisa_captures_begin(&daemon->captures, &daemon->domain, &daemon->vms, &request,
				      failure);
	free(filter);
	return result ? NULL
		      : json_pack("{s:s, s:i}", "port", request.name, "snaplen",
				  (int)request.bytes);
}
