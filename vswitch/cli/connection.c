// SPDX-License-Identifier: BSD-3-Clause
/* connection.c - see connection.h. */
#include "connection.h"

#include <elisa/version.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define REQUEST_VERSION 1
#define ANSWER_SECONDS 60
#define RECEIVE_MAX (64u << 20) /* bytes: more than any answer has */

static int unreachable(const struct elisa_cli_options *options, int error)
{
	if (error == EACCES || error == EPERM)
		fprintf(stderr,
			"elisactl: not allowed to command switch %s (%s); run elisactl as root\n",
			options->switch_name, options->socket);
	else if (error == ENOENT || error == ECONNREFUSED)
		fprintf(stderr,
			"elisactl: elisa-switchd is not running for switch %s (nobody answers at "
			"%s); start it with 'systemctl start elisa-switchd@%s' or "
			"'elisa-switchd --switch %s'\n",
			options->switch_name, options->socket, options->switch_name,
			options->switch_name);
	else
		fprintf(stderr,
			"elisactl: elisa-switchd of switch %s does not answer at %s: %s; look at "
			"its log\n",
			options->switch_name, options->socket, strerror(error));
	return ELISA_CLI_UNREACHABLE;
}

/* A connected socket, or -errno. */
static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = ANSWER_SECONDS};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -errno;
	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		error = errno;
		close(fd);
		return -error;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return fd;
}

/* 0 or an errno. A daemon that turns us away has answered before it reads: EPIPE is no failure. */
static int send_all(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t sent = send(fd, text, size, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EPIPE ? 0 : errno;
		text += sent;
		size -= (size_t)sent;
	}
	return 0;
}

bool elisa_cli_receive(struct elisa_cli_stream *stream)
{
	ssize_t size;

	if (stream->first) {
		stream->end -= stream->first;
		memmove(stream->bytes, stream->bytes + stream->first, stream->end);
		stream->first = 0;
	}
	if (stream->end == stream->room) {
		size_t room = stream->room ? stream->room * 2 : 65536;
		uint8_t *bigger = room <= RECEIVE_MAX ? realloc(stream->bytes, room) : NULL;

		if (!bigger) {
			errno = EMSGSIZE;
			return false;
		}
		stream->bytes = bigger;
		stream->room = room;
	}
	do {
		size = recv(stream->fd, stream->bytes + stream->end, stream->room - stream->end, 0);
	} while (size < 0 && errno == EINTR);
	if (size <= 0) {
		errno = size ? errno : ECONNRESET;
		return false;
	}
	stream->end += (size_t)size;
	return true;
}

void elisa_cli_stream_close(struct elisa_cli_stream *stream)
{
	if (stream->fd >= 0)
		close(stream->fd);
	free(stream->bytes);
	*stream = (struct elisa_cli_stream){.fd = -1};
}

/* One line; the stream goes on behind it. NULL: errno says why. */
static const char *receive_line(struct elisa_cli_stream *stream, size_t *length)
{
	uint8_t *end = NULL;

	while (!end) {
		size_t known = stream->end - stream->first;

		if (!elisa_cli_receive(stream))
			return NULL;
		end = memchr(stream->bytes + known, '\n', stream->end - known);
	}
	*length = (size_t)(end - stream->bytes);
	stream->first = *length + 1;
	return (const char *)stream->bytes;
}

/* The line to send, with its newline. The caller frees it. */
static char *request_line(const struct elisa_cli_options *options)
{
	json_t *request = json_pack("{s:i, s:s, s:O}", "version", REQUEST_VERSION, "command",
				    options->command->request, "arguments", options->arguments);
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	char *line = NULL;

	json_decref(request);
	if (text && asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	free(text);
	return line;
}

static int understand(const char *line, size_t length, json_t **result)
{
	json_t *answer = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
	json_t *error = json_object_get(answer, "error");
	const char *message = json_string_value(json_object_get(error, "message"));

	*result = json_incref(json_object_get(answer, "result"));
	if (message)
		fprintf(stderr, "elisactl: %s\n", message);
	else if (!json_is_object(*result))
		fprintf(stderr,
			"elisactl %s does not understand the answer of elisa-switchd; install the "
			"same version of both\n",
			ELISA_VERSION_STRING);
	json_decref(answer);
	return !message && json_is_object(*result) ? ELISA_CLI_OK : ELISA_CLI_REFUSED;
}

/* 0 or an errno. */
static int exchange(struct elisa_cli_stream *stream, const struct elisa_cli_options *options,
		    const char **answer, size_t *length)
{
	char *request = request_line(options);
	int error;

	if (!request)
		return ENOMEM;
	*stream = (struct elisa_cli_stream){.fd = connect_to(options->socket)};
	error = stream->fd < 0 ? -stream->fd : send_all(stream->fd, request, strlen(request));
	free(request);
	if (error)
		return error;
	*answer = receive_line(stream, length);
	return *answer ? 0 : errno;
}

int elisa_cli_ask(const struct elisa_cli_options *options, json_t **result,
		  struct elisa_cli_stream *stream)
{
	struct timeval for_ever = {0};
	struct elisa_cli_stream own;
	const char *answer;
	size_t length = 0;
	int code;

	*result = NULL;
	own = (struct elisa_cli_stream){.fd = -1};
	code = exchange(&own, options, &answer, &length);
	code = code ? unreachable(options, code) : understand(answer, length, result);
	if (code != ELISA_CLI_OK || !stream) {
		elisa_cli_stream_close(&own);
		return code;
	}
	setsockopt(own.fd, SOL_SOCKET, SO_RCVTIMEO, &for_ever, sizeof(for_ever));
	*stream = own;
	return code;
}
