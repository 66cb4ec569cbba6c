// SPDX-License-Identifier: BSD-3-Clause
/* test_transmit.c - guests' packets into a NIC (vswitch/uplink/transmit.c). */
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <ucontext.h>

#include "fake_nic.h"

#define RING 64
#define WIRE_MAC 0x020000000001ull /* somebody out there */

static struct fake_nic nics[2];
static struct frame frame;

static int setup(void **state)
{
	world_setup(state, 2, RING, 2048);
	nics_make(*state, 0, nics, 1, false);
	return 0;
}

static int setup_waiting(void **state)
{
	world_setup(state, 2, RING, 2048);
	nics_make(*state, 0, nics, 1, true);
	return 0;
}

static int teardown(void **state)
{
	nics_free(*state, 0, nics, 1);
	return world_teardown(state);
}

/* The switch knows WIRE_MAC from a frame that came in. */
static void learn(struct world *world)
{
	struct guest *a = &world->guests[0];

	nic_put(&nics[0], a->mac, WIRE_MAC, 60, 1);
	assert_int_equal(guest_poll(world, a, 32), 1);
	assert_int_equal(guest_drain(a), 1);
}

static void assert_sent(uint32_t i, const struct guest *from, uint64_t destination, uint32_t length,
			uint32_t seed)
{
	frame.length = length;
	memcpy(frame.bytes, nics[0].sent[i].bytes, length);
	assert_int_equal(nics[0].sent[i].length, length < 60 ? 60 : length);
	assert_frame(&frame, from, destination, length, seed);
}

static void unknown_destinations_are_flooded(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];

	guest_send_one(world, a, WIRE_MAC, 100, 3);
	assert_int_equal(nics[0].nb_sent, 1);
	assert_sent(0, a, WIRE_MAC, 100, 3);
	assert_int_equal(guest_drain(&world->guests[1]), 1);
	assert_int_equal(nic_stats(world, 0).rx_packets, 1);
	assert_int_equal(nic_stats(world, 0).rx_bytes, 100);
}

static void known_destinations_go_there_only(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];

	learn(world);
	for (uint32_t i = 0; i < 40; i++)
		guest_fill(a, i, WIRE_MAC, 60 + i, i);
	assert_int_equal(guest_send(world, a, 40), 40);
	assert_int_equal(nics[0].nb_sent, 40);
	for (uint32_t i = 0; i < 40; i++)
		assert_sent(i, a, WIRE_MAC, 60 + i, i);
	assert_int_equal(guest_drain(&world->guests[1]), 0);
	assert_int_equal(nic_stats(world, 0).rx_packets, 40);
	assert_drops(world, NULL, NULL, ELISA_DROP_NONE, 0);
}

static void short_frames_are_padded_with_zeroes(void **state)
{
	static const uint8_t zeroes[60];
	struct world *world = *state;
	struct guest *a = &world->guests[0];

	for (uint32_t length = ELISA_MIN_FRAME; length < 60; length++) {
		uint32_t i = nics[0].nb_sent;

		guest_send_one(world, a, WIRE_MAC, length, 9);
		assert_sent(i, a, WIRE_MAC, length, 9);
		assert_memory_equal(nics[0].sent[i].bytes + length, zeroes, 60 - length);
	}
}

static void several_segments_become_one_mbuf(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];

	guest_fill(a, 0, WIRE_MAC, 1500, 7);
	for (uint32_t i = 0; i < 15; i++) {
		a->tx[i].addr = guest_tx_gva(a, 0) + i * 100;
		a->tx[i].word = 100 | (uint64_t)(i < 14 ? ELISA_DESC_MORE : 0) << 16;
	}
	assert_int_equal(guest_send(world, a, 15), 15);
	assert_sent(0, a, WIRE_MAC, 1500, 7);
}

static void without_a_link_all_is_dropped(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];

	learn(world);
	assert_int_equal(elisa_switch_uplink_set_link(world->sw, 0, false), 0);
	guest_send_one(world, a, WIRE_MAC, 60, 1);
	assert_int_equal(elisa_switch_uplink_set_link(world->sw, 0, true), 0);
	assert_int_equal(elisa_switch_uplink_set_state(world->sw, 0, ELISA_UPLINK_DOWN), 0);
	guest_send_one(world, a, WIRE_MAC, 60, 1);
	assert_int_equal(nics[0].nb_sent, 0);
	assert_drops(world, a, NULL, ELISA_DROP_UPLINK_DOWN, 2);
	assert_int_equal(nic_stats(world, 0).rx_drops[ELISA_DROP_UPLINK_DOWN], 2);
}

static void a_vcpu_without_fsgsbase_finds_it_down(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];
	struct guest *b = &world->guests[1];

	a->features = 0;
	guest_send_one(world, a, WIRE_MAC, 60, 1);
	assert_int_equal(nics[0].nb_sent, 0);
	assert_int_equal(guest_drain(b), 1);
	assert_drops(world, a, NULL, ELISA_DROP_UPLINK_DOWN, 1);
	assert_int_equal(nic_stats(world, 0).rx_drops[ELISA_DROP_UPLINK_DOWN], 1);
	/* Between guests it does not matter, and other vCPUs are not concerned. */
	guest_send_one(world, a, b->mac, 60, 2);
	assert_int_equal(guest_drain(b), 1);
	guest_send_one(world, b, WIRE_MAC, 60, 3);
	assert_int_equal(nics[0].nb_sent, 1);
}

static void a_full_nic_drops_the_rest(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];

	learn(world);
	nics[0].room = 5;
	for (uint32_t i = 0; i < 20; i++)
		guest_fill(a, i, WIRE_MAC, 64, i);
	assert_int_equal(guest_send(world, a, 20), 20);
	assert_int_equal(nics[0].nb_sent, 5);
	assert_drops(world, a, NULL, ELISA_DROP_UPLINK_FULL, 15);
	assert_int_equal(nic_stats(world, 0).rx_packets, 5);
	assert_int_equal(nic_stats(world, 0).rx_drops[ELISA_DROP_UPLINK_FULL], 15);
}

static void a_full_nic_with_backpressure_takes_the_rest_later(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];

	learn(world);
	nics[0].room = 5;
	for (uint32_t i = 0; i < 20; i++)
		guest_fill(a, i, WIRE_MAC, 64, i);
	assert_int_equal(guest_send(world, a, 20), 5);
	assert_int_equal(guest_send(world, a, 20), 0);
	nics[0].room = 100;
	memmove(a->tx, a->tx + 5, 15 * sizeof(*a->tx));
	assert_int_equal(guest_send(world, a, 15), 15);
	assert_int_equal(nics[0].nb_sent, 20);
	for (uint32_t i = 0; i < 20; i++)
		assert_sent(i, a, WIRE_MAC, 64, i);
	assert_drops(world, NULL, NULL, ELISA_DROP_NONE, 0);
	assert_int_equal(world_stats(world, a).tx_packets, 20);
}

static void an_empty_pool_is_a_full_nic(void **state)
{
	struct rte_mbuf *taken[NIC_MBUFS - 3];
	struct world *world = *state;
	struct guest *a = &world->guests[0];

	learn(world);
	assert_int_equal(elisa_pool_dequeue(&nics[0].mempool, (void **)taken, NIC_MBUFS - 3), 0);
	for (uint32_t i = 0; i < 8; i++)
		guest_fill(a, i, WIRE_MAC, 64, i);
	assert_int_equal(guest_send(world, a, 8), 8);
	assert_int_equal(nics[0].nb_sent, 3);
	assert_drops(world, a, NULL, ELISA_DROP_UPLINK_FULL, 5);
	assert_int_equal(elisa_pool_enqueue(&nics[0].mempool, (void **)taken, NIC_MBUFS - 3), 0);
}

static void a_queue_in_use_for_long_is_given_up(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];

	learn(world);
	assert_true(elisa_owner_take_queue(&world->sw->uplinks[0], 0, 77));
	guest_send_one(world, a, WIRE_MAC, 64, 1);
	assert_int_equal(guest_poll(world, a, 32), 0);
	assert_int_equal(nics[0].nb_sent, 0);
	assert_drops(world, a, NULL, ELISA_DROP_UPLINK_BUSY, 1);
	assert_int_equal(elisa_uplink_owner_vcpu(elisa_switch_uplink_owner(world->sw, 0, 0)), 77);
	elisa_switch_uplink_free(world->sw, 0, 0);
	guest_send_one(world, a, WIRE_MAC, 64, 1);
	assert_int_equal(nics[0].nb_sent, 1);
}

/* The owner gives the queue back while the sender waits: from a signal that meets it there. */
static struct elisa_uplink_queue *taken_queue;
static volatile sig_atomic_t met;

static void give_to_who_waits(int number, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];

	(void)number;
	(void)info;
	if (met || at - (uintptr_t)elisa_owner_wait >= 0x200)
		return;
	elisa_owner_give(taken_queue);
	met = 1;
}

static void a_queue_in_use_for_a_moment_is_waited_for(void **state)
{
	const struct itimerval often = {.it_value.tv_usec = 20, .it_interval.tv_usec = 20};
	const struct sigaction action = {.sa_sigaction = give_to_who_waits,
					 .sa_flags = SA_SIGINFO | SA_RESTART};
	const struct itimerval never = {0};
	struct world *world = *state;
	struct guest *a = &world->guests[0];

	learn(world);
	taken_queue = &world->sw->uplinks[0].queues[0];
	met = 0;
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	for (uint32_t i = 0; i < 100000 && !met; i++) {
		elisa_owner_take_queue(&world->sw->uplinks[0], 0, 77);
		guest_send_one(world, a, WIRE_MAC, 64, 1);
	}
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_true(met);
	assert_int_equal(nics[0].nb_sent, 1);
}

static void frames_beyond_the_mtu_are_dropped(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];

	learn(world);
	guest_fill(a, 0, WIRE_MAC, 64, 0);
	guest_fill(a, 1, WIRE_MAC, 1500 + ELISA_FRAME_OVERHEAD + 1, 1);
	guest_fill(a, 2, WIRE_MAC, 1500 + ELISA_FRAME_OVERHEAD, 2);
	assert_int_equal(guest_send(world, a, 3), 3);
	assert_int_equal(nics[0].nb_sent, 2);
	assert_sent(1, a, WIRE_MAC, 1500 + ELISA_FRAME_OVERHEAD, 2);
	assert_drops(world, a, NULL, ELISA_DROP_UPLINK_MTU, 1);
}

/* IPv4 and TCP with these payload bytes; big-endian sums are checked by hand below. */
static uint32_t make_tcp(struct guest *a, uint32_t payload, uint32_t flags, uint32_t mss)
{
	uint8_t *bytes = a->memory + GUEST_TX_BUFFERS;
	uint32_t length = 54 + payload;

	make_bytes(bytes, WIRE_MAC, a->mac, length, 1);
	memcpy(bytes + 12, "\x08\x00\x45\x00", 4);
	bytes[16] = (length - 14) >> 8;
	bytes[17] = length - 14;
	memcpy(bytes + 20, "\x40\x00\x40\x06\x00\x00", 6);
	memcpy(bytes + 46, "\x50\x19", 2);
	memset(bytes + 38, 0, 4); /* sequence number */
	a->tx[0].addr = guest_tx_gva(a, 0);
	a->tx[0].word = length | (uint64_t)(flags | ELISA_DESC_IP_CSUM) << 16 |
			(uint64_t)elisa_desc_meta(14, 20, ELISA_L4_TCP, mss) << 32;
	return length;
}

static uint32_t ones_sum(const uint8_t *bytes, uint32_t n, uint32_t sum)
{
	for (uint32_t i = 0; i < n; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void assert_tcp(const struct nic_frame *sent, uint32_t payload, uint32_t sequence)
{
	const uint8_t *ip = sent->bytes + 14;

	assert_int_equal(ip[2] << 8 | ip[3], 40 + payload);
	assert_int_equal(ones_sum(ip, 20, 0), 0xffff);
	assert_int_equal(ones_sum(ip + 20, 20 + payload, ones_sum(ip + 12, 8, 6 + 20 + payload)),
			 0xffff);
	assert_int_equal(ip[24] << 24 | ip[25] << 16 | ip[26] << 8 | ip[27], sequence);
}

static void checksums_are_filled_in(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];

	learn(world);
	make_tcp(a, 333, ELISA_DESC_CSUM, 0);
	assert_int_equal(guest_send(world, a, 1), 1);
	assert_int_equal(nics[0].nb_sent, 1);
	assert_tcp(&nics[0].sent[0], 333, 0);
}

/* 8000 bytes in segments of 100: more than a batch. */
static void long_packets_are_cut(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];
	uint32_t length;

	learn(world);
	length = make_tcp(a, 8000, ELISA_DESC_CSUM | ELISA_DESC_TSO, 100);
	assert_int_equal(guest_send(world, a, 1), 1);
	assert_int_equal(nics[0].nb_sent, 80);
	for (uint32_t i = 0; i < 80; i++) {
		assert_int_equal(nics[0].sent[i].length, 154);
		assert_tcp(&nics[0].sent[i], 100, 100 * i);
		assert_memory_equal(nics[0].sent[i].bytes + 54,
				    a->memory + GUEST_TX_BUFFERS + 54 + 100 * i, 100);
	}
	assert_int_equal(world_stats(world, a).tx_packets, 1);
	assert_int_equal(world_stats(world, a).tx_segments, 79);
	assert_int_equal(world_stats(world, a).tx_bytes, length);
	assert_int_equal(nic_stats(world, 0).rx_packets, 80);
	assert_int_equal(nic_stats(world, 0).rx_bytes, 80 * 154);
}

/* A long packet of which nothing was sent waits; of which a part was sent, loses the rest. */
static void a_full_nic_and_long_packets(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];

	learn(world);
	make_tcp(a, 5000, ELISA_DESC_CSUM | ELISA_DESC_TSO, 1000);
	nics[0].room = 0;
	assert_int_equal(guest_send(world, a, 1), 0);
	nics[0].room = 3;
	assert_int_equal(guest_send(world, a, 1), 1);
	assert_int_equal(nics[0].nb_sent, 3);
	assert_drops(world, a, NULL, ELISA_DROP_UPLINK_FULL, 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define WAITING(name) cmocka_unit_test_setup_teardown(name, setup_waiting, teardown)
		TEST(unknown_destinations_are_flooded),
		TEST(known_destinations_go_there_only),
		TEST(short_frames_are_padded_with_zeroes),
		TEST(several_segments_become_one_mbuf),
		TEST(without_a_link_all_is_dropped),
		TEST(a_vcpu_without_fsgsbase_finds_it_down),
		TEST(a_full_nic_drops_the_rest),
		WAITING(a_full_nic_with_backpressure_takes_the_rest_later),
		TEST(an_empty_pool_is_a_full_nic),
		TEST(a_queue_in_use_for_long_is_given_up),
		TEST(a_queue_in_use_for_a_moment_is_waited_for),
		TEST(frames_beyond_the_mtu_are_dropped),
		TEST(checksums_are_filled_in),
		TEST(long_packets_are_cut),
		WAITING(a_full_nic_and_long_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
