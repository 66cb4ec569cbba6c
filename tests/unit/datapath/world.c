/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * world.c - see world.h. Nothing in here is shared with the code under test but its structures.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "world.h"

static void *map_shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(memory != MAP_FAILED);
	return memory;
}

static void guest_make(struct world *world, uint32_t port, uint32_t ring, uint32_t room)
{
	struct guest *guest = &world->guests[port];
	struct elisa_port_map *map = &world->maps[port];
	struct elisa_port_params params = {.backpressure = false};

	guest->port = port;
	guest->vcpu = port;
	guest->features = ELISA_IDENTITY_FSGSBASE | ELISA_IDENTITY_TSC;
	guest->mac = 0x02e115a00000ull + port;
	guest->gva = 0x7000000000ull + ((uint64_t)port << 32);
	guest->memory = map_shared(GUEST_MEMORY);
	guest->tx = (struct elisa_desc *)(guest->memory + GUEST_TX);
	guest->rx = (struct elisa_desc *)(guest->memory + GUEST_RX);
	guest->room = room;
	map->regions[0].gva = guest->gva;
	map->regions[0].window = (uintptr_t)guest->memory;
	map->regions[0].flags = ELISA_REGION_WRITE;
	map->regions[0].length = GUEST_MEMORY;
	map->nb_regions = 1;
	map->nb_queues = 1;
	map->mtu = 9000;
	map->flags = ELISA_PORT_STARTED | ELISA_PORT_PROMISCUOUS;
	elisa_mac_from_number(guest->mac, params.mac);
	assert_int_equal(elisa_switch_port_add(world->sw, port, &params), 0);
	guest_setup_queue(world, guest, ring);
}

void world_make(struct world *world, uint32_t nb_guests, uint32_t ring, uint32_t room)
{
	struct elisa_switch_params params = {
		.fdb_capacity = 1024, .age_ticks = 3, .seed = 0x1234567890abcdefull};
	uint64_t size = elisa_switch_size(params.fdb_capacity);

	memset(world, 0, sizeof(*world));
	world->sw = map_shared(size);
	world->maps = map_shared(ELISA_MAX_PORTS * sizeof(struct elisa_port_map));
	assert_int_equal(elisa_switch_init(world->sw, size, &params), 0);
	world->nb_guests = nb_guests;
	for (uint32_t port = 0; port < nb_guests; port++)
		guest_make(world, port, ring, room);
}

void world_free(struct world *world)
{
	for (uint32_t port = 0; port < world->nb_guests; port++)
		munmap(world->guests[port].memory, GUEST_MEMORY);
	munmap(world->maps, ELISA_MAX_PORTS * sizeof(struct elisa_port_map));
	munmap(world->sw, world->sw->size);
}

int world_setup(void **state, uint32_t nb_guests, uint32_t ring, uint32_t room)
{
	struct world *world = malloc(sizeof(*world));

	assert_non_null(world);
	world_make(world, nb_guests, ring, room);
	*state = world;
	return 0;
}

int world_teardown(void **state)
{
	struct world *world = *state;

	assert_idle(world);
	assert_sound(world);
	world_free(world);
	free(world);
	return 0;
}

void guest_setup_queue(struct world *world, struct guest *guest, uint32_t ring)
{
	struct elisa_queue_map *queue = &world->maps[guest->port].queues[0];

	guest->rx_size = ring;
	guest->next = 0;
	memset(guest->rx, 0, ring * sizeof(struct elisa_desc));
	queue->tx_window = (uintptr_t)guest->tx;
	queue->rx_ring = (uintptr_t)guest->rx;
	queue->epoch++;
	queue->tx_size = 256;
	queue->rx_size = ring;
	guest_post_all(guest);
}

void guest_post(struct guest *guest, uint32_t slot, uint64_t gva, uint32_t room)
{
	struct elisa_desc *desc = &guest->rx[slot % guest->rx_size];
	uint64_t flags = ELISA_DESC_POSTED;

	if (slot / guest->rx_size % 2)
		flags |= ELISA_DESC_PHASE;
	__atomic_store_n(&desc->addr, gva, __ATOMIC_RELAXED);
	__atomic_store_n(&desc->word, flags << 16 | room, __ATOMIC_RELEASE);
}

void guest_post_all(struct guest *guest)
{
	for (uint32_t i = 0; i < guest->rx_size; i++)
		guest_post(guest, guest->next + i, guest_rx_gva(guest, guest->next + i),
			   guest->room);
}

uint64_t guest_tx_gva(const struct guest *guest, uint32_t i)
{
	return guest->gva + GUEST_TX_BUFFERS + i * BUFFER_SIZE;
}

uint64_t guest_rx_gva(const struct guest *guest, uint32_t slot)
{
	return guest->gva + GUEST_RX_BUFFERS + slot % guest->rx_size * BUFFER_SIZE;
}

void make_bytes(uint8_t *bytes, uint64_t destination, uint64_t source, uint32_t length,
		uint32_t seed)
{
	for (uint32_t i = 0; i < length; i++)
		bytes[i] = seed * 31 + i * 7 + (i >> 8);
	for (uint32_t i = 0; i < 6 && i < length; i++)
		bytes[i] = destination >> (40 - 8 * i);
	for (uint32_t i = 0; i < 6 && i + 6 < length; i++)
		bytes[6 + i] = source >> (40 - 8 * i);
}

void guest_fill(struct guest *guest, uint32_t i, uint64_t destination, uint32_t length,
		uint32_t seed)
{
	uint8_t *bytes = guest->memory + GUEST_TX_BUFFERS + i * BUFFER_SIZE;

	make_bytes(bytes, destination, guest->mac, length, seed);
	guest->tx[i].addr = guest_tx_gva(guest, i);
	guest->tx[i].word = length;
}

int64_t world_call(struct world *world, const struct elisa_identity *identity, uint64_t operation,
		   uint64_t first, uint64_t second)
{
	struct elisa_workspace workspace;
	struct elisa_context context = {.sw = world->sw,
					.identity = identity,
					.maps = world->maps,
					.capture = world->capture,
					.in_host = world->in_host,
					.workspace = &workspace};

	return elisa_datapath_call(&context, operation, first, second);
}

int64_t guest_send(struct world *world, struct guest *guest, uint32_t count)
{
	struct elisa_identity identity = {.magic = ELISA_IDENTITY_MAGIC,
					  .abi = ELISA_IMAGE_ABI,
					  .vcpu = guest->vcpu,
					  .features = guest->features,
					  .tsc_offset = guest->tsc_offset,
					  .ports = 1ull << guest->port};

	return world_call(world, &identity, ELISA_CALL_TX, guest->port, count);
}

void guest_send_one(struct world *world, struct guest *guest, uint64_t destination, uint32_t length,
		    uint32_t seed)
{
	guest_fill(guest, 0, destination, length, seed);
	assert_int_equal(guest_send(world, guest, 1), 1);
}

/* Slot `slot`, if it is DONE in the guest's lap. */
static bool is_done(const struct guest *guest, uint32_t slot, struct elisa_desc *desc)
{
	uint32_t phase = slot / guest->rx_size % 2 ? ELISA_DESC_PHASE : 0;

	desc->word = __atomic_load_n(&guest->rx[slot % guest->rx_size].word, __ATOMIC_ACQUIRE);
	return (desc->flags & (ELISA_DESC_DONE | ELISA_DESC_PHASE)) == (ELISA_DESC_DONE | phase);
}

bool guest_receive(struct guest *guest, struct frame *frame)
{
	struct elisa_desc desc;
	bool dropped = false;

	frame->length = 0;
	frame->nb_slots = 0;
	do {
		uint32_t slot = guest->next + frame->nb_slots;

		if (!is_done(guest, slot, &desc))
			return false;
		if (frame->nb_slots || !(desc.flags & ELISA_DESC_CSUM))
			assert_int_equal(desc.meta, 0);
		assert_true(frame->length + desc.length <= sizeof(frame->bytes));
		memcpy(frame->bytes + frame->length,
		       guest->memory + (guest_rx_gva(guest, slot) - guest->gva), desc.length);
		frame->length += desc.length;
		frame->nb_slots++;
		dropped = desc.flags & ELISA_DESC_DROPPED;
		if (dropped)
			assert_int_equal(desc.length, 0);
	} while (!dropped && desc.flags & ELISA_DESC_MORE);
	if (dropped)
		frame->length = 0;
	for (uint32_t i = 0; i < frame->nb_slots; i++)
		guest_post(guest, guest->next + guest->rx_size + i,
			   guest_rx_gva(guest, guest->next + i), guest->room);
	guest->next += frame->nb_slots;
	return true;
}

uint32_t guest_drain(struct guest *guest)
{
	struct frame *frame = malloc(sizeof(*frame));
	uint32_t nb = 0;

	assert_non_null(frame);
	while (guest_receive(guest, frame)) {
		assert_int_not_equal(frame->length, 0);
		nb++;
	}
	free(frame);
	return nb;
}

int world_cmpxchg(void *context, const struct elisa_ring_word *word, uint64_t expected,
		  uint64_t desired, uint64_t *seen)
{
	const struct world *world = context;
	const struct elisa_queue_map *map = &world->maps[word->port].queues[word->queue];

	if (!map->rx_size || map->epoch % ELISA_RUN_EPOCHS != word->epoch ||
	    word->address - map->rx_ring >= map->rx_size * sizeof(struct elisa_desc))
		return -ESTALE;
	*seen = expected;
	__atomic_compare_exchange_n((uint64_t *)(uintptr_t)word->address, seen, desired, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return 0;
}

void guest_expect(struct frame *frame, const struct guest *from, uint64_t destination,
		  uint32_t length, uint32_t seed)
{
	frame->length = length;
	make_bytes(frame->bytes, destination, from->mac, length, seed);
}

void assert_frame(const struct frame *frame, const struct guest *from, uint64_t destination,
		  uint32_t length, uint32_t seed)
{
	uint8_t *expected = malloc(length);

	assert_non_null(expected);
	make_bytes(expected, destination, from->mac, length, seed);
	assert_int_equal(frame->length, length);
	assert_memory_equal(frame->bytes, expected, length);
	free(expected);
}

struct elisa_port_stats world_stats(const struct world *world, const struct guest *guest)
{
	struct elisa_port_stats stats;

	assert_int_equal(elisa_switch_port_stats(world->sw, guest->port, &stats), 0);
	return stats;
}

void assert_drops(const struct world *world, const struct guest *sender,
		  const struct guest *receiver, enum elisa_drop_reason reason, uint64_t nb)
{
	for (uint32_t port = 0; port < world->nb_guests; port++) {
		const struct guest *guest = &world->guests[port];
		struct elisa_port_stats stats = world_stats(world, guest);

		for (uint32_t i = 0; i < ELISA_DROP_REASONS; i++) {
			uint64_t tx = guest == sender && i == reason ? nb : 0;
			uint64_t rx = guest == receiver && i == reason ? nb : 0;

			assert_int_equal(stats.tx_drops[i], tx);
			assert_int_equal(stats.rx_drops[i], rx);
		}
	}
}

void assert_sound(const struct world *world)
{
	char sentence[ELISA_AUDIT_SENTENCE];

	if (elisa_switch_audit(world->sw, world->sw->size, sentence))
		fail_msg("%s", sentence);
}

void assert_idle(const struct world *world)
{
	for (uint32_t vcpu = 0; vcpu < ELISA_MAX_VCPUS; vcpu++)
		assert_int_equal(world->sw->journals[vcpu].word, 0);
}
