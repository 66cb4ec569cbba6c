/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tap.h - the kernel's side: a TAP interface with virtio-net headers and offloads.
 *
 * Main thread only, but for the file descriptors: each belongs to its queue's worker. What is read
 * and written there is a struct virtio_net_hdr and a frame. The interface goes with the last of them.
 */
#ifndef NETD_TAP_H
#define NETD_TAP_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>

#include <elisa/layout.h>

struct netd_tap {
	char name[IFNAMSIZ];
	uint32_t nb_queues;
	int fds[ELISA_MAX_QUEUES]; /* not blocking */
};

/*
 * Make the interface with the MAC address and MTU, and set it up. One line says why it failed.
 *	-EEXIST	the name is taken	-EPERM	no CAP_NET_ADMIN
 *	-ENOENT	no /dev/net/tun		-ENODEV	no driver behind it
 */
int netd_tap_open(struct netd_tap *tap, const char *name, uint32_t nb_queues,
		  const struct rte_ether_addr *mac, uint32_t mtu);
/* -errno: not while the interface is in another network namespace. */
int netd_tap_set_mtu(const struct netd_tap *tap, uint32_t mtu);
/* Somebody removed it, or the network namespace that it was in: it does not come back. */
bool netd_tap_is_gone(const struct netd_tap *tap);
/* What `ip link` shows as NO-CARRIER if false. */
void netd_tap_set_carrier(const struct netd_tap *tap, bool up);
void netd_tap_close(struct netd_tap *tap);

#endif
