// SPDX-License-Identifier: BSD-3-Clause
/*
 * transmit.c - packets of guests into a NIC: copied into its mbufs, cut, checksummed, sent.
 *
 * In the trusted image. A packet is on its way into the NIC when the call returns, or was dropped:
 * no mbuf of it belongs to a guest.
 */
#include "burst.h"
#include "owner.h"
#include "pool.h"
#include "thread.h"

#include "vswitch/datapath/checksum.h"
#include "vswitch/datapath/cut.h"
#include "vswitch/datapath/mask.h"
#include "vswitch/datapath/offload.h"
#include "vswitch/datapath/tap.h"
#include "vswitch/datapath/uplink.h"

#define SHORTEST_FRAME 60u /* what a NIC sends, without the checksum at the end */

struct sending {
	struct elisa_sender *sender;
	const struct elisa_uplink *uplink;
	const struct elisa_uplink_queue *queue;
	uint32_t port; /* the uplink's */
};

static uint32_t count_bits(uint32_t mask)
{
	uint32_t nb = 0;

	for (; mask; mask &= mask - 1)
		nb++;
	return nb;
}

static void drop(struct elisa_sender *sender, uint32_t port, uint32_t nb,
		 enum elisa_drop_reason reason)
{
	sender->counters.drops[reason] += nb;
	elisa_count(&sender->sw->received[port].drops[reason], nb);
}

/* The packet's bytes, in order. The header is the private copy that was decided on. */
static void copy_packet(uint8_t *to, const struct elisa_batch *batch,
			const struct elisa_packet *packet)
{
	const struct elisa_segment *segment = &batch->segments[packet->first_segment];

	elisa_copy(to, packet->header, packet->header_length);
	to += packet->header_length;
	for (uint32_t i = 0; i < packet->nb_segments; i++, segment++) {
		elisa_copy(to, (const uint8_t *)(uintptr_t)segment->address, segment->length);
		to += segment->length;
	}
}

static void fill(struct rte_mbuf *mbuf, const struct elisa_batch *batch,
		 const struct elisa_packet *packet)
{
	uint8_t *data = (uint8_t *)mbuf->buf_addr + RTE_PKTMBUF_HEADROOM;
	uint32_t length = packet->length;

	copy_packet(data, batch, packet);
	if (packet->flags & ELISA_DESC_CSUM) {
		struct elisa_piece piece = {.address = data, .length = length};

		elisa_checksum_fill(packet, &piece, 1);
	}
	/* Nothing that was in the mbuf before may leave. */
	for (; length < SHORTEST_FRAME; length++)
		data[length] = 0;
	mbuf->data_off = RTE_PKTMBUF_HEADROOM;
	mbuf->refcnt = 1;
	mbuf->nb_segs = 1;
	mbuf->next = NULL;
	mbuf->ol_flags = 0;
	mbuf->tx_offload = 0;
	mbuf->vlan_tci = 0;
	mbuf->pkt_len = length;
	mbuf->data_len = length;
}

/* Without its first `nb` packets. */
static uint32_t all_but(uint32_t mask, uint32_t nb)
{
	for (; nb; nb--)
		mask &= mask - 1;
	return mask;
}

/*
 * Add packets to the uplink port's counters, or take them back: before they are given to the NIC. So of a
 * vCPU that stops for good on the way nothing has left the host that is not counted.
 */
static void count(const struct sending *sending, const struct elisa_batch *batch, uint32_t mask,
		  bool back)
{
	struct elisa_receive_counters *counters = &sending->sender->sw->received[sending->port];
	uint64_t packets = count_bits(mask);
	uint64_t bytes = 0;

	for (; mask; mask &= mask - 1)
		bytes += batch->packets[__builtin_ctz(mask)].length;
	elisa_count(&counters->packets, back ? -packets : packets);
	elisa_count(&counters->bytes, back ? -bytes : bytes);
}

/* Packets of `mask` into the NIC. Returns those it had no descriptor or mbuf for: the last ones. */
static uint32_t send(struct sending *sending, const struct elisa_batch *batch, uint32_t mask)
{
	struct rte_mempool *pool = (struct rte_mempool *)(uintptr_t)sending->queue->pool;
	struct rte_mbuf *mbufs[ELISA_BATCH_PACKETS];
	struct elisa_tap tap;
	uint32_t nb = 0;
	uint32_t left;
	uint32_t sent;

	elisa_tap_open(&tap, sending->sender, sending->port, ELISA_CAPTURE_OUT, false);
	for (uint32_t rest = mask; rest; rest &= rest - 1) {
		if (elisa_pool_dequeue(pool, (void **)&mbufs[nb], 1))
			break;
		fill(mbufs[nb++], batch, &batch->packets[__builtin_ctz(rest)]);
	}
	if (!nb)
		return mask;
	left = all_but(mask, nb);
	count(sending, batch, mask & ~left, false);
	sent = elisa_burst_transmit(sending->uplink->driver, sending->queue, mbufs, nb);
	if (elisa_unlikely(sent < nb)) {
		elisa_pool_enqueue(pool, (void *const *)&mbufs[sent], nb - sent);
		count(sending, batch, all_but(mask, sent) & ~left, true);
		left = all_but(mask, sent);
	}
	for (mask &= ~left; elisa_unlikely(tap.bytes) && mask; mask &= mask - 1)
		elisa_tap_show(&tap, sending->sender, batch, &batch->packets[__builtin_ctz(mask)]);
	return left;
}

/* True: it waits, none of it was sent. */
static bool send_cut(struct sending *sending, const struct elisa_batch *batch, uint32_t index,
		     bool may_wait)
{
	struct elisa_sender *sender = sending->sender;
	struct elisa_cut cut;
	uint32_t nb;

	elisa_cut_begin(&cut, batch, index);
	while ((nb = elisa_cut_next(&cut, sender))) {
		uint32_t all = ~0u >> (ELISA_BATCH_PACKETS - nb);
		uint32_t left = send(sending, &sender->workspace->pieces, all);

		if (left == all && may_wait && cut.nb_pieces == nb)
			return true;
		drop(sender, sending->port, count_bits(left), ELISA_DROP_UPLINK_FULL);
	}
	sender->counters.segments += cut.nb_pieces - 1;
	return false;
}

/* Returns what the NIC had no room for: the last ones of `mask`. */
static uint32_t send_all(struct sending *sending, const struct elisa_batch *batch, uint32_t mask,
			 bool may_wait)
{
	uint32_t to_cut = 0;

	for (uint32_t rest = mask; rest; rest &= rest - 1)
		if (batch->packets[__builtin_ctz(rest)].flags & ELISA_DESC_TSO)
			to_cut |= rest & -rest;
	while (to_cut) {
		uint32_t first = to_cut & -to_cut;
		uint32_t before = mask & (first - 1);
		uint32_t left = before ? send(sending, batch, before) : 0;

		mask &= ~before;
		if (left)
			return mask | left;
		if (send_cut(sending, batch, __builtin_ctz(first), may_wait))
			return mask;
		mask &= ~first;
		to_cut &= ~first;
	}
	return mask ? send(sending, batch, mask) : 0;
}

static uint32_t wire_length(const struct elisa_packet *packet)
{
	uint32_t longest;

	if (!(packet->flags & ELISA_DESC_TSO))
		return packet->length;
	longest = elisa_offload_header_length(packet) + elisa_meta_mss(packet->meta);
	return longest < packet->length ? longest : packet->length;
}

static uint32_t find_too_long(const struct elisa_uplink *uplink, const struct elisa_batch *batch,
			      uint32_t mask)
{
	uint32_t room = elisa_load(&uplink->room);
	uint32_t max = elisa_load(&uplink->mtu) + ELISA_FRAME_OVERHEAD;
	uint32_t too_long = 0;

	max = max < room ? max : room;
	for (; mask; mask &= mask - 1)
		if (wire_length(&batch->packets[__builtin_ctz(mask)]) > max)
			too_long |= mask & -mask;
	return too_long;
}

static uint32_t transmit(struct elisa_sender *sender, const struct elisa_batch *batch,
			 uint32_t mask, struct elisa_uplink *uplink, bool may_wait)
{
	struct sending sending = {
		.sender = sender,
		.uplink = uplink,
		.port = elisa_load(&uplink->port) % ELISA_MAX_PORTS,
	};
	struct elisa_uplink_queue *queue = elisa_owner_take(uplink, sender->vcpu);
	uint32_t too_long;

	if (!queue && !sender->waited) {
		sender->waited = true;
		queue = elisa_owner_wait(uplink, sender->vcpu);
	}
	if (!queue) {
		if (may_wait)
			return mask;
		drop(sender, sending.port, count_bits(mask), ELISA_DROP_UPLINK_BUSY);
		return 0;
	}
	sending.queue = queue;
	too_long = find_too_long(uplink, batch, mask);
	mask = send_all(&sending, batch, mask & ~too_long, may_wait);
	elisa_owner_give(queue);
	/* Those behind a packet that waits are not taken: they come again, and are counted then. */
	if (mask && may_wait)
		too_long &= (mask & -mask) - 1;
	drop(sender, sending.port, count_bits(too_long), ELISA_DROP_UPLINK_MTU);
	if (mask && !may_wait) {
		drop(sender, sending.port, count_bits(mask), ELISA_DROP_UPLINK_FULL);
		mask = 0;
	}
	return mask;
}

uint32_t elisa_uplink_transmit(struct elisa_sender *sender, struct elisa_batch *batch,
			       uint32_t mask, uint32_t index, bool may_wait)
{
	/* Behind the uplinks is the MAC table: addresses that guests chose. */
	uint32_t masked = index & elisa_below_mask(index, ELISA_MAX_UPLINKS);
	struct elisa_uplink *uplink = &sender->sw->uplinks[masked];
	/* A batch that another uplink received: elisa_uplink_poll() is below and has entered. */
	bool entered = !sender->window;

	if (elisa_load_acquire(&uplink->state) != ELISA_UPLINK_UP || !elisa_load(&uplink->link) ||
	    !sender->may_use_uplinks) {
		drop(sender, elisa_load(&uplink->port) % ELISA_MAX_PORTS, count_bits(mask),
		     ELISA_DROP_UPLINK_DOWN);
		return 0;
	}
	if (!entered)
		elisa_thread_enter();
	mask = transmit(sender, batch, mask, uplink, may_wait);
	if (!entered)
		elisa_thread_leave();
	return mask;
}
