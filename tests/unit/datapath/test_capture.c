/* SPDX-License-Identifier: BSD-3-Clause */
/* test_capture.c - what passes a captured port is in the rings, whole, once, and nothing else is. */
#include <stdlib.h>

#include "tapped.h"

#define MTU 9000u
#define MSS 1000u
#define TSO_PAYLOAD 5400u
#define TSO_LENGTH (14u + 20 + 20 + TSO_PAYLOAD)
static struct frame frame;

static void nobody_captures_nothing_is_written(void **state)
{
	struct world *world = *state;
	struct elisa_capture *mapped = world->capture;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	guest_send_one(world, a, b->mac, 100, 1);
	tap_port(world, a->port, ALL);
	tap_port(world, a->port, 0);
	guest_send_one(world, a, b->mac, 100, 1);
	assert_nothing_tapped(world);
	assert_int_equal(mapped->rings[0].head, 0);
	/* As with gate=local. */
	world->capture = NULL;
	tap_port(world, a->port, ALL);
	tap_port(world, b->port, ALL);
	guest_send_one(world, a, b->mac, 100, 1);
	world->capture = mapped;
	assert_nothing_tapped(world);
	assert_int_equal(elisa_switch_port_set_capture(world->sw, 40, 1), -ENODEV);
	assert_int_equal(elisa_switch_port_set_capture(world->sw, ELISA_MAX_PORTS, 1), -ERANGE);
}

static void a_port_is_seen_in_both_directions(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	tap_port(world, a->port, ALL);
	guest_send_one(world, a, b->mac, 60, 1);
	guest_send_one(world, b, a->mac, 1514, 2);
	guest_send_one(world, b, world->guests[2].mac, 60, 3);
	assert_tapped(world, a, a->port, IN, b->mac, 60, 60, 1);
	assert_tapped(world, b, a->port, OUT, a->mac, 1514, 1514, 2);
	assert_nothing_tapped(world);
}

/* Both ports of one send: in is stamped no later than out, whatever the order in the ring. */
static void stamps_are_in_the_order_of_events(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	uint64_t before = __builtin_ia32_rdtsc(), in = 0, out = 0;
	const struct elisa_capture_record *record;

	tap_port(world, a->port, ALL);
	tap_port(world, b->port, ALL);
	guest_send_one(world, a, b->mac, 60, 1);
	while ((record = tapped_peek(world, a->vcpu))) {
		*(record->kind == IN ? &in : &out) = record->stamp;
		tapped_take(world, a->vcpu);
	}
	assert_true(before <= in && in <= out && out <= __builtin_ia32_rdtsc());
}

static void bursts_are_seen_packet_by_packet(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	tap_port(world, a->port, ALL);
	for (uint32_t i = 0; i < 100; i++)
		guest_fill(a, i, b->mac, 60 + i, i);
	assert_int_equal(guest_send(world, a, 100), 100);
	for (uint32_t i = 0; i < 100; i++)
		assert_tapped(world, a, a->port, IN, b->mac, 60 + i, 60 + i, i);
	assert_nothing_tapped(world);
}

static void a_flood_is_seen_where_it_arrives(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];
	uint64_t all = 0xffffffffffffull;

	for (uint32_t i = 0; i < 3; i++)
		tap_port(world, i, ALL);
	guest_send_one(world, a, all, 200, 4);
	assert_tapped(world, a, 1, OUT, all, 200, 200, 4);
	assert_tapped(world, a, 2, OUT, all, 200, 200, 4);
	assert_tapped(world, a, a->port, IN, all, 200, 200, 4);
	assert_nothing_tapped(world);
}

static uint32_t count(struct world *world, uint32_t vcpu, uint32_t kind)
{
	const struct elisa_capture_record *record;
	uint32_t nb = 0;

	while ((record = tapped_peek(world, vcpu))) {
		nb += record->kind == kind;
		tapped_take(world, vcpu);
	}
	return nb;
}

/* Counted as sent, dropped at the receiver: it was not delivered. */
static void what_a_full_receiver_drops_is_only_seen_at_the_sender(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	guest_setup_queue(world, b, 8);
	tap_port(world, b->port, ALL);
	for (uint32_t i = 0; i < 20; i++)
		guest_fill(a, i, b->mac, 60, i);
	assert_int_equal(guest_send(world, a, 20), 20);
	assert_int_equal(count(world, a->vcpu, OUT), 8);
	assert_int_equal(world_stats(world, b).rx_packets, 8);
	tap_port(world, b->port, 0);
	tap_port(world, a->port, ALL);
	assert_int_equal(guest_send(world, a, 20), 20);
	assert_int_equal(count(world, a->vcpu, IN), 20);
}

static void what_waits_is_seen_when_it_is_taken(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	guest_setup_queue(world, b, 8);
	assert_int_equal(elisa_switch_port_set_backpressure(world->sw, b->port, true), 0);
	tap_port(world, a->port, ALL);
	tap_port(world, b->port, ALL);
	for (uint32_t i = 0; i < 20; i++)
		guest_fill(a, i, b->mac, 60, i);
	assert_int_equal(guest_send(world, a, 20), 8);
	for (uint32_t i = 0; i < 8; i++)
		assert_tapped(world, a, b->port, OUT, b->mac, 60, 60, i);
	for (uint32_t i = 0; i < 8; i++)
		assert_tapped(world, a, a->port, IN, b->mac, 60, 60, i);
	assert_int_equal(guest_send(world, a, 20), 0);
	assert_nothing_tapped(world);
}

static void a_bad_receive_buffer_gets_nothing_and_shows_nothing(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	tap_port(world, b->port, ALL);
	guest_post(b, 0, 0x1000, 2048);
	guest_fill(a, 0, b->mac, 60, 0);
	guest_fill(a, 1, b->mac, 61, 1);
	assert_int_equal(guest_send(world, a, 2), 2);
	assert_tapped(world, a, b->port, OUT, b->mac, 61, 61, 1);
	assert_nothing_tapped(world);
}

/* They are in the sender's counters, so they are in its capture: without bytes that nobody read. */
static void bad_packets_are_seen_at_the_sender(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	const struct elisa_capture_record *record;

	tap_port(world, a->port, ALL);
	guest_fill(a, 0, b->mac, 200, 0);
	a->tx[0].word |= (uint64_t)ELISA_DESC_MORE << 16;
	a->tx[1].addr = 0x1000;
	a->tx[1].word = 100;
	guest_fill(a, 2, b->mac, 13, 2);
	guest_fill(a, 3, b->mac, 7000, 3);
	world->maps[a->port].mtu = 1500;
	guest_fill(a, 4, a->mac, 300, 4);
	assert_int_equal(guest_send(world, a, 5), 5);
	record = tapped_peek(world, a->vcpu);
	assert_int_equal(record->length, 0);
	assert_int_equal(record->captured, 0);
	tapped_take(world, a->vcpu);
	assert_tapped(world, a, a->port, IN, b->mac, 13, 13, 2);
	assert_tapped(world, a, a->port, IN, b->mac, 7000, 96, 3);
	assert_tapped(world, a, a->port, IN, a->mac, 300, 300, 4);
	assert_nothing_tapped(world);
	assert_int_equal(world_stats(world, a).tx_packets, 4);
}

static void as_many_bytes_as_asked_for(void **state)
{
	static const uint32_t asked[] = {1, 14, 95, 96, 97, 998, 999, 1000, ALL};
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	for (uint32_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		uint32_t captured = asked[i] < 999 ? asked[i] : 999;

		tap_port(world, a->port, asked[i]);
		tap_port(world, b->port, asked[i]);
		guest_send_one(world, a, b->mac, 999, i);
		assert_tapped(world, a, b->port, OUT, b->mac, 999, captured, i);
		assert_tapped(world, a, a->port, IN, b->mac, 999, captured, i);
		assert_true(guest_receive(b, &frame));
	}
	assert_nothing_tapped(world);
}

static void a_packet_in_pieces_is_one(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	tap_port(world, a->port, ALL);
	guest_fill(a, 0, b->mac, 1000, 5);
	for (uint32_t i = 0; i < 4; i++) {
		a->tx[i].addr = guest_tx_gva(a, 0) + 250 * i;
		a->tx[i].word = (i < 3 ? (uint64_t)ELISA_DESC_MORE << 16 : 0) | 250;
	}
	assert_int_equal(guest_send(world, a, 4), 4);
	assert_tapped(world, a, a->port, IN, b->mac, 1000, 1000, 5);
	tap_port(world, a->port, 600);
	assert_int_equal(guest_send(world, a, 4), 4);
	assert_tapped(world, a, a->port, IN, b->mac, 1000, 600, 5);
	assert_nothing_tapped(world);
}

/* A TCP packet over IPv4 in one buffer; its checksum field holds 0xdead. */
static void fill_tcp(struct guest *guest, uint64_t destination, uint32_t length, uint32_t flags,
		     uint32_t mss)
{
	uint8_t *ip = guest->memory + GUEST_TX_BUFFERS + 14;

	guest_fill(guest, 0, destination, length, 6);
	ip[-2] = 0x08;
	ip[-1] = 0x00;
	ip[0] = 0x45;
	ip[2] = (length - 14) >> 8;
	ip[3] = length - 14;
	ip[6] = 0x40;
	ip[7] = 0;
	ip[9] = 6;
	ip[32] = 0x50;
	ip[33] = 0x10;
	ip[36] = 0xde;
	ip[37] = 0xad;
	guest->tx[0].word = length | (uint64_t)flags << 16 |
			    (uint64_t)elisa_desc_meta(14, 20, ELISA_L4_TCP, mss) << 32;
}

/* The next record is what the guest finds in its ring. */
static void assert_received(struct world *world, struct guest *from, struct guest *to)
{
	const struct elisa_capture_record *record = tapped_peek(world, from->vcpu);

	assert_non_null(record);
	assert_true(guest_receive(to, &frame));
	assert_int_equal(record->kind, OUT);
	assert_int_equal(record->port, to->port);
	assert_int_equal(record->length, frame.length);
	assert_int_equal(record->captured, frame.length);
	assert_memory_equal(record + 1, frame.bytes, frame.length);
	tapped_take(world, from->vcpu);
}

static void a_checksum_is_shown_as_the_receiver_gets_it(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	const struct elisa_capture_record *record;

	tap_port(world, a->port, ALL);
	tap_port(world, b->port, ALL);
	fill_tcp(a, b->mac, 700, ELISA_DESC_CSUM, 0);
	assert_int_equal(guest_send(world, a, 1), 1);
	assert_received(world, a, b);
	assert_memory_not_equal(frame.bytes + 14 + 36, "\xde\xad", 2);
	record = tapped_peek(world, a->vcpu);
	assert_memory_equal((const uint8_t *)(record + 1) + 14 + 36, "\xde\xad", 2);
	tapped_take(world, a->vcpu);
	/* A receiver that takes it unfinished gets it unfinished. */
	world->maps[b->port].flags |= ELISA_PORT_RX_CSUM;
	tap_port(world, a->port, 0);
	assert_int_equal(guest_send(world, a, 1), 1);
	assert_received(world, a, b);
	assert_memory_equal(frame.bytes + 14 + 36, "\xde\xad", 2);
	/* What is cut off is not finished either. */
	world->maps[b->port].flags &= ~ELISA_PORT_RX_CSUM;
	tap_port(world, b->port, 600);
	assert_int_equal(guest_send(world, a, 1), 1);
	record = tapped_peek(world, a->vcpu);
	assert_int_equal(record->captured, 600);
	assert_memory_equal((const uint8_t *)(record + 1) + 14 + 36, "\xde\xad", 2);
	tapped_take(world, a->vcpu);
	assert_nothing_tapped(world);
}

static void a_long_packet_goes_in_whole_and_out_cut(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	const struct elisa_capture_record *record;

	tap_port(world, a->port, ALL);
	tap_port(world, b->port, ALL);
	fill_tcp(a, b->mac, TSO_LENGTH, ELISA_DESC_CSUM | ELISA_DESC_TSO, MSS);
	assert_int_equal(guest_send(world, a, 1), 1);
	for (uint32_t i = 0; i < 6; i++) {
		assert_received(world, a, b);
		assert_int_equal(frame.length, i < 5 ? 54 + MSS : 54 + 400);
	}
	record = tapped_peek(world, a->vcpu);
	assert_int_equal(record->kind, IN);
	assert_int_equal(record->length, TSO_LENGTH);
	assert_memory_equal(record + 1, a->memory + GUEST_TX_BUFFERS, TSO_LENGTH);
	tapped_take(world, a->vcpu);
	/* One that takes long packets gets it as it is. */
	tap_port(world, a->port, 0);
	world->maps[b->port].flags |= ELISA_PORT_RX_CSUM | ELISA_PORT_RX_TSO;
	assert_int_equal(guest_send(world, a, 1), 1);
	assert_received(world, a, b);
	assert_int_equal(frame.length, TSO_LENGTH);
	assert_nothing_tapped(world);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tapped_setup, tapped_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(nobody_captures_nothing_is_written),
		TEST(a_port_is_seen_in_both_directions),
		TEST(stamps_are_in_the_order_of_events),
		TEST(bursts_are_seen_packet_by_packet),
		TEST(a_flood_is_seen_where_it_arrives),
		TEST(what_a_full_receiver_drops_is_only_seen_at_the_sender),
		TEST(what_waits_is_seen_when_it_is_taken),
		TEST(a_bad_receive_buffer_gets_nothing_and_shows_nothing),
		TEST(bad_packets_are_seen_at_the_sender),
		TEST(as_many_bytes_as_asked_for),
		TEST(a_packet_in_pieces_is_one),
		TEST(a_checksum_is_shown_as_the_receiver_gets_it),
		TEST(a_long_packet_goes_in_whole_and_out_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
