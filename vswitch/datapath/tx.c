/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tx.c - one transmit call: batches of packets, runs of them for one receiver, counters.
 *
 * In the trusted image. Touches no guest memory itself.
 */
#include "vswitch/datapath/deliver.h"
#include "vswitch/datapath/errors.h"
#include "vswitch/datapath/fdb.h"
#include "vswitch/datapath/forward.h"
#include "vswitch/datapath/gather.h"
#include "vswitch/datapath/tx.h"

/* Packets first .. end - 1 of a batch; end is 1..32. */
static uint32_t mask_between(uint32_t first, uint32_t end)
{
	return ~0u >> (ELISA_BATCH_PACKETS - end) & ~0u << first;
}

/* Does the port exist, and may packets be delivered to it? */
static bool is_receiver(const struct elisa_sender *sender, uint32_t port, uint32_t *flags)
{
	*flags = elisa_load_acquire(&sender->maps[port].flags);
	return *flags & ELISA_PORT_STARTED && elisa_load(&sender->sw->config[port].present);
}

/*
 * Flooded packets go to every other port that wants them. They never wait for a full receiver: one
 * slow port would hold up the others' broadcasts.
 */
static void flood(struct elisa_sender *sender, struct elisa_batch *batch, uint32_t mask)
{
	uint64_t ports = elisa_load(&sender->sw->ports) & ~(1ull << sender->port);
	uint32_t reached = 0;

	for (; ports; ports &= ports - 1) {
		uint32_t port = __builtin_ctzll(ports);
		uint32_t wanted;
		uint32_t flags;

		if (!is_receiver(sender, port, &flags))
			continue;
		wanted = elisa_forward_filter(sender, batch, mask, port, flags);
		if (wanted)
			elisa_deliver(sender, batch, wanted, port, false);
		reached |= wanted;
	}
	for (; mask; mask &= mask - 1) {
		sender->counters.flooded++;
		if (!(mask & -mask & reached))
			sender->counters.drops[ELISA_DROP_NO_DESTINATION]++;
	}
}

/* Packets first .. end - 1 have the same destination. Returns the first not taken. */
static uint32_t send_run(struct elisa_sender *sender, struct elisa_batch *batch, uint32_t first,
			 uint32_t end)
{
	uint32_t port = batch->packets[first].port;
	uint32_t mask = mask_between(first, end);
	uint32_t flags;
	bool may_wait;

	if (port == ELISA_FDB_NONE) {
		flood(sender, batch, mask);
		return end;
	}
	if (!is_receiver(sender, port, &flags)) {
		sender->counters.drops[ELISA_DROP_NO_DESTINATION] += end - first;
		return end;
	}
	may_wait = elisa_load(&sender->sw->config[port].backpressure);
	mask = elisa_deliver(sender, batch, mask, port, may_wait);
	return mask ? (uint32_t)__builtin_ctz(mask) : end;
}

/* Returns the first packet not taken. */
static uint32_t send_batch(struct elisa_sender *sender, struct elisa_batch *batch)
{
	uint32_t first = 0;

	while (first < batch->nb_packets) {
		const struct elisa_packet *packet = &batch->packets[first];
		uint32_t end = first + 1;
		uint32_t taken;

		if (packet->reason != ELISA_DROP_NONE) {
			sender->counters.drops[packet->reason]++;
			first++;
			continue;
		}
		while (end < batch->nb_packets && batch->packets[end].port == packet->port &&
		       batch->packets[end].reason == ELISA_DROP_NONE)
			end++;
		taken = send_run(sender, batch, first, end);
		if (taken < end)
			return taken;
		first = end;
	}
	return first;
}

static void send_all(struct elisa_sender *sender, uint32_t *done)
{
	struct elisa_batch batch;

	while (*done < sender->nb_descs) {
		uint32_t next = elisa_gather(sender, &batch, *done);
		uint32_t taken;

		for (uint32_t i = 0; i < batch.nb_packets; i++)
			if (elisa_likely(batch.packets[i].reason == ELISA_DROP_NONE))
				elisa_forward(sender, &batch.packets[i]);
		taken = send_batch(sender, &batch);
		for (uint32_t i = 0; i < taken; i++)
			sender->counters.bytes += batch.packets[i].length;
		sender->counters.packets += taken;
		if (taken < batch.nb_packets) {
			sender->counters.backpressure++;
			*done = batch.packets[taken].first_desc;
			return;
		}
		*done = next;
	}
}

static void add_counters(struct elisa_send_counters *to, const struct elisa_send_counters *from)
{
	elisa_count(&to->packets, from->packets);
	elisa_count(&to->bytes, from->bytes);
	elisa_count(&to->calls, 1);
	elisa_count(&to->flooded, from->flooded);
	elisa_count(&to->backpressure, from->backpressure);
	elisa_count(&to->claim_retries, from->claim_retries);
	for (unsigned int i = 0; i < ELISA_DROP_REASONS; i++)
		elisa_count(&to->drops[i], from->drops[i]);
}

static void clear_counters(struct elisa_send_counters *counters)
{
	counters->packets = 0;
	counters->bytes = 0;
	counters->calls = 0;
	counters->flooded = 0;
	counters->backpressure = 0;
	counters->claim_retries = 0;
	for (unsigned int i = 0; i < ELISA_DROP_REASONS; i++)
		counters->drops[i] = 0;
}

int64_t elisa_transmit(struct elisa_switch *sw, const struct elisa_port_map *maps, uint32_t vcpu,
		       uint32_t port, uint32_t queue, uint64_t count)
{
	const struct elisa_queue_map *map;
	struct elisa_sender sender;
	uint32_t done = 0;
	uint32_t size;

	map = &maps[port].queues[queue];
	size = elisa_load_acquire(&map->tx_size);
	if (!size || !elisa_load(&sw->config[port].present))
		return -ELISA_ENODEV;
	if (!count || count > ELISA_MAX_BURST || count > size)
		return -ELISA_EINVAL;
	sender.sw = sw;
	sender.maps = maps;
	sender.window = (const struct elisa_desc *)(uintptr_t)elisa_load(&map->tx_window);
	sender.nb_descs = count;
	sender.vcpu = vcpu;
	sender.port = port;
	sender.queue = queue;
	sender.max_frame = elisa_load(&maps[port].mtu) + ELISA_FRAME_OVERHEAD;
	sender.view.length = 0;
	sender.last_source = ELISA_NO_MAC;
	sender.last_destination = ELISA_NO_MAC;
	sender.last_port = ELISA_FDB_NONE;
	clear_counters(&sender.counters);
	send_all(&sender, &done);
	add_counters(&sw->sent[port], &sender.counters);
	return done;
}
