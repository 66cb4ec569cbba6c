// SPDX-License-Identifier: BSD-3-Clause
/* port.c - see port.h. */
#include "bridge.h"
#include "log.h"
#include "port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_bus_vdev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include <elisa/ring.h>

#define RECEIVE_RING 4096u
#define RECEIVE_ROOM 2048u
#define RECEIVE_CACHE 256u
/* The ring, what a burst of the longest packets holds, and what the cache may keep back. */
#define RECEIVE_BUFFERS (RECEIVE_RING + NETD_BURST * ELISA_MAX_SEGMENTS + 2 * RECEIVE_CACHE)
#define TAP_CACHE 64u
#define TAP_BUFFERS ((NETD_BURST + 2) * NETD_TAP_SEGMENTS + 2 * TAP_CACHE)
#define BUFFER_OVERHEAD (sizeof(struct rte_mbuf) + RTE_PKTMBUF_HEADROOM + 3 * RTE_CACHE_LINE_SIZE)

#define RECEIVE_OFFLOADS                                              \
	(RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | \
	 RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_LRO)
#define TRANSMIT_OFFLOADS                                               \
	(RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_TCP_CKSUM | \
	 RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_TSO)

uint32_t netd_port_megabytes(void)
{
	size_t bytes = RECEIVE_BUFFERS * (RECEIVE_ROOM + BUFFER_OVERHEAD) +
		       TAP_BUFFERS * (NETD_TAP_ROOM + BUFFER_OVERHEAD);

	return (uint32_t)(bytes >> 20) + 1;
}

static int attach(struct netd_port *port, uint32_t number, const char *arguments)
{
	int err;

	snprintf(port->device, sizeof(port->device), "net_elisa%u", number);
	err = rte_vdev_init(port->device, arguments);
	if (err) {
		port->device[0] = '\0';
		netd_error("no port: see the line above; --port says which (now: %s)",
			   arguments[0] ? arguments : "the only free one");
		return err;
	}
	return rte_eth_dev_get_port_by_name(port->device, &port->id);
}

static int check(const struct netd_port *port, const struct rte_eth_dev_info *info)
{
	if (port->nb_queues > info->max_rx_queues) {
		netd_error("the port has %u queues, not %u: give fewer with --queues, or more to "
			   "the port: elisactl port add --queues",
			   info->max_rx_queues, port->nb_queues);
		return -EINVAL;
	}
	if (port->mtu > info->max_mtu) {
		netd_error("the port's largest MTU is %u, not %u: give less with --mtu, or more to "
			   "the port: elisactl port add --mtu",
			   info->max_mtu, port->mtu);
		return -EINVAL;
	}
	return 0;
}

static int configure(const struct netd_port *port, const struct rte_eth_dev_info *info)
{
	struct rte_eth_conf conf = {
		.rxmode = {.mtu = port->mtu,
			   .offloads = RECEIVE_OFFLOADS,
			   .max_lro_pkt_size = info->max_lro_pkt_size},
		.txmode.offloads = TRANSMIT_OFFLOADS,
	};

	if (port->nb_queues > 1) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = info->flow_type_rss_offloads;
	}
	return rte_eth_dev_configure(port->id, port->nb_queues, port->nb_queues, &conf);
}

static struct rte_mempool *make_pool(const struct netd_port *port, const char *kind, uint16_t queue,
				     uint32_t buffers, uint32_t cache, uint32_t room)
{
	char name[RTE_MEMPOOL_NAMESIZE];
	struct rte_mempool *pool;

	snprintf(name, sizeof(name), "%s_%u_%u", kind, port->id, queue);
	pool = rte_pktmbuf_pool_create(name, buffers, cache, 0,
				       (uint16_t)(room + RTE_PKTMBUF_HEADROOM), SOCKET_ID_ANY);
	if (!pool)
		netd_error("no memory for %u buffers: %s", buffers, rte_strerror(rte_errno));
	return pool;
}

static int make_queue(struct netd_port *port, uint16_t queue, const struct rte_eth_dev_info *info)
{
	struct rte_mempool *receive =
		make_pool(port, "receive", queue, RECEIVE_BUFFERS, RECEIVE_CACHE, RECEIVE_ROOM);
	struct rte_mempool *tap =
		make_pool(port, "tap", queue, TAP_BUFFERS, TAP_CACHE, NETD_TAP_ROOM);
	int err;

	port->receive_pools[queue] = receive;
	port->tap_pools[queue] = tap;
	if (!receive || !tap)
		return -ENOMEM;
	err = rte_eth_rx_queue_setup(port->id, queue,
				     RTE_MIN(RECEIVE_RING, info->rx_desc_lim.nb_max), SOCKET_ID_ANY,
				     NULL, receive);
	if (err)
		return err;
	return rte_eth_tx_queue_setup(port->id, queue, info->default_txportconf.ring_size,
				      SOCKET_ID_ANY, NULL);
}

static int set_up(struct netd_port *port)
{
	struct rte_eth_dev_info info;
	int err = rte_eth_dev_info_get(port->id, &info);

	if (err)
		return err;
	if (!port->mtu)
		port->mtu = info.max_mtu;
	err = check(port, &info);
	if (!err)
		err = configure(port, &info);
	for (uint16_t queue = 0; !err && queue < port->nb_queues; queue++)
		err = make_queue(port, queue, &info);
	/* The kernel wants IPv6's and other multicast: it is the host that filters. */
	if (!err)
		err = rte_eth_allmulticast_enable(port->id);
	if (!err)
		err = rte_eth_macaddr_get(port->id, &port->mac);
	return err;
}

int netd_port_open(struct netd_port *port, uint32_t number, const char *arguments,
		   uint32_t nb_queues, uint32_t mtu)
{
	int err;

	*port = (struct netd_port){.nb_queues = nb_queues, .mtu = mtu};
	err = attach(port, number, arguments);
	if (!err)
		err = set_up(port);
	if (err)
		netd_port_close(port);
	return err;
}

int netd_port_start(const struct netd_port *port)
{
	return rte_eth_dev_start(port->id);
}

void netd_port_close(struct netd_port *port)
{
	if (!port->device[0])
		return;
	if (rte_eth_dev_is_valid_port(port->id))
		rte_eth_dev_stop(port->id);
	rte_vdev_uninit(port->device);
	for (uint32_t queue = 0; queue < port->nb_queues; queue++) {
		rte_mempool_free(port->receive_pools[queue]);
		rte_mempool_free(port->tap_pools[queue]);
	}
	port->device[0] = '\0';
}
