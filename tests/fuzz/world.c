// SPDX-License-Identifier: BSD-3-Clause
/* world.c - see world.h: making a world and changing it. */
#include <string.h>

#include <elisa/hypercall.h>

#include "vswitch/datapath/journal.h"
#include "world.h"

#define FDB_CAPACITY ELISA_FDB_MIN_CAPACITY
#define PAGES (WORLD_MEMORY / ELISA_PAGE_SIZE)
#define NOWHERE 0x123456789000ull
#define APART 0x100000000ull /* regions that are not neighbours are that far from each other */

static _Alignas(4096) uint8_t
	switch_memory[sizeof(struct elisa_switch) + FDB_CAPACITY * 8 + ELISA_PAGE_SIZE];
static _Alignas(4096) struct elisa_port_map maps[ELISA_MAX_PORTS];
static _Alignas(4096) uint8_t memories[WORLD_PORTS][WORLD_MEMORY];
static struct elisa_workspace workspace;

/* The second begins at 0, where a guest may have memory too. */
static const uint64_t bases[WORLD_PORTS] = {0x7000000000ull, 0, 0x7f0000000000ull};

uint64_t world_mac(uint32_t port)
{
	return 0x02e115a00000ull + port;
}

static void make_port(struct world *world, uint32_t port, uint8_t *memory)
{
	struct elisa_port_params params = {.backpressure = false};
	struct elisa_port_map *map = &maps[port];

	memset(map, 0, sizeof(*map));
	world->ports[port].memory = memory;
	world->ports[port].map = map;
	map->flags = ELISA_PORT_STARTED | ELISA_PORT_PROMISCUOUS;
	map->mtu = 1500;
	map->nb_queues = WORLD_QUEUES;
	elisa_mac_from_number(world_mac(port), params.mac);
	CHECK(!elisa_switch_port_add(world->sw, port, &params));
	world_set_region(world, port, 0, 0, PAGES, ELISA_REGION_WRITE, false);
	for (uint32_t queue = 0; queue < WORLD_QUEUES; queue++) {
		world_set_queue(world, port, queue, WORLD_TX(queue), WORLD_RX(queue), 256, 16);
		world_post(world, port, queue, 16, world_gva(world, port, WORLD_RX_BUFFERS),
			   WORLD_ROOM, WORLD_ROOM);
	}
}

struct world *world_make(bool shared)
{
	struct elisa_switch_params params = {.fdb_capacity = FDB_CAPACITY, .age_ticks = 3};
	static struct world world;

	memset(switch_memory, 0, sizeof(switch_memory));
	memset(memories, 0, sizeof(memories));
	memset(&world, 0, sizeof(world));
	world.sw = (struct elisa_switch *)switch_memory;
	CHECK(!elisa_switch_init(world.sw, sizeof(switch_memory), &params));
	for (uint32_t port = 0; port < WORLD_PORTS; port++)
		make_port(&world, port, memories[shared && port == 2 ? 0 : port]);
	world.identity.magic = ELISA_IDENTITY_MAGIC;
	world.identity.abi = ELISA_IMAGE_ABI;
	world.identity.features = ELISA_IDENTITY_FSGSBASE | ELISA_IDENTITY_TSC;
	world.context.sw = world.sw;
	world.context.identity = &world.identity;
	world.context.maps = maps;
	world.context.capture = world_capture_make();
	world.context.workspace = &workspace;
	return &world;
}

uint64_t world_gva(const struct world *world, uint32_t port, uint32_t offset)
{
	const struct world_port *at = &world->ports[port];

	for (uint32_t i = 0; i < at->map->nb_regions; i++) {
		const struct elisa_region *region = &at->map->regions[i];
		uint64_t begin = region->window - (uintptr_t)at->memory;

		if (offset >= begin && offset - begin < region->length)
			return region->gva + (offset - begin);
	}
	return NOWHERE + offset;
}

uint8_t *world_find(const struct world_port *port, uint64_t gva, uint64_t length, uint32_t flags)
{
	for (uint32_t i = 0; i < port->map->nb_regions; i++) {
		const struct elisa_region *region = &port->map->regions[i];

		/* A region of length 0 holds nothing. No sum here can wrap. */
		if (gva >= region->gva && gva - region->gva < region->length &&
		    length <= region->length - (gva - region->gva) &&
		    (region->flags & flags) == flags)
			return (uint8_t *)(uintptr_t)region->window + (gva - region->gva);
	}
	return NULL;
}

/* Is a ring of the port in this region? */
static bool is_used(const struct elisa_port_map *map, const struct elisa_region *region)
{
	for (uint32_t queue = 0; queue < WORLD_QUEUES; queue++) {
		const struct elisa_queue_map *rings = &map->queues[queue];

		if (rings->rx_size && (rings->rx_ring - region->window < region->length ||
				       rings->tx_window - region->window < region->length))
			return true;
	}
	return false;
}

void world_set_region(struct world *world, uint32_t port, uint32_t index, uint32_t page,
		      uint32_t nb_pages, uint32_t flags, bool apart)
{
	struct elisa_port_map *map = world->ports[port].map;
	struct elisa_region *region = &map->regions[index];
	uint64_t gva = bases[port] + (apart ? APART * index : 0) + page * ELISA_PAGE_SIZE;
	uint64_t length = nb_pages * ELISA_PAGE_SIZE;

	if (page + nb_pages > PAGES || is_used(map, region))
		return;
	region->length = 0;
	for (uint32_t i = 0; i < map->nb_regions; i++)
		if (gva < map->regions[i].gva + map->regions[i].length &&
		    map->regions[i].gva < gva + length)
			return;
	region->gva = gva;
	region->window = (uintptr_t)world->ports[port].memory + page * ELISA_PAGE_SIZE;
	region->flags = flags;
	region->length = length;
	if (map->nb_regions <= index)
		map->nb_regions = index + 1;
}

void world_release_queue(struct world *world, uint32_t port, uint32_t queue)
{
	struct elisa_queue_map *map = &world->ports[port].map->queues[queue];

	map->rx_size = 0;
	map->tx_size = 0;
}

void world_set_queue(struct world *world, uint32_t port, uint32_t queue, uint32_t tx_offset,
		     uint32_t rx_offset, uint32_t tx_size, uint32_t rx_size)
{
	struct elisa_queue_map *map = &world->ports[port].map->queues[queue];
	uint64_t tx_gva = world_gva(world, port, tx_offset);
	uint64_t rx_gva = world_gva(world, port, rx_offset);
	uint8_t *tx = world_find(&world->ports[port], tx_gva, tx_size * 16, 0);
	uint8_t *rx = world_find(&world->ports[port], rx_gva, rx_size * 16, ELISA_REGION_WRITE);

	if (!tx || !rx || (tx_gva | rx_gva) % 16)
		return;
	map->tx_window = (uintptr_t)tx;
	map->rx_ring = (uintptr_t)rx;
	map->epoch++;
	map->tx_size = tx_size;
	map->rx_size = rx_size;
}

uint32_t world_head(const struct world *world, uint32_t port, uint32_t queue)
{
	uint64_t word = world->sw->queues[port][queue].word;
	uint32_t epoch = world->ports[port].map->queues[queue].epoch;

	if (!elisa_queue_owner(word) || elisa_queue_epoch(word) != (epoch & 0xffff))
		return 0;
	return elisa_queue_head(word);
}

void world_post(struct world *world, uint32_t port, uint32_t queue, uint32_t nb, uint64_t gva,
		uint32_t stride, uint32_t room)
{
	const struct elisa_queue_map *map = &world->ports[port].map->queues[queue];
	struct elisa_desc *ring = (struct elisa_desc *)(uintptr_t)map->rx_ring;
	uint32_t head = world_head(world, port, queue);

	if (!map->rx_size)
		return;
	for (uint32_t slot = head; slot != head + nb; slot++) {
		struct elisa_desc *desc = &ring[slot % map->rx_size];
		uint32_t flags = ELISA_DESC_POSTED;

		flags |= slot / map->rx_size % 2 ? ELISA_DESC_PHASE : 0;
		desc->addr = gva + (slot - head) * stride;
		desc->word = (uint64_t)flags << 16 | (room & 0xffff);
	}
}
