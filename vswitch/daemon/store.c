// SPDX-License-Identifier: BSD-3-Clause
/* store.c - see store.h. */
#include "store.h"

#include "log.h"
#include "notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_SIZE 128

static bool drop_lost; /* something may be kept that is gone */

bool elisa_store_present(void)
{
	return getenv("NOTIFY_SOCKET") != NULL;
}

void elisa_kept_name(enum elisa_kept_kind kind, unsigned int number,
		     char name[ELISA_KEPT_NAME_SIZE])
{
	static const char *const kinds[] = {
		[ELISA_KEPT_DOMAIN] = "domain",
		[ELISA_KEPT_VM] = "vm",
		[ELISA_KEPT_PORT] = "port",
		[ELISA_KEPT_UPLINK] = "uplink",
	};

	snprintf(name, ELISA_KEPT_NAME_SIZE, "%s-%u", kinds[kind], number);
}

/* FDPOLL=0: that a VM's process ended is for the next daemon to find. */
static int send_kept(const char *name, int record, int first, int second)
{
	char message[MESSAGE_SIZE];
	int fds[ELISA_NOTIFY_FDS] = {record};
	unsigned int nb_fds = 1;

	if (first >= 0)
		fds[nb_fds++] = first;
	if (second >= 0)
		fds[nb_fds++] = second;
	snprintf(message, sizeof(message), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	return elisa_notify(message, fds, nb_fds);
}

static int send_drop(const char *name)
{
	char message[MESSAGE_SIZE];

	snprintf(message, sizeof(message), "FDSTOREREMOVE=1\nFDNAME=%.*s", ELISA_KEPT_NAME_SIZE - 1,
		 name);
	return elisa_notify(message, NULL, 0);
}

void elisa_store_keep(enum elisa_kept_kind kind, unsigned int number, const void *record,
		      uint32_t size, int first, int second)
{
	char name[ELISA_KEPT_NAME_SIZE];
	int fd, result;

	if (!elisa_store_present())
		return;
	elisa_kept_name(kind, number, name);
	/* Not beside one that had its name before. */
	result = drop_lost ? send_drop(name) : 0;
	fd = elisa_record_write(kind, record, size);
	if (!result)
		result = fd < 0 ? fd : send_kept(name, fd, first, second);
	if (fd >= 0)
		close(fd);
	if (result)
		elisa_log(ELISA_LOG_ERROR,
			  "%s cannot be handed to who keeps the switch's descriptors: %s; it goes "
			  "when elisa-switchd is restarted. Look whether its monitor, or systemd, "
			  "runs and is not stopped",
			  name, strerror(-result));
}

void elisa_store_drop_name(const char *name)
{
	int result = send_drop(name);

	if (!result)
		return;
	drop_lost = true;
	elisa_log(ELISA_LOG_ERROR,
		  "who keeps the switch's descriptors cannot be told that %s is gone: %s. Look "
		  "whether its monitor, or systemd, runs and is not stopped",
		  name, strerror(-result));
}

void elisa_store_drop(enum elisa_kept_kind kind, unsigned int number)
{
	char name[ELISA_KEPT_NAME_SIZE];

	elisa_kept_name(kind, number, name);
	elisa_store_drop_name(name);
}
