/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_offload.c - unfinished checksums, TCP segmentation, and what is not what it says.
 *
 * Frames are made and checked here with code of the test's own: bytes, one after the other.
 */
#include <stdlib.h>

#include "world.h"

#define RING 256
#define MTU 1500u
#define TCP ELISA_L4_TCP
#define UDP ELISA_L4_UDP

static struct frame frame;

struct shape {
	uint32_t l2; /* 14, 18 or 22 */
	uint32_t l3; /* 20..60: IPv4; 40, 48: IPv6 without and with an extension header */
	bool ipv6;
	uint32_t l4;
	uint32_t tcp_header;
	uint32_t payload;
};

static uint32_t l4_header(const struct shape *shape)
{
	return shape->l4 == TCP ? shape->tcp_header : 8;
}

static uint32_t frame_length(const struct shape *shape)
{
	return shape->l2 + shape->l3 + l4_header(shape) + shape->payload;
}

static void put(uint8_t *at, uint32_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static uint32_t get(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

/* One's complement sum of big-endian words. */
static uint32_t sum(const uint8_t *bytes, uint32_t n, uint32_t from)
{
	for (uint32_t i = 0; i < n; i++)
		from += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (from >> 16)
		from = (from & 0xffff) + (from >> 16);
	return from;
}

static void fill_ip(uint8_t *ip, const struct shape *shape, uint32_t l4_bytes)
{
	uint32_t protocol = shape->l4 == TCP ? 6 : 17;

	for (uint32_t i = 0; i < shape->l3; i++)
		ip[i] = 17 * i + 3;
	if (shape->ipv6) {
		ip[0] = 0x60;
		put(ip + 4, shape->l3 - 40 + l4_bytes);
		ip[6] = shape->l3 > 40 ? 60 : protocol;
		ip[40] = shape->l3 > 40 ? protocol : ip[40];
		if (shape->l3 > 40)
			ip[41] = (shape->l3 - 40) / 8 - 1;
		return;
	}
	ip[0] = 0x40 | shape->l3 / 4;
	put(ip + 2, shape->l3 + l4_bytes);
	put(ip + 4, 0xfffe);
	put(ip + 6, 0x4000);
	ip[9] = protocol;
	put(ip + 10, 0);
	put(ip + 10, ~sum(ip, shape->l3, 0));
}

/* A frame in the guest's first transmit buffer, in descriptors of `step` bytes. Returns how many. */
static uint32_t fill(struct guest *guest, uint64_t destination, const struct shape *shape,
		     uint32_t step, uint32_t flags, uint32_t mss)
{
	uint8_t *bytes = guest->memory + GUEST_TX_BUFFERS;
	uint32_t length = frame_length(shape);
	uint32_t nb = 0;

	guest_fill(guest, 0, destination, length, 5);
	for (uint32_t at = 12; at + 2 < shape->l2; at += 4) {
		put(bytes + at, 0x8100);
		put(bytes + at + 2, 0x123);
	}
	put(bytes + shape->l2 - 2, shape->ipv6 ? 0x86dd : 0x0800);
	fill_ip(bytes + shape->l2, shape, l4_header(shape) + shape->payload);
	bytes += shape->l2 + shape->l3;
	if (shape->l4 == TCP) {
		bytes[12] = shape->tcp_header / 4 << 4;
		bytes[13] = 0x99; /* CWR, ACK, PSH, FIN */
	} else {
		put(bytes + 4, 8 + shape->payload);
	}
	for (uint32_t at = 0; at < length; at += step, nb++) {
		uint32_t n = length - at < step ? length - at : step;

		guest->tx[nb].addr = guest->gva + GUEST_TX_BUFFERS + at;
		guest->tx[nb].word = n | (uint64_t)(at + n < length ? ELISA_DESC_MORE : 0) << 16;
	}
	guest->tx[0].word |= (uint64_t)flags << 16 |
			     (uint64_t)elisa_desc_meta(shape->l2, shape->l3, shape->l4, mss) << 32;
	return nb;
}

/* The L4 checksum as it should be, its field counted as it is: 0xffff when it is right. */
static uint32_t l4_sum(const uint8_t *bytes, const struct shape *shape, uint32_t l4_bytes)
{
	const uint8_t *ip = bytes + shape->l2;
	uint32_t from = l4_bytes + (shape->l4 == TCP ? 6 : 17);

	from = shape->ipv6 ? sum(ip + 8, 32, from) : sum(ip + 12, 8, from);
	return sum(ip + shape->l3, l4_bytes, from);
}

static void take_offloads(struct world *world, struct guest *guest, uint32_t flags)
{
	world->maps[guest->port].flags = ELISA_PORT_STARTED | ELISA_PORT_PROMISCUOUS | flags;
}

static uint64_t first_word(const struct guest *guest)
{
	return guest->rx[guest->next % guest->rx_size].word;
}

static const struct shape shapes[] = {
	{14, 20, false, TCP, 20, 1000}, {14, 20, false, TCP, 32, 1001},
	{18, 20, false, TCP, 60, 7},    {22, 60, false, TCP, 60, 1000},
	{14, 40, true, TCP, 20, 999},   {22, 40, true, TCP, 60, 500},
	{14, 48, true, TCP, 32, 333},   {14, 20, false, UDP, 0, 0},
	{14, 20, false, UDP, 0, 1},     {18, 24, false, UDP, 0, 777},
	{14, 40, true, UDP, 0, 1400},   {22, 48, true, UDP, 0, 3},
};

#define NB_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/* A receiver that did not ask for it gets the checksum, whatever pieces the packet comes in. */
static void test_checksum_filled(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	static const uint32_t rooms[] = {33, 64, 65, 2048};

	for (uint32_t i = 0; i < NB_SHAPES; i++)
		for (uint32_t j = 0; j < 4; j++) {
			const struct shape *shape = &shapes[i];
			uint32_t nb = fill(a, b->mac, shape, 47, ELISA_DESC_CSUM, 0);
			uint32_t l4 = l4_header(shape) + shape->payload;

			b->room = rooms[j];
			guest_setup_queue(world, b, RING);
			if (nb > ELISA_MAX_SEGMENTS || l4 > 47u * rooms[j] - 100)
				continue;
			assert_int_equal(guest_send(world, a, nb), nb);
			assert_int_equal(first_word(b) >> 16 & ELISA_DESC_CSUM, 0);
			assert_int_equal(first_word(b) >> 32, 0);
			assert_true(guest_receive(b, &frame));
			assert_int_equal(frame.length, frame_length(shape));
			assert_int_equal(l4_sum(frame.bytes, shape, l4), 0xffff);
		}
	assert_drops(world, NULL, NULL, ELISA_DROP_NONE, 0);
}

/* One that asked gets the packet as it is, and is told. */
static void test_checksum_passed(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	take_offloads(world, b, ELISA_PORT_RX_CSUM);
	for (uint32_t i = 0; i < NB_SHAPES; i++) {
		const struct shape *shape = &shapes[i];
		uint32_t nb = fill(a, b->mac, shape, 512, ELISA_DESC_CSUM, 0);
		uint64_t word;

		assert_int_equal(guest_send(world, a, nb), nb);
		word = first_word(b);
		assert_int_equal(word >> 16 & (ELISA_DESC_CSUM | ELISA_DESC_TSO), ELISA_DESC_CSUM);
		assert_int_equal(word >> 32, elisa_desc_meta(shape->l2, shape->l3, shape->l4, 0));
		assert_true(guest_receive(b, &frame));
		assert_memory_equal(frame.bytes, a->memory + GUEST_TX_BUFFERS, frame.length);
	}
}

/* UDP's 0 means "none": a sum of 0 goes as 0xffff. */
static void test_udp_zero(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	struct shape shape = {14, 20, false, UDP, 0, 2};
	uint8_t *udp = a->memory + GUEST_TX_BUFFERS + 34;

	fill(a, b->mac, &shape, 512, ELISA_DESC_CSUM, 0);
	put(udp + 6, 0);
	put(udp + 8, 0);
	put(udp + 8, 0xffff - l4_sum(a->memory + GUEST_TX_BUFFERS, &shape, 10));
	assert_int_equal(guest_send(world, a, 1), 1);
	assert_true(guest_receive(b, &frame));
	assert_int_equal(get(frame.bytes + 40), 0xffff);
}

/* Segment `n` of a long packet, against the long packet. */
static void assert_segment(const struct guest *a, const struct shape *shape, uint32_t mss,
			   uint32_t n)
{
	const uint8_t *whole = a->memory + GUEST_TX_BUFFERS;
	uint32_t l4 = shape->l2 + shape->l3;
	uint32_t header = l4 + shape->tcp_header;
	uint32_t from = n * mss;
	uint32_t bytes = shape->payload - from < mss ? shape->payload - from : mss;
	uint32_t flags = 0x10;
	uint8_t expected[256];

	memcpy(expected, whole, header);
	if (!n)
		flags |= 0x80;
	if (from + bytes == shape->payload)
		flags |= 0x09;
	assert_int_equal(frame.length, header + bytes);
	expected[l4 + 13] = flags;
	for (uint32_t i = 0, carry = from; i < 4; i++) {
		carry += expected[l4 + 7 - i];
		expected[l4 + 7 - i] = carry;
		carry >>= 8;
	}
	if (shape->ipv6) {
		put(expected + shape->l2 + 4, frame.length - shape->l2 - 40);
	} else {
		put(expected + shape->l2 + 2, frame.length - shape->l2);
		put(expected + shape->l2 + 4, 0xfffe + n);
		put(expected + shape->l2 + 10, get(frame.bytes + shape->l2 + 10));
		assert_int_equal(sum(frame.bytes + shape->l2, shape->l3, 0), 0xffff);
	}
	put(expected + l4 + 16, get(frame.bytes + l4 + 16));
	assert_memory_equal(frame.bytes, expected, header);
	assert_memory_equal(frame.bytes + header, whole + header + from, bytes);
	assert_int_equal(l4_sum(frame.bytes, shape, frame.length - l4), 0xffff);
}

static void cut_and_check(struct world *world, const struct shape *shape, uint32_t step,
			  uint32_t mss)
{
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	uint32_t nb = fill(a, b->mac, shape, step, ELISA_DESC_CSUM | ELISA_DESC_TSO, mss);
	uint32_t segments = (shape->payload + mss - 1) / mss;
	uint64_t before = world_stats(world, a).tx_segments;

	assert_int_equal(guest_send(world, a, nb), nb);
	for (uint32_t i = 0; i < segments; i++) {
		assert_true(guest_receive(b, &frame));
		assert_segment(a, shape, mss, i);
	}
	assert_false(guest_receive(b, &frame));
	assert_int_equal(world_stats(world, a).tx_segments - before, segments - 1);
}

static void test_cut(void **state)
{
	struct world *world = *state;
	static const uint32_t payloads[] = {1, 999, 1000, 1001, 2000, 31999, 32000, 32001, 64000};

	world->maps[0].mtu = MTU;
	world->maps[1].mtu = MTU;
	for (uint32_t i = 0; i < NB_SHAPES; i++)
		for (uint32_t j = 0; j < sizeof(payloads) / sizeof(payloads[0]); j++) {
			struct shape shape = shapes[i];

			shape.payload = payloads[j];
			if (shape.l4 == TCP)
				cut_and_check(world, &shape, 1999 + i, 1000 + i % 3);
		}
	/* Headers in pieces, and the least segment. */
	for (uint32_t i = 0; i < NB_SHAPES; i++) {
		struct shape shape = shapes[i];

		shape.payload = 640;
		if (shape.l4 == TCP)
			cut_and_check(world, &shape, 17, ELISA_MIN_MSS);
	}
	assert_drops(world, NULL, NULL, ELISA_DROP_NONE, 0);
}

/* A receiver that takes them gets long packets whole, beyond its MTU. */
static void test_tso_passed(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	struct shape shape = {14, 20, false, TCP, 32, 65535 - 52};
	uint32_t nb = fill(a, b->mac, &shape, 2048, ELISA_DESC_CSUM | ELISA_DESC_TSO, 1448);
	uint64_t word;

	world->maps[0].mtu = MTU;
	world->maps[1].mtu = MTU;
	take_offloads(world, b, ELISA_PORT_RX_CSUM | ELISA_PORT_RX_TSO);
	assert_int_equal(guest_send(world, a, nb), nb);
	word = first_word(b);
	assert_true(word >> 16 & ELISA_DESC_TSO);
	assert_int_equal(word >> 32, elisa_desc_meta(14, 20, TCP, 1448));
	assert_true(guest_receive(b, &frame));
	assert_int_equal(frame.length, 65535 + 14);
	assert_memory_equal(frame.bytes, a->memory + GUEST_TX_BUFFERS, frame.length);
	assert_int_equal(world_stats(world, a).tx_segments, 0);
	assert_int_equal(world_stats(world, b).rx_packets, 1);
}

/* Each segment that finds no slot is one drop; sent + segments = received + dropped. */
static void test_cut_full(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	struct shape shape = {14, 20, false, TCP, 20, 60000};
	uint32_t nb = fill(a, b->mac, &shape, 2048, ELISA_DESC_CSUM | ELISA_DESC_TSO, 600);
	struct elisa_port_stats sent;

	b->room = 2048;
	guest_setup_queue(world, b, 64);
	assert_int_equal(guest_send(world, a, nb), nb);
	assert_int_equal(guest_drain(b), 64);
	sent = world_stats(world, a);
	assert_int_equal(sent.tx_packets + sent.tx_segments, 100);
	assert_int_equal(sent.tx_drops[ELISA_DROP_RECEIVER_FULL], 36);
	assert_int_equal(world_stats(world, b).rx_packets, 64);
	assert_int_equal(world_stats(world, b).rx_drops[ELISA_DROP_RECEIVER_FULL], 36);
	/* With back-pressure and no slot at all it waits, whole. */
	elisa_switch_port_set_backpressure(world->sw, 1, true);
	guest_setup_queue(world, b, 64);
	memset(b->rx, 0, 64 * sizeof(*b->rx));
	assert_int_equal(guest_send(world, a, nb), 0);
	assert_int_equal(world_stats(world, a).tx_packets, 1);
}

/* The switch fills in the IPv4 header checksum, with the other offloads and alone. */
static void test_ip_checksum(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	for (uint32_t i = 0; i < NB_SHAPES; i++) {
		const struct shape *shape = &shapes[i];
		uint8_t *field = a->memory + GUEST_TX_BUFFERS + shape->l2 + 10;
		uint32_t nb = fill(a, b->mac, shape, 512, 0, 0);

		if (shape->ipv6)
			continue;
		put(field, 0x1234);
		a->tx[0].word = (a->tx[0].word & 0xffffffff) | (uint64_t)ELISA_DESC_IP_CSUM << 16 |
				(uint64_t)elisa_desc_meta(shape->l2, shape->l3, 0, 0) << 32;
		assert_int_equal(guest_send(world, a, nb), nb);
		assert_true(guest_receive(b, &frame));
		assert_int_equal(sum(frame.bytes + shape->l2, shape->l3, 0), 0xffff);
		nb = fill(a, b->mac, shape, 512, ELISA_DESC_IP_CSUM | ELISA_DESC_CSUM, 0);
		put(field, 0x1234);
		assert_int_equal(guest_send(world, a, nb), nb);
		assert_true(guest_receive(b, &frame));
		assert_int_equal(sum(frame.bytes + shape->l2, shape->l3, 0), 0xffff);
		assert_int_equal(l4_sum(frame.bytes, shape, l4_header(shape) + shape->payload),
				 0xffff);
	}
}

static void refuse(struct world *world, const struct shape *shape, uint32_t flags, uint32_t meta)
{
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	uint64_t before = world_stats(world, a).tx_drops[ELISA_DROP_BAD_OFFLOAD];
	uint32_t nb = fill(a, b->mac, shape, 2048, 0, 0);

	a->tx[0].word = (a->tx[0].word & 0xffffffff) | (uint64_t)flags << 16 | (uint64_t)meta << 32;
	assert_int_equal(guest_send(world, a, nb), nb);
	assert_int_equal(world_stats(world, a).tx_drops[ELISA_DROP_BAD_OFFLOAD], before + 1);
	assert_false(guest_receive(b, &frame));
}

/* Headers that are not what the descriptor says. */
static void test_refused(void **state)
{
	struct world *world = *state;
	const struct shape tcp = {14, 20, false, TCP, 20, 3000}, udp = {14, 20, false, UDP, 0, 99};
	const uint32_t both = ELISA_DESC_CSUM | ELISA_DESC_TSO;

	world->maps[0].mtu = MTU;
	world->maps[1].mtu = MTU;
	refuse(world, &udp, ELISA_DESC_CSUM, elisa_desc_meta(14, 20, TCP, 0));
	refuse(world, &udp, ELISA_DESC_CSUM, elisa_desc_meta(14, 20, 0, 0));
	refuse(world, &udp, ELISA_DESC_CSUM, elisa_desc_meta(14, 20, 3, 0));
	refuse(world, &udp, ELISA_DESC_CSUM, elisa_desc_meta(18, 20, UDP, 0));
	refuse(world, &udp, ELISA_DESC_CSUM, elisa_desc_meta(14, 24, UDP, 0));
	refuse(world, &udp, ELISA_DESC_CSUM, elisa_desc_meta(127, 511, UDP, 0));
	refuse(world, &udp, ELISA_DESC_CSUM, elisa_desc_meta(14, 20, UDP, 100));
	refuse(world, &udp, both, elisa_desc_meta(14, 20, UDP, 100));
	refuse(world, &udp, ELISA_DESC_IP_CSUM, elisa_desc_meta(14, 24, 0, 0));
	refuse(world, &udp, ELISA_DESC_IP_CSUM, elisa_desc_meta(14, 20, UDP, 0));
	refuse(world, &udp, ELISA_DESC_IP_CSUM, elisa_desc_meta(14, 20, 0, 9));
	refuse(world, &tcp, ELISA_DESC_TSO, elisa_desc_meta(14, 20, TCP, 100));
	refuse(world, &tcp, both, elisa_desc_meta(14, 20, TCP, 0));
	refuse(world, &tcp, both, elisa_desc_meta(14, 20, TCP, ELISA_MIN_MSS - 1));
	/* A segment would be longer than the sender's MTU. */
	refuse(world, &tcp, both, elisa_desc_meta(14, 20, TCP, MTU + 22 - 54 + 1));
}

static void send_changed(struct world *world, const struct shape *shape, uint32_t at, uint8_t value)
{
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	uint64_t before = world_stats(world, a).tx_drops[ELISA_DROP_BAD_OFFLOAD];
	uint32_t nb = fill(a, b->mac, shape, 2048, ELISA_DESC_CSUM | ELISA_DESC_TSO, 1000);

	a->memory[GUEST_TX_BUFFERS + at] = value;
	assert_int_equal(guest_send(world, a, nb), nb);
	assert_int_equal(world_stats(world, a).tx_drops[ELISA_DROP_BAD_OFFLOAD], before + 1);
}

static void test_changed_headers(void **state)
{
	struct world *world = *state;
	const struct shape small = {14, 20, false, TCP, 20, 100};
	const struct shape v4 = {14, 20, false, TCP, 20, 3000}, v6 = {14, 48, true, TCP, 20, 3000};

	send_changed(world, &v4, 12, 0x09);   /* another Ethernet type */
	send_changed(world, &v4, 14, 0x55);   /* version */
	send_changed(world, &v4, 14, 0x44);   /* header length below 20 */
	send_changed(world, &v4, 14, 0x46);   /* not what meta says */
	send_changed(world, &v4, 16, 0xff);   /* total length beyond the packet */
	send_changed(world, &small, 17, 39);  /* less than the TCP header */
	send_changed(world, &v4, 20, 0x20);   /* more fragments */
	send_changed(world, &v4, 21, 0x01);   /* not the first fragment */
	send_changed(world, &v4, 23, 17);     /* UDP */
	send_changed(world, &v4, 46, 0x40);   /* TCP header below 20 */
	send_changed(world, &v6, 18, 0xff);   /* payload length beyond the packet */
	send_changed(world, &v6, 20, 44);     /* a fragment */
	send_changed(world, &v6, 20, 6);      /* extension header gone: l3_length is wrong */
	send_changed(world, &v6, 54, 60);     /* an extension header without end */
	send_changed(world, &v6, 55, 0xff);   /* longer than the packet's payload */
	send_changed(world, &v6, 62 + 12, 0); /* TCP header of nothing */
}

/* Random flags, metas and headers: whatever comes, each packet is counted once. */
static void test_random(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	uint64_t sent = 0;

	srandom(7);
	world->maps[0].mtu = MTU;
	world->maps[1].mtu = MTU;
	for (uint32_t i = 0; i < 20000; i++) {
		struct shape shape = shapes[random() % NB_SHAPES];
		struct elisa_port_stats stats;
		uint32_t nb;

		shape.payload = random() % 5000;
		nb = fill(a, b->mac, &shape, 300 + random() % 2000,
			  ELISA_DESC_CSUM | ELISA_DESC_TSO, 64 + random() % 1400);
		if (random() % 2)
			a->tx[0].word ^= 1ull << (32 + random() % 32);
		if (random() % 2)
			a->memory[GUEST_TX_BUFFERS + 12 + random() % 100] = random();
		take_offloads(world, b, random() % 3 ? 0 : ELISA_PORT_RX_CSUM);
		assert_int_equal(guest_send(world, a, nb), nb);
		sent++;
		guest_drain(b);
		stats = world_stats(world, a);
		assert_int_equal(stats.tx_packets, sent);
		for (uint32_t j = 0; j < ELISA_DROP_REASONS; j++)
			stats.tx_packets -= stats.tx_drops[j];
		assert_int_equal(stats.tx_packets + stats.tx_segments,
				 world_stats(world, b).rx_packets);
	}
	assert_true(world_stats(world, b).rx_packets > sent / 10);
	assert_true(world_stats(world, a).tx_drops[ELISA_DROP_BAD_OFFLOAD] > sent / 10);
}

static int setup(void **state)
{
	return world_setup(state, 2, RING, 2048);
}

#define OFFLOAD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OFFLOAD_TEST(test_checksum_filled),
		OFFLOAD_TEST(test_checksum_passed),
		OFFLOAD_TEST(test_udp_zero),
		OFFLOAD_TEST(test_ip_checksum),
		OFFLOAD_TEST(test_cut),
		OFFLOAD_TEST(test_tso_passed),
		OFFLOAD_TEST(test_cut_full),
		OFFLOAD_TEST(test_refused),
		OFFLOAD_TEST(test_changed_headers),
		OFFLOAD_TEST(test_random),
	};

	return cmocka_run_group_tests_name("datapath-offload", tests, NULL, NULL);
}
