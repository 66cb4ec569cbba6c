// SPDX-License-Identifier: BSD-3-Clause
/* control.c - the turns of control.h. The listening socket is made in listen.c. */
#include "control.h"

#include "log.h"
#include "requests.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void elisa_control_init(struct elisa_control *control)
{
	*control = (struct elisa_control){.listener = -1, .reserve = -1};
	for (unsigned int i = 0; i < ELISA_CLIENTS_MAX; i++)
		control->clients[i].fd = -1;
}

/* One attempt: a peer that is turned away is not waited for. */
static void turn_away(int fd, int error, const char *message)
{
	struct elisa_failure failure;
	char *answer;

	elisa_fail(&failure, error, "%s", message);
	answer = elisa_request_refusal(&failure);
	if (answer && send(fd, answer, strlen(answer), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		elisa_log_limited(ELISA_LOG_WARNING,
				  "a client that was turned away did not listen");
	free(answer);
	close(fd);
}

void elisa_control_adopt(struct elisa_control *control, int fd, time_t now)
{
	for (unsigned int i = 0; i < ELISA_CLIENTS_MAX; i++) {
		if (control->clients[i].fd >= 0)
			continue;
		elisa_client_open(&control->clients[i], fd, now);
		return;
	}
	turn_away(fd, -EUSERS, "elisa-switchd has as many clients as it takes; try again");
}

/* The socket's mode keeps others out; this holds also where somebody changed that. */
static bool may_command(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

/* No descriptor left: with the reserve the peer can at least be told, and the queue moves on. */
static void accept_without_descriptors(struct elisa_control *control)
{
	int fd;

	elisa_log_limited(ELISA_LOG_ERROR,
			  "no file descriptor left for a client; raise the limit of "
			  "open files (systemd: LimitNOFILE=)");
	close(control->reserve);
	fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		turn_away(fd, -EMFILE,
			  "elisa-switchd has no file descriptor left; raise its limit "
			  "of open files (systemd: LimitNOFILE=)");
	control->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void accept_client(struct elisa_control *control, time_t now)
{
	int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE)
			accept_without_descriptors(control);
		return;
	}
	if (may_command(fd))
		elisa_control_adopt(control, fd, now);
	else
		turn_away(fd, -EPERM,
			  "only root and the user that runs elisa-switchd may command "
			  "it; run elisactl as root");
}

void elisa_control_polls(const struct elisa_control *control, struct pollfd *polls)
{
	/* Without the reserve a client could be neither taken nor turned away, and poll() spin. */
	polls[0] = (struct pollfd){.fd = control->reserve < 0 ? -1 : control->listener,
				   .events = POLLIN};
	for (unsigned int i = 0; i < ELISA_CLIENTS_MAX; i++) {
		const struct elisa_client *client = &control->clients[i];

		polls[1 + i] = (struct pollfd){.fd = client->fd};
		if (client->fd >= 0)
			polls[1 + i].events = elisa_client_waits_for(client);
	}
}

/*
 * Answers the client's next request, if one is whole and the last answer is out. False: close.
 * A client whose connection has become a capture's is gone.
 */
static bool answer_next(struct elisa_client *client, struct elisa_daemon *daemon, time_t now)
{
	struct elisa_failure failure;
	long size = elisa_client_request(client);
	char *answer;

	if (client->output)
		return true;
	if (size >= 0) {
		answer = elisa_request_answer(daemon, client->input, (size_t)size);
		if (answer && elisa_captures_adopt(&daemon->captures, client->fd, answer)) {
			free(answer);
			elisa_client_release(client);
			return true;
		}
	} else if (elisa_client_overlong(client)) {
		elisa_fail(&failure, -EMSGSIZE, "a request has at most %u bytes, this one has more",
			   ELISA_REQUEST_MAX);
		answer = elisa_request_refusal(&failure);
		client->last = true;
	} else {
		return true;
	}
	if (!answer)
		return false;
	elisa_client_answer(client, answer, now);
	return elisa_client_write(client, now);
}

static bool serve_client(struct elisa_client *client, struct elisa_daemon *daemon, short told,
			 time_t now)
{
	if (now > client->deadline || (told & (POLLERR | POLLNVAL)))
		return false;
	if ((told & (POLLOUT | POLLHUP)) && client->output && !elisa_client_write(client, now))
		return false;
	if ((told & (POLLIN | POLLHUP)) && !client->output && !elisa_client_read(client))
		return false;
	if (!answer_next(client, daemon, now))
		return false;
	return !client->ended || client->output || elisa_client_request(client) >= 0;
}

bool elisa_control_serve(struct elisa_control *control, struct elisa_daemon *daemon,
			 const struct pollfd *polls, time_t now)
{
	bool more = false;

	for (unsigned int i = 0; i < ELISA_CLIENTS_MAX; i++) {
		struct elisa_client *client = &control->clients[i];

		if (client->fd < 0)
			continue;
		if (!serve_client(client, daemon, polls[1 + i].revents, now))
			elisa_client_close(client);
		else if (client->fd >= 0 && !client->output && elisa_client_request(client) >= 0)
			more = true;
	}
	if (control->listener >= 0 && control->reserve < 0)
		control->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	else if (polls[0].revents)
		accept_client(control, now);
	return more;
}
