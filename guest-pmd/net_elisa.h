/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net_elisa.h - what the driver's files share: a port, its queues, who calls whom.
 *
 * A port lives from probe to close, a queue from its set-up to its release. The switch knows a
 * queue only while the port is started: dev_start hands the rings over, dev_stop takes them back.
 */
#ifndef NET_ELISA_H
#define NET_ELISA_H

#include <pthread.h>

#include <ethdev_driver.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

#include <elisa/layout.h>
#include <elisa/ring.h>

#include "gate.h"
#include "net_elisa_log.h"

#define NET_ELISA_MAX_QUEUES ELISA_MAX_QUEUES
#define NET_ELISA_DEFAULT_RX_RING 1024u
#define NET_ELISA_DEFAULT_TX_RING ELISA_MAX_BURST
#define NET_ELISA_DEFAULT_BURST 32u
#define NET_ELISA_DEFAULT_REFILL 32u

/*
 * Counters only grow: their one writer is the queue's thread. A reset remembers where they stood
 * (base), so that it loses nothing while packets flow.
 */
enum net_elisa_rx_counter {
	NET_ELISA_RX_PACKETS,
	NET_ELISA_RX_BYTES,
	NET_ELISA_RX_DROPPED_SLOTS, /* slots that the switch returned without data */
	NET_ELISA_RX_STOP_DISCARDS, /* packets delivered but not yet taken when the port stopped */
	NET_ELISA_RX_POLLS,         /* gate calls that look at the uplinks */
	NET_ELISA_RX_POLL_PACKETS,  /* packets that they took, whichever ports these were for */
	NET_ELISA_RX_COUNTERS
};

enum net_elisa_tx_counter {
	NET_ELISA_TX_PACKETS,
	NET_ELISA_TX_BYTES,
	NET_ELISA_TX_CALLS,        /* gate calls */
	NET_ELISA_TX_CALL_PACKETS, /* packets offered in them */
	NET_ELISA_TX_SHORT_CALLS,  /* of them: took less than was offered */
	NET_ELISA_TX_FAILED_CALLS, /* of them: answered with an error */
	NET_ELISA_TX_INVALID,      /* packets that no gate call can carry: freed */
	NET_ELISA_TX_COUNTERS
};

/* The slots from take up to post are posted; indices run freely, slot = index & mask. */
struct net_elisa_rx_queue {
	struct elisa_desc *ring;
	struct rte_mbuf **mbufs; /* of each posted slot */
	uint32_t size;
	uint32_t mask;
	uint32_t take;
	uint32_t post;
	uint32_t refill; /* slots to gather before they are posted again */
	uint32_t room;   /* bytes, of each posted buffer */
	uint64_t rearm;  /* struct rte_mbuf's rearm_data */
	uint64_t ol_flags;
	struct rte_mempool *pool;
	struct rte_mbuf *chain; /* first segment of a packet whose last is still to come */
	struct rte_mbuf *chain_last;
	const struct elisa_gate *gate;
	uint64_t target;    /* gate call's first argument: port | queue << 16 */
	uint32_t idle;      /* bursts that found nothing, in a row */
	uint32_t busy;      /* bursts that found something */
	uint64_t next_poll; /* TSC: not before, because there was no uplink */
	uint64_t counters[NET_ELISA_RX_COUNTERS];

	/* Control path only. */
	struct rte_eth_dev_data *data;
	const struct rte_memzone *zone;
	uint16_t number;
	uint64_t base[NET_ELISA_RX_COUNTERS];
};

struct net_elisa_tx_queue {
	struct elisa_desc *window;
	const struct elisa_gate *gate;
	uint64_t target; /* gate call's first argument: port | queue << 16 */
	uint32_t burst;  /* descriptors in one gate call */
	bool fast_free;  /* the application promised: one pool, no references */
	uint64_t counters[NET_ELISA_TX_COUNTERS];

	/* Control path only. */
	const struct rte_memzone *zone;
	uint32_t size;
	uint16_t number;
	uint64_t base[NET_ELISA_TX_COUNTERS];
};

/* [start, end), page-aligned, registered with the host. */
struct net_elisa_region {
	uint64_t start;
	uint64_t end;
};

/* What of this process the switch may reach. lock is taken inside DPDK's memory lock. */
struct net_elisa_memory {
	pthread_mutex_t lock;
	bool watching; /* the callback for memory events is registered */
	unsigned int nb_regions;
	struct net_elisa_region regions[ELISA_MAX_REGIONS];
};

struct net_elisa_port {
	struct elisa_gate gate;
	struct rte_eth_dev_data *data;
	const char *device; /* begins log lines */
	uint32_t number;
	uint32_t flags; /* ELISA_PORT_*, as the host has them once started */
	uint32_t max_mtu;
	uint32_t max_ring;
	uint32_t max_queues;
	struct rte_ether_addr mac;
	char port_name[ELISA_NAME_SIZE];
	char switch_name[ELISA_NAME_SIZE];
	struct elisa_rss rss;
	bool rss_symmetric;
	struct net_elisa_memory memory;
};

/* net_elisa_args.c */
enum net_elisa_gate {
	NET_ELISA_GATE_VMFUNC,
	NET_ELISA_GATE_VMCALL,
	NET_ELISA_GATE_LOCAL,
};

struct net_elisa_args {
	enum net_elisa_gate gate;
	bool rss_symmetric;
	char switch_name[ELISA_NAME_SIZE];
	char port_name[ELISA_NAME_SIZE];
};
int net_elisa_parse_args(const char *device, const char *text, struct net_elisa_args *args);

/* net_elisa_ethdev.c */
extern const struct eth_dev_ops net_elisa_ops;
int net_elisa_close(struct rte_eth_dev *dev);

/* net_elisa_queue.c */
int net_elisa_rx_queue_setup(struct rte_eth_dev *dev, uint16_t number, uint16_t size,
			     unsigned int socket, const struct rte_eth_rxconf *conf,
			     struct rte_mempool *pool);
int net_elisa_tx_queue_setup(struct rte_eth_dev *dev, uint16_t number, uint16_t size,
			     unsigned int socket, const struct rte_eth_txconf *conf);
void net_elisa_rx_queue_release(struct rte_eth_dev *dev, uint16_t number);
void net_elisa_tx_queue_release(struct rte_eth_dev *dev, uint16_t number);
int net_elisa_queues_hand_over(struct net_elisa_port *port);
void net_elisa_queues_take_back(struct net_elisa_port *port);

/* net_elisa_rss.c */
extern const uint64_t net_elisa_rss_types; /* RTE_ETH_RSS_* that the switch can hash */
int net_elisa_rss_configure(struct net_elisa_port *port);
int net_elisa_rss_hash_update(struct rte_eth_dev *dev, struct rte_eth_rss_conf *conf);
int net_elisa_rss_hash_conf_get(struct rte_eth_dev *dev, struct rte_eth_rss_conf *conf);
int net_elisa_reta_update(struct rte_eth_dev *dev, struct rte_eth_rss_reta_entry64 *entries,
			  uint16_t size);
int net_elisa_reta_query(struct rte_eth_dev *dev, struct rte_eth_rss_reta_entry64 *entries,
			 uint16_t size);

/* data_off, refcnt, nb_segs and port of an mbuf, as the one word that they are. */
static inline uint64_t *net_elisa_rearm(struct rte_mbuf *mbuf)
{
	uintptr_t address = (uintptr_t)&mbuf->rearm_data;

	return (uint64_t *)address;
}

/* net_elisa_rx.c, net_elisa_tx.c */
uint16_t net_elisa_rx_burst(void *queue, struct rte_mbuf **packets, uint16_t nb_packets);
int net_elisa_rx_fill(struct net_elisa_rx_queue *queue);
void net_elisa_rx_drain(struct net_elisa_rx_queue *queue);
uint16_t net_elisa_tx_burst(void *queue, struct rte_mbuf **packets, uint16_t nb_packets);
uint16_t net_elisa_tx_prepare(void *queue, struct rte_mbuf **packets, uint16_t nb_packets);

/*
 * What the switch is to do to a packet, for the word of its first descriptor; 0 = nothing. Offloads
 * that the driver does not announce are ignored.
 */
static inline uint64_t net_elisa_offload_word(const struct rte_mbuf *packet)
{
	const uint64_t asked = packet->ol_flags;
	uint64_t flags = 0;
	uint32_t l4 = 0;
	uint32_t mss = 0;

	if (asked & RTE_MBUF_F_TX_IP_CKSUM)
		flags = ELISA_DESC_IP_CSUM;
	if (asked & RTE_MBUF_F_TX_TCP_SEG) {
		flags |= ELISA_DESC_CSUM | ELISA_DESC_TSO;
		l4 = ELISA_L4_TCP;
		mss = packet->tso_segsz;
	} else if ((asked & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_TCP_CKSUM) {
		flags |= ELISA_DESC_CSUM;
		l4 = ELISA_L4_TCP;
	} else if ((asked & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM) {
		flags |= ELISA_DESC_CSUM;
		l4 = ELISA_L4_UDP;
	}
	if (!flags)
		return 0;
	return flags << 16 | (uint64_t)elisa_desc_meta(packet->l2_len, packet->l3_len, l4, mss)
				     << 32;
}

#define NET_ELISA_TX_OFFLOADS \
	(RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG)

/* net_elisa_stats.c */
int net_elisa_stats_get(struct rte_eth_dev *dev, struct rte_eth_stats *stats);
int net_elisa_stats_reset(struct rte_eth_dev *dev);
int net_elisa_xstats_get(struct rte_eth_dev *dev, struct rte_eth_xstat *xstats, unsigned int size);
int net_elisa_xstats_get_names(struct rte_eth_dev *dev, struct rte_eth_xstat_name *names,
			       unsigned int size);

/* net_elisa_memory.c */
void net_elisa_memory_init(struct net_elisa_port *port);
int net_elisa_memory_register_all(struct net_elisa_port *port);
int net_elisa_memory_register_pool(struct net_elisa_port *port, struct rte_mempool *pool);
int net_elisa_memory_map(struct net_elisa_port *port, void *address, size_t length);
int net_elisa_memory_unmap(struct net_elisa_port *port, void *address, size_t length);
void net_elisa_memory_forget(struct net_elisa_port *port);

#endif
