// SPDX-License-Identifier: BSD-3-Clause
/*
 * world_check.c - one call, and what must hold after it. See world.h.
 *
 * Memory that is not registered is poisoned while the call runs: AddressSanitizer sees a read there
 * too. What was written is found by comparing all memory with a copy from before the call, after
 * what the receive rings say was written is taken over into the copy.
 */
#include <string.h>

#include <sanitizer/asan_interface.h>

#include "vswitch/datapath/journal.h"
#include "world.h"

struct counters {
	struct elisa_send_counters sent[WORLD_ALL_PORTS];
	struct elisa_receive_counters received[WORLD_ALL_PORTS];
};

/* Before the call. */
static struct counters before;
static _Alignas(16) uint8_t copies[WORLD_PORTS][WORLD_MEMORY];
static uint32_t heads[WORLD_PORTS][WORLD_QUEUES];
/* A guest posted buffers that lie in its own rings: what they say after the call is anything. */
static bool tangled[WORLD_PORTS];
static uint64_t journals[ELISA_MAX_VCPUS];
static uint32_t sender; /* of the call; WORLD_ALL_PORTS: no guest */

/* What the rings say that the call delivered to a port. */
struct delivered {
	uint8_t bytes_of_last[128];
	uint64_t packets;
	uint64_t bytes;
	uint64_t bad; /* packets whose slots came back without data */
	bool mixed;   /* one was written over another */
};

static uint8_t *copy_of(const struct world *world, uint32_t port, const void *address)
{
	return copies[port] + ((const uint8_t *)address - world->ports[port].memory);
}

static void protect(const struct world *world)
{
	for (uint32_t port = 0; port < WORLD_PORTS; port++)
		__asan_poison_memory_region(world->ports[port].memory, WORLD_MEMORY);
	for (uint32_t port = 0; port < WORLD_PORTS; port++)
		for (uint32_t i = 0; i < world->ports[port].map->nb_regions; i++) {
			const struct elisa_region *region = &world->ports[port].map->regions[i];

			__asan_unpoison_memory_region((void *)(uintptr_t)region->window,
						      region->length);
		}
}

static void unprotect(const struct world *world)
{
	for (uint32_t port = 0; port < WORLD_PORTS; port++)
		__asan_unpoison_memory_region(world->ports[port].memory, WORLD_MEMORY);
}

static struct elisa_desc *slot_at(const struct world *world, uint32_t port, uint32_t queue,
				  uint32_t slot)
{
	const struct elisa_queue_map *map = &world->ports[port].map->queues[queue];

	return (struct elisa_desc *)(uintptr_t)map->rx_ring + slot % map->rx_size;
}

static bool meets(const uint8_t *begin, uint64_t length, uint64_t other, uint64_t other_length)
{
	return (uintptr_t)begin < other + other_length && other < (uintptr_t)begin + length;
}

/* Does a buffer in this memory meet a ring or a window of any port in the same memory? */
static bool meets_rings(const struct world *world, const uint8_t *memory, const uint8_t *begin,
			uint64_t length)
{
	for (uint32_t port = 0; port < WORLD_PORTS; port++)
		for (uint32_t queue = 0; queue < WORLD_QUEUES; queue++) {
			const struct elisa_queue_map *map = &world->ports[port].map->queues[queue];

			if (world->ports[port].memory == memory &&
			    (meets(begin, length, map->rx_ring, map->rx_size * 16ull) ||
			     meets(begin, length, map->tx_window, map->tx_size * 16ull)))
				return true;
		}
	return false;
}

static bool is_tangled_queue(const struct world *world, uint32_t port, uint32_t queue)
{
	const struct world_port *at = &world->ports[port];
	const struct elisa_queue_map *map = &at->map->queues[queue];

	for (uint32_t slot = 0; slot < map->rx_size; slot++) {
		const struct elisa_desc *desc = slot_at(world, port, queue, slot);
		const uint8_t *begin;

		if ((desc->flags & ~ELISA_DESC_PHASE) != ELISA_DESC_POSTED || !desc->length)
			continue;
		begin = world_find(at, desc->addr, desc->length, ELISA_REGION_WRITE);
		if (begin && meets_rings(world, at->memory, begin, desc->length))
			return true;
	}
	return false;
}

/* Two receive rings of one memory, or a ring and a window, in the same place. */
static bool rings_meet(const struct world *world, uint32_t port)
{
	for (uint32_t queue = 0; queue < WORLD_QUEUES; queue++) {
		struct elisa_queue_map *map = &world->ports[port].map->queues[queue];
		uint32_t size = map->rx_size;
		bool meet;

		/* Not counting itself. */
		map->rx_size = 0;
		meet = size && meets_rings(world, world->ports[port].memory,
					   (const uint8_t *)(uintptr_t)map->rx_ring, size * 16ull);
		map->rx_size = size;
		if (meet)
			return true;
	}
	return false;
}

static void find_tangled(const struct world *world)
{
	bool found[WORLD_PORTS];

	for (uint32_t port = 0; port < WORLD_PORTS; port++) {
		found[port] = rings_meet(world, port);
		for (uint32_t queue = 0; queue < WORLD_QUEUES; queue++)
			found[port] |= is_tangled_queue(world, port, queue);
	}
	for (uint32_t port = 0; port < WORLD_PORTS; port++) {
		tangled[port] = false;
		for (uint32_t other = 0; other < WORLD_PORTS; other++)
			tangled[port] |= found[other] &&
					 world->ports[other].memory == world->ports[port].memory;
	}
}

static void remember(const struct world *world)
{
	memcpy(before.sent, world->sw->sent, sizeof(before.sent));
	memcpy(before.received, world->sw->received, sizeof(before.received));
	for (uint32_t port = 0; port < WORLD_PORTS; port++) {
		memcpy(copies[port], world->ports[port].memory, WORLD_MEMORY);
		for (uint32_t queue = 0; queue < WORLD_QUEUES; queue++)
			heads[port][queue] = world_head(world, port, queue);
	}
	for (uint32_t vcpu = 0; vcpu < ELISA_MAX_VCPUS; vcpu++)
		journals[vcpu] = world->sw->journals[vcpu].word;
	find_tangled(world);
}

/* The bytes that a slot says were written are let into every copy of that memory. */
static void accept(const struct world *world, uint32_t port, const void *address, uint32_t nb)
{
	for (uint32_t other = 0; other < WORLD_PORTS; other++)
		if (world->ports[other].memory == world->ports[port].memory)
			memcpy(copy_of(world, other, address), address, nb);
}

/* One slot that the call filled; `old` is what it was. First of a packet: `first`. */
static void check_slot(const struct world *world, uint32_t port, const struct elisa_desc *old,
		       struct elisa_desc *slot, uint32_t phase, bool first)
{
	uint32_t flags = ELISA_DESC_DONE | ELISA_DESC_MORE | ELISA_DESC_DROPPED | ELISA_DESC_PHASE;
	uint32_t port_flags = world->ports[port].map->flags;
	uint8_t *data;

	if (first)
		flags |= ELISA_DESC_GOOD;
	if (first && port_flags & ELISA_PORT_RX_CSUM)
		flags |= ELISA_DESC_CSUM;
	if (first && port_flags & ELISA_PORT_RX_TSO && slot->flags & ELISA_DESC_CSUM)
		flags |= ELISA_DESC_TSO;
	CHECK(old->flags == (ELISA_DESC_POSTED | phase));
	CHECK((slot->flags & ~flags) == 0 && slot->flags & ELISA_DESC_DONE);
	CHECK((slot->flags & ELISA_DESC_PHASE) == phase);
	CHECK(!(slot->flags & ELISA_DESC_GOOD && slot->flags & ELISA_DESC_CSUM));
	CHECK(slot->flags & ELISA_DESC_CSUM || !slot->meta);
	CHECK(slot->length <= old->length);
	CHECK(slot->addr == old->addr);
	accept(world, port, &slot->word, sizeof(slot->word));
	if (slot->flags & ELISA_DESC_DROPPED) {
		CHECK(!slot->length && !(slot->flags & ELISA_DESC_MORE) && first);
		return;
	}
	CHECK(slot->length && (!(slot->flags & ELISA_DESC_MORE) || slot->length == old->length));
	data = world_find(&world->ports[port], old->addr, old->length, ELISA_REGION_WRITE);
	CHECK(data);
	accept(world, port, data, slot->length);
}

/* The first bytes of a packet, slot after slot: `length` of it were there before. */
static void keep(const struct world *world, uint32_t port, const struct elisa_desc *slot,
		 uint32_t length, struct delivered *delivered)
{
	const uint8_t *data = world_find(&world->ports[port], slot->addr, slot->length, 0);

	for (uint32_t i = 0; i < slot->length && length + i < sizeof(delivered->bytes_of_last); i++)
		delivered->bytes_of_last[length + i] = data[i];
}

static bool fill(const struct world *world, uint32_t port, uint32_t queue, uint8_t *filled)
{
	uint32_t head = heads[port][queue], nb = world_head(world, port, queue) - head;
	bool over = false;

	for (uint32_t i = 0; i < nb && i < world->ports[port].map->queues[queue].rx_size; i++) {
		const struct elisa_desc *slot = slot_at(world, port, queue, head + i);
		const uint8_t *data = world_find(&world->ports[port], slot->addr, slot->length, 0);

		for (uint32_t k = 0; data && k < slot->length; k++)
			over |= filled[data - world->ports[port].memory + k]++;
	}
	return over;
}

/* Has the call filled a byte of this memory twice? Who posts buffers that lie over each other reads a mixture. */
static bool is_mixed(const struct world *world, const uint8_t *memory)
{
	static uint8_t filled[WORLD_MEMORY];
	bool mixed = false;

	memset(filled, 0, sizeof(filled));
	for (uint32_t port = 0; port < WORLD_PORTS; port++)
		for (uint32_t queue = 0; queue < WORLD_QUEUES; queue++)
			if (world->ports[port].memory == memory)
				mixed |= fill(world, port, queue, filled);
	return mixed;
}

static void check_queue(const struct world *world, uint32_t port, uint32_t queue,
			struct delivered *delivered)
{
	const struct elisa_queue_map *map = &world->ports[port].map->queues[queue];
	uint32_t nb = world_head(world, port, queue) - heads[port][queue];
	uint32_t length = 0, max = world->ports[port].map->mtu + ELISA_FRAME_OVERHEAD;
	bool first = true, tso = false;

	CHECK(nb <= map->rx_size);
	for (uint32_t i = 0; i < nb; i++) {
		uint32_t slot = heads[port][queue] + i;
		struct elisa_desc *desc = slot_at(world, port, queue, slot);
		const struct elisa_desc *old =
			(const struct elisa_desc *)copy_of(world, port, desc);
		uint32_t phase = slot / map->rx_size % 2 ? ELISA_DESC_PHASE : 0;

		check_slot(world, port, old, desc, phase, first);
		if (first)
			tso = desc->flags & ELISA_DESC_TSO;
		keep(world, port, desc, length, delivered);
		length += desc->length;
		first = !(desc->flags & ELISA_DESC_MORE);
		if (desc->flags & ELISA_DESC_DROPPED)
			delivered->bad++;
		if (!first || desc->flags & ELISA_DESC_DROPPED)
			continue;
		CHECK(length >= ELISA_MIN_FRAME && (length <= max || tso));
		if (sender < WORLD_PORTS && !delivered->mixed)
			world_check_source(world, sender, delivered->bytes_of_last,
					   length < 96 ? length : 96);
		delivered->packets++;
		delivered->bytes += length;
		length = 0;
	}
	CHECK(first);
}

static void check_received(const struct world *world, uint32_t port)
{
	const struct elisa_receive_counters *now = &world->sw->received[port];
	const struct elisa_receive_counters *then = &before.received[port];
	uint64_t bad = now->drops[ELISA_DROP_BAD_RECEIVE_BUFFER] -
		       then->drops[ELISA_DROP_BAD_RECEIVE_BUFFER];
	struct delivered delivered = {0};

	if (tangled[port])
		return;
	delivered.mixed = sender < WORLD_PORTS && is_mixed(world, world->ports[port].memory);
	for (uint32_t queue = 0; queue < WORLD_QUEUES; queue++)
		if (world->ports[port].map->queues[queue].rx_size)
			check_queue(world, port, queue, &delivered);
	CHECK(delivered.packets == now->packets - then->packets);
	CHECK(delivered.bytes == now->bytes - then->bytes);
	/* A packet with a bad buffer takes one slot at least. */
	CHECK(bad <= delivered.bad && !bad == !delivered.bad);
}

/* What the calling vCPU had left half-way goes back to the receiver, slot after slot. */
static void accept_finished(const struct world *world)
{
	struct elisa_run run = elisa_journal_run(journals[world->identity.vcpu]);
	uint32_t head, size;

	if (!journals[world->identity.vcpu])
		return;
	head = heads[run.port][run.queue];
	size = world->ports[run.port].map->queues[run.queue].rx_size;
	for (uint32_t i = 0; size && i < run.count; i++) {
		struct elisa_desc *desc = slot_at(world, run.port, run.queue, run.first + i);
		uint64_t phase = (run.first + i) / size % 2 ? ELISA_DESC_PHASE : 0;

		/* From the head on, slots are this call's: the ring began afresh since. */
		if (head - (run.first + i) - 1 < size &&
		    desc->word == (ELISA_DESC_DONE | ELISA_DESC_DROPPED | phase) << 16)
			accept(world, run.port, &desc->word, sizeof(desc->word));
	}
}

/* Tangled: a guest's own memory may be anything, but only where it said that it may be written. */
static void check_memory(const struct world *world, uint32_t port)
{
	const uint8_t *memory = world->ports[port].memory;
	bool writable[WORLD_MEMORY / ELISA_PAGE_SIZE] = {0};

	if (!tangled[port]) {
		CHECK(!memcmp(copies[port], memory, WORLD_MEMORY));
		return;
	}
	for (uint32_t other = 0; other < WORLD_PORTS; other++)
		for (uint32_t i = 0; i < world->ports[other].map->nb_regions; i++) {
			const struct elisa_region *region = &world->ports[other].map->regions[i];
			uint64_t page = (region->window - (uintptr_t)memory) / ELISA_PAGE_SIZE;

			if (world->ports[other].memory != memory ||
			    !(region->flags & ELISA_REGION_WRITE))
				continue;
			for (uint64_t at = 0; at < region->length; at += ELISA_PAGE_SIZE)
				writable[page++] = true;
		}
	for (uint32_t page = 0; page < WORLD_MEMORY / ELISA_PAGE_SIZE; page++)
		CHECK(writable[page] || !memcmp(copies[port] + page * ELISA_PAGE_SIZE,
						memory + page * ELISA_PAGE_SIZE, ELISA_PAGE_SIZE));
}

/* What the counters of drops `now` are more than `then`; SENDER_LOST is no packet. */
static uint64_t sum_drops(const uint64_t *now, const uint64_t *then)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < ELISA_DROP_REASONS; i++)
		sum += i == ELISA_DROP_SENDER_LOST ? 0 : now[i] - then[i];
	return sum;
}

/* Sent = received + dropped; more only by copies of flooded packets, each of which may be cut. */
static void check_sum(const struct world *world)
{
	uint64_t in = 0, out = 0, flooded = 0;

	for (uint32_t port = 0; port < WORLD_ALL_PORTS; port++) {
		const struct elisa_send_counters *now = &world->sw->sent[port];
		const struct elisa_send_counters *then = &before.sent[port];

		in += now->packets - then->packets + (now->segments - then->segments);
		flooded += now->flooded - then->flooded;
		out += sum_drops(now->drops, then->drops);
		out += world->sw->received[port].packets - before.received[port].packets;
	}
	CHECK(out >= in);
	CHECK(flooded ? out <= in + flooded * (WORLD_ALL_PORTS - 2) : out == in);
}

/* What both sides count, both count the same. Nobody but `sender` sent; in a poll, no guest. */
static void check_both_sides(const struct world *world)
{
	static const enum elisa_drop_reason reasons[] = {
		ELISA_DROP_RECEIVER_FULL, ELISA_DROP_RECEIVER_MTU, ELISA_DROP_BAD_RECEIVE_BUFFER,
		ELISA_DROP_SENDER_LOST,   ELISA_DROP_UPLINK_FULL,  ELISA_DROP_UPLINK_BUSY,
		ELISA_DROP_UPLINK_DOWN,   ELISA_DROP_UPLINK_MTU};

	for (uint32_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		enum elisa_drop_reason reason = reasons[i];
		uint64_t sent = 0, received = 0;

		for (uint32_t port = 0; port < WORLD_ALL_PORTS; port++) {
			sent += world->sw->sent[port].drops[reason] -
				before.sent[port].drops[reason];
			received += world->sw->received[port].drops[reason] -
				    before.received[port].drops[reason];
		}
		CHECK(sent == received);
	}
	for (uint32_t port = 0; port < WORLD_PORTS; port++)
		if (port != sender)
			CHECK(world->sw->sent[port].packets == before.sent[port].packets);
}

/* What ring.h says of the arguments; 0: the call does its work. */
static int64_t expected_error(const struct world *world, uint64_t operation, uint64_t first,
			      uint64_t second)
{
	uint64_t port = first & 0xffff, queue = first >> 16;
	const struct elisa_queue_map *map;

	if (operation > ELISA_CALL_POLL)
		return -22;
	if (operation == ELISA_CALL_NOP)
		return 0;
	if (port >= ELISA_MAX_PORTS || !(world->identity.ports >> port & 1))
		return -1;
	if (queue >= ELISA_MAX_QUEUES)
		return -19;
	map = &world->context.maps[port].queues[queue];
	if (operation == ELISA_CALL_POLL && (!map->rx_size || !world->sw->config[port].present))
		return -19;
	if (operation == ELISA_CALL_POLL)
		return !second || second > ELISA_MAX_BURST ? -22
		       : !world->sw->uplinks_present       ? -2
							   : 0;
	if (!map->tx_size || !world->sw->config[port].present)
		return -19;
	return !second || second > ELISA_MAX_BURST || second > map->tx_size ? -22 : 0;
}

/* The call took the first `taken` of `count` descriptors: whole packets, each counted. */
static void check_taken(const struct world *world, uint32_t port, uint32_t queue, uint64_t count,
			uint64_t taken)
{
	const struct elisa_queue_map *map = &world->ports[port].map->queues[queue];
	const struct elisa_desc *window = (const struct elisa_desc *)copy_of(
		world, port, (const void *)(uintptr_t)map->tx_window);
	uint64_t packets = world->sw->sent[port].packets - before.sent[port].packets;
	uint64_t ends = 0;

	CHECK(taken <= count);
	CHECK(world->sw->sent[port].calls == before.sent[port].calls + 1);
	CHECK(world->sw->sent[port].backpressure - before.sent[port].backpressure ==
	      (taken < count));
	for (uint64_t i = 0; i < taken; i++)
		ends += !(window[i].flags & ELISA_DESC_MORE) || i + 1 == count;
	if (tangled[port])
		return;
	CHECK(packets == ends);
	CHECK(!taken || taken == count || !(window[taken - 1].flags & ELISA_DESC_MORE));
}

/* The poll took `taken` packets from the uplinks, all that the ports of these sent. */
static void check_polled(const struct world *world, uint64_t budget, uint64_t taken)
{
	uint64_t packets = 0;

	CHECK(taken <= budget);
	for (uint32_t port = WORLD_PORTS; port < WORLD_ALL_PORTS; port++)
		packets += world->sw->sent[port].packets - before.sent[port].packets;
	CHECK(packets == taken);
}

static void check_journals(const struct world *world)
{
	for (uint32_t vcpu = 0; vcpu < ELISA_MAX_VCPUS; vcpu++)
		if (vcpu == world->identity.vcpu)
			CHECK(!world->sw->journals[vcpu].word);
		else
			CHECK(!journals[vcpu] == !world->sw->journals[vcpu].word);
}

int64_t world_call(struct world *world, uint64_t operation, uint64_t first, uint64_t second)
{
	int64_t error = expected_error(world, operation, first, second);
	uint64_t received[WORLD_PORTS];
	int64_t result;

	sender = operation == ELISA_CALL_TX ? first & 0xffff : WORLD_ALL_PORTS;
	remember(world);
	world_capture_remember(world->sw);
	protect(world);
	result = elisa_datapath_call(&world->context, operation, first, second);
	unprotect(world);
	CHECK(error ? result == error : result >= 0);
	accept_finished(world);
	world_capture_check(world->sw, world->identity.vcpu);
	for (uint32_t port = 0; port < WORLD_PORTS; port++)
		check_received(world, port);
	for (uint32_t port = 0; port < WORLD_PORTS; port++)
		check_memory(world, port);
	if (operation == ELISA_CALL_NOP || error)
		return result;
	check_journals(world);
	check_sum(world);
	check_both_sides(world);
	for (uint32_t port = 0; port < WORLD_PORTS; port++)
		received[port] = world->sw->received[port].packets - before.received[port].packets;
	world_policy_check(world, sender, received);
	if (operation == ELISA_CALL_TX)
		check_taken(world, sender, first >> 16, second, result);
	else
		check_polled(world, second, result);
	return result;
}
