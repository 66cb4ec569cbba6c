/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_limits.c - what a port may send: rates, storms, private ports; and how a policy is set. The
 * clock is the test's.
 */
#include <pthread.h>
#include <stdlib.h>

#include "fake_clock.h"
#include "vswitch/datapath/bucket.h"
#include "world.h"

#define TSC_HZ 2000000000ull
#define MILLISECOND (TSC_HZ / 1000)
#define BROADCAST 0xffffffffffffull
#define MULTICAST 0x01005e000001ull
#define STATION 0x020000000001ull
#define RING 1024

static struct frame frame;

static int setup(void **state)
{
	fake_tsc = 12345678901;
	return world_setup(state, 4, RING, 2048);
}

static void set(struct world *world, uint32_t port, const struct elisa_port_policy *policy)
{
	assert_int_equal(elisa_switch_port_set_policy(world->sw, port, policy, TSC_HZ), 0);
}

/* Sends `nb` frames in calls of up to 32, drains guest 1; how many came. */
static uint32_t offer(struct world *world, struct guest *from, uint64_t destination, uint32_t nb,
		      uint32_t length)
{
	uint32_t arrived = 0;

	while (nb) {
		uint32_t now = nb < 32 ? nb : 32;

		for (uint32_t i = 0; i < now; i++)
			guest_fill(from, i, destination, length, i);
		assert_int_equal(guest_send(world, from, now), now);
		arrived += guest_drain(&world->guests[1]);
		nb -= now;
	}
	return arrived;
}

static uint64_t dropped(const struct world *world, uint32_t port, enum elisa_drop_reason reason)
{
	return world_stats(world, &world->guests[port]).tx_drops[reason];
}

static void test_set_and_read(void **state)
{
	struct world *world = *state;
	struct elisa_port_policy policy = {
		.flags = ELISA_POLICY_FLAGS,
		.learning_limit = 5,
		.packets = {1000, 100},
		.bytes = {2000000000, 0},
		.storm = {7, 0},
		.nb_ipv4 = 8,
		.nb_ipv6 = 8,
		.nb_vlans = 8,
	};
	struct elisa_port_policy read;

	assert_int_equal(elisa_switch_port_policy(world->sw, 0, &read), 0);
	assert_int_equal(read.flags, 0);
	assert_int_equal(read.learning_limit, ELISA_LEARNING_DEFAULT);
	assert_int_equal(read.packets.per_second + read.bytes.per_second + read.storm.per_second,
			 0);
	for (uint32_t i = 0; i < 8; i++) {
		memset(policy.ipv4[i], i + 1, 4);
		memset(policy.ipv6[i], i + 101, 16);
		policy.vlans[i] = 500 * i;
	}
	set(world, 0, &policy);
	set(world, 0, &policy);
	assert_int_equal(elisa_switch_port_policy(world->sw, 0, &read), 0);
	assert_int_equal(read.bytes.burst, 20000000);
	assert_int_equal(read.storm.burst, ELISA_BURST_MIN_PACKETS);
	read.bytes.burst = 0;
	read.storm.burst = 0;
	assert_memory_equal(&read, &policy, sizeof(policy));
	/* The next port of that number begins without. */
	assert_int_equal(elisa_switch_port_del(world->sw, 0), 0);
	assert_int_equal(elisa_switch_port_policy(world->sw, 0, &read), -ENODEV);
	assert_int_equal(elisa_switch_port_set_policy(world->sw, 0, &policy, TSC_HZ), -ENODEV);
	assert_int_equal(elisa_switch_port_set_policy(world->sw, 64, &policy, TSC_HZ), -ERANGE);
	assert_int_equal(
		elisa_switch_port_add(world->sw, 0, &(struct elisa_port_params){.mac = {2}}), 0);
	assert_int_equal(elisa_switch_port_policy(world->sw, 0, &read), 0);
	assert_int_equal(read.flags + read.nb_ipv4, 0);
	assert_int_equal(world->sw->config[0].rules, 0);
}

static void test_refused(void **state)
{
	struct world *world = *state;
	const struct elisa_port_policy bad[] = {
		{.flags = ELISA_POLICY_FLAGS + 1},
		{.flags = ELISA_POLICY_GUARD_IPV4, .nb_ipv4 = 9},
		{.flags = ELISA_POLICY_GUARD_IPV6, .nb_ipv6 = 9},
		{.flags = ELISA_POLICY_GUARD_VLAN, .nb_vlans = 9},
		{.flags = ELISA_POLICY_GUARD_VLAN},
		{.flags = ELISA_POLICY_GUARD_VLAN, .nb_vlans = 2, .vlans = {0, 4095}},
		{.nb_ipv4 = 1},
		{.nb_ipv6 = 1},
		{.nb_vlans = 1},
		{.packets = {0, 1}},
		{.packets = {ELISA_RATE_MAX + 1, 0}},
		{.packets = {1, 1001}},
		{.bytes = {999, 0}},
		{.bytes = {1000, 1000001}},
		{.storm = {1, 1001}},
	};
	const struct elisa_port_policy rate = {.storm = {1, 0}};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (elisa_switch_port_set_policy(world->sw, 0, &bad[i], TSC_HZ) != -EINVAL)
			fail_msg("policy %zu was taken", i);
	assert_int_equal(elisa_switch_port_set_policy(world->sw, 0, &rate, 999999), -EINVAL);
	assert_int_equal(elisa_switch_port_set_policy(world->sw, 0, &rate, 10000000001), -EINVAL);
	assert_int_equal(elisa_switch_port_set_policy(world->sw, 0, &rate, 10000000000), 0);
}

/* None at all, not even one that changes nothing. */
static void test_uplink(void **state)
{
	struct world *world = *state;
	const struct elisa_uplink_params uplink = {
		.port = 9, .driver = 1, .mtu = 1500, .room = 2048, .nb_queues = 1};
	const struct elisa_port_policy none = {.learning_limit = ELISA_LEARNING_UNLIMITED};
	const struct elisa_port_policy policies[] = {
		none,
		{.learning_limit = 16},
		{.learning_limit = ELISA_LEARNING_UNLIMITED, .storm = {100, 0}},
		{.learning_limit = ELISA_LEARNING_UNLIMITED, .flags = ELISA_POLICY_GUARD_IPV4},
		{.learning_limit = ELISA_LEARNING_UNLIMITED, .flags = ELISA_POLICY_PRIVATE},
	};
	struct elisa_port_policy read;

	assert_int_equal(elisa_switch_uplink_add(world->sw, 0, &uplink), 0);
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		if (elisa_switch_port_set_policy(world->sw, 9, &policies[i], TSC_HZ) != -EINVAL)
			fail_msg("policy %zu was taken", i);
		assert_int_equal(elisa_switch_port_policy(world->sw, 9, &read), 0);
		assert_memory_equal(&read, &none, sizeof(none));
	}
	assert_int_equal(world->sw->config[9].rules, 0);
}

/* From a full bucket: its burst and the last packet. Then what comes in, to 1 in 1000. */
static void test_packets(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];
	const struct elisa_port_policy policy = {.packets = {3000, 50}};
	uint32_t sent = 100, passed;

	set(world, 0, &policy);
	passed = offer(world, a, world->guests[1].mac, 100, 60);
	assert_in_range(passed, 50, 51);
	for (uint32_t i = 0; i < 10000; i++) {
		fake_tsc += MILLISECOND / 2;
		passed += offer(world, a, world->guests[1].mac, 4, 60);
		sent += 4;
	}
	assert_in_range(passed, 50 + 14985, 51 + 15000);
	assert_drops(world, a, NULL, ELISA_DROP_RATE_LIMIT, sent - passed);
	assert_int_equal(world_stats(world, a).tx_packets, sent);
	/* The tokens of an hour are not kept. */
	fake_tsc += 3600 * TSC_HZ;
	assert_in_range(offer(world, a, world->guests[1].mac, 100, 60), 50, 51);
	/* Others are not concerned. */
	assert_int_equal(offer(world, &world->guests[2], world->guests[1].mac, 300, 60), 300);
}

static void test_bytes(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];
	const struct elisa_port_policy policy = {.bytes = {1000000, 10000}};
	uint64_t passed = 0;

	set(world, 0, &policy);
	for (uint32_t i = 0; i < 4000; i++) {
		uint32_t length = 60 + i * 7919 % 1400;

		passed += offer(world, a, world->guests[1].mac, 3, length) * (uint64_t)length;
		fake_tsc += MILLISECOND;
	}
	/* 4 s: a million each, the burst, and one packet that went beyond it. */
	assert_in_range(passed, 3996000, 4000000 + 10000 + 1460);
	assert_true(dropped(world, 0, ELISA_DROP_RATE_LIMIT) > 0);
}

/* Who runs out of bytes has not used up packets. */
/* What was sent at a low rate is no debt at a higher one; and setting the same again forgives nothing. */
static void test_changed(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];
	struct elisa_port_policy policy = {.packets = {1, 100}, .bytes = {1000, 20000}};
	uint64_t mac = world->guests[1].mac;

	set(world, 0, &policy);
	assert_in_range(offer(world, a, mac, 200, 60), 100, 101);
	policy.flags = ELISA_POLICY_GUARD_MAC;
	set(world, 0, &policy);
	assert_int_equal(offer(world, a, mac, 32, 60), 0);
	policy.packets = (struct elisa_rate){100000, 1000};
	set(world, 0, &policy);
	fake_tsc += MILLISECOND;
	assert_int_equal(offer(world, a, mac, 100, 60), 100);
	assert_in_range(offer(world, a, BROADCAST, 200, 100), 79, 81);
	policy.bytes = (struct elisa_rate){1000000, 65536};
	set(world, 0, &policy);
	assert_int_equal(offer(world, a, mac, 100, 60), 100);
}

static void test_both(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];
	struct elisa_port_policy policy = {.packets = {10, 20}, .bytes = {1000, 1000}};

	set(world, 0, &policy);
	assert_int_equal(offer(world, a, world->guests[1].mac, 300, 1500), 1);
	policy.bytes = (struct elisa_rate){0};
	set(world, 0, &policy);
	assert_in_range(offer(world, a, world->guests[1].mac, 300, 60), 19, 20);
}

static void fill_tcp(struct guest *guest, uint64_t destination, uint32_t payload, uint32_t mss)
{
	static const uint8_t ip[] = {8, 0, 0x45, 0, 0, 0, 0, 1, 0, 0, 64, 6};
	uint8_t *bytes = guest->memory + (guest_tx_gva(guest, 0) - guest->gva);

	guest_fill(guest, 0, destination, 54 + payload, 1);
	memcpy(bytes + 12, ip, sizeof(ip));
	bytes[16] = (40 + payload) >> 8;
	bytes[17] = 40 + payload;
	bytes[46] = 5 << 4;
	guest->tx[0].word |= (ELISA_DESC_CSUM | ELISA_DESC_TSO) << 16;
	guest->tx[0].meta = elisa_desc_meta(14, 20, ELISA_L4_TCP, mss);
}

/* A long packet costs what it is cut into, also for a receiver that takes it whole. */
static void test_long_packets(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];
	struct elisa_port_policy policy = {.packets = {100, 100}};

	set(world, 0, &policy);
	fill_tcp(a, world->guests[1].mac, 6401, 64);
	assert_int_equal(guest_send(world, a, 1), 1);
	assert_int_equal(guest_drain(&world->guests[1]), 101);
	assert_int_equal(offer(world, a, world->guests[1].mac, 1, 60), 0);
	fake_tsc += TSC_HZ;
	assert_in_range(offer(world, a, world->guests[1].mac, 200, 60), 99, 101);

	policy = (struct elisa_port_policy){.bytes = {100000, 54 * 101 + 6401 - 1}};
	set(world, 0, &policy);
	world->maps[1].flags |= ELISA_PORT_RX_CSUM | ELISA_PORT_RX_TSO;
	fill_tcp(a, world->guests[1].mac, 6401, 64);
	assert_int_equal(guest_send(world, a, 1), 1);
	assert_true(guest_receive(&world->guests[1], &frame));
	assert_int_equal(frame.length, 54 + 6401);
	/* Exactly these bytes: one less in the bucket, and nothing more passes. */
	assert_int_equal(offer(world, a, world->guests[1].mac, 1, 60), 0);

	/* Behind a byte of payload may be thousands that no header speaks of: they are delivered. */
	fake_tsc += 10 * TSC_HZ;
	fill_tcp(a, world->guests[1].mac, 1, 64);
	a->tx[0].word += 20000;
	assert_int_equal(guest_send(world, a, 1), 1);
	assert_true(guest_receive(&world->guests[1], &frame));
	assert_int_equal(frame.length, 54 + 1 + 20000);
	assert_int_equal(offer(world, a, world->guests[1].mac, 1, 60), 0);
}

/* A guest that sets its TSC moves no tokens: the module says by how much it is wrong. */
static void test_clock(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];
	struct elisa_port_policy policy = {.packets = {1000, 10}, .storm = {1000, 10}};

	set(world, 0, &policy);
	assert_in_range(offer(world, a, world->guests[1].mac, 64, 60), 10, 11);
	fake_tsc += 3600 * TSC_HZ;
	a->tsc_offset = 3600 * TSC_HZ;
	assert_int_equal(offer(world, a, world->guests[1].mac, 64, 60), 0);
	fake_tsc -= 7200 * TSC_HZ;
	a->tsc_offset = -3600 * TSC_HZ;
	assert_int_equal(offer(world, a, world->guests[1].mac, 64, 60), 0);
	/* In the host's kernel RDTSC is the host's. */
	world->in_host = true;
	fake_tsc += 3600 * TSC_HZ + 5 * MILLISECOND;
	assert_int_equal(offer(world, a, world->guests[1].mac, 64, 60), 5);
	world->in_host = false;
	/* A vCPU without a clock has no tokens; it needs none where there is no limit. */
	a->tsc_offset = 0;
	a->features = 0;
	fake_tsc += TSC_HZ;
	assert_int_equal(offer(world, a, world->guests[1].mac, 64, 60), 0);
	policy.packets = (struct elisa_rate){0};
	set(world, 0, &policy);
	assert_int_equal(offer(world, a, world->guests[1].mac, 64, 60), 64);
	assert_int_equal(offer(world, a, BROADCAST, 64, 60), 0);
	assert_int_equal(dropped(world, 0, ELISA_DROP_STORM_LIMIT), 64);
}

/* The clock is read once in a call, and not at all where nothing needs it. */
static void test_clock_reads(void **state)
{
	struct world *world = *state;
	struct elisa_port_policy policy = {.flags = ELISA_POLICY_GUARD_MAC | ELISA_POLICY_PRIVATE};

	fake_tsc_reads = 0;
	offer(world, &world->guests[0], world->guests[1].mac, 32, 60);
	set(world, 0, &policy);
	offer(world, &world->guests[0], world->guests[1].mac, 32, 60);
	assert_int_equal(fake_tsc_reads, 0);
	policy.storm.per_second = 1000;
	set(world, 0, &policy);
	offer(world, &world->guests[0], world->guests[1].mac, 32, 60);
	assert_int_equal(fake_tsc_reads, 1);
}

/* Also when the TSC has run for years, and wraps. */
static void test_old_clock(void **state)
{
	const uint64_t times[] = {0, 1, 1ull << 57, (1ull << 60) - 1, 1ull << 60, ~0ull - 5};

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		uint64_t now = times[i] << ELISA_BUCKET_TICK_BITS, bucket = now - 1;

		for (uint32_t taken = 0; taken < 6; taken++)
			assert_int_equal(elisa_bucket_take(&bucket, now, 400, 100), taken < 5);
		assert_int_equal(elisa_bucket_take(&bucket, now + 100, 400, 100), true);
		assert_int_equal(elisa_bucket_take(&bucket, now + 100, 400, 100), false);
		/* A vCPU that was stopped since: its time is past. It gets nothing, and resets nothing. */
		assert_int_equal(elisa_bucket_take(&bucket, now - (1ull << 50), 400, 100), false);
		assert_int_equal(elisa_bucket_take(&bucket, now + 100, 400, 100), false);
		/* Idle for a year of 4 GHz. */
		now += (1ull << 57) << ELISA_BUCKET_TICK_BITS;
		assert_int_equal(elisa_bucket_take(&bucket, now, 0, 100), true);
		assert_int_equal(elisa_bucket_take(&bucket, now, 0, 100), false);
	}
}

static void test_storm(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];
	const struct elisa_port_policy policy = {.storm = {100, 30}};
	const uint64_t flooded[] = {BROADCAST, MULTICAST, STATION};
	uint32_t passed = 0;

	set(world, 0, &policy);
	for (uint32_t i = 0; i < 30; i++) {
		passed += offer(world, a, flooded[i % 3], 4, 60);
		/* What has a receiver of its own is no storm. */
		assert_int_equal(offer(world, a, world->guests[1].mac, 40, 60), 40);
	}
	assert_in_range(passed, 30, 31);
	assert_drops(world, a, NULL, ELISA_DROP_STORM_LIMIT, 120 - passed);
	assert_int_equal(world_stats(world, a).tx_flooded, passed);
	for (uint32_t i = 0; i < 100; i++) {
		fake_tsc += 10 * MILLISECOND;
		passed += offer(world, a, flooded[i % 3], 4, 60);
	}
	assert_in_range(passed, 129, 131);
}

/* A call cut short by back-pressure has taken tokens only for what it gave to the switch. */
static void test_given_back(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];
	const struct elisa_port_policy policy = {.packets = {1, 100}, .bytes = {1000, 6000}};
	uint32_t taken = 0;

	set(world, 0, &policy);
	guest_setup_queue(world, &world->guests[1], 8);
	assert_int_equal(elisa_switch_port_set_backpressure(world->sw, 1, true), 0);
	for (uint32_t i = 0; i < 256; i++)
		guest_fill(a, i, world->guests[1].mac, 60, i);
	for (uint32_t i = 0; i < 50; i++)
		taken += guest_send(world, a, 256);
	assert_int_equal(taken, 8);
	/* 50 calls have tried 32 packets each: all of the rest of the 100 is still there. */
	while (taken < 256) {
		guest_drain(&world->guests[1]);
		taken += guest_send(world, a, 256 - taken);
	}
	assert_in_range(256 - dropped(world, 0, ELISA_DROP_RATE_LIMIT), 100, 101);
	guest_drain(&world->guests[1]);
}

/* A packet that asks for TSO without sense has no size: not behind one that has to wait either. */
static void test_refused_behind_waiting(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];
	const struct elisa_port_policy policy = {.packets = {1, 100}};

	set(world, 0, &policy);
	guest_setup_queue(world, &world->guests[1], 8);
	assert_int_equal(elisa_switch_port_set_backpressure(world->sw, 1, true), 0);
	for (uint32_t i = 0; i < 10; i++)
		guest_fill(a, i, world->guests[1].mac, 60, i);
	a->tx[9].word |= ELISA_DESC_TSO << 16;
	assert_int_equal(guest_send(world, a, 10), 8);
	guest_drain(&world->guests[1]);
	a->tx[0] = a->tx[8];
	a->tx[1] = a->tx[9];
	assert_int_equal(guest_send(world, a, 2), 2);
	assert_int_equal(guest_drain(&world->guests[1]), 1);
	assert_drops(world, a, NULL, ELISA_DROP_BAD_OFFLOAD, 1);
}

struct taker {
	struct world *world;
	struct guest guest; /* as a second vCPU of guest 0 */
	pthread_barrier_t *barrier;
	uint32_t sent;
};

#define ROUNDS 300

static void *send_rounds(void *argument)
{
	struct taker *taker = argument;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(taker->barrier);
		for (uint32_t call = 0; call < 4; call++)
			taker->sent += guest_send(taker->world, &taker->guest, 64);
		pthread_barrier_wait(taker->barrier);
	}
	return NULL;
}

/* Two vCPUs of one port at once: together no more than one alone. */
static void test_two_vcpus(void **state)
{
	struct world *world = *state;
	const struct elisa_port_policy policy = {.packets = {1000, 100}};
	struct taker takers[2];
	pthread_t threads[2];
	pthread_barrier_t barrier;
	uint64_t passed = 0;

	set(world, 0, &policy);
	pthread_barrier_init(&barrier, NULL, 3);
	for (uint32_t i = 0; i < 64; i++)
		guest_fill(&world->guests[0], i, world->guests[1].mac, 60, i);
	for (uint32_t i = 0; i < 2; i++) {
		takers[i] = (struct taker){world, world->guests[0], &barrier, 0};
		takers[i].guest.vcpu = 100 + i;
		assert_int_equal(pthread_create(&threads[i], NULL, send_rounds, &takers[i]), 0);
	}
	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint64_t arrived;

		fake_tsc += 50 * MILLISECOND;
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		arrived = guest_drain(&world->guests[1]);
		/* The first time there is a burst, after that 50 ms' worth. */
		assert_in_range(arrived, i ? 49 : 100, i ? 51 : 101);
		passed += arrived;
	}
	for (uint32_t i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_in_range(passed, 100 + 50 * (ROUNDS - 1), 101 + 50 * (ROUNDS - 1));
	assert_int_equal(takers[0].sent + takers[1].sent, ROUNDS * 2 * 4 * 64);
	assert_drops(world, &world->guests[0], NULL, ELISA_DROP_RATE_LIMIT,
		     ROUNDS * 2 * 4 * 64 - passed);
	pthread_barrier_destroy(&barrier);
}

/* 0 and 2 are private, 1 and 3 are not. */
static void test_private(void **state)
{
	struct world *world = *state;
	const struct elisa_port_policy policy = {.flags = ELISA_POLICY_PRIVATE};
	const struct elisa_uplink_params uplink = {
		.port = 9, .driver = 1, .mtu = 1500, .room = 2048, .nb_queues = 1};
	static const bool reaches[4][4] = {{0, 1, 0, 1}, {1, 0, 1, 1}, {0, 1, 0, 1}, {1, 1, 1, 0}};

	set(world, 0, &policy);
	set(world, 2, &policy);
	for (uint32_t from = 0; from < 4; from++) {
		for (uint32_t to = 0; to < 4; to++) {
			guest_send_one(world, &world->guests[from], world->guests[to].mac, 60, 0);
			assert_int_equal(guest_drain(&world->guests[to]), reaches[from][to]);
			guest_send_one(world, &world->guests[from], BROADCAST, 60, 0);
			for (uint32_t i = 0; i < 4; i++)
				assert_int_equal(guest_drain(&world->guests[i]), reaches[from][i]);
		}
	}
	assert_int_equal(dropped(world, 0, ELISA_DROP_PRIVATE_PORT), 1);
	assert_int_equal(dropped(world, 2, ELISA_DROP_PRIVATE_PORT), 1);
	assert_int_equal(dropped(world, 1, ELISA_DROP_PRIVATE_PORT), 0);
	/* A flood that reaches nobody is counted as such. */
	world->maps[1].flags = 0;
	world->maps[3].flags = 0;
	guest_send_one(world, &world->guests[0], BROADCAST, 60, 0);
	assert_int_equal(guest_drain(&world->guests[2]), 0);
	assert_int_equal(dropped(world, 0, ELISA_DROP_NO_DESTINATION), 2);
	/* The uplink is tried, which here is down. */
	assert_int_equal(elisa_switch_uplink_add(world->sw, 0, &uplink), 0);
	guest_send_one(world, &world->guests[0], BROADCAST, 60, 0);
	assert_int_equal(dropped(world, 0, ELISA_DROP_UPLINK_DOWN), 1);
}

/*
 * The most that one call can ask for: each descriptor a long packet in the shortest pieces, and each to
 * all other ports (docs/switch.md has the bound). The rings are full soon; nothing waits.
 */
static void test_most_work(void **state)
{
	const uint32_t length = 0xffff, pieces = (length - 54 + ELISA_MIN_MSS - 1) / ELISA_MIN_MSS;
	struct world *world = *state;
	struct guest *a = &world->guests[0];
	struct elisa_port_stats stats;

	assert_true(pieces <= ELISA_MAX_FRAME / ELISA_MIN_MSS + 1);
	fill_tcp(a, STATION, length - 54, ELISA_MIN_MSS);
	for (uint32_t i = 1; i < ELISA_MAX_BURST; i++)
		a->tx[i] = a->tx[0];
	assert_int_equal(guest_send(world, a, ELISA_MAX_BURST), ELISA_MAX_BURST);
	for (uint32_t port = 1; port < world->nb_guests; port++) {
		stats = world_stats(world, &world->guests[port]);
		assert_int_equal(stats.rx_packets, RING);
		assert_int_equal(stats.rx_packets + stats.rx_drops[ELISA_DROP_RECEIVER_FULL],
				 ELISA_MAX_BURST * pieces);
		assert_int_equal(guest_drain(&world->guests[port]), RING);
	}
	stats = world_stats(world, a);
	assert_int_equal(stats.tx_packets, ELISA_MAX_BURST);
	assert_int_equal(stats.tx_segments,
			 ELISA_MAX_BURST * (world->nb_guests - 1) * (pieces - 1));
	/* A limit on storms counts them as what they are cut into: the first spends all. */
	set(world, 0, &(struct elisa_port_policy){.storm = {100, 0}});
	assert_int_equal(guest_send(world, a, ELISA_MAX_BURST), ELISA_MAX_BURST);
	assert_int_equal(dropped(world, 0, ELISA_DROP_STORM_LIMIT), ELISA_MAX_BURST - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)
		TEST(test_set_and_read), TEST(test_refused),
		TEST(test_uplink),       TEST(test_packets),
		TEST(test_bytes),        TEST(test_both),
		TEST(test_long_packets), TEST(test_clock),
		TEST(test_clock_reads),  TEST(test_old_clock),
		TEST(test_storm),        TEST(test_given_back),
		TEST(test_two_vcpus),    TEST(test_private),
		TEST(test_most_work),    TEST(test_refused_behind_waiting),
		TEST(test_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
