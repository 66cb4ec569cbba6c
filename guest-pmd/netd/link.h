/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * link.h - a port and an interface, joined by a worker for each queue.
 *
 * Main thread only.
 */
#ifndef NETD_LINK_H
#define NETD_LINK_H

#include "bridge.h"
#include "options.h"
#include "port.h"
#include "tap.h"
#include "watch.h"

struct netd_link {
	struct netd_port port;
	struct netd_tap tap;
	struct netd_watch watch;
	struct netd_worker workers[ELISA_MAX_QUEUES];
	uint32_t nb_workers;
	uint32_t first_lcore; /* of the workers' */
	bool stop;
};

/* Opens both sides, and starts the workers. -errno: nothing is left, one line said why. */
int netd_link_open(struct netd_link *link, const struct netd_options *options, uint32_t number);
/* Stops the workers: the counters are final. */
void netd_link_stop(struct netd_link *link);
/* Takes the interface away, and says bye to the switch. */
void netd_link_close(struct netd_link *link);

#endif
