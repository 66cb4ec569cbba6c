// SPDX-License-Identifier: BSD-3-Clause
/* commands.c - see commands.h. */
#include <string.h>

#include <elisa/hypercall.h>

#include "commands.h"
#include "frame.h"
#include "vswitch/datapath/journal.h"

static uint32_t take_port(struct input *input)
{
	return take(input, 1) % WORLD_PORTS;
}

static uint32_t take_queue(struct input *input)
{
	return take(input, 1) % WORLD_QUEUES;
}

uint64_t command_take_mac(struct input *input)
{
	uint32_t choice = take(input, 1) % 8;

	switch (choice) {
	case 3:
		return 0xffffffffffff;
	case 4:
		return 0x01005e000001;
	case 5:
		return 0;
	case 6:
	case 7:
		return 0x020000000000 + take(input, 1);
	default:
		return world_mac(choice);
	}
}

static void write_frame(struct world *world, struct input *input)
{
	uint8_t *memory = world->ports[take_port(input)].memory;
	uint32_t offset = WORLD_TX_BUFFERS + take(input, 2) % (WORLD_RX_BUFFERS - WORLD_TX_BUFFERS);
	uint64_t destination = command_take_mac(input), source = command_take_mac(input);
	uint32_t shape = take(input, 1), length = take(input, 2);
	uint8_t *bytes = memory + offset;
	struct frame frame;

	if (length > WORLD_MEMORY - offset - 128)
		length = WORLD_MEMORY - offset - 128;
	elisa_mac_from_number(destination, bytes);
	elisa_mac_from_number(source, bytes + 6);
	for (uint32_t i = 12; i < length && i < 128; i++)
		bytes[i] = i * 11;
	frame_shape(bytes, shape);
	frame = frame_parse(bytes, 96);
	frame_fit(bytes, &frame, length);
}

/* What the headers at `address` are, for meta. */
static uint32_t match_meta(const uint8_t *bytes, uint32_t mss)
{
	struct frame frame = frame_parse(bytes, 96);

	return elisa_desc_meta(frame.l2, frame.l3,
			       frame.protocol == FRAME_TCP ? ELISA_L4_TCP : ELISA_L4_UDP, mss);
}

static void write_descs(struct world *world, struct input *input)
{
	uint32_t port = take_port(input), queue = take_queue(input);
	const struct elisa_queue_map *map = &world->ports[port].map->queues[queue];
	struct elisa_desc *window = (struct elisa_desc *)(uintptr_t)map->tx_window;
	uint32_t index = take(input, 1), choice = take(input, 1);
	uint32_t nb = 1 + (choice & 1 ? take(input, 1) % 64 : 0);
	uint32_t offset = take(input, 2), length = take(input, 2);
	uint64_t gva = choice & 2 ? take(input, 8) : world_gva(world, port, offset);
	uint32_t flags = choice & 4 ? take(input, 2) : 0;
	uint32_t mss = choice & 4 ? take(input, 2) : 0;
	uint32_t meta = 0;

	if (flags & (ELISA_DESC_CSUM | ELISA_DESC_TSO))
		meta = choice & 8 ? take(input, 4)
				  : match_meta(world->ports[port].memory + offset % 0xff00,
					       flags & ELISA_DESC_TSO ? mss : 0);
	if (!map->tx_size)
		return;
	for (uint32_t i = 0; i < nb; i++) {
		bool more = choice & 16 || (choice & 32 && i + 1 < nb);
		struct elisa_desc *desc = &window[(index + i) % map->tx_size];

		desc->addr = gva + i * (choice & 64 ? 0 : length);
		desc->length = length;
		desc->flags = (i && choice & 32 ? 0 : flags) | (more ? ELISA_DESC_MORE : 0);
		desc->meta = i && choice & 32 ? 0 : meta;
	}
}

static void post(struct world *world, struct input *input)
{
	uint32_t port = take_port(input), queue = take_queue(input);
	uint32_t nb = take(input, 1), choice = take(input, 1);
	uint32_t stride = take(input, 2), room = take(input, 2);
	uint64_t gva = choice & 1 ? take(input, 8) : world_gva(world, port, take(input, 2));

	world_post(world, port, queue, nb, gva, stride, room);
}

static void write_raw(struct world *world, struct input *input)
{
	uint8_t *memory = world->ports[take_port(input)].memory;
	uint32_t offset = take(input, 2), nb = take(input, 1) % 32;

	for (uint32_t i = 0; i < nb; i++)
		memory[(offset + i) % WORLD_MEMORY] = take(input, 1);
}

static void set_port(struct world *world, struct input *input)
{
	uint32_t port = take_port(input), flags = take(input, 1), mtu = take(input, 2);
	uint32_t choice = take(input, 1);
	struct elisa_port_map *map = world->ports[port].map;
	struct elisa_port_params params = {.backpressure = choice & 1};

	elisa_mac_from_number(world_mac(port), params.mac);
	if (choice & 2)
		elisa_switch_port_del(world->sw, port);
	if (choice & 4)
		elisa_switch_port_add(world->sw, port, &params);
	elisa_switch_port_set_backpressure(world->sw, port, choice & 1);
	if (!(flags & ELISA_PORT_RX_CSUM))
		flags &= ~ELISA_PORT_RX_TSO;
	map->flags = flags & ELISA_PORT_FLAGS;
	map->mtu = ELISA_MIN_MTU + mtu % (ELISA_MAX_MTU - ELISA_MIN_MTU + 1);
	map->rss.types = choice & 8 ? take(input, 1) & ELISA_RSS_ALL : 0;
	map->rss.reta_size = choice & 8 ? 1u << take(input, 1) % 8 : 0;
	if (choice & 16)
		world_set_policy(world, input);
	for (uint32_t i = 0; i < ELISA_RSS_RETA_MAX; i++)
		map->rss.reta[i] = i % ELISA_MAX_QUEUES;
	for (uint32_t i = 0; i < ELISA_RSS_KEY_SIZE; i++)
		map->rss.key[i] = i * 0x6d;
}

static void set_queue(struct world *world, struct input *input)
{
	uint32_t port = take_port(input), queue = take_queue(input), sizes = take(input, 1);
	uint32_t tx = take(input, 2), rx = take(input, 2);

	if (sizes & 128)
		world_release_queue(world, port, queue);
	else
		world_set_queue(world, port, queue, tx, rx, ELISA_MIN_RING << sizes % 8,
				ELISA_MIN_RING << sizes / 8 % 8);
}

static void set_region(struct world *world, struct input *input)
{
	uint32_t port = take_port(input), index = take(input, 1) % WORLD_REGIONS;
	uint32_t page = take(input, 1), nb = take(input, 1), choice = take(input, 1);

	world_set_region(world, port, index, page % 16, nb % 17, choice & ELISA_REGION_WRITE,
			 choice & 2);
}

static void call_anything(struct world *world, struct input *input)
{
	uint32_t choice = take(input, 1);
	uint64_t operation = choice & 1 ? ELISA_CALL_TX : take(input, choice & 2 ? 8 : 1);
	uint64_t first = choice & 4 ? take(input, 8) : take_port(input);
	uint64_t second = choice & 8 ? take(input, 8) : take(input, 1);

	/* The datapath trusts the module: no other ports than there are have a queue. */
	world->identity.ports = choice & 16 ? take(input, 8) : ~0ull;
	world->identity.vcpu = take(input, 1) % WORLD_VCPUS;
	world_call(world, operation, first, second);
}

static void send(struct world *world, struct input *input)
{
	uint32_t port = take_port(input), queue = take_queue(input);

	world->identity.ports = 1ull << port;
	world->identity.vcpu = port;
	world_call(world, ELISA_CALL_TX, port | queue << 16, take(input, 1));
}

/* As far as a sender gets that is stopped between claim and copy. It finishes at its next call. */
static void lose(struct world *world, struct input *input)
{
	uint32_t port = take_port(input), queue = take_queue(input), sender = take_port(input);
	struct elisa_queue_map map = world->ports[port].map->queues[queue];
	struct elisa_receive_queue *ring = &world->sw->queues[port][queue];
	struct elisa_run run = {.port = port, .queue = queue, .epoch = map.epoch};
	uint32_t vcpu = take(input, 1) % WORLD_VCPUS, nb = 1 + take(input, 1) % 64;
	const struct elisa_desc *slots = (const struct elisa_desc *)(uintptr_t)map.rx_ring;
	uint64_t word;

	if (!map.rx_size || world->sw->journals[vcpu].word)
		return;
	word = elisa_queue_open(ring, &map);
	run.first = elisa_queue_head(word);
	for (; run.count < nb && run.count < map.rx_size; run.count++) {
		uint32_t slot = run.first + run.count;

		if (slots[slot % map.rx_size].flags !=
		    (ELISA_DESC_POSTED | (slot / map.rx_size % 2 ? ELISA_DESC_PHASE : 0)))
			break;
	}
	if (run.count)
		elisa_journal_claim(world->sw, vcpu, sender, word, &run);
}

static void capture(struct world *world, struct input *input)
{
	uint32_t port = take(input, 1) % WORLD_ALL_PORTS, bytes = take(input, 3);
	uint32_t nb_rings = take(input, 1) % (WORLD_VCPUS + 1);

	world_capture(world->sw, port, bytes, nb_rings, take(input, 2));
}

bool command_run(struct world *world, struct input *input, uint32_t command)
{
	switch (command) {
	case COMMAND_FRAME:
		write_frame(world, input);
		break;
	case COMMAND_DESC:
		write_descs(world, input);
		break;
	case COMMAND_SEND:
		send(world, input);
		return true;
	case COMMAND_POST:
		post(world, input);
		break;
	case COMMAND_RAW:
		write_raw(world, input);
		break;
	case COMMAND_CALL:
		call_anything(world, input);
		return true;
	case COMMAND_PORT:
		set_port(world, input);
		break;
	case COMMAND_QUEUE:
		set_queue(world, input);
		break;
	case COMMAND_REGION:
		set_region(world, input);
		break;
	case COMMAND_LOSE:
		lose(world, input);
		break;
	case COMMAND_CAPTURE:
		capture(world, input);
		break;
	}
	return false;
}
