/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * port.h - the switch's side: a net_elisa device with all the offloads that a kernel can use.
 *
 * Main thread only; the queues are the workers'.
 */
#ifndef NETD_PORT_H
#define NETD_PORT_H

#include <stdint.h>

#include <rte_ether.h>
#include <rte_mempool.h>

#include <elisa/layout.h>

struct netd_port {
	char device[32]; /* the device's name; empty: none */
	uint16_t id;     /* ethdev's */
	uint32_t nb_queues;
	uint32_t mtu;
	struct rte_ether_addr mac;
	struct rte_mempool *receive_pools[ELISA_MAX_QUEUES];
	struct rte_mempool *tap_pools[ELISA_MAX_QUEUES];
};

/* Memory of the pools of one queue. */
uint32_t netd_port_megabytes(void);

/*
 * Claim the port that the device arguments name; mtu 0: its largest. It does not receive before it
 * is started. The driver, or one line here, says why it failed: -errno.
 */
int netd_port_open(struct netd_port *port, uint32_t number, const char *arguments,
		   uint32_t nb_queues, uint32_t mtu);
int netd_port_start(const struct netd_port *port);
/* Says bye to the switch. Nobody uses the queues any more, or buffers of the pools. */
void netd_port_close(struct netd_port *port);

#endif
