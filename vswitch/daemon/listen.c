// SPDX-License-Identifier: BSD-3-Clause
/* listen.c - the life of the control socket in the file system; see control.h. */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(struct elisa_failure *failure, const char *path, int error)
{
	return elisa_fail(failure, error,
			  "cannot make the control socket %s: %s; give another place with --socket",
			  path, strerror(-error));
}

/* Its last part only: everything above belongs to the system. */
static int make_directory(const char *path)
{
	char directory[ELISA_SOCKET_SIZE];
	char *slash;

	strcpy(directory, path);
	slash = strrchr(directory, '/');
	if (!slash || slash == directory)
		return 0;
	*slash = '\0';
	if (mkdir(directory, 0755) < 0)
		return errno == EEXIST ? 0 : -errno;
	return chmod(directory, 0755) < 0 ? -errno : 0;
}

/* Whether a daemon answers at the address. */
static bool in_use(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool answers;

	if (fd < 0)
		return true;
	answers =
		!connect(fd, (const struct sockaddr *)address, sizeof(*address)) || errno == EAGAIN;
	close(fd);
	return answers;
}

int elisa_bind_private(int fd, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int result = make_directory(path);
	mode_t before;

	if (result)
		return result;
	strcpy(address.sun_path, path);
	before = umask(0177);
	result = bind(fd, (const struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
	umask(before);
	return result;
}

/* A socket, and nothing else, that nobody listens on is what a killed daemon left. */
static int remove_stale(const struct sockaddr_un *address)
{
	struct stat status;

	if (lstat(address->sun_path, &status) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(status.st_mode))
		return -EEXIST;
	if (in_use(address))
		return -EADDRINUSE;
	return unlink(address->sun_path) < 0 ? -errno : 0;
}

int elisa_control_listen(struct elisa_control *control, const char *path,
			 struct elisa_failure *failure)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, result;

	strcpy(address.sun_path, path);
	result = remove_stale(&address);
	if (result == -EADDRINUSE)
		return elisa_fail(failure, result,
				  "another elisa-switchd answers at %s; stop it first, or give "
				  "another --switch or --socket",
				  path);
	if (result)
		return fail(failure, path, result);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(failure, path, -errno);
	result = elisa_bind_private(fd, path);
	if (result)
		goto close_socket;
	if (listen(fd, ELISA_CLIENTS_MAX) < 0) {
		result = -errno;
		goto remove_socket;
	}
	control->listener = fd;
	control->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	strcpy(control->path, path);
	return 0;

remove_socket:
	unlink(path);
close_socket:
	close(fd);
	return fail(failure, path, result);
}

void elisa_control_close(struct elisa_control *control)
{
	if (control->path[0])
		unlink(control->path);
	for (unsigned int i = 0; i < ELISA_CLIENTS_MAX; i++) {
		if (control->clients[i].fd >= 0)
			elisa_client_close(&control->clients[i]);
	}
	if (control->listener >= 0)
		close(control->listener);
	if (control->reserve >= 0)
		close(control->reserve);
	elisa_control_init(control);
}
