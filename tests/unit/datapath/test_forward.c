/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_forward.c - who gets a packet: flooding, learning, moving, ageing, filters, own addresses.
 */
#include <stdlib.h>

#include "vswitch/datapath/fdb.h"
#include "world.h"

#define BROADCAST 0xffffffffffffull
#define MULTICAST 0x01005e000001ull
#define STATION 0x020000000001ull

static struct frame frame;

static int setup(void **state)
{
	return world_setup(state, 4, 64, 2048);
}

/* From guest `from`, who gets a frame to `destination`: bit p for guest p. */
static unsigned int reaches(struct world *world, uint32_t from, uint64_t destination)
{
	unsigned int ports = 0;

	guest_send_one(world, &world->guests[from], destination, 100, 5);
	for (uint32_t i = 0; i < world->nb_guests; i++) {
		if (!guest_receive(&world->guests[i], &frame))
			continue;
		assert_frame(&frame, &world->guests[from], destination, 100, 5);
		assert_false(guest_receive(&world->guests[i], &frame));
		ports |= 1u << i;
	}
	return ports;
}

/* As reaches(), from a station behind the guest. */
static unsigned int reaches_from(struct world *world, uint32_t from, uint64_t source,
				 uint64_t destination)
{
	uint64_t mac = world->guests[from].mac;
	unsigned int ports;

	world->guests[from].mac = source;
	ports = reaches(world, from, destination);
	world->guests[from].mac = mac;
	return ports;
}

static void test_flood(void **state)
{
	struct world *world = *state;

	assert_int_equal(reaches(world, 0, BROADCAST), 0xe);
	assert_int_equal(reaches(world, 2, MULTICAST), 0xb);
	assert_int_equal(reaches(world, 3, STATION), 0x7);
	assert_int_equal(world_stats(world, &world->guests[3]).tx_flooded, 1);
	assert_int_equal(world_stats(world, &world->guests[3]).tx_packets, 1);
	assert_int_equal(world_stats(world, &world->guests[1]).rx_packets, 3);
	/* Only started ports; and when there is none, that is counted. */
	world->maps[1].flags = 0;
	assert_int_equal(reaches(world, 0, BROADCAST), 0xc);
	world->maps[2].flags = 0;
	world->maps[3].flags = 0;
	assert_int_equal(reaches(world, 0, BROADCAST), 0);
	assert_drops(world, &world->guests[0], NULL, ELISA_DROP_NO_DESTINATION, 1);
}

static void test_own_addresses(void **state)
{
	struct world *world = *state;

	for (uint32_t from = 0; from < 4; from++)
		for (uint32_t to = 0; to < 4; to++)
			assert_int_equal(reaches(world, from, world->guests[to].mac),
					 from == to ? 0 : 1u << to);
	assert_int_equal(world_stats(world, &world->guests[2]).tx_drops[ELISA_DROP_NO_DESTINATION],
			 1);
	/* Another's address as source changes nothing: own addresses do not move. */
	assert_int_equal(reaches_from(world, 1, world->guests[2].mac, world->guests[0].mac), 1);
	assert_int_equal(reaches(world, 0, world->guests[2].mac), 4);
	/* Gone with its port. */
	assert_int_equal(elisa_switch_port_del(world->sw, 2), 0);
	assert_int_equal(reaches(world, 0, world->guests[2].mac), 0xa);
}

static void test_learning(void **state)
{
	struct world *world = *state;

	assert_int_equal(reaches(world, 0, STATION), 0xe);
	reaches_from(world, 1, STATION, BROADCAST);
	assert_int_equal(reaches(world, 0, STATION), 2);
	assert_int_equal(reaches(world, 1, STATION), 0);
	assert_int_equal(world->sw->fdb_moves, 0);
	/* It moves. */
	reaches_from(world, 3, STATION, BROADCAST);
	assert_int_equal(reaches(world, 0, STATION), 8);
	assert_int_equal(world->sw->fdb_moves, 1);
	/* Its port stops: nobody is there. It goes: nobody knows. */
	world->maps[3].flags = 0;
	assert_int_equal(reaches(world, 0, STATION), 0);
	assert_int_equal(elisa_switch_fdb_flush(world->sw, 1), 0);
	assert_int_equal(elisa_switch_fdb_flush(world->sw, 3), 1);
	assert_int_equal(reaches(world, 0, STATION), 6);
}

/* In one call: learned from the first packet, used by the second. */
static void test_learning_in_a_burst(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];
	uint64_t mac = a->mac;

	guest_fill(a, 0, STATION, 60, 0);
	a->mac = STATION;
	guest_fill(a, 1, BROADCAST, 60, 1);
	a->mac = mac;
	guest_fill(a, 2, STATION, 60, 2);
	assert_int_equal(guest_send(world, a, 3), 3);
	assert_int_equal(guest_drain(&world->guests[1]), 2);
	assert_drops(world, a, NULL, ELISA_DROP_NO_DESTINATION, 1);
}

static void test_ageing(void **state)
{
	struct world *world = *state;

	reaches_from(world, 1, STATION, BROADCAST);
	reaches_from(world, 1, STATION + 1, BROADCAST);
	assert_int_equal(elisa_switch_fdb_age(world->sw), 0);
	assert_int_equal(elisa_switch_fdb_age(world->sw), 0);
	reaches_from(world, 1, STATION, BROADCAST);
	/* The third tick since: what was seen at the second stays. */
	assert_int_equal(elisa_switch_fdb_age(world->sw), 1);
	assert_int_equal(reaches(world, 0, STATION), 2);
	assert_int_equal(reaches(world, 0, STATION + 1), 0xe);
	assert_int_equal(elisa_switch_fdb_age(world->sw), 0);
	assert_int_equal(elisa_switch_fdb_age(world->sw), 1);
	assert_int_equal(reaches(world, 0, STATION), 0xe);
	/* Own addresses stay, also over the wrap of the tick. */
	for (uint32_t i = 0; i < 600; i++) {
		reaches_from(world, 1, STATION, world->guests[2].mac);
		assert_int_equal(elisa_switch_fdb_age(world->sw), 0);
	}
	assert_int_equal(reaches(world, 0, world->guests[1].mac), 2);
	assert_int_equal(reaches(world, 0, STATION), 2);
}

/* Learned entries make way for a port's own; one that gets in beside it goes at the next tick. */
static void test_own_address_learned_before(void **state)
{
	struct world *world = *state;
	struct elisa_port_params params = {.mac = {2, 0, 0, 0, 0, 1}};
	struct elisa_fdb_record records[16];
	unsigned int nb;

	reaches_from(world, 1, STATION, BROADCAST);
	/* As two vCPUs may do that learn at the same instant. */
	elisa_fdb_bucket(world->sw, STATION, 0)[7] = elisa_fdb_entry(STATION, 3, 0, 0);
	elisa_fdb_bucket(world->sw, STATION, 1)[7] = elisa_fdb_entry(STATION, 2, 0, 0);
	assert_int_equal(elisa_switch_port_add(world->sw, 9, &params), 0);
	assert_int_equal(elisa_switch_fdb_dump(world->sw, records, 16), 5);
	elisa_fdb_bucket(world->sw, STATION, 1)[6] = elisa_fdb_entry(STATION, 2, 0, 0);
	assert_int_equal(elisa_switch_fdb_age(world->sw), 0);
	nb = elisa_switch_fdb_dump(world->sw, records, 16);
	assert_int_equal(nb, 5);
	for (unsigned int i = 0; i < nb; i++)
		assert_true(records[i].fixed);
	assert_int_equal(elisa_switch_port_add(world->sw, 10, &params), -EADDRINUSE);
	assert_int_equal(elisa_switch_port_del(world->sw, 9), 0);
	assert_int_equal(elisa_switch_fdb_dump(world->sw, records, 16), 4);
}

static void test_filters(void **state)
{
	struct world *world = *state;
	uint32_t started = ELISA_PORT_STARTED;

	world->maps[1].flags = started;
	world->maps[2].flags = started | ELISA_PORT_ALLMULTICAST;
	world->maps[3].flags = started | ELISA_PORT_PROMISCUOUS;
	assert_int_equal(reaches(world, 0, BROADCAST), 0xe);
	assert_int_equal(reaches(world, 0, MULTICAST), 0xc);
	assert_int_equal(reaches(world, 0, STATION), 0x8);
	assert_int_equal(reaches(world, 0, world->guests[1].mac), 0x2);
	/* What was learned behind a port goes there, as behind a bridge in the guest. */
	reaches_from(world, 1, STATION, world->guests[0].mac);
	assert_int_equal(reaches(world, 0, STATION), 0x2);
	assert_drops(world, NULL, NULL, ELISA_DROP_NONE, 0);
	/* Filtered by all: no drop of the receivers. */
	world->maps[3].flags = started;
	assert_int_equal(reaches(world, 0, STATION + 7), 0);
	assert_drops(world, &world->guests[0], NULL, ELISA_DROP_NO_DESTINATION, 1);
}

/* A full receiver misses its copy of a flooded packet, with back-pressure or without. */
static void test_flood_never_waits(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	guest_setup_queue(world, b, 8);
	assert_int_equal(elisa_switch_port_set_backpressure(world->sw, 1, true), 0);
	for (uint32_t i = 0; i < 20; i++)
		guest_fill(a, i, BROADCAST, 60, i);
	assert_int_equal(guest_send(world, a, 20), 20);
	assert_int_equal(guest_drain(b), 8);
	assert_int_equal(guest_drain(&world->guests[2]), 20);
	assert_int_equal(guest_drain(&world->guests[3]), 20);
	assert_drops(world, a, b, ELISA_DROP_RECEIVER_FULL, 12);
	assert_int_equal(world_stats(world, a).tx_packets, 20);
}

/* A burst for many receivers in turn: each gets its own, in order. */
static void test_mixed_burst(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];

	for (uint32_t i = 0; i < 100; i++)
		guest_fill(a, i, i % 5 == 4 ? BROADCAST : world->guests[1 + i % 5 % 3].mac, 60, i);
	assert_int_equal(guest_send(world, a, 100), 100);
	for (uint32_t to = 1; to < 4; to++)
		for (uint32_t i = 0; i < 100; i++) {
			uint64_t mac = i % 5 == 4 ? BROADCAST : world->guests[1 + i % 5 % 3].mac;

			if (mac != BROADCAST && mac != world->guests[to].mac)
				continue;
			assert_true(guest_receive(&world->guests[to], &frame));
			assert_frame(&frame, a, mac, 60, i);
		}
	assert_drops(world, NULL, NULL, ELISA_DROP_NONE, 0);
}

/* A flood of addresses fills the table, pushes nobody out, and is counted. */
static void test_full_table(void **state)
{
	struct world *world = *state;
	struct elisa_fdb_record *records = calloc(1024, sizeof(*records));
	unsigned int learned = 0;
	uint64_t full;

	assert_non_null(records);
	reaches_from(world, 1, STATION, world->guests[0].mac);
	for (uint32_t i = 0; i < 4000; i++)
		reaches_from(world, 2, 0x0a0000000000ull + i * 7919ull, world->guests[0].mac);
	learned = elisa_switch_fdb_dump(world->sw, records, 1024);
	assert_true(learned > 900 && learned <= 1024);
	full = world->sw->fdb_full;
	assert_int_equal(full, 4000 - (learned - 5));
	assert_int_equal(reaches(world, 0, STATION), 2);
	for (uint32_t to = 1; to < 4; to++)
		assert_int_equal(reaches(world, 0, world->guests[to].mac), 1u << to);
	/* A port's own address finds room even so. */
	for (uint32_t port = 10; port < 20; port++) {
		struct elisa_port_params params = {.mac = {2, 1, 1, 1, 1, port}};

		assert_int_equal(elisa_switch_port_add(world->sw, port, &params), 0);
	}
	learned = elisa_switch_fdb_dump(world->sw, records, 0) - 14;
	assert_int_equal(elisa_switch_fdb_flush(world->sw, ELISA_MAX_PORTS), learned);
	assert_int_equal(elisa_switch_fdb_dump(world->sw, records, 1024), 14);
	free(records);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_flood, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_own_addresses, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_learning, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_learning_in_a_burst, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_ageing, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_own_address_learned_before, setup,
						world_teardown),
		cmocka_unit_test_setup_teardown(test_filters, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_flood_never_waits, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_mixed_burst, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_full_table, setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
