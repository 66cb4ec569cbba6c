/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net_elisa_queue.c - queues: made and freed by the application, lent to the switch while started.
 *
 * Control path, main thread. The rings lie in memzones of whole pages, each aligned to its own size:
 * then it lies in one page of DPDK's memory, and can be a region of its own without any neighbour.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_malloc.h>
#include <rte_memzone.h>

#include "net_elisa.h"

static int check_size(const struct net_elisa_port *port, const char *ring, uint16_t size)
{
	if (size < ELISA_MIN_RING || size > port->max_ring || !rte_is_power_of_2(size)) {
		ELISA_LOG(ERR, port->device,
			  "a %s ring of %u descriptors: give a power of two from %u to %u", ring,
			  size, ELISA_MIN_RING, port->max_ring);
		return -EINVAL;
	}
	return 0;
}

static const struct rte_memzone *reserve_ring(const struct net_elisa_port *port, const char *ring,
					      uint16_t number, uint16_t size, unsigned int socket)
{
	const size_t bytes = RTE_MAX(size * sizeof(struct elisa_desc), (size_t)ELISA_PAGE_SIZE);
	const struct rte_memzone *zone;
	char name[RTE_MEMZONE_NAMESIZE];

	snprintf(name, sizeof(name), "net_elisa_%u_%s_%u", port->data->port_id, ring, number);
	zone = rte_memzone_reserve_aligned(name, bytes, (int)socket, 0, (unsigned int)bytes);
	if (!zone) {
		ELISA_LOG(ERR, port->device, "no memory for a %s ring of %u descriptors: %s", ring,
			  size, rte_strerror(rte_errno));
		return NULL;
	}
	memset(zone->addr, 0, bytes);
	return zone;
}

/* The part of an mbuf that is the same for every packet of the queue. */
static uint64_t make_rearm(const struct net_elisa_port *port)
{
	struct rte_mbuf mbuf = {
		.data_off = RTE_PKTMBUF_HEADROOM,
		.nb_segs = 1,
		.port = port->data->port_id,
	};

	rte_mbuf_refcnt_set(&mbuf, 1);
	return *net_elisa_rearm(&mbuf);
}

static int check_rx(const struct net_elisa_port *port, uint16_t size,
		    const struct rte_eth_rxconf *conf, struct rte_mempool *pool)
{
	if (conf->rx_deferred_start) {
		ELISA_LOG(ERR, port->device, "deferred start of a queue is not supported");
		return -ENOTSUP;
	}
	if (rte_pktmbuf_data_room_size(pool) <= RTE_PKTMBUF_HEADROOM) {
		ELISA_LOG(ERR, port->device, "the buffers of pool %s have no room for data",
			  pool->name);
		return -EINVAL;
	}
	return check_size(port, "receive", size);
}

int net_elisa_rx_queue_setup(struct rte_eth_dev *dev, uint16_t number, uint16_t size,
			     unsigned int socket, const struct rte_eth_rxconf *conf,
			     struct rte_mempool *pool)
{
	struct net_elisa_port *port = dev->data->dev_private;
	struct net_elisa_rx_queue *queue;
	int err = check_rx(port, size, conf, pool);

	if (err)
		return err;
	queue = rte_zmalloc_socket("net_elisa", sizeof(*queue), RTE_CACHE_LINE_SIZE, (int)socket);
	if (!queue)
		return -ENOMEM;
	queue->mbufs = rte_zmalloc_socket("net_elisa", size * sizeof(*queue->mbufs),
					  RTE_CACHE_LINE_SIZE, (int)socket);
	if (!queue->mbufs)
		goto free_queue;
	queue->zone = reserve_ring(port, "rx", number, size, socket);
	if (!queue->zone)
		goto free_mbufs;

	queue->ring = queue->zone->addr;
	queue->size = size;
	queue->mask = size - 1u;
	queue->refill = RTE_MIN(
		conf->rx_free_thresh ? conf->rx_free_thresh : NET_ELISA_DEFAULT_REFILL, size / 2u);
	queue->room = RTE_MIN(rte_pktmbuf_data_room_size(pool) - (uint32_t)RTE_PKTMBUF_HEADROOM,
			      (uint32_t)UINT16_MAX);
	queue->rearm = make_rearm(port);
	if (rte_pktmbuf_priv_flags(pool) & RTE_PKTMBUF_POOL_F_PINNED_EXT_BUF)
		queue->ol_flags = RTE_MBUF_F_EXTERNAL;
	queue->gate = &port->gate;
	queue->target = port->number | (uint64_t)number << 16;
	queue->pool = pool;
	queue->data = dev->data;
	queue->number = number;
	dev->data->rx_queues[number] = queue;
	return 0;

free_mbufs:
	rte_free(queue->mbufs);
free_queue:
	rte_free(queue);
	return -ENOMEM;
}

int net_elisa_tx_queue_setup(struct rte_eth_dev *dev, uint16_t number, uint16_t size,
			     unsigned int socket, const struct rte_eth_txconf *conf)
{
	struct net_elisa_port *port = dev->data->dev_private;
	const uint64_t offloads = conf->offloads | dev->data->dev_conf.txmode.offloads;
	struct net_elisa_tx_queue *queue;
	int err = check_size(port, "transmit", size);

	if (err)
		return err;
	if (conf->tx_deferred_start) {
		ELISA_LOG(ERR, port->device, "deferred start of a queue is not supported");
		return -ENOTSUP;
	}
	queue = rte_zmalloc_socket("net_elisa", sizeof(*queue), RTE_CACHE_LINE_SIZE, (int)socket);
	if (!queue)
		return -ENOMEM;
	queue->zone = reserve_ring(port, "tx", number, size, socket);
	if (!queue->zone) {
		rte_free(queue);
		return -ENOMEM;
	}

	queue->window = queue->zone->addr;
	queue->gate = &port->gate;
	queue->target = port->number | (uint64_t)number << 16;
	queue->burst = RTE_MIN(size, ELISA_MAX_BURST);
	queue->fast_free = offloads & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	queue->size = size;
	queue->number = number;
	dev->data->tx_queues[number] = queue;
	return 0;
}

void net_elisa_rx_queue_release(struct rte_eth_dev *dev, uint16_t number)
{
	struct net_elisa_rx_queue *queue = dev->data->rx_queues[number];

	if (!queue)
		return;
	dev->data->rx_queues[number] = NULL;
	rte_memzone_free(queue->zone);
	rte_free(queue->mbufs);
	rte_free(queue);
}

void net_elisa_tx_queue_release(struct rte_eth_dev *dev, uint16_t number)
{
	struct net_elisa_tx_queue *queue = dev->data->tx_queues[number];

	if (!queue)
		return;
	dev->data->tx_queues[number] = NULL;
	rte_memzone_free(queue->zone);
	rte_free(queue);
}

static int hand_over(struct net_elisa_port *port, struct net_elisa_rx_queue *rx,
		     const struct net_elisa_tx_queue *tx)
{
	struct elisa_hc_queue setup = {
		.port = port->number,
		.queue = rx->number,
		.tx_window = (uintptr_t)tx->window,
		.rx_ring = (uintptr_t)rx->ring,
		.tx_size = tx->size,
		.rx_size = rx->size,
	};
	int err = net_elisa_rx_fill(rx);

	if (err) {
		ELISA_LOG(ERR, port->device,
			  "pool %s has fewer free buffers than the receive ring's %u: make it "
			  "larger, or the ring smaller",
			  rx->pool->name, rx->size);
		return err;
	}
	err = (int)port->gate.hypercall(&port->gate, ELISA_HC_QUEUE_SETUP, &setup, sizeof(setup));
	if (err) {
		ELISA_LOG(ERR, port->device, "the host refused queue %u: %s", rx->number,
			  strerror(-err));
		net_elisa_rx_drain(rx);
	}
	return err;
}

static void take_back(struct net_elisa_port *port, struct net_elisa_rx_queue *rx)
{
	struct elisa_hc_queue release = {.port = port->number, .queue = rx->number};
	int err = (int)port->gate.hypercall(&port->gate, ELISA_HC_QUEUE_RELEASE, &release,
					    sizeof(release));

	if (err)
		ELISA_LOG(WARNING, port->device, "the host did not release queue %u: %s",
			  rx->number, strerror(-err));
	net_elisa_rx_drain(rx);
}

/* All or none. Each ring is a registered region. */
int net_elisa_queues_hand_over(struct net_elisa_port *port)
{
	struct rte_eth_dev_data *data = port->data;
	uint16_t i;
	int err = 0;

	for (i = 0; i < data->nb_rx_queues; i++) {
		err = hand_over(port, data->rx_queues[i], data->tx_queues[i]);
		if (err)
			break;
	}
	while (err && i-- > 0)
		take_back(port, data->rx_queues[i]);
	return err;
}

void net_elisa_queues_take_back(struct net_elisa_port *port)
{
	uint16_t i;

	for (i = 0; i < port->data->nb_rx_queues; i++)
		take_back(port, port->data->rx_queues[i]);
}
