/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_transmit.c - what a sender asks for: arguments, descriptors, chains, and their counters.
 */
#include <stdlib.h>

#include "world.h"

static struct frame frame;

static int setup(void **state)
{
	return world_setup(state, 2, 64, 2048);
}

static void test_one(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	struct elisa_port_stats stats;

	for (uint32_t length = 14; length <= 2048; length++) {
		guest_send_one(world, a, b->mac, length, length);
		assert_true(guest_receive(b, &frame));
		assert_frame(&frame, a, b->mac, length, length);
		assert_int_equal(frame.nb_slots, 1);
	}
	assert_false(guest_receive(b, &frame));
	stats = world_stats(world, a);
	assert_int_equal(stats.tx_packets, 2035);
	assert_int_equal(stats.tx_calls, 2035);
	assert_int_equal(stats.tx_bytes, 2035 * (14 + 2048) / 2);
	assert_int_equal(stats.tx_flooded, 0);
	assert_int_equal(stats.rx_packets, 0);
	stats = world_stats(world, b);
	assert_int_equal(stats.rx_packets, 2035);
	assert_int_equal(stats.rx_bytes, 2035 * (14 + 2048) / 2);
	assert_drops(world, NULL, NULL, ELISA_DROP_NONE, 0);
}

/* Bytes of a receive buffer beyond the frame stay as they were. */
static void test_no_byte_beyond(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	memset(b->memory + GUEST_RX_BUFFERS, 0xa5, 64 * BUFFER_SIZE);
	for (uint32_t length = 14; length < 78; length++) {
		uint8_t *buffer = b->memory + GUEST_RX_BUFFERS + (length - 14) % 64 * BUFFER_SIZE;

		guest_send_one(world, a, b->mac, length, 1);
		for (uint32_t i = length; i < BUFFER_SIZE; i++)
			assert_int_equal(buffer[i], 0xa5);
		assert_true(guest_receive(b, &frame));
	}
}

static void test_burst(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	guest_setup_queue(world, b, 256);
	for (uint32_t i = 0; i < 256; i++)
		guest_fill(a, i, b->mac, 60 + i % 700, i);
	assert_int_equal(guest_send(world, a, 256), 256);
	for (uint32_t i = 0; i < 256; i++) {
		assert_true(guest_receive(b, &frame));
		assert_frame(&frame, a, b->mac, 60 + i % 700, i);
	}
	assert_int_equal(world_stats(world, a).tx_calls, 1);
	assert_int_equal(world_stats(world, a).tx_packets, 256);
}

static int64_t call(struct world *world, uint64_t ports, uint64_t operation, uint64_t first,
		    uint64_t second)
{
	struct elisa_identity identity = {
		.magic = ELISA_IDENTITY_MAGIC, .abi = ELISA_IMAGE_ABI, .vcpu = 5, .ports = ports};

	return world_call(world, &identity, operation, first, second);
}

static void test_arguments(void **state)
{
	struct world *world = *state;
	struct elisa_identity identity = {.magic = ELISA_IDENTITY_MAGIC, .vcpu = 256, .ports = 1};

	assert_int_equal(call(world, 0, ELISA_CALL_NOP, 0, 0), 0);
	assert_int_equal(call(world, ~0ull, 3, 0, 1), -EINVAL);
	assert_int_equal(call(world, 1, ELISA_CALL_POLL, 0, 0), -EINVAL);
	assert_int_equal(call(world, 1, ELISA_CALL_POLL, 0, 257), -EINVAL);
	assert_int_equal(call(world, 1, ELISA_CALL_POLL, 1, 1), -EPERM);
	assert_int_equal(call(world, 1, ELISA_CALL_POLL, 0, 256), -ENOENT);
	assert_int_equal(call(world, ~0ull, ~0ull, 0, 1), -EINVAL);
	assert_int_equal(call(world, ~0ull, 1ull << 32 | ELISA_CALL_TX, 0, 1), -EINVAL);
	assert_int_equal(call(world, 1, ELISA_CALL_TX, 0, 0), -EINVAL);
	assert_int_equal(call(world, 1, ELISA_CALL_TX, 0, 257), -EINVAL);
	assert_int_equal(call(world, 1, ELISA_CALL_TX, 0, 1ull << 32 | 1), -EINVAL);
	assert_int_equal(call(world, 1, ELISA_CALL_TX, 0, ~0ull), -EINVAL);
	assert_int_equal(call(world, 1, ELISA_CALL_TX, 1, 1), -EPERM);
	assert_int_equal(call(world, 0, ELISA_CALL_TX, 0, 1), -EPERM);
	assert_int_equal(call(world, ~0ull, ELISA_CALL_TX, 64, 1), -EPERM);
	assert_int_equal(call(world, ~0ull, ELISA_CALL_TX, 65535, 1), -EPERM);
	/* No such port, queue not set up, no such queue. */
	assert_int_equal(call(world, ~0ull, ELISA_CALL_TX, 2, 1), -ENODEV);
	assert_int_equal(call(world, ~0ull, ELISA_CALL_TX, 1 << 16, 1), -ENODEV);
	assert_int_equal(call(world, ~0ull, ELISA_CALL_TX, 8 << 16, 1), -ENODEV);
	assert_int_equal(call(world, ~0ull, ELISA_CALL_TX, ~0ull << 16, 1), -ENODEV);
	/* The count is also bounded by the window. */
	world->maps[0].queues[0].tx_size = 8;
	assert_int_equal(call(world, 1, ELISA_CALL_TX, 0, 9), -EINVAL);
	world->maps[0].queues[0].tx_size = 2 * ELISA_MAX_BURST;
	assert_int_equal(call(world, 1, ELISA_CALL_TX, 0, ELISA_MAX_BURST + 1), -EINVAL);
	/* Not an identity page, not a vCPU. */
	assert_int_equal(world_call(world, &identity, ELISA_CALL_TX, 0, 1), -ENODEV);
	identity.vcpu = 0;
	identity.magic = 0;
	assert_int_equal(world_call(world, &identity, ELISA_CALL_TX, 0, 1), -ENODEV);
	assert_int_equal(world_stats(world, &world->guests[0]).tx_calls, 0);
	/* Memory that is no switch, or not yet. */
	world->sw->magic = 0;
	assert_int_equal(call(world, 1, ELISA_CALL_TX, 0, 1), -ENODEV);
	world->sw->magic = ELISA_SWITCH_MAGIC;
}

static void test_deleted_port(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	assert_int_equal(elisa_switch_port_del(world->sw, a->port), 0);
	guest_fill(a, 0, b->mac, 60, 0);
	assert_int_equal(guest_send(world, a, 1), -ENODEV);
	assert_int_equal(guest_drain(b), 0);
	world->nb_guests = 0;
	assert_drops(world, NULL, NULL, ELISA_DROP_NONE, 0);
	world->nb_guests = 2;
}

struct hostile {
	uint64_t addr; /* from the guest's memory on */
	uint64_t word;
	bool good;
};

/* Where the second region of test_hostile_descriptors() is, for the guest and really. */
#define SECOND_GVA (GUEST_MEMORY + 0x1000)
#define SECOND_AT 0x4000ull

static uint8_t *where(const struct guest *guest, uint64_t addr)
{
	return guest->memory + (addr < GUEST_MEMORY ? addr : addr - SECOND_GVA + SECOND_AT);
}

/* One descriptor each, at the edges of region 0, and of region 1 that follows it at a distance. */
static void test_hostile_descriptors(void **state)
{
	static const struct hostile cases[] = {
		{0, 60, true},
		{GUEST_MEMORY - 60, 60, true},
		{GUEST_MEMORY - 59, 60, false},
		{GUEST_MEMORY, 60, false},
		{-1ull, 60, false},
		{-59ull, 60, false},
		{-60ull, 60, false},
		{SECOND_GVA, 60, true},
		{SECOND_GVA - 1, 60, false},
		{SECOND_GVA + 0x1000 - 60, 60, true},
		{SECOND_GVA + 0x1000 - 59, 60, false},
		{SECOND_GVA, 0x1000, true},
		{SECOND_GVA, 0x1001, false},
		{SECOND_GVA, 0xffff, false},
		{1ull << 63, 60, false},
		{0, 0, false},
		{0, 1ull << 32 | 60, false},
		{0, (uint64_t)ELISA_DESC_POSTED << 16 | 60, false},
		{0, (uint64_t)ELISA_DESC_DONE << 16 | 60, false},
		{0, 0x8000ull << 16 | 60, false},
	};
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	struct elisa_port_map *map = &world->maps[0];
	uint64_t nb_bad = 0;

	map->regions[1].gva = a->gva + SECOND_GVA;
	map->regions[1].window = (uintptr_t)a->memory + SECOND_AT;
	map->regions[1].length = 0x1000;
	map->nb_regions = 2;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		guest_fill(a, 1, b->mac, 60, 77);
		a->tx[0].addr = a->gva + cases[i].addr;
		a->tx[0].word = cases[i].word;
		if (cases[i].good)
			memcpy(where(a, cases[i].addr), where(a, GUEST_TX_BUFFERS + BUFFER_SIZE),
			       14);
		assert_int_equal(guest_send(world, a, 2), 2);
		assert_true(guest_receive(b, &frame));
		if (cases[i].good) {
			assert_int_equal(frame.length, cases[i].word);
			assert_memory_equal(frame.bytes, where(a, cases[i].addr), frame.length);
			assert_true(guest_receive(b, &frame));
		} else {
			nb_bad++;
		}
		/* The packet after the bad one is none the worse. */
		assert_frame(&frame, a, b->mac, 60, 77);
		assert_false(guest_receive(b, &frame));
		assert_drops(world, a, NULL, ELISA_DROP_BAD_DESCRIPTOR, nb_bad);
	}
	assert_int_equal(nb_bad, 15);
}

static void test_chains(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	uint64_t more = (uint64_t)ELISA_DESC_MORE << 16;

	/* Every way to cut 200 bytes in three, the header included. */
	for (uint32_t one = 1; one < 100; one++) {
		uint32_t two = 1 + one * 37 % 99;

		guest_fill(a, 0, b->mac, 200, one);
		a->tx[0].word = one | more;
		a->tx[1].addr = a->tx[0].addr + one;
		a->tx[1].word = two | more;
		a->tx[2].addr = a->tx[0].addr + one + two;
		a->tx[2].word = 200 - one - two;
		guest_fill(a, 3, b->mac, 60, one);
		assert_int_equal(guest_send(world, a, 4), 4);
		assert_true(guest_receive(b, &frame));
		assert_frame(&frame, a, b->mac, 200, one);
		assert_true(guest_receive(b, &frame));
		assert_frame(&frame, a, b->mac, 60, one);
	}
	assert_int_equal(world_stats(world, a).tx_packets, 198);
	assert_drops(world, NULL, NULL, ELISA_DROP_NONE, 0);
}

/* A chain of `nb` descriptors of 8 bytes each, MORE on all but the last, from descriptor `first`. */
static void fill_chain(struct guest *guest, uint32_t first, uint32_t nb, uint64_t destination)
{
	guest_fill(guest, first, destination, nb * 8, nb);
	for (uint32_t i = 0; i < nb; i++) {
		guest->tx[first + i].addr = guest_tx_gva(guest, first) + 8 * i;
		guest->tx[first + i].word = 8 | (uint64_t)(i < nb - 1 ? ELISA_DESC_MORE : 0) << 16;
	}
}

static void test_long_chains(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	for (uint32_t i = 0; i < 8; i++)
		fill_chain(a, i * 32, 32, b->mac);
	assert_int_equal(guest_send(world, a, 256), 256);
	for (uint32_t i = 0; i < 8; i++) {
		assert_true(guest_receive(b, &frame));
		assert_frame(&frame, a, b->mac, 256, 32);
	}
	fill_chain(a, 0, ELISA_MAX_SEGMENTS, b->mac);
	assert_int_equal(guest_send(world, a, ELISA_MAX_SEGMENTS), ELISA_MAX_SEGMENTS);
	assert_true(guest_receive(b, &frame));
	assert_frame(&frame, a, b->mac, 8 * ELISA_MAX_SEGMENTS, ELISA_MAX_SEGMENTS);
	fill_chain(a, 0, ELISA_MAX_SEGMENTS + 1, b->mac);
	guest_fill(a, ELISA_MAX_SEGMENTS + 1, b->mac, 60, 33);
	assert_int_equal(guest_send(world, a, ELISA_MAX_SEGMENTS + 2), ELISA_MAX_SEGMENTS + 2);
	assert_true(guest_receive(b, &frame));
	assert_frame(&frame, a, b->mac, 60, 33);
	assert_drops(world, a, NULL, ELISA_DROP_BAD_DESCRIPTOR, 1);
	/* Without end: all that was asked for is taken. */
	fill_chain(a, 0, 256, b->mac);
	a->tx[255].word |= (uint64_t)ELISA_DESC_MORE << 16;
	assert_int_equal(guest_send(world, a, 256), 256);
	assert_drops(world, a, NULL, ELISA_DROP_BAD_DESCRIPTOR, 2);
	fill_chain(a, 0, 4, b->mac);
	assert_int_equal(guest_send(world, a, 3), 3);
	assert_drops(world, a, NULL, ELISA_DROP_BAD_DESCRIPTOR, 3);
	/* A bad one in the middle takes its chain with it and no more. */
	fill_chain(a, 0, 4, b->mac);
	a->tx[1].addr = 0;
	guest_fill(a, 4, b->mac, 60, 4);
	assert_int_equal(guest_send(world, a, 5), 5);
	assert_drops(world, a, NULL, ELISA_DROP_BAD_DESCRIPTOR, 4);
	assert_true(guest_receive(b, &frame));
	assert_frame(&frame, a, b->mac, 60, 4);
	assert_int_equal(world_stats(world, a).tx_packets, 15);
	assert_int_equal(world_stats(world, a).tx_bytes,
			 8 * 256 + 8 * ELISA_MAX_SEGMENTS + 60 + 60);
	/* So does one that says what only a packet's first may. */
	fill_chain(a, 0, 4, b->mac);
	a->tx[1].word |= (uint64_t)ELISA_DESC_CSUM << 16;
	assert_int_equal(guest_send(world, a, 4), 4);
	assert_drops(world, a, NULL, ELISA_DROP_BAD_DESCRIPTOR, 5);
	assert_false(guest_receive(b, &frame));
}

static void test_lengths(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	guest_send_one(world, a, b->mac, 13, 0);
	assert_drops(world, a, NULL, ELISA_DROP_RUNT, 1);
	guest_send_one(world, a, b->mac, 1, 0);
	assert_drops(world, a, NULL, ELISA_DROP_RUNT, 2);
	assert_int_equal(guest_drain(b), 0);
}

static void test_giant(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	world->maps[0].mtu = 1500;
	guest_send_one(world, a, b->mac, 1522, 0);
	assert_int_equal(guest_drain(b), 1);
	guest_send_one(world, a, b->mac, 1523, 0);
	assert_int_equal(guest_drain(b), 0);
	assert_drops(world, a, NULL, ELISA_DROP_GIANT, 1);
	assert_int_equal(world_stats(world, a).tx_bytes, 1522 + 1523);
}

static void test_receiver_mtu(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	world->maps[1].mtu = 1000;
	guest_fill(a, 0, b->mac, 1022, 0);
	guest_fill(a, 1, b->mac, 1023, 1);
	guest_fill(a, 2, b->mac, 60, 2);
	assert_int_equal(guest_send(world, a, 3), 3);
	assert_true(guest_receive(b, &frame));
	assert_frame(&frame, a, b->mac, 1022, 0);
	assert_true(guest_receive(b, &frame));
	assert_frame(&frame, a, b->mac, 60, 2);
	assert_false(guest_receive(b, &frame));
	assert_drops(world, a, b, ELISA_DROP_RECEIVER_MTU, 1);
}

static void test_bad_source(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	uint64_t mac = a->mac;

	a->mac = 0;
	guest_send_one(world, a, b->mac, 60, 0);
	assert_drops(world, a, NULL, ELISA_DROP_BAD_SOURCE, 1);
	a->mac = mac | 1ull << 40;
	guest_send_one(world, a, b->mac, 60, 0);
	assert_drops(world, a, NULL, ELISA_DROP_BAD_SOURCE, 2);
	a->mac = mac;
	assert_int_equal(guest_drain(b), 0);
}

/* What the sender may not: read another's memory through a region that was emptied. */
static void test_emptied_region(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	world->maps[0].regions[0].length = 0;
	guest_send_one(world, a, b->mac, 60, 0);
	assert_drops(world, a, NULL, ELISA_DROP_BAD_DESCRIPTOR, 1);
	world->maps[0].nb_regions = ~0u;
	guest_send_one(world, a, b->mac, 60, 0);
	assert_drops(world, a, NULL, ELISA_DROP_BAD_DESCRIPTOR, 2);
	assert_int_equal(guest_drain(b), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_no_byte_beyond, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_burst, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_arguments, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_deleted_port, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_hostile_descriptors, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_chains, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_long_chains, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_lengths, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_giant, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_receiver_mtu, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_bad_source, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_emptied_region, setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
