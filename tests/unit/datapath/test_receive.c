/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_receive.c - the receive ring: slots, laps, full rings, back-pressure, bad buffers.
 */
#include <stdlib.h>

#include "world.h"

#define RING 16

static struct frame frame;

static int setup(void **state)
{
	return world_setup(state, 2, RING, 512);
}

static void set_backpressure(struct world *world, const struct guest *guest)
{
	assert_int_equal(elisa_switch_port_set_backpressure(world->sw, guest->port, true), 0);
}

/* Several slots for one packet; how many, at each boundary. */
static void test_more(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	for (uint32_t length = 500; length <= 8000; length += 1 + length % 3) {
		guest_send_one(world, a, b->mac, length, length);
		assert_true(guest_receive(b, &frame));
		assert_frame(&frame, a, b->mac, length, length);
		assert_int_equal(frame.nb_slots, (length + 511) / 512);
	}
	assert_false(guest_receive(b, &frame));
	assert_drops(world, NULL, NULL, ELISA_DROP_NONE, 0);
}

/* Rooms of odd sizes, smaller than the private header, from a chain of odd cuts. */
static void test_scatter(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	for (uint32_t room = 7; room < 150; room++) {
		b->room = room;
		guest_setup_queue(world, b, 32);
		guest_fill(a, 0, b->mac, 200, room);
		a->tx[1].addr = a->tx[0].addr + 61;
		a->tx[1].word = 200 - 61;
		a->tx[0].word = 61 | (uint64_t)ELISA_DESC_MORE << 16;
		assert_int_equal(guest_send(world, a, 2), 2);
		assert_true(guest_receive(b, &frame));
		assert_frame(&frame, a, b->mac, 200, room);
		assert_int_equal(frame.nb_slots, (200 + room - 1) / room);
	}
}

static void test_full(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	for (uint32_t i = 0; i < 20; i++)
		guest_fill(a, i, b->mac, 60, i);
	assert_int_equal(guest_send(world, a, 20), 20);
	assert_drops(world, a, b, ELISA_DROP_RECEIVER_FULL, 4);
	for (uint32_t i = 0; i < RING; i++) {
		assert_true(guest_receive(b, &frame));
		assert_frame(&frame, a, b->mac, 60, i);
	}
	assert_false(guest_receive(b, &frame));
	/* And on it goes. */
	assert_int_equal(guest_send(world, a, 3), 3);
	assert_int_equal(guest_drain(b), 3);
	assert_int_equal(world_stats(world, a).tx_packets, 23);
	assert_int_equal(world_stats(world, b).rx_packets, 19);
	assert_int_equal(world_stats(world, b).rx_bytes, 19 * 60);
}

/* A packet of which only the beginning would fit takes nothing. */
static void test_full_half_way(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	for (uint32_t i = 0; i < RING - 1; i++)
		guest_send_one(world, a, b->mac, 60, i);
	guest_send_one(world, a, b->mac, 600, 100);
	assert_drops(world, a, b, ELISA_DROP_RECEIVER_FULL, 1);
	guest_send_one(world, a, b->mac, 60, 15);
	for (uint32_t i = 0; i < RING; i++) {
		assert_true(guest_receive(b, &frame));
		assert_frame(&frame, a, b->mac, 60, i);
	}
	assert_false(guest_receive(b, &frame));
}

static void test_backpressure(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	uint64_t more = (uint64_t)ELISA_DESC_MORE << 16;

	set_backpressure(world, b);
	/* Packets of two descriptors each: whole packets are taken. */
	for (uint32_t i = 0; i < 40; i += 2) {
		guest_fill(a, i, b->mac, 100, i);
		a->tx[i + 1].addr = a->tx[i].addr + 50;
		a->tx[i].word = 50 | more;
		a->tx[i + 1].word = 50;
	}
	assert_int_equal(guest_send(world, a, 40), 2 * RING);
	assert_int_equal(guest_send(world, a, 40), 0);
	assert_int_equal(world_stats(world, a).tx_packets, RING);
	assert_int_equal(world_stats(world, a).tx_bytes, RING * 100);
	assert_int_equal(world_stats(world, a).tx_backpressure, 2);
	assert_int_equal(guest_drain(b), RING);
	assert_drops(world, NULL, NULL, ELISA_DROP_NONE, 0);
	/* What comes before the full receiver in the window is taken, dropped or not. */
	for (uint32_t i = 0; i < RING; i++)
		guest_send_one(world, a, b->mac, 60, i);
	guest_fill(a, 0, b->mac, 13, 0);
	guest_fill(a, 1, b->mac, 60, 0);
	guest_fill(a, 2, b->mac, 13, 0);
	assert_int_equal(guest_send(world, a, 3), 1);
	assert_drops(world, a, NULL, ELISA_DROP_RUNT, 1);
	assert_int_equal(world_stats(world, a).tx_packets, 2 * RING + 1);
}

/* A packet behind one that waits is sent again, and counted when it is taken. */
static void test_too_long_behind_a_full_ring(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	set_backpressure(world, b);
	world->maps[1].mtu = 1000;
	for (uint32_t i = 0; i < RING; i++)
		guest_send_one(world, a, b->mac, 60, i);
	guest_fill(a, 0, b->mac, 2000, 0);
	guest_fill(a, 1, b->mac, 60, 1);
	guest_fill(a, 2, b->mac, 2000, 2);
	assert_int_equal(guest_send(world, a, 3), 1);
	assert_drops(world, a, b, ELISA_DROP_RECEIVER_MTU, 1);
	a->tx[0] = a->tx[1];
	a->tx[1] = a->tx[2];
	assert_int_equal(guest_send(world, a, 2), 0);
	assert_drops(world, a, b, ELISA_DROP_RECEIVER_MTU, 1);
	assert_int_equal(guest_drain(b), RING);
	assert_int_equal(guest_send(world, a, 2), 2);
	assert_int_equal(guest_drain(b), 1);
	assert_drops(world, a, b, ELISA_DROP_RECEIVER_MTU, 2);
	assert_int_equal(world_stats(world, a).tx_packets, RING + 3);
}

/* A packet that no empty ring could hold does not wait for ever. */
static void test_ring_too_small(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	set_backpressure(world, b);
	b->room = 64;
	guest_setup_queue(world, b, 8);
	guest_fill(a, 0, b->mac, 60, 0);
	guest_fill(a, 1, b->mac, 513, 1);
	guest_fill(a, 2, b->mac, 60, 2);
	/* While a slot is out, it may be that only that one is missing. */
	assert_int_equal(guest_send(world, a, 3), 1);
	assert_int_equal(guest_drain(b), 1);
	/* All of the ring is there: nine slots needed, eight are all there are. */
	a->tx[0] = a->tx[1];
	a->tx[1] = a->tx[2];
	assert_int_equal(guest_send(world, a, 2), 2);
	assert_drops(world, a, b, ELISA_DROP_RECEIVER_FULL, 1);
	assert_true(guest_receive(b, &frame));
	assert_frame(&frame, a, b->mac, 60, 2);
	/* More slots than a packet may have. */
	b->room = 16;
	guest_setup_queue(world, b, 64);
	guest_send_one(world, a, b->mac, 16 * ELISA_MAX_SEGMENTS, 3);
	assert_true(guest_receive(b, &frame));
	assert_frame(&frame, a, b->mac, 16 * ELISA_MAX_SEGMENTS, 3);
	assert_int_equal(frame.nb_slots, ELISA_MAX_SEGMENTS);
	guest_send_one(world, a, b->mac, 16 * ELISA_MAX_SEGMENTS + 1, 3);
	assert_drops(world, a, b, ELISA_DROP_RECEIVER_FULL, 2);
	assert_false(guest_receive(b, &frame));
}

/* Many laps, with bursts that do not divide the ring. */
static void test_laps(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t nb = 1 + i % RING;

		for (uint32_t j = 0; j < nb; j++)
			guest_fill(a, j, b->mac, 60, i + j);
		assert_int_equal(guest_send(world, a, nb), nb);
		for (uint32_t j = 0; j < nb; j++) {
			assert_true(guest_receive(b, &frame));
			assert_frame(&frame, a, b->mac, 60, i + j);
		}
	}
	assert_int_equal(elisa_queue_head(world->sw->queues[1][0].word), b->next);
	assert_drops(world, NULL, NULL, ELISA_DROP_NONE, 0);
}

/* The head passes 2^32. */
static void test_wraparound(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	uint64_t *word = &world->sw->queues[1][0].word;

	guest_send_one(world, a, b->mac, 60, 0);
	guest_drain(b);
	b->next = 0u - 3 * RING;
	*word = (*word & 0xffffffff) | (uint64_t)b->next << 32;
	guest_post_all(b);
	for (uint32_t i = 0; i < 5 * RING; i++) {
		guest_fill(a, 0, b->mac, 60, i);
		guest_fill(a, 1, b->mac, 700, i);
		guest_fill(a, 2, b->mac, 60, i);
		assert_int_equal(guest_send(world, a, 3), 3);
		assert_int_equal(guest_drain(b), 3);
	}
	assert_true(b->next < RING * 20);
	assert_int_equal(elisa_queue_head(*word), b->next);
	assert_drops(world, NULL, NULL, ELISA_DROP_NONE, 0);
}

/* A slot that is not posted in this lap is not the switch's, whatever else it says. */
static void test_phase(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	static const uint16_t flags[] = {0,
					 ELISA_DESC_PHASE,
					 ELISA_DESC_POSTED | ELISA_DESC_PHASE,
					 ELISA_DESC_DONE,
					 ELISA_DESC_POSTED | ELISA_DESC_DONE,
					 ELISA_DESC_POSTED | 0x8000};

	for (uint32_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		uint64_t word = (uint64_t)flags[i] << 16 | 512;

		b->rx[0].word = word;
		guest_send_one(world, a, b->mac, 60, 0);
		assert_drops(world, a, b, ELISA_DROP_RECEIVER_FULL, i + 1);
		assert_int_equal(b->rx[0].word, word);
	}
	guest_post(b, 0, guest_rx_gva(b, 0), 512);
	guest_send_one(world, a, b->mac, 60, 0);
	assert_int_equal(guest_drain(b), 1);
}

/* A queue set up again begins at its first slot, with the first phase. */
static void test_epochs(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	for (uint32_t i = 0; i < 70000; i += 1 + i % 977) {
		world->maps[1].queues[0].epoch = i;
		guest_setup_queue(world, b, i % 2 ? 8 : 16);
		for (uint32_t j = 0; j < 11; j++) {
			guest_send_one(world, a, b->mac, 60, i + j);
			assert_true(guest_receive(b, &frame));
			assert_frame(&frame, a, b->mac, 60, i + j);
		}
		assert_int_equal(elisa_queue_head(world->sw->queues[1][0].word), 11);
		assert_int_equal(world->sw->queues[1][0].size, b->rx_size);
	}
	/* Not set up, or stopped: nobody is there. */
	world->maps[1].queues[0].rx_size = 0;
	guest_send_one(world, a, b->mac, 60, 0);
	world->maps[1].queues[0].rx_size = b->rx_size;
	world->maps[1].flags = 0;
	guest_send_one(world, a, b->mac, 60, 0);
	assert_drops(world, a, NULL, ELISA_DROP_NO_DESTINATION, 2);
	assert_int_equal(guest_drain(b), 0);
}

/* A port made again under the same number, with the same epoch, starts afresh too. */
static void test_port_made_again(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	struct elisa_port_params params = {.backpressure = false};

	guest_send_one(world, a, b->mac, 60, 0);
	assert_int_equal(guest_drain(b), 1);
	elisa_mac_from_number(b->mac, params.mac);
	assert_int_equal(elisa_switch_port_del(world->sw, 1), 0);
	assert_int_equal(elisa_switch_port_add(world->sw, 1, &params), 0);
	world->maps[1].queues[0].epoch--;
	guest_setup_queue(world, b, RING);
	guest_send_one(world, a, b->mac, 60, 1);
	assert_true(guest_receive(b, &frame));
	assert_frame(&frame, a, b->mac, 60, 1);
	assert_int_equal(world_stats(world, b).rx_packets, 1);
}

/* Sender queue q fills receiver queue q if it is there, else queue 0. */
static void test_queues(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	struct elisa_identity identity = {.magic = ELISA_IDENTITY_MAGIC, .ports = 1};
	struct elisa_queue_map *second = &world->maps[1].queues[3];
	struct elisa_desc *ring = b->rx + 1024;

	world->maps[0].queues[3] = world->maps[0].queues[0];
	guest_fill(a, 0, b->mac, 60, 0);
	assert_int_equal(world_call(world, &identity, ELISA_CALL_TX, 3 << 16, 1), 1);
	assert_int_equal(guest_drain(b), 1);
	*second = world->maps[1].queues[0];
	second->rx_ring = (uintptr_t)ring;
	ring[0].addr = guest_rx_gva(b, 0);
	ring[0].word = (uint64_t)ELISA_DESC_POSTED << 16 | 512;
	assert_int_equal(world_call(world, &identity, ELISA_CALL_TX, 3 << 16, 1), 1);
	assert_int_equal(guest_drain(b), 0);
	assert_int_equal(ring[0].word, (uint64_t)ELISA_DESC_DONE << 16 | 60);
}

/* Each bad buffer costs its receiver one packet, and nobody else anything. */
/* The host's calls and the vCPUs' own share a ring: the place that finishers use is the vCPUs'. */
static void test_host_call(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	const struct elisa_receive_queue *queue = &world->sw->queues[b->port][0];

	for (uint32_t i = 0; i < 4; i++) {
		world->in_host = !(i & 1);
		guest_send_one(world, a, b->mac, 100, i);
		assert_true(guest_receive(b, &frame));
		assert_frame(&frame, a, b->mac, 100, i);
		assert_int_equal(queue->ring, i ? (uintptr_t)b->rx : 0);
	}
}

static void test_bad_buffers(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	const uint64_t gvas[] = {0,
				 ~0ull,
				 b->gva - 1,
				 b->gva + GUEST_MEMORY - 511,
				 b->gva + GUEST_MEMORY,
				 a->gva + GUEST_RX_BUFFERS,
				 (uintptr_t)b->memory};
	uint32_t nb = sizeof(gvas) / sizeof(*gvas);

	for (uint32_t i = 0; i < nb; i++)
		guest_post(b, 2 * i, gvas[i], 512);
	guest_post(b, 2 * nb, guest_rx_gva(b, 2 * nb), 0);
	nb++;
	for (uint32_t i = 0; i < RING; i++)
		guest_fill(a, i, b->mac, 60, i);
	assert_int_equal(guest_send(world, a, RING), RING);
	for (uint32_t i = 0; i < RING; i++) {
		assert_true(guest_receive(b, &frame));
		if (i % 2)
			assert_frame(&frame, a, b->mac, 60, i);
		else
			assert_int_equal(frame.length, 0);
	}
	assert_drops(world, a, b, ELISA_DROP_BAD_RECEIVE_BUFFER, nb);
	assert_int_equal(world_stats(world, a).tx_packets, RING);
	assert_int_equal(world_stats(world, b).rx_packets, RING - nb);
	assert_int_equal(guest_send(world, a, RING), RING);
	assert_int_equal(guest_drain(b), RING);
}

/* The second slot of a packet is bad: both come back without data. Read-only memory is bad too. */
static void test_bad_second_buffer(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	guest_post(b, 1, 0, 512);
	guest_fill(a, 0, b->mac, 1000, 0);
	guest_fill(a, 1, b->mac, 1000, 1);
	assert_int_equal(guest_send(world, a, 2), 2);
	assert_true(guest_receive(b, &frame));
	assert_int_equal(frame.length, 0);
	assert_true(guest_receive(b, &frame));
	assert_int_equal(frame.length, 0);
	assert_true(guest_receive(b, &frame));
	assert_frame(&frame, a, b->mac, 1000, 1);
	assert_drops(world, a, b, ELISA_DROP_BAD_RECEIVE_BUFFER, 1);
	world->maps[1].regions[0].flags = 0;
	guest_send_one(world, a, b->mac, 60, 0);
	assert_drops(world, a, b, ELISA_DROP_BAD_RECEIVE_BUFFER, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_more, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_scatter, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_full_half_way, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_backpressure, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_too_long_behind_a_full_ring, setup,
						world_teardown),
		cmocka_unit_test_setup_teardown(test_ring_too_small, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_laps, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_wraparound, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_phase, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_epochs, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_port_made_again, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_queues, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_host_call, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_bad_buffers, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_bad_second_buffer, setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
