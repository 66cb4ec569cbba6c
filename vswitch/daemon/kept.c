// SPDX-License-Identifier: BSD-3-Clause
/* kept.c - see kept.h. */
#include "kept.h"

#include "log.h"
#include "module.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

void elisa_kept_open(struct elisa_kept *kept)
{
	char **names = NULL;
	int nb = sd_listen_fds_with_names(1, &names);

	kept->nb = 0;
	for (int i = 0; i < nb; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		if (kept->nb < ELISA_KEPT_MAX && strlen(names[i]) < ELISA_KEPT_NAME_SIZE) {
			kept->fds[kept->nb].fd = fd;
			strcpy(kept->fds[kept->nb++].name, names[i]);
		} else {
			close(fd);
		}
		free(names[i]);
	}
	free(names);
}

static bool is_pidfd(int fd)
{
	char path[32], target[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = '\0';
	return !strncmp(target, "anon_inode:[pidfd]", 18) || !strncmp(target, "pidfd:", 6);
}

/* Nobody promises an order: each kind of descriptor is known by what it is. */
static int *place_of(struct elisa_kept_thing *thing, int fd)
{
	if (elisa_record_is_sealed(fd))
		return &thing->record;
	if (fcntl(fd, F_GET_SEALS) >= 0)
		return &thing->memory;
	return is_pidfd(fd) ? &thing->pidfd : &thing->object;
}

bool elisa_kept_take(struct elisa_kept *kept, enum elisa_kept_kind kind, unsigned int number,
		     struct elisa_kept_thing *thing)
{
	char name[ELISA_KEPT_NAME_SIZE];
	bool any = false;

	*thing = (struct elisa_kept_thing){-1, -1, -1, -1};
	elisa_kept_name(kind, number, name);
	for (unsigned int i = 0; i < kept->nb; i++) {
		struct elisa_kept_fd *from = &kept->fds[i];
		int *to;

		if (from->fd < 0 || strcmp(from->name, name))
			continue;
		to = place_of(thing, from->fd);
		if (*to >= 0)
			close(*to);
		*to = from->fd;
		from->fd = -1;
		any = true;
	}
	return any;
}

void elisa_kept_close_thing(const struct elisa_kept_thing *thing)
{
	const int fds[] = {thing->record, thing->memory, thing->pidfd, thing->object};

	for (unsigned int i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

void elisa_kept_discard(enum elisa_kept_kind kind, unsigned int number,
			const struct elisa_kept_thing *thing)
{
	if (thing->object >= 0)
		elisa_module_revoke(thing->object);
	elisa_kept_close_thing(thing);
	elisa_store_drop(kind, number);
}

void elisa_kept_drop_rest(struct elisa_kept *kept)
{
	for (unsigned int i = 0; i < kept->nb; i++) {
		struct elisa_kept_fd *left = &kept->fds[i];

		if (left->fd < 0)
			continue;
		close(left->fd);
		left->fd = -1;
		elisa_log(ELISA_LOG_WARNING,
			  "a descriptor was kept under the name '%s', which nothing belongs to; "
			  "it is closed",
			  left->name);
		elisa_store_drop_name(left->name);
	}
	kept->nb = 0;
}
