// SPDX-License-Identifier: BSD-3-Clause
/* connection.c - see connection.h. Called by load.c. */
#include "bench/memcached/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "bench/memcached/value.h"

#define LINE_MAX_BYTES 320 /* of a request's or an answer's words around key and value */
#define BUFFER_LEAST 65536

static int connect_socket(int fd, const struct addrinfo *address, double timeout)
{
	struct timeval limit = {.tv_sec = (time_t)timeout,
				.tv_usec = (suseconds_t)((timeout - (time_t)timeout) * 1e6)};
	int yes = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)))
		return -errno;
	if (connect(fd, address->ai_addr, address->ai_addrlen))
		return errno == EINPROGRESS ? -ETIMEDOUT : -errno;
	return fcntl(fd, F_SETFL, O_NONBLOCK) ? -errno : 0;
}

int connection_open(struct connection *connection, const char *host, const char *port,
		    uint32_t key_size, uint32_t value_size, double timeout)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				 .ai_socktype = SOCK_STREAM};
	struct addrinfo *address;
	size_t request_size = LINE_MAX_BYTES + key_size + value_size;
	int error;

	memset(connection, 0, sizeof(*connection));
	connection->fd = -1;
	connection->key_size = key_size;
	connection->value_size = value_size;
	connection->in_size = connection->out_size = BUFFER_LEAST + 2 * request_size;
	connection->out = malloc(connection->out_size);
	connection->in = malloc(connection->in_size);
	if (!connection->out || !connection->in)
		return -ENOMEM;
	if (getaddrinfo(host, port, &hints, &address))
		return -EINVAL;
	connection->fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	error = connection->fd < 0 ? -errno : connect_socket(connection->fd, address, timeout);
	freeaddrinfo(address);
	if (error && connection->fd >= 0) {
		close(connection->fd);
		connection->fd = -1;
	}
	return error;
}

void connection_close(struct connection *connection)
{
	if (connection->fd >= 0)
		close(connection->fd);
	connection->fd = -1;
	free(connection->out);
	free(connection->in);
	connection->out = connection->in = NULL;
}

uint32_t connection_outstanding(const struct connection *connection)
{
	return connection->tail - connection->head;
}

const struct request *connection_oldest(const struct connection *connection)
{
	return &connection->requests[connection->head % PIPELINE];
}

bool connection_has_room(const struct connection *connection)
{
	return connection_outstanding(connection) < PIPELINE &&
	       connection->out_size - connection->out_end >=
		       LINE_MAX_BYTES + connection->key_size + connection->value_size;
}

void connection_queue(struct connection *connection, const struct request *request)
{
	char *at = connection->out + connection->out_end;

	memcpy(at, request->set ? "set " : "get ", 4);
	at += 4;
	key_write(request->key, at, connection->key_size);
	at += connection->key_size;
	if (request->set) {
		at += sprintf(at, " 0 0 %u\r\n", connection->value_size);
		value_write(request->key, request->version, at, connection->value_size);
		at += connection->value_size;
	}
	memcpy(at, "\r\n", 2);
	connection->out_end = (size_t)(at + 2 - connection->out);
	connection->requests[connection->tail++ % PIPELINE] = *request;
}

int connection_flush(struct connection *connection)
{
	while (connection->out_begin < connection->out_end) {
		ssize_t wrote = send(connection->fd, connection->out + connection->out_begin,
				     connection->out_end - connection->out_begin, MSG_NOSIGNAL);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0 && errno != EAGAIN)
			return -errno;
		if (wrote < 0)
			break;
		connection->out_begin += (size_t)wrote;
		connection->bytes_out += (uint64_t)wrote;
	}
	connection->out_end -= connection->out_begin;
	memmove(connection->out, connection->out + connection->out_begin, connection->out_end);
	connection->out_begin = 0;
	return connection->out_end > 0;
}

/* Are the first bytes of what came these? 1 yes, 0 more bytes are needed to tell, -EPROTO no. */
static int begins(const char *bytes, size_t size, const char *wanted, size_t length)
{
	if (memcmp(bytes, wanted, size < length ? size : length))
		return -EPROTO;
	return size >= length;
}

/* The answer to a GET: its length in bytes, 0 while it is not whole, or -EPROTO. */
static ssize_t parse_get(const struct connection *connection, const char *bytes, size_t size,
			 const struct request *request, enum answer *answer, uint32_t *version)
{
	char line[LINE_MAX_BYTES] = "VALUE ";
	size_t length = 6 + connection->key_size;
	const char *value;
	int found;

	*answer = ANSWER_MISS;
	if (size && bytes[0] == 'E') {
		found = begins(bytes, size, "END\r\n", 5);
		return found == 1 ? 5 : found;
	}
	key_write(request->key, line + 6, connection->key_size);
	length += (size_t)sprintf(line + length, " 0 %u\r\n", connection->value_size);
	found = begins(bytes, size, line, length);
	if (found != 1)
		return found;
	if (size < length + connection->value_size + 7)
		return 0;
	value = bytes + length;
	if (memcmp(value + connection->value_size, "\r\nEND\r\n", 7))
		return -EPROTO;
	*answer = value_check(request->key, value, connection->value_size, version)
			  ? ANSWER_WRONG_BYTES
			  : ANSWER_HIT;
	return (ssize_t)(length + connection->value_size + 7);
}

/* Reports the whole answers and keeps the rest. */
static int parse(struct connection *connection, answered_fn *answered, void *context)
{
	size_t at = 0;
	ssize_t length;

	while (at < connection->in_end) {
		const struct request *request = connection_oldest(connection);
		enum answer answer = ANSWER_STORED;
		uint32_t version = 0;

		if (!connection_outstanding(connection))
			return -EPROTO;
		if (request->set) {
			length = begins(connection->in + at, connection->in_end - at, "STORED\r\n",
					8);
			length = length == 1 ? 8 : length;
		} else {
			length = parse_get(connection, connection->in + at, connection->in_end - at,
					   request, &answer, &version);
		}
		if (length < 0)
			return (int)length;
		if (!length)
			break;
		at += (size_t)length;
		answered(context, request, answer, version);
		connection->head++;
	}
	connection->in_end -= at;
	memmove(connection->in, connection->in + at, connection->in_end);
	return 0;
}

int connection_receive(struct connection *connection, answered_fn *answered, void *context)
{
	for (;;) {
		ssize_t got = recv(connection->fd, connection->in + connection->in_end,
				   connection->in_size - connection->in_end, 0);
		int error;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (!got)
			return -ECONNRESET;
		connection->in_end += (size_t)got;
		connection->bytes_in += (uint64_t)got;
		error = parse(connection, answered, context);
		if (error)
			return error;
	}
}
