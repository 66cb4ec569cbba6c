/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net_elisa_tx.c - sending: fill the transmit window, one gate call, free what it took.
 *
 * Hot path: called by the queue's one sending thread. Sending is synchronous: when the gate call
 * returns, every buffer is the driver's again (elisa/ring.h).
 */
#include <errno.h>

#include <rte_errno.h>
#include <rte_mempool.h>

#include "net_elisa.h"

/* What the window holds: whole packets only. */
struct window_fill {
	uint32_t descriptors;
	uint16_t packets;
	bool single; /* every packet is one segment */
	uint64_t bytes;
};

/* Descriptors of a packet; 0 = no gate call can carry it. Empty segments need none. */
static uint32_t count_descriptors(const struct net_elisa_tx_queue *queue,
				  const struct rte_mbuf *packet)
{
	uint32_t count = 0;

	for (; packet; packet = packet->next)
		count += packet->data_len != 0;
	return count > RTE_MIN(queue->burst, ELISA_MAX_SEGMENTS) ? 0 : count;
}

static __rte_noinline void put_segments(struct elisa_desc *desc, const struct rte_mbuf *packet)
{
	const struct rte_mbuf *whole = packet;
	struct elisa_desc *first = desc;
	struct elisa_desc *last = desc;

	for (; packet; packet = packet->next) {
		if (packet->data_len == 0)
			continue;
		desc->addr = rte_pktmbuf_mtod(packet, uintptr_t);
		desc->word = packet->data_len | (uint64_t)ELISA_DESC_MORE << 16;
		last = desc++;
	}
	last->flags = 0;
	first->word |= net_elisa_offload_word(whole);
}

/* Fills the window from packets until it is full, or at a packet that cannot be carried. */
static inline void fill_window(struct net_elisa_tx_queue *queue, struct rte_mbuf **packets,
			       uint16_t nb_packets, struct window_fill *fill)
{
	uint32_t used = 0;
	uint64_t bytes = 0;
	bool single = true;
	uint16_t i;

	for (i = 0; i < nb_packets; i++) {
		const struct rte_mbuf *packet = packets[i];
		uint32_t count = 1;

		if (unlikely(packet->nb_segs != 1 || packet->data_len == 0)) {
			count = count_descriptors(queue, packet);
			single = false;
			if (count == 0)
				break;
		}
		if (used + count > queue->burst)
			break;
		if (likely(packet->nb_segs == 1)) {
			queue->window[used].addr = rte_pktmbuf_mtod(packet, uintptr_t);
			queue->window[used].word = packet->data_len;
			if (unlikely(packet->ol_flags & NET_ELISA_TX_OFFLOADS))
				queue->window[used].word |= net_elisa_offload_word(packet);
		} else {
			put_segments(&queue->window[used], packet);
		}
		used += count;
		bytes += packet->pkt_len;
	}
	*fill = (struct window_fill){used, i, single, bytes};
}

/* Takes the packets out of fill that a short gate call did not. */
static void cut_fill(const struct net_elisa_tx_queue *queue, struct rte_mbuf **packets,
		     uint32_t taken, struct window_fill *fill)
{
	uint16_t i;

	fill->bytes = 0;
	for (i = 0; i < fill->packets; i++) {
		uint32_t count = count_descriptors(queue, packets[i]);

		if (count > taken)
			break;
		taken -= count;
		fill->bytes += packets[i]->pkt_len;
	}
	fill->packets = i;
}

static inline void free_packets(const struct net_elisa_tx_queue *queue, struct rte_mbuf **packets,
				const struct window_fill *fill)
{
	if (queue->fast_free && fill->single)
		rte_mempool_put_bulk(packets[0]->pool, (void **)packets, fill->packets);
	else
		rte_pktmbuf_free_bulk(packets, fill->packets);
}

/*
 * One gate call with as many packets as fit. Returns how many of them were taken, and frees these;
 * *short_count says that the switch will not take more now.
 */
static inline uint16_t send_window(struct net_elisa_tx_queue *queue, struct rte_mbuf **packets,
				   struct window_fill *fill, bool *short_count)
{
	int64_t taken =
		queue->gate->call(queue->gate, ELISA_CALL_TX, queue->target, fill->descriptors);

	queue->counters[NET_ELISA_TX_CALLS]++;
	queue->counters[NET_ELISA_TX_CALL_PACKETS] += fill->packets;
	if (unlikely(taken != (int64_t)fill->descriptors)) {
		*short_count = true;
		if (taken < 0) {
			queue->counters[NET_ELISA_TX_FAILED_CALLS]++;
			return 0;
		}
		queue->counters[NET_ELISA_TX_SHORT_CALLS]++;
		cut_fill(queue, packets, (uint32_t)taken, fill);
		if (fill->packets == 0)
			return 0;
	}
	free_packets(queue, packets, fill);
	queue->counters[NET_ELISA_TX_PACKETS] += fill->packets;
	queue->counters[NET_ELISA_TX_BYTES] += fill->bytes;
	return fill->packets;
}

uint16_t net_elisa_tx_burst(void *opaque, struct rte_mbuf **packets, uint16_t nb_packets)
{
	struct net_elisa_tx_queue *queue = opaque;
	bool short_count = false;
	uint16_t sent = 0;

	while (sent < nb_packets && !short_count) {
		struct window_fill fill;

		fill_window(queue, packets + sent, nb_packets - sent, &fill);
		if (unlikely(fill.packets == 0)) {
			rte_pktmbuf_free(packets[sent++]);
			queue->counters[NET_ELISA_TX_INVALID]++;
			continue;
		}
		sent += send_window(queue, packets + sent, &fill, &short_count);
	}
	return sent;
}

/* The flags that say what the packet is, and not what to do, may always be there. */
static bool is_known_offload(const struct rte_mbuf *packet)
{
	const uint64_t known = NET_ELISA_TX_OFFLOADS | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6;

	return !(packet->ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK & ~known) &&
	       (packet->ol_flags & RTE_MBUF_F_TX_L4_MASK) != RTE_MBUF_F_TX_SCTP_CKSUM;
}

/* What the switch would drop as ELISA_DROP_BAD_OFFLOAD without looking at the packet's bytes. */
static bool is_valid_offload(const struct rte_mbuf *packet)
{
	if (!(packet->ol_flags & NET_ELISA_TX_OFFLOADS))
		return true;
	if (packet->ol_flags & RTE_MBUF_F_TX_TCP_SEG &&
	    (packet->tso_segsz < ELISA_MIN_MSS || packet->tso_segsz > 0x3fff))
		return false;
	return packet->l2_len >= RTE_ETHER_HDR_LEN && packet->l3_len != 0 &&
	       packet->l2_len + packet->l3_len < packet->pkt_len;
}

uint16_t net_elisa_tx_prepare(void *opaque, struct rte_mbuf **packets, uint16_t nb_packets)
{
	const struct net_elisa_tx_queue *queue = opaque;
	uint16_t i;

	for (i = 0; i < nb_packets; i++) {
		if (!is_known_offload(packets[i])) {
			rte_errno = ENOTSUP;
			break;
		}
		if (count_descriptors(queue, packets[i]) == 0 ||
		    packets[i]->pkt_len < ELISA_MIN_FRAME || !is_valid_offload(packets[i])) {
			rte_errno = EINVAL;
			break;
		}
	}
	return i;
}
