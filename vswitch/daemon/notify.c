// SPDX-License-Identifier: BSD-3-Clause
/* notify.c - see notify.h. */
#include "notify.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static bool deaf; /* the receiver, when it was sent to last */

/* A path, or a name beginning with '@' in the kernel's own space. Returns its length; 0: neither. */
static socklen_t find_receiver(const char *name, struct sockaddr_un *address)
{
	size_t length = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || length >= sizeof(address->sun_path))
		return 0;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, name, length);
	if (name[0] == '@')
		address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

static int send_by(int socket_fd, struct msghdr *message)
{
	const struct timeval patience = {.tv_sec = ELISA_NOTIFY_SECONDS};
	ssize_t size;

	if (setsockopt(socket_fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)))
		return -errno;
	do {
		size = sendmsg(socket_fd, message, MSG_NOSIGNAL | (deaf ? MSG_DONTWAIT : 0));
	} while (size < 0 && errno == EINTR);
	deaf = size < 0 && errno == EAGAIN;
	if (deaf)
		return -ETIMEDOUT;
	return size < 0 ? -errno : 0;
}

int elisa_notify(const char *text, const int *fds, unsigned int nb_fds)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(ELISA_NOTIFY_FDS * sizeof(int))];
	} control = {.head = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address;
	struct iovec part = {(void *)text, strlen(text)};
	struct msghdr message = {.msg_name = &address, .msg_iov = &part, .msg_iovlen = 1};
	int fd, result;

	if (!name)
		return 0;
	message.msg_namelen = find_receiver(name, &address);
	if (!message.msg_namelen)
		return -EAFNOSUPPORT;
	if (nb_fds) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(nb_fds * sizeof(int));
		control.head.cmsg_len = CMSG_LEN(nb_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.head), fds, nb_fds * sizeof(int));
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	result = send_by(fd, &message);
	close(fd);
	return result;
}
