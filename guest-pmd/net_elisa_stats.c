/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net_elisa_stats.c - counters as DPDK shows them: basic, per queue, extended; and their reset.
 *
 * Control path, any thread, also while packets flow: reads the queues' counters, never writes them.
 * What the switch dropped, and why, is counted by the switch: see `elisactl stats` on the host.
 */
#include <stdio.h>

#include "net_elisa.h"

struct extended {
	const char *name;
	bool rx;
	unsigned int counter;
};

static const struct extended extended[] = {
	{"rx_dropped_slots", true, NET_ELISA_RX_DROPPED_SLOTS},
	{"rx_stop_discards", true, NET_ELISA_RX_STOP_DISCARDS},
	{"rx_uplink_polls", true, NET_ELISA_RX_POLLS},
	{"rx_uplink_poll_packets", true, NET_ELISA_RX_POLL_PACKETS},
	{"tx_gate_calls", false, NET_ELISA_TX_CALLS},
	{"tx_gate_call_packets", false, NET_ELISA_TX_CALL_PACKETS},
	{"tx_short_calls", false, NET_ELISA_TX_SHORT_CALLS},
	{"tx_failed_calls", false, NET_ELISA_TX_FAILED_CALLS},
	{"tx_invalid_packets", false, NET_ELISA_TX_INVALID},
};

static uint64_t since(const uint64_t *counter, uint64_t base)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED) - base;
}

static uint64_t rx_count(const struct rte_eth_dev *dev, uint16_t number, unsigned int counter)
{
	const struct net_elisa_rx_queue *queue = dev->data->rx_queues[number];

	return queue ? since(&queue->counters[counter], queue->base[counter]) : 0;
}

static uint64_t tx_count(const struct rte_eth_dev *dev, uint16_t number, unsigned int counter)
{
	const struct net_elisa_tx_queue *queue = dev->data->tx_queues[number];

	return queue ? since(&queue->counters[counter], queue->base[counter]) : 0;
}

int net_elisa_stats_get(struct rte_eth_dev *dev, struct rte_eth_stats *stats)
{
	uint16_t i;

	for (i = 0; i < dev->data->nb_rx_queues; i++) {
		stats->q_ipackets[i] = rx_count(dev, i, NET_ELISA_RX_PACKETS);
		stats->q_ibytes[i] = rx_count(dev, i, NET_ELISA_RX_BYTES);
		stats->ipackets += stats->q_ipackets[i];
		stats->ibytes += stats->q_ibytes[i];
		stats->ierrors += rx_count(dev, i, NET_ELISA_RX_DROPPED_SLOTS);
	}
	for (i = 0; i < dev->data->nb_tx_queues; i++) {
		stats->q_opackets[i] = tx_count(dev, i, NET_ELISA_TX_PACKETS);
		stats->q_obytes[i] = tx_count(dev, i, NET_ELISA_TX_BYTES);
		stats->opackets += stats->q_opackets[i];
		stats->obytes += stats->q_obytes[i];
		stats->oerrors += tx_count(dev, i, NET_ELISA_TX_INVALID);
	}
	stats->rx_nombuf = dev->data->rx_mbuf_alloc_failed;
	return 0;
}

static void set_base(uint64_t *base, const uint64_t *counters, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		base[i] = __atomic_load_n(&counters[i], __ATOMIC_RELAXED);
}

int net_elisa_stats_reset(struct rte_eth_dev *dev)
{
	uint16_t i;

	for (i = 0; i < dev->data->nb_rx_queues; i++) {
		struct net_elisa_rx_queue *queue = dev->data->rx_queues[i];

		if (queue)
			set_base(queue->base, queue->counters, NET_ELISA_RX_COUNTERS);
	}
	for (i = 0; i < dev->data->nb_tx_queues; i++) {
		struct net_elisa_tx_queue *queue = dev->data->tx_queues[i];

		if (queue)
			set_base(queue->base, queue->counters, NET_ELISA_TX_COUNTERS);
	}
	dev->data->rx_mbuf_alloc_failed = 0;
	return 0;
}

int net_elisa_xstats_get(struct rte_eth_dev *dev, struct rte_eth_xstat *xstats, unsigned int size)
{
	unsigned int i;
	uint16_t queue;

	if (size < RTE_DIM(extended))
		return RTE_DIM(extended);
	for (i = 0; i < RTE_DIM(extended); i++) {
		xstats[i] = (struct rte_eth_xstat){.id = i};
		if (extended[i].rx) {
			for (queue = 0; queue < dev->data->nb_rx_queues; queue++)
				xstats[i].value += rx_count(dev, queue, extended[i].counter);
		} else {
			for (queue = 0; queue < dev->data->nb_tx_queues; queue++)
				xstats[i].value += tx_count(dev, queue, extended[i].counter);
		}
	}
	return RTE_DIM(extended);
}

int net_elisa_xstats_get_names(struct rte_eth_dev *dev, struct rte_eth_xstat_name *names,
			       unsigned int size)
{
	unsigned int i;

	RTE_SET_USED(dev);
	if (names && size >= RTE_DIM(extended)) {
		for (i = 0; i < RTE_DIM(extended); i++)
			snprintf(names[i].name, sizeof(names[i].name), "%s", extended[i].name);
	}
	return RTE_DIM(extended);
}
