/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deliver.c - look at the receiver's posted slots, claim a run of them, copy, publish.
 *
 * In the trusted image. Writes receivers' buffers and rings, and only what it claimed there.
 */
#include "vswitch/datapath/checksum.h"
#include "vswitch/datapath/deliver.h"
#include "vswitch/datapath/journal.h"
#include "vswitch/datapath/mask.h"
#include "vswitch/datapath/tap.h"

#define RUN_SLOTS 64u    /* claimed at once */
#define RUN_BYTES 16384u /* planned at once, and one packet more */
#define SLOTS_AHEAD 32u  /* how far ahead their cache lines are asked for */
#define CLAIM_TRIES 256  /* lost races for one run; each means that another sender went ahead */

struct slot {
	uint64_t address; /* translated; 0 = the receiver's buffer is bad */
	uint32_t room;
	uint64_t done; /* word to publish */
};

/* A packet's part of a run. */
struct share {
	uint8_t packet; /* index in the batch */
	uint8_t nb_slots;
	bool bad; /* no data: the last slot is bad */
};

struct delivery {
	struct elisa_sender *sender;
	struct elisa_batch *batch;
	const struct elisa_port_map *map; /* the receiver's */
	struct elisa_queue_map queue_map; /* private copy */
	struct elisa_desc *ring;
	struct elisa_view view;
	struct elisa_run run;
	uint32_t nb_shares;
	uint32_t max_frame;
	uint32_t port_flags;
	struct elisa_tap tap;

	/* Added to the receiver's counters once. */
	uint64_t packets;
	uint64_t bytes;

	struct slot slots[RUN_SLOTS];
	struct share shares[ELISA_BATCH_PACKETS];
};

/* Why planning stopped. */
enum plan_end {
	PLAN_ALL,     /* every packet has its slots */
	PLAN_PART,    /* no more slots in one run */
	PLAN_FULL,    /* no more posted slots */
	PLAN_TOO_BIG, /* the next packet can never fit */
};

static struct elisa_desc *slot_desc(const struct delivery *d, uint32_t slot)
{
	return &d->ring[slot & (d->queue_map.rx_size - 1)];
}

static void drop(struct delivery *d, uint32_t nb, enum elisa_drop_reason reason)
{
	d->sender->counters.drops[reason] += nb;
	elisa_count(&d->sender->sw->received[d->run.port].drops[reason], nb);
}

static uint32_t count_bits(uint32_t mask)
{
	uint32_t nb = 0;

	for (; mask; mask &= mask - 1)
		nb++;
	return nb;
}

/* False: the slot is not posted. Otherwise a private, checked copy of it is in the run. */
static inline bool read_slot(struct delivery *d, uint32_t index)
{
	uint32_t head = d->run.first + index;
	const struct elisa_desc *desc = slot_desc(d, head);
	uint32_t posted = ELISA_DESC_POSTED | elisa_slot_phase(head, d->queue_map.rx_size);
	uint64_t word = elisa_load_acquire(&desc->word); /* the receiver's store-release */
	uint64_t gva = elisa_load(&desc->addr);
	struct slot *slot = &d->slots[index];

	if ((word >> 16 & 0xffff) != posted)
		return false;
	slot->room = word & 0xffff;
	slot->address = 0;
	if (elisa_likely(slot->room))
		slot->address =
			elisa_translate(&d->view, d->map, gva, slot->room, ELISA_REGION_WRITE);
	if (elisa_likely(slot->address))
		elisa_prefetch_write((const void *)(uintptr_t)slot->address);
	return true;
}

/* Slots for one packet, from run.count on. PLAN_ALL: it has them, run.count is moved. */
static enum plan_end plan_packet(struct delivery *d, uint32_t packet)
{
	uint32_t size = d->queue_map.rx_size;
	uint32_t limit = size < RUN_SLOTS ? size : RUN_SLOTS;
	struct share *share = &d->shares[d->nb_shares];
	uint32_t left = d->batch->packets[packet].length;
	uint32_t at = d->run.count;

	share->packet = packet;
	share->bad = false;
	do {
		if (at - d->run.count == ELISA_MAX_SEGMENTS || at - d->run.count == size)
			return PLAN_TOO_BIG;
		if (at == limit)
			return PLAN_PART;
		if (!read_slot(d, at))
			return PLAN_FULL;
		share->bad = !d->slots[at].address;
		left -= left < d->slots[at].room ? left : d->slots[at].room;
		at++;
	} while (left && !share->bad);
	share->nb_slots = at - d->run.count;
	d->run.count = at;
	d->nb_shares++;
	return PLAN_ALL;
}

/*
 * Give slots to the packets of `mask`, in order. The lines that the next ones are in are asked for
 * ahead: each comes from the receiver's core, and the waits for them then overlap.
 */
static enum plan_end plan(struct delivery *d, uint32_t mask)
{
	enum plan_end end = PLAN_ALL;
	uint32_t bytes = 0;

	d->run.count = 0;
	d->nb_shares = 0;
	for (; mask && end == PLAN_ALL; mask &= mask - 1) {
		uint32_t packet = __builtin_ctz(mask);

		if (bytes >= RUN_BYTES)
			return PLAN_PART;
		elisa_prefetch_write(slot_desc(d, d->run.first + d->run.count + SLOTS_AHEAD));
		end = plan_packet(d, packet);
		bytes += d->batch->packets[packet].length;
	}
	return end;
}

/* What the slot's word will be: DONE with these. Written by publish(). */
static void set_done(struct delivery *d, uint32_t index, uint32_t length, uint32_t flags)
{
	flags |= ELISA_DESC_DONE | elisa_slot_phase(d->run.first + index, d->queue_map.rx_size);
	d->slots[index].done = elisa_desc_word(length, flags);
}

/*
 * A packet of which somebody finished or knows the checksum, or nobody yet: the receiver is told on
 * the packet's first slot if it asked for that, else it gets a finished packet.
 */
static void finish(struct delivery *d, const struct elisa_packet *packet, uint32_t first,
		   uint32_t nb_slots)
{
	struct elisa_piece pieces[ELISA_MAX_SEGMENTS];

	if (!(packet->flags & ELISA_DESC_CSUM) || d->port_flags & ELISA_PORT_RX_CSUM) {
		d->slots[first].done |= elisa_desc_word(0, packet->flags) | (uint64_t)packet->meta
										    << 32;
		return;
	}
	for (uint32_t i = 0; i < nb_slots; i++) {
		pieces[i].address = (uint8_t *)(uintptr_t)d->slots[first + i].address;
		pieces[i].length = d->slots[first + i].done & 0xffff;
	}
	elisa_checksum_fill(packet, pieces, nb_slots);
}

/* Pairs with the receiver's load-acquire: it sees the data. */
static void publish(struct delivery *d, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		elisa_store_release(&slot_desc(d, d->run.first + i)->word, d->slots[i].done);
}

/* Where in a packet the copy is. */
struct cursor {
	const struct elisa_segment *next;
	const uint8_t *from;
	uint32_t left; /* at `from` */
};

static void copy_next(struct cursor *cursor, uint8_t *to, uint32_t n)
{
	while (n) {
		uint32_t take;

		if (!cursor->left) {
			cursor->from = (const uint8_t *)(uintptr_t)cursor->next->address;
			cursor->left = cursor->next->length;
			cursor->next++;
		}
		take = n < cursor->left ? n : cursor->left;
		elisa_copy(to, cursor->from, take);
		cursor->from += take;
		cursor->left -= take;
		to += take;
		n -= take;
	}
}

static void copy_packet(struct delivery *d, const struct elisa_packet *packet, uint32_t first,
			uint32_t nb_slots)
{
	struct cursor cursor = {
		.next = &d->batch->segments[packet->first_segment],
		.from = packet->header,
		.left = packet->header_length,
	};
	uint32_t left = packet->length;

	for (uint32_t i = first; i < first + nb_slots; i++) {
		uint32_t n = left < d->slots[i].room ? left : d->slots[i].room;

		copy_next(&cursor, (uint8_t *)(uintptr_t)d->slots[i].address, n);
		left -= n;
		set_done(d, i, n, left ? ELISA_DESC_MORE : 0);
	}
}

/* What was delivered, for those who capture. */
static void show(const struct delivery *d)
{
	for (uint32_t i = 0; i < d->nb_shares; i++)
		if (!d->shares[i].bad)
			elisa_tap_show(&d->tap, d->sender, d->batch,
				       &d->batch->packets[d->shares[i].packet]);
}

/* Step 4 of journal.h, for all packets of the run. */
static void fill(struct delivery *d)
{
	uint32_t slot = 0;
	uint32_t nb_bad = 0;

	for (uint32_t i = 0; i < d->nb_shares; i++) {
		const struct share *share = &d->shares[i];
		const struct elisa_packet *packet = &d->batch->packets[share->packet];

		if (elisa_unlikely(share->bad)) {
			for (uint32_t j = slot; j < slot + share->nb_slots; j++)
				set_done(d, j, 0, ELISA_DESC_DROPPED);
			nb_bad++;
		} else if (share->nb_slots == 1 && !packet->nb_segments && !packet->flags) {
			elisa_copy((uint8_t *)(uintptr_t)d->slots[slot].address, packet->header,
				   packet->header_length);
			set_done(d, slot, packet->length, 0);
			d->bytes += packet->length;
		} else {
			copy_packet(d, packet, slot, share->nb_slots);
			if (packet->flags)
				finish(d, packet, slot, share->nb_slots);
			d->bytes += packet->length;
		}
		slot += share->nb_slots;
	}
	/*
	 * The receiver looks at the first slot: it comes last, so that the receiver's reads do not
	 * meet these stores in one cache line after the other. A packet's slots stay in order.
	 */
	if (d->nb_shares) {
		publish(d, d->shares[0].nb_slots, slot);
		publish(d, 0, d->shares[0].nb_slots);
	}
	if (elisa_unlikely(d->tap.bytes))
		show(d);
	d->packets += d->nb_shares - nb_bad;
	drop(d, nb_bad, ELISA_DROP_BAD_RECEIVE_BUFFER);
}

/* Plan and claim until a claim holds, or there is nothing to claim. */
static enum plan_end claim(struct delivery *d, uint32_t mask)
{
	struct elisa_sender *sender = d->sender;
	struct elisa_receive_queue *queue = &sender->sw->queues[d->run.port][d->run.queue];

	for (unsigned int try = 0; try < CLAIM_TRIES; try++) {
		uint64_t word = elisa_queue_open(queue, &d->queue_map);
		enum plan_end end;

		d->run.first = elisa_queue_head(word);
		end = plan(d, mask);
		/* No slot: full, unless others claimed these slots since the word was read. */
		if (d->run.count ? elisa_journal_claim(sender->sw, sender->vcpu, sender->port, word,
						       &d->run)
				 : elisa_load(&queue->word) == word)
			return end;
		sender->counters.claim_retries++;
	}
	d->run.count = 0;
	d->nb_shares = 0;
	return PLAN_FULL;
}

/* Deliver what fits in one run. Returns what is left of the mask; *full: no room for that. */
static uint32_t deliver_run(struct delivery *d, uint32_t mask, bool *full)
{
	enum plan_end end = claim(d, mask);

	fill(d);
	/* Also when a lost race was followed by a full ring: the journal then names a past try. */
	elisa_journal_idle(d->sender->sw, d->sender->vcpu);
	for (uint32_t i = 0; i < d->nb_shares; i++)
		mask &= mask - 1;
	if (end == PLAN_TOO_BIG) {
		drop(d, 1, ELISA_DROP_RECEIVER_FULL);
		mask &= mask - 1;
	}
	*full = end == PLAN_FULL;
	return mask;
}

/* The receiver's queue, or its queue 0. False: it has none. */
static bool open_queue(struct delivery *d, uint32_t queue)
{
	const struct elisa_queue_map *map = &d->map->queues[queue];

	d->queue_map.rx_size = elisa_load_acquire(&map->rx_size);
	if (!d->queue_map.rx_size && queue) {
		queue = 0;
		map = &d->map->queues[0];
		d->queue_map.rx_size = elisa_load_acquire(&map->rx_size);
	}
	/* The size is written last at set-up, so what it covers is there. */
	d->queue_map.rx_ring = elisa_load(&map->rx_ring);
	d->queue_map.epoch = elisa_load(&map->epoch);
	/* Without a size there is no ring, and nothing that keeps a slot's number in one. */
	d->ring = (struct elisa_desc *)(uintptr_t)(d->queue_map.rx_ring &
						   elisa_below_mask(0, d->queue_map.rx_size));
	if (d->sender->in_host)
		d->queue_map.rx_ring = 0;
	d->run.queue = queue;
	d->run.epoch = d->queue_map.epoch;
	return d->queue_map.rx_size != 0;
}

static uint32_t find_too_long(const struct delivery *d, uint32_t mask)
{
	uint32_t too_long = 0;

	for (uint32_t rest = mask; rest; rest &= rest - 1) {
		uint32_t i = __builtin_ctz(rest);

		/* What is still to be cut has no length yet that a wire would care for. */
		if (elisa_unlikely(d->batch->packets[i].length > d->max_frame) &&
		    !(d->batch->packets[i].flags & ELISA_DESC_TSO))
			too_long |= 1u << i;
	}
	return too_long;
}

uint32_t elisa_deliver(struct elisa_sender *sender, struct elisa_batch *batch, uint32_t mask,
		       uint32_t port, uint32_t queue, bool may_wait)
{
	struct elisa_receive_counters *counters = &sender->sw->received[port];
	struct delivery d;
	uint32_t too_long;
	bool full = false;

	d.sender = sender;
	d.batch = batch;
	d.map = &sender->maps[port];
	d.view.length = 0;
	d.run.port = port;
	d.port_flags = elisa_load(&d.map->flags);
	d.max_frame = elisa_load(&d.map->mtu) + ELISA_FRAME_OVERHEAD;
	d.packets = 0;
	d.bytes = 0;
	if (elisa_unlikely(!open_queue(&d, queue))) {
		sender->counters.drops[ELISA_DROP_NO_DESTINATION] += count_bits(mask);
		return 0;
	}
	/* Before a claim: a guest without RDTSC (CR4.TSD) is thrown out with nothing in its hands. */
	elisa_tap_open(&d.tap, sender, port, ELISA_CAPTURE_OUT, d.port_flags & ELISA_PORT_RX_CSUM);
	too_long = find_too_long(&d, mask);
	mask &= ~too_long;
	while (mask && !full)
		mask = deliver_run(&d, mask, &full);
	/* Those behind a packet that waits are not taken: they come again, and are counted then. */
	if (mask && may_wait)
		too_long &= (mask & -mask) - 1;
	drop(&d, count_bits(too_long), ELISA_DROP_RECEIVER_MTU);
	elisa_count(&counters->packets, d.packets);
	elisa_count(&counters->bytes, d.bytes);
	if (!mask || may_wait)
		return mask;
	drop(&d, count_bits(mask), ELISA_DROP_RECEIVER_FULL);
	return 0;
}
