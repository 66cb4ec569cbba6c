/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_rss.c - which receive queue: the hash, the table, and order within a queue.
 */
#include <stdlib.h>

#include "vswitch/datapath/rss.h"
#include "world.h"

#define RING 256
#define SECOND_RX 0x100000ull /* offset of the receiver's second ring, and of its buffers */
#define SECOND_BUFFERS 0xc00000ull

/* The key and the first vectors of Microsoft's "Verifying the RSS hash calculation". */
static const uint8_t microsoft_key[ELISA_RSS_KEY_SIZE] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

struct vector {
	uint32_t destination, destination_port, source, source_port, hash, hash_with_ports;
};

static const struct vector vectors[] = {
	{0xa18e6450, 1766, 0x420995bb, 2794, 0x323e8fc2, 0x51ccc178},
	{0x41458c53, 4739, 0xc75c6f02, 14230, 0xd718262a, 0xc626b0ea},
	{0x0c16cfb8, 38024, 0x1813c65f, 12898, 0xd2d0a5de, 0x5c2b394a},
	{0xd18ea306, 2217, 0x261bcd1e, 48228, 0x82989176, 0xafc7327f},
	{0xcabc7f02, 1303, 0x9927a3bf, 44251, 0x5d1809c5, 0x10e828a2},
};

#define NB_VECTORS (sizeof(vectors) / sizeof(vectors[0]))

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

static void make_ipv4(uint8_t *bytes, const struct vector *vector, uint32_t protocol)
{
	put16(bytes + 12, 0x0800);
	memset(bytes + 14, 0, 20);
	bytes[14] = 0x45;
	put16(bytes + 16, 46);
	bytes[23] = protocol;
	put32(bytes + 26, vector->source);
	put32(bytes + 30, vector->destination);
	put16(bytes + 34, vector->source_port);
	put16(bytes + 36, vector->destination_port);
}

static struct elisa_packet packet_of(const struct vector *vector, uint32_t protocol)
{
	struct elisa_packet packet = {.length = 60, .header_length = 60};

	make_ipv4(packet.header, vector, protocol);
	return packet;
}

static struct elisa_rss rss_of(uint32_t types)
{
	struct elisa_rss rss = {.types = types, .reta_size = ELISA_RSS_RETA_MAX};

	memcpy(rss.key, microsoft_key, sizeof(rss.key));
	return rss;
}

static void test_vectors(void **state)
{
	struct elisa_rss all = rss_of(ELISA_RSS_ALL & ~ELISA_RSS_SYMMETRIC);
	struct elisa_rss addresses = rss_of(ELISA_RSS_IPV4);
	struct elisa_rss tcp = rss_of(ELISA_RSS_IPV4_TCP);

	(void)state;
	for (uint32_t i = 0; i < NB_VECTORS; i++) {
		struct elisa_packet packet = packet_of(&vectors[i], 6);

		assert_int_equal(elisa_rss_hash(&all, &packet), vectors[i].hash_with_ports);
		assert_int_equal(elisa_rss_hash(&tcp, &packet), vectors[i].hash_with_ports);
		assert_int_equal(elisa_rss_hash(&addresses, &packet), vectors[i].hash);
		packet = packet_of(&vectors[i], 17);
		assert_int_equal(elisa_rss_hash(&all, &packet), vectors[i].hash_with_ports);
		assert_int_equal(elisa_rss_hash(&tcp, &packet), 0);
		packet = packet_of(&vectors[i], 1);
		assert_int_equal(elisa_rss_hash(&all, &packet), vectors[i].hash);
		/* A fragment has no ports, not even the first. */
		packet = packet_of(&vectors[i], 6);
		packet.header[20] = 0x20;
		assert_int_equal(elisa_rss_hash(&all, &packet), vectors[i].hash);
	}
}

static void test_ipv6(void **state)
{
	static const uint8_t source[16] = {0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x1f, 0xff,
					   0,    0,    0,    0,    0,    0,    0,    7};
	static const uint8_t destination[16] = {0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x00, 0x03,
						0,    0,    0,    0,    0,    0,    0,    1};
	struct elisa_rss rss = rss_of(ELISA_RSS_IPV6 | ELISA_RSS_IPV6_TCP);
	struct elisa_packet packet = {.length = 74, .header_length = 74};

	(void)state;
	put16(packet.header + 12, 0x86dd);
	packet.header[14] = 0x60;
	packet.header[19] = 20;
	packet.header[20] = 6;
	memcpy(packet.header + 22, source, 16);
	memcpy(packet.header + 38, destination, 16);
	put16(packet.header + 54, 2794);
	put16(packet.header + 56, 1766);
	assert_int_equal(elisa_rss_hash(&rss, &packet), 0x40207d3d);
	rss.types = ELISA_RSS_IPV6;
	assert_int_equal(elisa_rss_hash(&rss, &packet), 0x2cc18cd5);
	rss.types = ELISA_RSS_IPV4 | ELISA_RSS_IPV4_TCP;
	assert_int_equal(elisa_rss_hash(&rss, &packet), 0);
}

/* Both directions of a connection hash the same, others do not. */
static void test_symmetric(void **state)
{
	struct elisa_rss rss = rss_of(ELISA_RSS_ALL);

	(void)state;
	for (uint32_t i = 0; i < NB_VECTORS; i++) {
		const struct vector *v = &vectors[i];
		struct vector back = {
			v->source, v->source_port, v->destination, v->destination_port, 0, 0};
		struct elisa_packet one = packet_of(v, 6), other = packet_of(&back, 6);

		assert_int_equal(elisa_rss_hash(&rss, &one), elisa_rss_hash(&rss, &other));
		back.source_port++;
		other = packet_of(&back, 6);
		assert_int_not_equal(elisa_rss_hash(&rss, &one), elisa_rss_hash(&rss, &other));
	}
}

/* Truncated or strange headers: no tuple, hash 0, nothing read beyond. */
static void test_strange(void **state)
{
	struct elisa_rss rss = rss_of(ELISA_RSS_ALL);
	struct elisa_packet packet = packet_of(&vectors[0], 6);

	(void)state;
	packet.header_length = 33;
	assert_int_equal(elisa_rss_hash(&rss, &packet), 0);
	packet.header_length = 13;
	assert_int_equal(elisa_rss_hash(&rss, &packet), 0);
	packet = packet_of(&vectors[0], 6);
	packet.header[14] = 0x65;
	assert_int_equal(elisa_rss_hash(&rss, &packet), 0);
	srandom(11);
	for (uint32_t i = 0; i < 100000; i++) {
		uint8_t *bytes = packet.header;

		for (uint32_t j = 12; j < ELISA_HEADER_SIZE; j++)
			bytes[j] = random();
		put16(bytes + 12, random() % 2 ? 0x86dd : 0x8100);
		put16(bytes + 16, random() % 2 ? 0x86dd : 0x0800);
		packet.header_length = random() % (ELISA_HEADER_SIZE + 1);
		assert_true(elisa_rss_queue(&rss, 128, &packet) < ELISA_MAX_QUEUES);
	}
}

/* The receiver's queue 1, in the same memory. */
static void add_queue(struct world *world, struct guest *guest)
{
	struct elisa_queue_map *queue = &world->maps[guest->port].queues[1];

	queue->rx_ring = (uintptr_t)guest->memory + SECOND_RX;
	queue->tx_window = (uintptr_t)guest->tx;
	queue->epoch = 77;
	queue->tx_size = 256;
	queue->rx_size = RING;
	for (uint32_t i = 0; i < RING; i++) {
		struct elisa_desc *desc = (struct elisa_desc *)(guest->memory + SECOND_RX) + i;

		desc->addr = guest->gva + SECOND_BUFFERS + i * 2048;
		desc->word = ELISA_DESC_POSTED << 16 | 2048;
	}
}

static void test_queues(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	struct elisa_rss *rss = &world->maps[1].rss;
	const struct elisa_desc *second = (struct elisa_desc *)(b->memory + SECOND_RX);
	uint32_t nb_second = 0;
	uint32_t nb_first = 0;

	add_queue(world, b);
	*rss = rss_of(ELISA_RSS_ALL);
	for (uint32_t i = 0; i < ELISA_RSS_RETA_MAX; i++)
		rss->reta[i] = i & 1;
	for (uint32_t i = 0; i < 64; i++) {
		struct vector vector = {0x0a000001, 80, 0x0a000002, 1000 + i, 0, 0};
		struct elisa_packet packet = packet_of(&vector, 6);

		guest_fill(a, i, b->mac, 60, i);
		make_ipv4(a->memory + GUEST_TX_BUFFERS + i * BUFFER_SIZE, &vector, 6);
		a->memory[GUEST_TX_BUFFERS + i * BUFFER_SIZE + 59] = i;
		if (elisa_rss_hash(rss, &packet) & 1)
			nb_second++;
	}
	assert_true(nb_second > 16 && nb_second < 48);
	assert_int_equal(guest_send(world, a, 64), 64);
	for (uint32_t i = 0; i + 1 < nb_second; i++) {
		const uint8_t *bytes = b->memory + SECOND_BUFFERS + i * 2048;

		assert_true(second[i].flags & ELISA_DESC_DONE);
		assert_true(bytes[59] < bytes[2048 + 59]);
	}
	assert_false(second[nb_second].flags & ELISA_DESC_DONE);
	nb_first = guest_drain(b);
	assert_int_equal(nb_first, 64 - nb_second);
	/* A table that names a queue which is not set up: queue 0. */
	memset(rss->reta, 7, sizeof(rss->reta));
	assert_int_equal(guest_send(world, a, 64), 64);
	assert_int_equal(guest_drain(b), 64);
	assert_drops(world, NULL, NULL, ELISA_DROP_NONE, 0);
}

/* With back-pressure the packets taken are the first ones, whatever queue is full. */
static void test_backpressure(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	struct elisa_rss *rss = &world->maps[1].rss;
	uint32_t expected = 0;

	add_queue(world, b);
	((struct elisa_desc *)(b->memory + SECOND_RX))[0].word = 0;
	elisa_switch_port_set_backpressure(world->sw, 1, true);
	*rss = rss_of(ELISA_RSS_ALL);
	for (uint32_t i = 0; i < ELISA_RSS_RETA_MAX; i++)
		rss->reta[i] = i & 1;
	for (uint32_t i = 0; i < 32; i++) {
		struct vector vector = {0x0a000001, 80, 0x0a000002, 1000 + i, 0, 0};
		struct elisa_packet packet = packet_of(&vector, 6);

		guest_fill(a, i, b->mac, 60, i);
		make_ipv4(a->memory + GUEST_TX_BUFFERS + i * BUFFER_SIZE, &vector, 6);
		if (expected == i && !(elisa_rss_hash(rss, &packet) & 1))
			expected++;
	}
	assert_int_equal(guest_send(world, a, 32), expected);
	assert_int_equal(guest_drain(b), expected);
	assert_int_equal(world_stats(world, a).tx_packets, expected);
}

static int setup(void **state)
{
	return world_setup(state, 2, RING, 2048);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_symmetric),
		cmocka_unit_test(test_strange),
		cmocka_unit_test_setup_teardown(test_queues, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_backpressure, setup, world_teardown),
	};

	return cmocka_run_group_tests_name("datapath-rss", tests, NULL, NULL);
}
