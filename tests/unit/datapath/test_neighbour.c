/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_neighbour.c - what a flooding neighbour leaves to others: of the table of addresses, and of a
 * receiver's slots. The clock is the test's, so the counts are exact.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "fake_clock.h"
#include "vswitch/datapath/fdb.h"
#include "world.h"

#define TSC_HZ 2000000000ull
#define MILLISECOND (TSC_HZ / 1000)
#define BROADCAST 0xffffffffffffull
#define STATION 0x020000000001ull

static struct frame frame;

static int setup(void **state)
{
	fake_tsc = 12345678901;
	return world_setup(state, 4, 1024, 2048);
}

static void set(struct world *world, uint32_t port, const struct elisa_port_policy *policy)
{
	assert_int_equal(elisa_switch_port_set_policy(world->sw, port, policy, TSC_HZ), 0);
}

static uint64_t dropped(const struct world *world, uint32_t port, enum elisa_drop_reason reason)
{
	return world_stats(world, &world->guests[port]).tx_drops[reason];
}

static uint32_t entries_of(const struct world *world, uint32_t port)
{
	static struct elisa_fdb_record records[1024];
	uint32_t all = elisa_switch_fdb_dump(world->sw, records, 1024), nb = 0;

	for (uint32_t i = 0; i < all; i++)
		nb += records[i].port == port && !records[i].fixed;
	return nb;
}

static void speak(struct world *world, uint32_t from, uint64_t source)
{
	struct guest *guest = &world->guests[from];
	uint64_t mac = guest->mac;

	guest->mac = source;
	guest_send_one(world, guest, world->guests[1].mac, 60, 0);
	guest->mac = mac;
	guest_drain(&world->guests[1]);
}

static void expect_learned(const struct world *world, uint32_t port, uint32_t nb)
{
	assert_int_equal(world_stats(world, &world->guests[port]).learned, nb);
	assert_int_equal(entries_of(world, port), nb);
}

/* A flood of addresses takes its port's part of the table, and what others have there stays. */
static void test_learning(void **state)
{
	struct world *world = *state;
	struct elisa_port_policy policy = {.learning_limit = 100};
	struct guest *a = &world->guests[0];
	uint64_t mac = a->mac;

	for (uint32_t i = 0; i < 50; i++)
		speak(world, 2, STATION + i);
	set(world, 0, &policy);
	for (uint32_t i = 0; i < 5000; i++)
		speak(world, 0, 0x060000000000 + i * 7919);
	expect_learned(world, 0, 100);
	assert_int_equal(world_stats(world, a).tx_unlearned, 4900);
	assert_int_equal(world->sw->fdb_full, 0);
	/* Nothing of it was dropped; others still learn, and are found. */
	assert_drops(world, NULL, NULL, 0, 0);
	for (uint32_t i = 0; i < 50; i++) {
		assert_int_equal(elisa_fdb_lookup(world->sw, STATION + i), 2);
		speak(world, 2, STATION + 100 + i);
	}
	expect_learned(world, 2, 100);
	/* Those that it has may speak on, and an address that it may not learn stays where it was. */
	speak(world, 0, 0x060000000000);
	speak(world, 0, STATION);
	assert_int_equal(world_stats(world, a).tx_unlearned, 4901);
	assert_int_equal(elisa_fdb_lookup(world->sw, STATION), 2);
	/* All packets are counted, also of one call. */
	a->mac = STATION;
	for (uint32_t i = 0; i < 32; i++)
		guest_fill(a, i, world->guests[1].mac, 60, 0);
	a->mac = mac;
	assert_int_equal(guest_send(world, a, 32), 32);
	guest_drain(&world->guests[1]);
	assert_int_equal(world_stats(world, a).tx_unlearned, 4933);
	/* When they have aged there is room. */
	for (uint32_t i = 0; i < 3; i++)
		elisa_switch_fdb_age(world->sw);
	expect_learned(world, 0, 0);
	expect_learned(world, 2, 0);
	speak(world, 0, STATION);
	expect_learned(world, 0, 1);
}

/* The count goes with the entries: moved, flushed, overwritten by a port's own, removed with it. */
static void test_learned_count(void **state)
{
	struct world *world = *state;
	struct elisa_port_policy policy = {.learning_limit = 0};
	struct elisa_port_params params = {.mac = {2, 0, 0, 0, 0, 1}};

	for (uint32_t i = 0; i < 10; i++)
		speak(world, 2, STATION + i);
	for (uint32_t i = 0; i < 4; i++)
		speak(world, 3, STATION + i);
	assert_int_equal(world->sw->fdb_moves, 4);
	expect_learned(world, 2, 6);
	expect_learned(world, 3, 4);
	assert_int_equal(elisa_switch_port_add(world->sw, 4, &params), 0);
	expect_learned(world, 3, 3);
	assert_int_equal(elisa_switch_fdb_flush(world->sw, 2), 6);
	expect_learned(world, 2, 0);
	/* Its own address only. */
	set(world, 2, &policy);
	speak(world, 2, STATION + 5);
	speak(world, 2, world->guests[2].mac);
	expect_learned(world, 2, 0);
	assert_int_equal(world_stats(world, &world->guests[2]).tx_unlearned, 1);
	/* What a vCPU left wrong that was lost between two words is put right. */
	world->sw->limits[2].learned = 7;
	world->sw->limits[3].learned = 0;
	elisa_switch_fdb_age(world->sw);
	expect_learned(world, 2, 0);
	expect_learned(world, 3, 3);
	assert_int_equal(elisa_switch_port_del(world->sw, 3), 0);
	assert_int_equal(world->sw->limits[3].learned, 0);
	assert_int_equal(entries_of(world, 3), 0);
}

/*
 * A neighbour that floods. A sends B `SHARE` packets in each round, B has room for and takes
 * B_TAKES; F does its worst in between, one gate call after the other. What of A's arrives?
 */
#define SHARE 24u
#define B_TAKES 64u
#define FAIR_ROUNDS 500u

static uint32_t take_from_a(struct guest *b, const struct guest *a, uint32_t nb)
{
	uint32_t from_a = 0;

	for (; nb && guest_receive(b, &frame); nb--)
		from_a += elisa_mac_to_number(frame.bytes + 6) == a->mac;
	return from_a;
}

static uint32_t share_of_a(struct world *world, uint64_t flood_destination, bool many_sources)
{
	struct guest *a = &world->guests[0], *b = &world->guests[1], *f = &world->guests[2];
	uint64_t mac = f->mac;
	uint32_t arrived = 0;

	guest_setup_queue(world, b, B_TAKES);
	for (uint32_t round = 0; round < FAIR_ROUNDS; round++) {
		for (uint32_t i = 0; i < 256; i++) {
			f->mac = many_sources ? 0x0a0000000000ull + round * 256 + i : mac;
			guest_fill(f, i, flood_destination, 60, i);
		}
		for (uint32_t i = 0; i < SHARE; i++)
			guest_fill(a, i, b->mac, 60, i);
		for (uint32_t call = 0; call < 3; call++) {
			assert_int_equal(guest_send(world, f, 256), 256);
			assert_int_equal(guest_send(world, a, SHARE / 3), SHARE / 3);
		}
		arrived += take_from_a(b, a, B_TAKES);
		fake_tsc += MILLISECOND;
	}
	f->mac = mac;
	return arrived;
}

static void test_share_in_a_storm(void **state)
{
	struct world *world = *state;
	const struct elisa_port_policy policy = {.storm = {10000, 0}};

	/* Without a limit the storm leaves little: the test can fail. */
	assert_true(share_of_a(world, BROADCAST, false) < FAIR_ROUNDS * SHARE / 2);
	set(world, 2, &policy);
	assert_true(share_of_a(world, BROADCAST, false) >= FAIR_ROUNDS * SHARE * 9 / 10);
	assert_true(dropped(world, 2, ELISA_DROP_STORM_LIMIT) > 0);
}

static void test_share_in_a_flood(void **state)
{
	struct world *world = *state;
	const struct elisa_port_policy policy = {.packets = {20000, 0}};
	uint64_t b = world->guests[1].mac;

	assert_true(share_of_a(world, b, false) < FAIR_ROUNDS * SHARE / 2);
	set(world, 2, &policy);
	assert_true(share_of_a(world, b, false) >= FAIR_ROUNDS * SHARE * 9 / 10);
}

/* Addresses, as many as there are packets: the table keeps A's station, so B's answers are not flooded. */
static void test_share_in_a_flood_of_addresses(void **state)
{
	struct world *world = *state;
	const struct elisa_port_policy policy = {.learning_limit = 64, .packets = {20000, 0}};

	speak(world, 0, STATION);
	set(world, 2, &policy);
	assert_true(share_of_a(world, world->guests[1].mac, true) >= FAIR_ROUNDS * SHARE * 9 / 10);
	assert_int_equal(world->sw->fdb_full, 0);
	assert_int_equal(elisa_fdb_lookup(world->sw, STATION), 0);
	guest_drain(&world->guests[0]);
	guest_drain(&world->guests[3]);
	guest_send_one(world, &world->guests[1], STATION, 60, 0);
	assert_int_equal(guest_drain(&world->guests[0]), 1);
	assert_int_equal(guest_drain(&world->guests[3]), 0);
}

/*
 * The same with F in a thread of its own, which calls all the time. B takes all that is there, then time
 * moves; so F's limit leaves A its slots whatever the threads' turns are, and however busy the machine is.
 */
#define THREAD_ROUNDS 200u
#define THREAD_RING 512u /* more than F's burst and what a few rounds give it */

struct flooder {
	struct world *world;
	uint64_t calls;
	bool stop, failed;
};

static void *flood_until_stop(void *argument)
{
	struct flooder *flooder = argument;
	struct guest *f = &flooder->world->guests[2];

	for (uint32_t i = 0; i < 256; i++)
		guest_fill(f, i, flooder->world->guests[1].mac, 60, i);
	while (!__atomic_load_n(&flooder->stop, __ATOMIC_ACQUIRE)) {
		flooder->failed |= guest_send(flooder->world, f, 256) != 256;
		__atomic_add_fetch(&flooder->calls, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Two calls of F begin and end: without a limit they take the whole ring. */
static void await_flood(const struct flooder *flooder)
{
	uint64_t seen = __atomic_load_n(&flooder->calls, __ATOMIC_ACQUIRE);

	while (__atomic_load_n(&flooder->calls, __ATOMIC_ACQUIRE) < seen + 3)
		sched_yield();
}

static uint32_t share_beside_a_thread(struct world *world)
{
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	struct flooder flooder = {.world = world};
	uint32_t arrived = 0;
	pthread_t thread;

	guest_setup_queue(world, b, THREAD_RING);
	for (uint32_t i = 0; i < SHARE; i++)
		guest_fill(a, i, b->mac, 60, i);
	assert_int_equal(pthread_create(&thread, NULL, flood_until_stop, &flooder), 0);
	for (uint32_t round = 0; round < THREAD_ROUNDS; round++) {
		await_flood(&flooder);
		assert_int_equal(guest_send(world, a, SHARE), SHARE);
		arrived += take_from_a(b, a, THREAD_RING);
		__atomic_add_fetch(&fake_tsc, MILLISECOND, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&flooder.stop, true, __ATOMIC_RELEASE);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_false(flooder.failed);
	return arrived + take_from_a(b, a, THREAD_RING);
}

static void test_share_beside_a_thread(void **state)
{
	struct world *world = *state;
	const struct elisa_port_policy policy = {.packets = {20000, 0}};
	uint64_t sent;

	assert_true(share_beside_a_thread(world) < THREAD_ROUNDS * SHARE / 2);
	set(world, 2, &policy);
	sent = world_stats(world, &world->guests[2]).tx_packets;
	assert_true(share_beside_a_thread(world) >= THREAD_ROUNDS * SHARE * 9 / 10);
	sent = world_stats(world, &world->guests[2]).tx_packets - sent;
	assert_true(sent >= THREAD_ROUNDS * 256ull);
	assert_in_range(sent - dropped(world, 2, ELISA_DROP_RATE_LIMIT), 0,
			THREAD_ROUNDS * 20 + 257);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)
		TEST(test_learning),
		TEST(test_learned_count),
		TEST(test_share_in_a_storm),
		TEST(test_share_in_a_flood),
		TEST(test_share_in_a_flood_of_addresses),
		TEST(test_share_beside_a_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
