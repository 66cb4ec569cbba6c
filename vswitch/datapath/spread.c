/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spread.c - see spread.h.
 *
 * In the trusted image. Touches no guest memory itself.
 */
#include "vswitch/datapath/cut.h"
#include "vswitch/datapath/deliver.h"
#include "vswitch/datapath/rss.h"
#include "vswitch/datapath/spread.h"

static uint32_t all_of(uint32_t nb_packets)
{
	return ~0u >> (ELISA_BATCH_PACKETS - nb_packets);
}

/*
 * Of `mask`, the packets that go to the queue of the first one: all of them, or, if packets may
 * wait, those up to the first that goes elsewhere, so that what waits is what comes last.
 */
static uint32_t pick(const struct elisa_rss *rss, uint32_t reta_size,
		     const struct elisa_batch *batch, uint32_t mask, bool may_wait, uint32_t *queue)
{
	uint32_t picked = mask & -mask;

	*queue = elisa_rss_queue(rss, reta_size, &batch->packets[__builtin_ctz(mask)]);
	for (mask &= mask - 1; mask; mask &= mask - 1) {
		uint32_t i = __builtin_ctz(mask);

		if (elisa_rss_queue(rss, reta_size, &batch->packets[i]) == *queue)
			picked |= 1u << i;
		else if (may_wait)
			break;
	}
	return picked;
}

/* Packets that are as they will be delivered. */
static uint32_t deliver_queues(struct elisa_sender *sender, struct elisa_batch *batch,
			       uint32_t mask, uint32_t port, bool may_wait)
{
	const struct elisa_rss *rss = &sender->maps[port].rss;
	uint32_t reta_size = elisa_load(&rss->reta_size);

	if (elisa_likely(!reta_size))
		return elisa_deliver(sender, batch, mask, port, sender->queue, may_wait);
	while (mask) {
		uint32_t queue;
		uint32_t picked = pick(rss, reta_size, batch, mask, may_wait, &queue);
		uint32_t waits = elisa_deliver(sender, batch, picked, port, queue, may_wait);

		mask &= ~picked;
		if (waits)
			return mask | waits;
	}
	return 0;
}

/* True: it waits, none of it was delivered. */
static bool deliver_cut(struct elisa_sender *sender, const struct elisa_batch *batch,
			uint32_t index, uint32_t port, bool may_wait)
{
	struct elisa_cut cut;
	uint32_t nb;

	elisa_cut_begin(&cut, batch, index);
	while ((nb = elisa_cut_next(&cut, sender))) {
		struct elisa_batch *pieces = &sender->workspace->pieces;
		bool first = cut.nb_pieces == nb;
		uint32_t waits =
			deliver_queues(sender, pieces, all_of(nb), port, may_wait && first);

		if (waits == all_of(nb))
			return true;
		for (; waits; waits &= waits - 1) {
			sender->counters.drops[ELISA_DROP_RECEIVER_FULL]++;
			elisa_count(&sender->sw->received[port].drops[ELISA_DROP_RECEIVER_FULL], 1);
		}
	}
	sender->counters.segments += cut.nb_pieces - 1;
	return false;
}

static uint32_t find_long(const struct elisa_batch *batch, uint32_t mask)
{
	uint32_t found = 0;

	for (; mask; mask &= mask - 1)
		if (batch->packets[__builtin_ctz(mask)].flags & ELISA_DESC_TSO)
			found |= mask & -mask;
	return found;
}

uint32_t elisa_spread(struct elisa_sender *sender, struct elisa_batch *batch, uint32_t mask,
		      uint32_t port, uint32_t port_flags, bool may_wait)
{
	uint32_t to_cut = 0;

	if (!(port_flags & ELISA_PORT_RX_TSO))
		to_cut = find_long(batch, mask);
	while (elisa_unlikely(to_cut)) {
		uint32_t first = to_cut & -to_cut;
		uint32_t before = mask & (first - 1);
		uint32_t waits = 0;

		if (before)
			waits = deliver_queues(sender, batch, before, port, may_wait);
		mask &= ~before;
		if (waits)
			return mask | waits;
		if (deliver_cut(sender, batch, __builtin_ctz(first), port, may_wait))
			return mask;
		mask &= ~first;
		to_cut &= ~first;
	}
	return mask ? deliver_queues(sender, batch, mask, port, may_wait) : 0;
}
