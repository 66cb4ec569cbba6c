/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * watch.h - what one side changes while frames flow, and the other has to follow.
 *
 * Main thread, once a second.
 */
#ifndef NETD_WATCH_H
#define NETD_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "port.h"
#include "tap.h"

struct netd_watch {
	uint32_t mtu; /* of port and interface */
	bool promiscuous;
	uint32_t down; /* looks in a row that found the switch gone */
};

/*
 * The interface's MTU, as far as the port allows it, and whether it listens to all addresses go to the
 * port (not while the interface is in another network namespace); the port's link to the interface.
 *	-ENODEV	the interface is gone, or the switch has been for too long; one line said so
 */
int netd_watch(struct netd_watch *watch, const struct netd_port *port, const struct netd_tap *tap);

#endif
