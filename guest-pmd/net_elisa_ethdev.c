/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net_elisa_ethdev.c - the Ethernet device: what it can do, start, stop, close, its settings.
 *
 * Called by ethdev, main thread. The host knows the port's flags and MTU as a whole (PORT_SET), and
 * only while it is started; before that they are kept here and in ethdev's data.
 */
#include <errno.h>
#include <string.h>

#include "net_elisa.h"

static int port_set(struct net_elisa_port *port, uint32_t flags, uint32_t mtu)
{
	struct elisa_hc_port set = {.port = port->number, .flags = flags, .mtu = mtu};

	return (int)port->gate.hypercall(&port->gate, ELISA_HC_PORT_SET, &set, sizeof(set));
}

/* The host takes the change at once if the port is started, with the start otherwise. */
static int change_flags(struct net_elisa_port *port, uint32_t flags)
{
	int err = 0;

	if (flags & ELISA_PORT_STARTED)
		err = port_set(port, flags, port->data->mtu);
	if (!err)
		port->flags = flags;
	return err;
}

static int net_elisa_promiscuous_enable(struct rte_eth_dev *dev)
{
	struct net_elisa_port *port = dev->data->dev_private;

	return change_flags(port, port->flags | ELISA_PORT_PROMISCUOUS);
}

static int net_elisa_promiscuous_disable(struct rte_eth_dev *dev)
{
	struct net_elisa_port *port = dev->data->dev_private;

	return change_flags(port, port->flags & ~ELISA_PORT_PROMISCUOUS);
}

static int net_elisa_allmulticast_enable(struct rte_eth_dev *dev)
{
	struct net_elisa_port *port = dev->data->dev_private;

	return change_flags(port, port->flags | ELISA_PORT_ALLMULTICAST);
}

static int net_elisa_allmulticast_disable(struct rte_eth_dev *dev)
{
	struct net_elisa_port *port = dev->data->dev_private;

	return change_flags(port, port->flags & ~ELISA_PORT_ALLMULTICAST);
}

static bool scatters(const struct rte_eth_dev *dev)
{
	return dev->data->dev_conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_SCATTER;
}

/* A frame of this MTU must fit one buffer of each receive queue, or scatter over several. */
static int check_mtu(const struct rte_eth_dev *dev, uint32_t mtu)
{
	const struct net_elisa_port *port = dev->data->dev_private;
	const uint32_t frame = mtu + ELISA_FRAME_OVERHEAD;
	uint16_t i;

	if (mtu < ELISA_MIN_MTU || mtu > port->max_mtu) {
		ELISA_LOG(ERR, port->device, "MTU %u: this port takes %u to %u", mtu, ELISA_MIN_MTU,
			  port->max_mtu);
		return -EINVAL;
	}
	for (i = 0; i < dev->data->nb_rx_queues && !scatters(dev); i++) {
		const struct net_elisa_rx_queue *queue = dev->data->rx_queues[i];

		if (queue && frame > queue->room) {
			ELISA_LOG(ERR, port->device,
				  "frames of MTU %u have up to %u bytes, the buffers of pool %s "
				  "hold %u: make them larger, or enable the SCATTER offload",
				  mtu, frame, queue->pool->name, queue->room);
			return -EINVAL;
		}
	}
	return 0;
}

static int net_elisa_mtu_set(struct rte_eth_dev *dev, uint16_t mtu)
{
	struct net_elisa_port *port = dev->data->dev_private;
	int err = check_mtu(dev, mtu);

	if (!err && (port->flags & ELISA_PORT_STARTED))
		err = port_set(port, port->flags, mtu);
	return err;
}

#define RX_CSUM                                                         \
	(RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM | \
	 RTE_ETH_RX_OFFLOAD_UDP_CKSUM)

static int net_elisa_infos_get(struct rte_eth_dev *dev, struct rte_eth_dev_info *info)
{
	const struct net_elisa_port *port = dev->data->dev_private;
	const struct rte_eth_desc_lim limits = {
		.nb_max = (uint16_t)port->max_ring,
		.nb_min = ELISA_MIN_RING,
		.nb_align = ELISA_MIN_RING,
		.nb_seg_max = ELISA_MAX_SEGMENTS,
		.nb_mtu_seg_max = ELISA_MAX_SEGMENTS,
	};

	info->min_mtu = ELISA_MIN_MTU;
	info->max_mtu = (uint16_t)port->max_mtu;
	info->max_rx_pktlen = port->max_mtu + ELISA_FRAME_OVERHEAD;
	info->min_rx_bufsize = ELISA_MIN_FRAME;
	info->max_mac_addrs = 1;
	info->max_rx_queues = (uint16_t)port->max_queues;
	info->max_tx_queues = (uint16_t)port->max_queues;
	info->max_lro_pkt_size = ELISA_MAX_FRAME;
	info->rx_offload_capa = RTE_ETH_RX_OFFLOAD_SCATTER | RX_CSUM | RTE_ETH_RX_OFFLOAD_TCP_LRO;
	info->tx_offload_capa = RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE |
				RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM |
				RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_TSO;
	info->reta_size = ELISA_RSS_RETA_MAX;
	info->hash_key_size = ELISA_RSS_KEY_SIZE;
	info->flow_type_rss_offloads = net_elisa_rss_types;
	info->tx_queue_offload_capa = info->tx_offload_capa;
	info->speed_capa = RTE_ETH_LINK_SPEED_100G;
	info->rx_desc_lim = limits;
	info->tx_desc_lim = limits;
	info->default_rxconf.rx_free_thresh = NET_ELISA_DEFAULT_REFILL;
	info->default_rxportconf.burst_size = NET_ELISA_DEFAULT_BURST;
	info->default_txportconf.burst_size = NET_ELISA_DEFAULT_BURST;
	info->default_rxportconf.ring_size = RTE_MIN(NET_ELISA_DEFAULT_RX_RING, port->max_ring);
	info->default_txportconf.ring_size = RTE_MIN(NET_ELISA_DEFAULT_TX_RING, port->max_ring);
	info->default_rxportconf.nb_queues = 1;
	info->default_txportconf.nb_queues = 1;
	return 0;
}

static int net_elisa_configure(struct rte_eth_dev *dev)
{
	struct net_elisa_port *port = dev->data->dev_private;
	const uint64_t offloads = dev->data->dev_conf.rxmode.offloads;

	if (dev->data->nb_rx_queues != dev->data->nb_tx_queues) {
		ELISA_LOG(ERR, port->device,
			  "%u receive and %u transmit queues: configure as many of one as of the "
			  "other",
			  dev->data->nb_rx_queues, dev->data->nb_tx_queues);
		return -EINVAL;
	}
	port->flags &= ~(ELISA_PORT_RX_CSUM | ELISA_PORT_RX_TSO);
	if (offloads & (RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM))
		port->flags |= ELISA_PORT_RX_CSUM;
	if (offloads & RTE_ETH_RX_OFFLOAD_TCP_LRO)
		port->flags |= ELISA_PORT_RX_CSUM | ELISA_PORT_RX_TSO;
	return net_elisa_rss_configure(port);
}

/* The link is up while the port is started and the gate lets calls through. */
static int net_elisa_link_update(struct rte_eth_dev *dev, int wait)
{
	const struct net_elisa_port *port = dev->data->dev_private;
	struct rte_eth_link link = dev->data->dev_link;

	RTE_SET_USED(wait);
	link.link_status = RTE_ETH_LINK_DOWN;
	if ((port->flags & ELISA_PORT_STARTED) &&
	    port->gate.call(&port->gate, ELISA_CALL_NOP, 0, 0) == 0)
		link.link_status = RTE_ETH_LINK_UP;
	return rte_eth_linkstatus_set(dev, &link);
}

static int check_queues(const struct rte_eth_dev *dev)
{
	const struct net_elisa_port *port = dev->data->dev_private;
	uint16_t i;

	for (i = 0; i < dev->data->nb_rx_queues; i++) {
		if (!dev->data->rx_queues[i] || !dev->data->tx_queues[i]) {
			ELISA_LOG(ERR, port->device, "queue pair %u is not set up", i);
			return -EINVAL;
		}
	}
	return check_mtu(dev, dev->data->mtu);
}

static int register_memory(struct net_elisa_port *port)
{
	int err = net_elisa_memory_register_all(port);
	uint16_t i;

	for (i = 0; !err && i < port->data->nb_rx_queues; i++) {
		const struct net_elisa_rx_queue *queue = port->data->rx_queues[i];

		err = net_elisa_memory_register_pool(port, queue->pool);
	}
	return err;
}

static void set_queue_states(struct rte_eth_dev_data *data, uint8_t state)
{
	uint16_t i;

	for (i = 0; i < data->nb_rx_queues; i++)
		data->rx_queue_state[i] = state;
	for (i = 0; i < data->nb_tx_queues; i++)
		data->tx_queue_state[i] = state;
}

static int net_elisa_start(struct rte_eth_dev *dev)
{
	struct net_elisa_port *port = dev->data->dev_private;
	int err = check_queues(dev);

	if (err)
		return err;
	err = register_memory(port);
	if (err)
		return err;
	err = net_elisa_queues_hand_over(port);
	if (err)
		return err;
	err = change_flags(port, port->flags | ELISA_PORT_STARTED);
	if (err) {
		ELISA_LOG(ERR, port->device, "the host refused to start the port: %s",
			  strerror(-err));
		net_elisa_queues_take_back(port);
		return err;
	}
	set_queue_states(dev->data, RTE_ETH_QUEUE_STATE_STARTED);
	net_elisa_link_update(dev, 0);
	return 0;
}

/* The memory stays registered: the next start is quick. */
static int net_elisa_stop(struct rte_eth_dev *dev)
{
	struct net_elisa_port *port = dev->data->dev_private;
	int err;

	if (!(port->flags & ELISA_PORT_STARTED))
		return 0;
	port->flags &= ~ELISA_PORT_STARTED;
	err = port_set(port, port->flags, dev->data->mtu);
	if (err)
		ELISA_LOG(WARNING, port->device, "the host did not stop the port: %s",
			  strerror(-err));
	net_elisa_queues_take_back(port);
	set_queue_states(dev->data, RTE_ETH_QUEUE_STATE_STOPPED);
	net_elisa_link_update(dev, 0);
	return 0;
}

int net_elisa_close(struct rte_eth_dev *dev)
{
	struct net_elisa_port *port = dev->data->dev_private;
	struct elisa_hc_port bye = {.port = port->number};
	uint16_t i;

	net_elisa_stop(dev);
	net_elisa_memory_forget(port);
	port->gate.hypercall(&port->gate, ELISA_HC_BYE, &bye, sizeof(bye));
	for (i = 0; i < dev->data->nb_rx_queues && dev->data->rx_queues; i++)
		net_elisa_rx_queue_release(dev, i);
	for (i = 0; i < dev->data->nb_tx_queues && dev->data->tx_queues; i++)
		net_elisa_tx_queue_release(dev, i);
	port->gate.close(&port->gate);
	dev->data->mac_addrs = NULL; /* part of dev_private */
	return 0;
}

static void net_elisa_rxq_info_get(struct rte_eth_dev *dev, uint16_t number,
				   struct rte_eth_rxq_info *info)
{
	const struct net_elisa_rx_queue *queue = dev->data->rx_queues[number];

	info->mp = queue->pool;
	info->nb_desc = (uint16_t)queue->size;
	info->rx_buf_size = (uint16_t)queue->room;
	info->scattered_rx = scatters(dev);
	info->conf.rx_free_thresh = (uint16_t)queue->refill;
	info->conf.offloads = dev->data->dev_conf.rxmode.offloads;
}

static void net_elisa_txq_info_get(struct rte_eth_dev *dev, uint16_t number,
				   struct rte_eth_txq_info *info)
{
	const struct net_elisa_tx_queue *queue = dev->data->tx_queues[number];

	info->nb_desc = (uint16_t)queue->size;
	info->conf.offloads = dev->data->dev_conf.txmode.offloads;
	if (queue->fast_free)
		info->conf.offloads |= RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
}

/* No mac_addr_set: the port's address is the host's to decide, ethdev answers -ENOTSUP. */
const struct eth_dev_ops net_elisa_ops = {
	.dev_configure = net_elisa_configure,
	.dev_start = net_elisa_start,
	.dev_stop = net_elisa_stop,
	.dev_close = net_elisa_close,
	.dev_infos_get = net_elisa_infos_get,
	.link_update = net_elisa_link_update,
	.promiscuous_enable = net_elisa_promiscuous_enable,
	.promiscuous_disable = net_elisa_promiscuous_disable,
	.allmulticast_enable = net_elisa_allmulticast_enable,
	.allmulticast_disable = net_elisa_allmulticast_disable,
	.mtu_set = net_elisa_mtu_set,
	.rx_queue_setup = net_elisa_rx_queue_setup,
	.tx_queue_setup = net_elisa_tx_queue_setup,
	.rx_queue_release = net_elisa_rx_queue_release,
	.tx_queue_release = net_elisa_tx_queue_release,
	.reta_update = net_elisa_reta_update,
	.reta_query = net_elisa_reta_query,
	.rss_hash_update = net_elisa_rss_hash_update,
	.rss_hash_conf_get = net_elisa_rss_hash_conf_get,
	.rxq_info_get = net_elisa_rxq_info_get,
	.txq_info_get = net_elisa_txq_info_get,
	.stats_get = net_elisa_stats_get,
	.stats_reset = net_elisa_stats_reset,
	.xstats_get = net_elisa_xstats_get,
	.xstats_get_names = net_elisa_xstats_get_names,
	.xstats_reset = net_elisa_stats_reset,
};
