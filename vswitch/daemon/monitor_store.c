// SPDX-License-Identifier: BSD-3-Clause
/* monitor_store.c - see monitor_store.h. */
#include "monitor_store.h"

#include "control.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define FDS_AT_ONCE 8
#define MESSAGE_SIZE 256

struct message {
	char text[MESSAGE_SIZE]; /* NUL-terminated */
	int fds[FDS_AT_ONCE];
	unsigned int nb_fds;
	pid_t sender; /* 0: not known */
};

int elisa_monitor_store_open(struct elisa_monitor_store *store, const char *beside,
			     struct elisa_failure *failure)
{
	const int on = 1;
	int result = -ENAMETOOLONG;
	int length = snprintf(store->path, sizeof(store->path), "%s.%d", beside, getpid());

	store->kept.nb = 0;
	store->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (store->socket < 0)
		return elisa_fail(failure, -errno, "the monitor has no socket: %s",
				  strerror(errno));
	if (length < (int)sizeof(store->path)) {
		unlink(store->path); /* of a process of that number that was killed */
		setsockopt(store->socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
		result = elisa_bind_private(store->socket, store->path);
	}
	if (!result)
		return 0;
	close(store->socket);
	return elisa_fail(failure, result,
			  "the monitor cannot make its socket %s: %s; give another place with "
			  "--socket",
			  store->path, strerror(-result));
}

void elisa_monitor_store_close(struct elisa_monitor_store *store)
{
	unlink(store->path);
	close(store->socket);
	for (unsigned int i = 0; i < store->kept.nb; i++)
		close(store->kept.fds[i].fd);
	store->kept.nb = 0;
}

static void close_fds(const struct message *message)
{
	for (unsigned int i = 0; i < message->nb_fds; i++)
		close(message->fds[i]);
}

static void take_control(struct msghdr *header, struct message *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
		size_t size = part->cmsg_len - CMSG_LEN(0);

		if (part->cmsg_level != SOL_SOCKET)
			continue;
		if (part->cmsg_type == SCM_RIGHTS) {
			memcpy(message->fds, CMSG_DATA(part), size);
			message->nb_fds = (unsigned int)(size / sizeof(int));
		} else if (part->cmsg_type == SCM_CREDENTIALS) {
			struct ucred who;

			memcpy(&who, CMSG_DATA(part), sizeof(who));
			message->sender = who.pid;
		}
	}
}

/* False: there is no more. One that did not fit has no sender. */
static bool receive(int fd, struct message *message)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int[FDS_AT_ONCE])) + CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec text = {message->text, sizeof(message->text) - 1};
	struct msghdr header = {
		.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t size;

	do {
		size = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
	} while (size < 0 && errno == EINTR);
	if (size < 0)
		return false;
	message->text[size] = '\0';
	message->nb_fds = 0;
	message->sender = 0;
	take_control(&header, message);
	if (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		message->sender = 0;
	return true;
}

static void drop(struct elisa_kept *kept, const char *name)
{
	unsigned int nb = 0;

	for (unsigned int i = 0; i < kept->nb; i++) {
		if (strcmp(kept->fds[i].name, name))
			kept->fds[nb++] = kept->fds[i];
		else
			close(kept->fds[i].fd);
	}
	kept->nb = nb;
}

/* All of a message or nothing. Takes its descriptors over. */
static void keep(struct elisa_kept *kept, const char *name, struct message *message)
{
	if (message->nb_fds > ELISA_KEPT_MAX - kept->nb) {
		elisa_log(ELISA_LOG_ERROR,
			  "the monitor keeps %u descriptors, which is the most it can: %s is lost "
			  "when elisa-switchd is restarted",
			  kept->nb, name);
		return;
	}
	for (unsigned int i = 0; i < message->nb_fds; i++) {
		struct elisa_kept_fd *to = &kept->fds[kept->nb++];

		to->fd = message->fds[i];
		strcpy(to->name, name);
	}
	message->nb_fds = 0;
}

/* Lines of the form KEY=VALUE; of those it does not know it takes no notice (sd_notify(3)). */
static void follow(struct elisa_kept *kept, struct message *message)
{
	bool store = false, remove = false;
	const char *name = NULL;
	char *rest, *line;

	for (line = strtok_r(message->text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		store = store || !strcmp(line, "FDSTORE=1");
		remove = remove || !strcmp(line, "FDSTOREREMOVE=1");
		if (!strncmp(line, "FDNAME=", 7))
			name = line + 7;
	}
	/* The colon separates names in LISTEN_FDNAMES. */
	if (!name || !*name || strlen(name) >= ELISA_KEPT_NAME_SIZE || strchr(name, ':'))
		return;
	if (remove)
		drop(kept, name);
	else if (store)
		keep(kept, name, message);
}

void elisa_monitor_store_receive(struct elisa_monitor_store *store, pid_t child)
{
	struct message message;

	while (receive(store->socket, &message)) {
		if (child > 0 && message.sender == child)
			follow(&store->kept, &message);
		close_fds(&message);
	}
}

static bool set_environment(const struct elisa_monitor_store *store)
{
	static char names[ELISA_KEPT_MAX * ELISA_KEPT_NAME_SIZE];
	char number[16], pid[16];
	char *end = names;

	for (unsigned int i = 0; i < store->kept.nb; i++) {
		end = stpcpy(end, store->kept.fds[i].name);
		*end++ = ':';
	}
	end[end > names ? -1 : 0] = '\0';
	snprintf(number, sizeof(number), "%u", store->kept.nb);
	snprintf(pid, sizeof(pid), "%d", getpid());
	return !setenv("NOTIFY_SOCKET", store->path, 1) && !setenv("LISTEN_FDS", number, 1) &&
	       !setenv("LISTEN_FDNAMES", names, 1) && !setenv("LISTEN_PID", pid, 1);
}

/* They have to be 3, 4, ...: first all out of the way of these numbers, then each to its own. */
bool elisa_monitor_store_pass(const struct elisa_monitor_store *store)
{
	static int fds[ELISA_KEPT_MAX];
	int nb = (int)store->kept.nb;

	for (int i = 0; i < nb; i++) {
		fds[i] = fcntl(store->kept.fds[i].fd, F_DUPFD_CLOEXEC, SD_LISTEN_FDS_START + nb);
		if (fds[i] < 0)
			return false;
	}
	for (int i = 0; i < nb; i++) {
		if (dup2(fds[i], SD_LISTEN_FDS_START + i) < 0)
			return false;
	}
	return set_environment(store);
}
