// SPDX-License-Identifier: BSD-3-Clause
/* client.c - see client.h. Knows lines, not what they mean. */
#include "client.h"

#include "requests.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int elisa_client_open(struct elisa_client *client, int fd, time_t now)
{
	char *input = malloc(ELISA_REQUEST_MAX);

	if (!input || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
		free(input);
		close(fd);
		return -ENOMEM;
	}
	*client = (struct elisa_client){
		.fd = fd,
		.input = input,
		.deadline = now + ELISA_CLIENT_IDLE_SECONDS,
	};
	return 0;
}

void elisa_client_close(struct elisa_client *client)
{
	close(client->fd);
	elisa_client_release(client);
}

void elisa_client_release(struct elisa_client *client)
{
	free(client->input);
	free(client->output);
	*client = (struct elisa_client){.fd = -1};
}

short elisa_client_waits_for(const struct elisa_client *client)
{
	return client->output ? POLLOUT : POLLIN;
}

bool elisa_client_read(struct elisa_client *client)
{
	ssize_t size;

	if (client->got == ELISA_REQUEST_MAX || client->ended)
		return true;
	size = recv(client->fd, client->input + client->got, ELISA_REQUEST_MAX - client->got, 0);
	if (size < 0)
		return errno == EAGAIN || errno == EINTR;
	client->got += (size_t)size;
	client->ended = size == 0;
	return true;
}

long elisa_client_request(const struct elisa_client *client)
{
	const char *end = memchr(client->input, '\n', client->got);

	return end ? end - client->input : -1;
}

bool elisa_client_overlong(const struct elisa_client *client)
{
	return client->got == ELISA_REQUEST_MAX && elisa_client_request(client) < 0;
}

void elisa_client_answer(struct elisa_client *client, char *answer, time_t now)
{
	long size = elisa_client_request(client);
	size_t used = size < 0 ? client->got : (size_t)size + 1;

	client->got -= used;
	memmove(client->input, client->input + used, client->got);
	client->output = answer;
	client->sent = 0;
	client->left = strlen(answer);
	client->deadline = now + ELISA_CLIENT_IDLE_SECONDS;
}

bool elisa_client_write(struct elisa_client *client, time_t now)
{
	ssize_t size = send(client->fd, client->output + client->sent, client->left, MSG_NOSIGNAL);

	if (size < 0)
		return errno == EAGAIN || errno == EINTR;
	client->sent += (size_t)size;
	client->left -= (size_t)size;
	client->deadline = now + ELISA_CLIENT_IDLE_SECONDS;
	if (client->left)
		return true;
	free(client->output);
	client->output = NULL;
	return !client->last;
}
