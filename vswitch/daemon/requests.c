// SPDX-License-Identifier: BSD-3-Clause
/* requests.c - from a line to a command and back; see requests.h. Knows no command's insides. */
#include "requests.h"

#include "arguments.h"
#include "events.h"

#include <elisa/version.h>

#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	json_t *(*run)(struct elisa_daemon *daemon, const json_t *arguments,
		       struct elisa_failure *failure);
} commands[] = {
	{"port-add", elisa_request_port_add},
	{"port-set", elisa_request_port_set},
	{"port-del", elisa_request_port_del},
	{"port-list", elisa_request_port_list},
	{"port-show", elisa_request_port_show},
	{"uplink-add", elisa_request_uplink_add},
	{"uplink-del", elisa_request_uplink_del},
	{"uplink-list", elisa_request_uplink_list},
	{"uplink-show", elisa_request_uplink_show},
	{"stats", elisa_request_stats},
	{"fdb", elisa_request_fdb},
	{"fdb-flush", elisa_request_fdb_flush},
	{"vm", elisa_request_vm},
	{"prove", elisa_request_prove},
	{"status", elisa_request_status},
	{"capture", elisa_request_capture},
};

static json_t *run_command(struct elisa_daemon *daemon, const char *name, const json_t *arguments,
			   struct elisa_failure *failure)
{
	for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(commands[i].name, name))
			return commands[i].run(daemon, arguments, failure);
	}
	elisa_fail(failure, -ENOSYS,
		   "elisa-switchd %s knows no command '%.64s'; install the same version of it and "
		   "of elisactl",
		   ELISA_VERSION_STRING, name);
	return NULL;
}

static json_t *run_request(struct elisa_daemon *daemon, const json_t *request,
			   struct elisa_failure *failure)
{
	static const char *const keys[] = {"version", "command", "arguments", NULL};
	const json_t *version = json_object_get(request, "version");
	const json_t *arguments = json_object_get(request, "arguments");
	json_t *nothing = NULL, *result = NULL;
	const char *name;

	if (!json_is_object(request)) {
		elisa_fail(failure, -EINVAL, "a request has to be a JSON object");
		return NULL;
	}
	if (!json_is_integer(version) || json_integer_value(version) != ELISA_REQUEST_VERSION) {
		elisa_fail(failure, -EPROTO,
			   "the request does not have 'version' %d, which is what elisa-switchd %s "
			   "speaks; use the elisactl of that version",
			   ELISA_REQUEST_VERSION, ELISA_VERSION_STRING);
		return NULL;
	}
	if (elisa_arguments_only(request, keys, failure) ||
	    elisa_argument_text(request, "command", true, 64, &name, failure))
		return NULL;
	if (!arguments)
		arguments = nothing = json_object();
	if (json_is_object(arguments))
		result = run_command(daemon, name, arguments, failure);
	else
		elisa_fail(failure, -EINVAL, "'arguments' has to be a JSON object");
	json_decref(nothing);
	return result;
}

/* The text of an answer with a newline; takes `answer` over, which may be NULL. */
static char *write_answer(json_t *answer)
{
	char *line = answer ? elisa_json_dump(answer, "\n") : NULL;

	json_decref(answer);
	return line;
}

char *elisa_request_refusal(const struct elisa_failure *failure)
{
	return write_answer(json_pack("{s:i, s:{s:s, s:o}}", "version", ELISA_REQUEST_VERSION,
				      "error", "code", elisa_failure_code(failure), "message",
				      elisa_json_text(failure->message)));
}

char *elisa_request_answer(struct elisa_daemon *daemon, const char *line, size_t size)
{
	struct elisa_failure failure = {0};
	json_t *request, *result = NULL;
	char *answer = NULL;
	json_error_t error;

	elisa_events_handle(daemon);
	request = json_loadb(line, size, JSON_REJECT_DUPLICATES, &error);
	if (request)
		result = run_request(daemon, request, &failure);
	else
		elisa_fail(&failure, -EINVAL,
			   "the request is no JSON text of one line: %.128s (byte %d)", error.text,
			   error.position);
	json_decref(request);
	if (result)
		answer = write_answer(json_pack("{s:i, s:o}", "version", ELISA_REQUEST_VERSION,
						"result", result));
	if (!answer)
		elisa_captures_give_up(&daemon->captures, &daemon->domain);
	if (result)
		return answer;
	if (!failure.error)
		elisa_fail(&failure, -ENOMEM,
			   "elisa-switchd has no memory for the answer; free "
			   "some and try again");
	return elisa_request_refusal(&failure);
}
