/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net_elisa_rx.c - receiving: poll the own ring, hand out mbufs, post fresh ones. A gate call only
 * now and then, most when there is nothing to do: somebody must look at the uplinks.
 *
 * Hot path: called by the queue's one polling thread; fill and drain by the control path while the
 * port is stopped. Ownership of slots and the barriers: elisa/ring.h.
 */
#include <errno.h>

#include <rte_cycles.h>
#include <rte_mempool.h>
#include <rte_prefetch.h>

#include "net_elisa.h"

#define FLAGS_SHIFT 16
#define WORD(flags) ((uint64_t)(flags) << FLAGS_SHIFT)
#define PREFETCH_AHEAD 4u
#define IDLE_BURSTS 8u       /* bursts without a packet for each look at the uplinks */
#define BUSY_BURSTS 64u      /* with packets, so that a wire waits for no idle moment */
#define POLL_BUDGET 32u      /* packets to take from them in one look */
#define NO_UPLINK_PAUSE 100u /* of a second: 10 ms until the next look when there is none */

_Static_assert(offsetof(struct elisa_desc, flags) == 8 + FLAGS_SHIFT / 8, "flags in the word");

/* Slot i of lap n has phase n & 1: the lap's parity is the index's bit above the mask. */
static inline uint64_t phase_of(const struct net_elisa_rx_queue *queue, uint32_t index)
{
	return index & queue->size ? WORD(ELISA_DESC_PHASE) : 0;
}

static inline bool is_done(const struct net_elisa_rx_queue *queue, uint32_t index, uint64_t word)
{
	return (word & WORD(ELISA_DESC_DONE | ELISA_DESC_PHASE)) ==
	       (WORD(ELISA_DESC_DONE) | phase_of(queue, index));
}

static inline struct rte_mbuf *take_segment(struct net_elisa_rx_queue *queue, uint32_t index,
					    uint16_t length)
{
	struct rte_mbuf *mbuf = queue->mbufs[index & queue->mask];

	/* A pool's free mbufs have next = NULL, which rearm_data does not cover. */
	*net_elisa_rearm(mbuf) = queue->rearm;
	mbuf->ol_flags = queue->ol_flags;
	mbuf->packet_type = 0;
	mbuf->pkt_len = length;
	mbuf->data_len = length;
	return mbuf;
}

/* What the first slot's word says about the packet's checksums and segmentation. */
static __rte_noinline void tell_offloads(struct rte_mbuf *mbuf, uint64_t word)
{
	const uint32_t meta = word >> 32;

	if (word & WORD(ELISA_DESC_GOOD)) {
		mbuf->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
		return;
	}
	/* NONE: the field is not valid, the data are (rte_mbuf_core.h). */
	mbuf->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_NONE;
	mbuf->l2_len = elisa_meta_l2_length(meta);
	mbuf->l3_len = elisa_meta_l3_length(meta);
	if (word & WORD(ELISA_DESC_TSO)) {
		mbuf->ol_flags |= RTE_MBUF_F_RX_LRO;
		mbuf->tso_segsz = elisa_meta_mss(meta);
	}
}

static void forget_chain(struct net_elisa_rx_queue *queue)
{
	if (queue->chain) {
		queue->counters[NET_ELISA_RX_DROPPED_SLOTS] += queue->chain->nb_segs;
		rte_pktmbuf_free(queue->chain);
		queue->chain = NULL;
	}
}

/*
 * A segment of a longer packet, or a slot without data. Returns the packet when it is complete.
 * DROPPED ends the packet it is in: its sender was lost, the rest will not come.
 */
static __rte_noinline struct rte_mbuf *take_chained(struct net_elisa_rx_queue *queue,
						    struct rte_mbuf *mbuf, uint64_t word)
{
	struct rte_mbuf *first = queue->chain;

	if (word & WORD(ELISA_DESC_DROPPED)) {
		queue->counters[NET_ELISA_RX_DROPPED_SLOTS]++;
		rte_pktmbuf_free(mbuf);
		forget_chain(queue);
		return NULL;
	}
	if (first) {
		queue->chain_last->next = mbuf;
		first->nb_segs++;
		first->pkt_len += mbuf->data_len;
	} else {
		first = mbuf;
	}
	if (word & WORD(ELISA_DESC_MORE)) {
		queue->chain = first;
		queue->chain_last = mbuf;
		return NULL;
	}
	queue->chain = NULL;
	return first;
}

/* Posts count slots, whose mbufs stand in place already. */
static inline void post_slots(struct net_elisa_rx_queue *queue, uint32_t count)
{
	const uint64_t posted = WORD(ELISA_DESC_POSTED) | queue->room;
	uint32_t index = queue->post;
	uint32_t end = index + count;

	for (; index != end; index++) {
		struct elisa_desc *desc = &queue->ring[index & queue->mask];
		const struct rte_mbuf *mbuf = queue->mbufs[index & queue->mask];

		/* A sender that was overtaken may be reading it: one access. */
		__atomic_store_n(&desc->addr, (uintptr_t)mbuf->buf_addr + RTE_PKTMBUF_HEADROOM,
				 __ATOMIC_RELAXED);
		/* Pairs with the sender's load-acquire of POSTED: the address is there first. */
		__atomic_store_n(&desc->word, posted | phase_of(queue, index), __ATOMIC_RELEASE);
	}
	queue->post = end;
}

/*
 * Posts what was taken, as many mbufs as the pool gives. A pool that is empty now only delays: the
 * slots stay the driver's, the next poll tries again. With nothing posted at all one mbuf is worth
 * asking for, or a pool smaller than the batch would never start again.
 */
static __rte_noinline void post_again(struct net_elisa_rx_queue *queue)
{
	uint32_t missing = queue->size - (queue->post - queue->take);

	while (missing >= queue->refill) {
		uint32_t slot = queue->post & queue->mask;
		uint32_t count = RTE_MIN(queue->refill, queue->size - slot);
		void **place = (void **)&queue->mbufs[slot];

		if (unlikely(rte_mempool_get_bulk(queue->pool, place, count))) {
			queue->data->rx_mbuf_alloc_failed += count;
			if (queue->post != queue->take || rte_mempool_get(queue->pool, place))
				return;
			count = 1;
		}
		post_slots(queue, count);
		missing -= count;
	}
}

/* Somebody's vCPU must take what the NICs received: best one that has nothing else to do. */
static __rte_noinline void look_at_uplinks(struct net_elisa_rx_queue *queue)
{
	int64_t taken;

	if (rte_rdtsc() < queue->next_poll)
		return;
	taken = queue->gate->call(queue->gate, ELISA_CALL_POLL, queue->target, POLL_BUDGET);
	queue->counters[NET_ELISA_RX_POLLS]++;
	if (taken > 0)
		queue->counters[NET_ELISA_RX_POLL_PACKETS] += (uint64_t)taken;
	else if (taken < 0)
		queue->next_poll = rte_rdtsc() + rte_get_tsc_hz() / NO_UPLINK_PAUSE;
}

static uint16_t take_packets(struct net_elisa_rx_queue *queue, struct rte_mbuf **packets,
			     uint16_t nb_packets)
{
	uint32_t take = queue->take;
	uint64_t bytes = 0;
	uint16_t received = 0;

	while (received < nb_packets) {
		/* Pairs with the sender's store-release of DONE: the bytes are there first. */
		uint64_t word =
			__atomic_load_n(&queue->ring[take & queue->mask].word, __ATOMIC_ACQUIRE);
		struct rte_mbuf *mbuf;

		if (!is_done(queue, take, word))
			break;
		rte_prefetch0(queue->mbufs[(take + PREFETCH_AHEAD) & queue->mask]);
		mbuf = take_segment(queue, take, (uint16_t)word);
		take++;
		if (unlikely(word & WORD(ELISA_DESC_CSUM | ELISA_DESC_GOOD)))
			tell_offloads(mbuf, word);
		if (unlikely(queue->chain || (word & WORD(ELISA_DESC_MORE | ELISA_DESC_DROPPED)))) {
			mbuf = take_chained(queue, mbuf, word);
			if (!mbuf)
				continue;
		}
		bytes += mbuf->pkt_len;
		packets[received++] = mbuf;
	}

	queue->take = take;
	queue->counters[NET_ELISA_RX_PACKETS] += received;
	queue->counters[NET_ELISA_RX_BYTES] += bytes;
	if (queue->size - (queue->post - take) >= queue->refill)
		post_again(queue);
	return received;
}

uint16_t net_elisa_rx_burst(void *opaque, struct rte_mbuf **packets, uint16_t nb_packets)
{
	struct net_elisa_rx_queue *queue = opaque;
	uint16_t received = take_packets(queue, packets, nb_packets);

	if (likely(received)) {
		queue->idle = 0;
		if (unlikely(!(++queue->busy % BUSY_BURSTS)))
			look_at_uplinks(queue);
		return received;
	}
	if (++queue->idle % IDLE_BURSTS)
		return 0;
	look_at_uplinks(queue);
	return take_packets(queue, packets, nb_packets);
}

/* Posts the whole ring, from index 0, before the switch is told of it. -ENOMEM: none is posted. */
int net_elisa_rx_fill(struct net_elisa_rx_queue *queue)
{
	memset(queue->ring, 0, queue->size * sizeof(*queue->ring));
	queue->take = 0;
	queue->post = 0;
	if (rte_mempool_get_bulk(queue->pool, (void **)queue->mbufs, queue->size))
		return -ENOMEM;
	post_slots(queue, queue->size);
	return 0;
}

/* Frees every mbuf of the ring. The switch has let go of it: no slot changes any more. */
void net_elisa_rx_drain(struct net_elisa_rx_queue *queue)
{
	for (; queue->take != queue->post; queue->take++) {
		uint32_t slot = queue->take & queue->mask;
		uint64_t word = __atomic_load_n(&queue->ring[slot].word, __ATOMIC_ACQUIRE);

		if (is_done(queue, queue->take, word)) {
			if (word & WORD(ELISA_DESC_DROPPED))
				queue->counters[NET_ELISA_RX_DROPPED_SLOTS]++;
			else if (!(word & WORD(ELISA_DESC_MORE)))
				queue->counters[NET_ELISA_RX_STOP_DISCARDS]++;
		}
		rte_mempool_put(queue->pool, queue->mbufs[slot]);
	}
	if (queue->chain)
		rte_pktmbuf_free(queue->chain);
	queue->chain = NULL;
}
