/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_capture.c - what passes a captured port is in the rings, whole, once, and nothing else is.
 *
 * The consumer is the test's own.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

#include "vswitch/datapath/capture.h"

#define RING 256
#define ALL 262144u
#define MTU 9000u
#define MSS 1000u
#define TSO_PAYLOAD 5400u
#define TSO_LENGTH (14u + 20 + 20 + TSO_PAYLOAD)
#define IN ELISA_CAPTURE_IN
#define OUT ELISA_CAPTURE_OUT

static struct frame frame;

static int setup(void **state)
{
	struct world *world;

	world_setup(state, 4, RING, 2048);
	world = *state;
	world->capture = mmap(NULL, ELISA_CAPTURE_MAX, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(world->capture != MAP_FAILED);
	world->capture->nb_rings = 4;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	munmap(world->capture, ELISA_CAPTURE_MAX);
	return world_teardown(state);
}

static void capture(struct world *world, uint32_t port, uint32_t bytes)
{
	assert_int_equal(elisa_switch_port_set_capture(world->sw, port, bytes), 0);
}

/* A record and its bytes, where they are. NULL: the ring is empty. */
static const struct elisa_capture_record *peek(struct world *world, uint32_t vcpu)
{
	struct elisa_capture_ring *ring = &world->capture->rings[vcpu];
	uint64_t head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
	const struct elisa_capture_record *record;
	uint32_t place;

	assert_true(head - ring->tail <= ELISA_CAPTURE_RING);
	while (ring->tail != head) {
		place = ring->tail % ELISA_CAPTURE_RING;
		record = (void *)(elisa_capture_bytes(world->capture, vcpu) + place);
		assert_true(record->size && record->size % ELISA_CAPTURE_ALIGN == 0);
		assert_true(place + record->size <= ELISA_CAPTURE_RING);
		assert_true(record->size <= head - ring->tail);
		assert_int_equal(record->consumer, 0);
		if (record->kind != ELISA_CAPTURE_FILL)
			return record;
		assert_int_equal(place + record->size, ELISA_CAPTURE_RING);
		ring->tail += record->size;
	}
	return NULL;
}

static void take(struct world *world, uint32_t vcpu)
{
	world->capture->rings[vcpu].tail += peek(world, vcpu)->size;
}

/* The next record is this one; its bytes are the frame of guest_fill(), the first `captured`. */
static void assert_next(struct world *world, const struct guest *from, uint32_t port, uint32_t kind,
			uint64_t destination, uint32_t length, uint32_t captured, uint32_t seed)
{
	const struct elisa_capture_record *record = peek(world, from->vcpu);

	assert_non_null(record);
	assert_int_equal(record->port, port);
	assert_int_equal(record->kind, kind);
	assert_int_equal(record->length, length);
	assert_int_equal(record->captured, captured);
	assert_true(record->size >= sizeof(*record) + captured);
	guest_expect(&frame, from, destination, length, seed);
	assert_memory_equal(record + 1, frame.bytes, captured);
	take(world, from->vcpu);
}

static void assert_nothing(struct world *world)
{
	for (uint32_t i = 0; i < world->nb_guests; i++) {
		assert_null(peek(world, i));
		for (uint32_t j = 0; j < ELISA_MAX_PORTS; j++)
			assert_int_equal(world->capture->rings[i].lost[j], 0);
	}
}

static void nobody_captures_nothing_is_written(void **state)
{
	struct world *world = *state;
	struct elisa_capture *mapped = world->capture;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	guest_send_one(world, a, b->mac, 100, 1);
	capture(world, a->port, ALL);
	capture(world, a->port, 0);
	guest_send_one(world, a, b->mac, 100, 1);
	assert_nothing(world);
	assert_int_equal(mapped->rings[0].head, 0);
	/* As with gate=local. */
	world->capture = NULL;
	capture(world, a->port, ALL);
	capture(world, b->port, ALL);
	guest_send_one(world, a, b->mac, 100, 1);
	world->capture = mapped;
	assert_nothing(world);
	assert_int_equal(elisa_switch_port_set_capture(world->sw, 40, 1), -ENODEV);
	assert_int_equal(elisa_switch_port_set_capture(world->sw, ELISA_MAX_PORTS, 1), -ERANGE);
}

static void a_port_is_seen_in_both_directions(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	capture(world, a->port, ALL);
	guest_send_one(world, a, b->mac, 60, 1);
	guest_send_one(world, b, a->mac, 1514, 2);
	guest_send_one(world, b, world->guests[2].mac, 60, 3);
	assert_next(world, a, a->port, IN, b->mac, 60, 60, 1);
	assert_next(world, b, a->port, OUT, a->mac, 1514, 1514, 2);
	assert_nothing(world);
}

/* Both ports of one send: in is stamped no later than out, whatever the order in the ring. */
static void stamps_are_in_the_order_of_events(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	uint64_t before = __builtin_ia32_rdtsc(), in = 0, out = 0;
	const struct elisa_capture_record *record;

	capture(world, a->port, ALL);
	capture(world, b->port, ALL);
	guest_send_one(world, a, b->mac, 60, 1);
	while ((record = peek(world, a->vcpu))) {
		*(record->kind == IN ? &in : &out) = record->stamp;
		take(world, a->vcpu);
	}
	assert_true(before <= in && in <= out && out <= __builtin_ia32_rdtsc());
}

static void bursts_are_seen_packet_by_packet(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	capture(world, a->port, ALL);
	for (uint32_t i = 0; i < 100; i++)
		guest_fill(a, i, b->mac, 60 + i, i);
	assert_int_equal(guest_send(world, a, 100), 100);
	for (uint32_t i = 0; i < 100; i++)
		assert_next(world, a, a->port, IN, b->mac, 60 + i, 60 + i, i);
	assert_nothing(world);
}

static void a_flood_is_seen_where_it_arrives(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];
	uint64_t all = 0xffffffffffffull;

	for (uint32_t i = 0; i < 3; i++)
		capture(world, i, ALL);
	guest_send_one(world, a, all, 200, 4);
	assert_next(world, a, 1, OUT, all, 200, 200, 4);
	assert_next(world, a, 2, OUT, all, 200, 200, 4);
	assert_next(world, a, a->port, IN, all, 200, 200, 4);
	assert_nothing(world);
}

static uint32_t count(struct world *world, uint32_t vcpu, uint32_t kind)
{
	const struct elisa_capture_record *record;
	uint32_t nb = 0;

	while ((record = peek(world, vcpu))) {
		nb += record->kind == kind;
		take(world, vcpu);
	}
	return nb;
}

/* Counted as sent, dropped at the receiver: it was not delivered. */
static void what_a_full_receiver_drops_is_only_seen_at_the_sender(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	guest_setup_queue(world, b, 8);
	capture(world, b->port, ALL);
	for (uint32_t i = 0; i < 20; i++)
		guest_fill(a, i, b->mac, 60, i);
	assert_int_equal(guest_send(world, a, 20), 20);
	assert_int_equal(count(world, a->vcpu, OUT), 8);
	assert_int_equal(world_stats(world, b).rx_packets, 8);
	capture(world, b->port, 0);
	capture(world, a->port, ALL);
	assert_int_equal(guest_send(world, a, 20), 20);
	assert_int_equal(count(world, a->vcpu, IN), 20);
}

static void what_waits_is_seen_when_it_is_taken(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	guest_setup_queue(world, b, 8);
	assert_int_equal(elisa_switch_port_set_backpressure(world->sw, b->port, true), 0);
	capture(world, a->port, ALL);
	capture(world, b->port, ALL);
	for (uint32_t i = 0; i < 20; i++)
		guest_fill(a, i, b->mac, 60, i);
	assert_int_equal(guest_send(world, a, 20), 8);
	for (uint32_t i = 0; i < 8; i++)
		assert_next(world, a, b->port, OUT, b->mac, 60, 60, i);
	for (uint32_t i = 0; i < 8; i++)
		assert_next(world, a, a->port, IN, b->mac, 60, 60, i);
	assert_int_equal(guest_send(world, a, 20), 0);
	assert_nothing(world);
}

static void a_bad_receive_buffer_gets_nothing_and_shows_nothing(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	capture(world, b->port, ALL);
	guest_post(b, 0, 0x1000, 2048);
	guest_fill(a, 0, b->mac, 60, 0);
	guest_fill(a, 1, b->mac, 61, 1);
	assert_int_equal(guest_send(world, a, 2), 2);
	assert_next(world, a, b->port, OUT, b->mac, 61, 61, 1);
	assert_nothing(world);
}

/* They are in the sender's counters, so they are in its capture: without bytes that nobody read. */
static void bad_packets_are_seen_at_the_sender(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	const struct elisa_capture_record *record;

	capture(world, a->port, ALL);
	guest_fill(a, 0, b->mac, 200, 0);
	a->tx[0].word |= (uint64_t)ELISA_DESC_MORE << 16;
	a->tx[1].addr = 0x1000;
	a->tx[1].word = 100;
	guest_fill(a, 2, b->mac, 13, 2);
	guest_fill(a, 3, b->mac, 7000, 3);
	world->maps[a->port].mtu = 1500;
	guest_fill(a, 4, a->mac, 300, 4);
	assert_int_equal(guest_send(world, a, 5), 5);
	record = peek(world, a->vcpu);
	assert_int_equal(record->length, 0);
	assert_int_equal(record->captured, 0);
	take(world, a->vcpu);
	assert_next(world, a, a->port, IN, b->mac, 13, 13, 2);
	assert_next(world, a, a->port, IN, b->mac, 7000, 96, 3);
	assert_next(world, a, a->port, IN, a->mac, 300, 300, 4);
	assert_nothing(world);
	assert_int_equal(world_stats(world, a).tx_packets, 4);
}

static void as_many_bytes_as_asked_for(void **state)
{
	static const uint32_t asked[] = {1, 14, 95, 96, 97, 998, 999, 1000, ALL};
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	for (uint32_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		uint32_t captured = asked[i] < 999 ? asked[i] : 999;

		capture(world, a->port, asked[i]);
		capture(world, b->port, asked[i]);
		guest_send_one(world, a, b->mac, 999, i);
		assert_next(world, a, b->port, OUT, b->mac, 999, captured, i);
		assert_next(world, a, a->port, IN, b->mac, 999, captured, i);
		assert_true(guest_receive(b, &frame));
	}
	assert_nothing(world);
}

static void a_packet_in_pieces_is_one(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	capture(world, a->port, ALL);
	guest_fill(a, 0, b->mac, 1000, 5);
	for (uint32_t i = 0; i < 4; i++) {
		a->tx[i].addr = guest_tx_gva(a, 0) + 250 * i;
		a->tx[i].word = (i < 3 ? (uint64_t)ELISA_DESC_MORE << 16 : 0) | 250;
	}
	assert_int_equal(guest_send(world, a, 4), 4);
	assert_next(world, a, a->port, IN, b->mac, 1000, 1000, 5);
	capture(world, a->port, 600);
	assert_int_equal(guest_send(world, a, 4), 4);
	assert_next(world, a, a->port, IN, b->mac, 1000, 600, 5);
	assert_nothing(world);
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
	const struct elisa_capture_record *record = peek(world, from->vcpu);

	assert_non_null(record);
	assert_true(guest_receive(to, &frame));
	assert_int_equal(record->kind, OUT);
	assert_int_equal(record->port, to->port);
	assert_int_equal(record->length, frame.length);
	assert_int_equal(record->captured, frame.length);
	assert_memory_equal(record + 1, frame.bytes, frame.length);
	take(world, from->vcpu);
}

static void a_checksum_is_shown_as_the_receiver_gets_it(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	const struct elisa_capture_record *record;

	capture(world, a->port, ALL);
	capture(world, b->port, ALL);
	fill_tcp(a, b->mac, 700, ELISA_DESC_CSUM, 0);
	assert_int_equal(guest_send(world, a, 1), 1);
	assert_received(world, a, b);
	assert_memory_not_equal(frame.bytes + 14 + 36, "\xde\xad", 2);
	record = peek(world, a->vcpu);
	assert_memory_equal((const uint8_t *)(record + 1) + 14 + 36, "\xde\xad", 2);
	take(world, a->vcpu);
	/* A receiver that takes it unfinished gets it unfinished. */
	world->maps[b->port].flags |= ELISA_PORT_RX_CSUM;
	capture(world, a->port, 0);
	assert_int_equal(guest_send(world, a, 1), 1);
	assert_received(world, a, b);
	assert_memory_equal(frame.bytes + 14 + 36, "\xde\xad", 2);
	/* What is cut off is not finished either. */
	world->maps[b->port].flags &= ~ELISA_PORT_RX_CSUM;
	capture(world, b->port, 600);
	assert_int_equal(guest_send(world, a, 1), 1);
	record = peek(world, a->vcpu);
	assert_int_equal(record->captured, 600);
	assert_memory_equal((const uint8_t *)(record + 1) + 14 + 36, "\xde\xad", 2);
	take(world, a->vcpu);
	assert_nothing(world);
}

static void a_long_packet_goes_in_whole_and_out_cut(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	const struct elisa_capture_record *record;

	capture(world, a->port, ALL);
	capture(world, b->port, ALL);
	fill_tcp(a, b->mac, TSO_LENGTH, ELISA_DESC_CSUM | ELISA_DESC_TSO, MSS);
	assert_int_equal(guest_send(world, a, 1), 1);
	for (uint32_t i = 0; i < 6; i++) {
		assert_received(world, a, b);
		assert_int_equal(frame.length, i < 5 ? 54 + MSS : 54 + 400);
	}
	record = peek(world, a->vcpu);
	assert_int_equal(record->kind, IN);
	assert_int_equal(record->length, TSO_LENGTH);
	assert_memory_equal(record + 1, a->memory + GUEST_TX_BUFFERS, TSO_LENGTH);
	take(world, a->vcpu);
	/* One that takes long packets gets it as it is. */
	capture(world, a->port, 0);
	world->maps[b->port].flags |= ELISA_PORT_RX_CSUM | ELISA_PORT_RX_TSO;
	assert_int_equal(guest_send(world, a, 1), 1);
	assert_received(world, a, b);
	assert_int_equal(frame.length, TSO_LENGTH);
	assert_nothing(world);
}

static uint32_t record_size(uint32_t captured)
{
	return (sizeof(struct elisa_capture_record) + captured + 31) / 32 * 32;
}

/* Traffic goes on, and each packet there was no room for is counted, for its port. */
static void a_full_ring_loses_and_counts(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	uint32_t room = ELISA_CAPTURE_RING / record_size(1514);
	struct elisa_capture_ring *ring = &world->capture->rings[a->vcpu];

	capture(world, a->port, ALL);
	for (uint32_t i = 0; i < room + 10; i++) {
		guest_send_one(world, a, b->mac, 1514, i);
		assert_true(guest_receive(b, &frame));
	}
	assert_int_equal(ring->lost[a->port], 10);
	assert_int_equal(ring->lost[b->port], 0);
	assert_int_equal(world_stats(world, a).tx_packets, room + 10);
	assert_int_equal(world->capture->rings[b->vcpu].head, 0);
	/* What is in it is right, and room that was made is used. */
	assert_next(world, a, a->port, IN, b->mac, 1514, 1514, 0);
	assert_next(world, a, a->port, IN, b->mac, 1514, 1514, 1);
	guest_send_one(world, a, b->mac, 1514, 1000);
	assert_int_equal(ring->lost[a->port], 10);
	for (uint32_t i = 2; i < room; i++)
		assert_next(world, a, a->port, IN, b->mac, 1514, 1514, i);
	assert_next(world, a, a->port, IN, b->mac, 1514, 1514, 1000);
	assert_null(peek(world, a->vcpu));
}

/* Lengths that end at every place before the ring's end. */
static void records_go_around_the_ring(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	uint32_t sent = 0, taken = 0;

	capture(world, a->port, ALL);
	while (world->capture->rings[a->vcpu].head < 20ull * ELISA_CAPTURE_RING) {
		for (uint32_t i = 0; i < 90; i++, sent++) {
			guest_send_one(world, a, b->mac, 60 + sent * 37 % 4000, sent);
			assert_true(guest_receive(b, &frame));
		}
		for (; taken < sent - sent % 7; taken++)
			assert_next(world, a, a->port, IN, b->mac, 60 + taken * 37 % 4000,
				    60 + taken * 37 % 4000, taken);
	}
	assert_int_equal(world->capture->rings[a->vcpu].lost[a->port], 0);
}

static void a_vcpu_without_ring_counts(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[3];

	capture(world, a->port, ALL);
	world->capture->nb_rings = 3;
	guest_send_one(world, a, b->mac, 60, 1);
	guest_send_one(world, b, a->mac, 60, 1);
	assert_int_equal(world->capture->no_ring[a->port], 1);
	assert_next(world, a, a->port, IN, b->mac, 60, 60, 1);
	assert_nothing(world);
}

#define VICTIM_PACKETS 3
#define VICTIM_PLACES 23 /* where it is stopped */

static void fill_victim(struct guest *victim, const struct guest *receiver)
{
	for (uint32_t i = 0; i < VICTIM_PACKETS; i++)
		guest_fill(victim, i, receiver->mac, 60 + 100 * i, i);
}

static pid_t start_victim(struct world *world, struct guest *victim)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		guest_send(world, victim, VICTIM_PACKETS);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_EXITKILL), 0);
	return child;
}

/* Step the victim so far, and stop it for good. Returns the steps made: less if it ended before. */
static uint32_t run_victim(struct world *world, struct guest *victim, uint32_t steps)
{
	pid_t child = start_victim(world, victim);
	int status = 0;

	for (uint32_t i = 0; i < steps; i++) {
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status))
			return i;
		assert_true(WIFSTOPPED(status));
	}
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	return steps;
}

/* What is published is whole. Returns how many packets that is. */
static uint32_t take_victims(struct world *world, struct guest *victim, struct guest *receiver)
{
	uint32_t in = 0, out = 0;

	while (peek(world, victim->vcpu)) {
		bool sent = peek(world, victim->vcpu)->kind == IN;
		uint32_t i = sent ? in++ : out++;

		assert_next(world, victim, sent ? victim->port : receiver->port, sent ? IN : OUT,
			    receiver->mac, 60 + 100 * i, 60 + 100 * i, i);
	}
	return in + out;
}

/* At places all over the call; the vCPU's next call goes on where the published ones end. */
static void a_producer_stops_halfway(void **state)
{
	struct world *world = *state;
	struct guest *victim = &world->guests[0], *receiver = &world->guests[1];
	uint32_t total, step, nb, partly = 0;

	capture(world, victim->port, ALL);
	capture(world, receiver->port, ALL);
	fill_victim(victim, receiver);
	total = run_victim(world, victim, UINT32_MAX);
	assert_int_equal(take_victims(world, victim, receiver), 2 * VICTIM_PACKETS);
	step = total / VICTIM_PLACES;
	for (uint32_t steps = step; steps < total; steps += step) {
		guest_setup_queue(world, receiver, RING);
		fill_victim(victim, receiver);
		run_victim(world, victim, steps);
		nb = take_victims(world, victim, receiver);
		partly += nb > 0 && nb < 2 * VICTIM_PACKETS;
		guest_send_one(world, victim, receiver->mac, 77, 9);
		assert_next(world, victim, receiver->port, OUT, receiver->mac, 77, 77, 9);
		assert_next(world, victim, victim->port, IN, receiver->mac, 77, 77, 9);
		assert_nothing(world);
	}
	assert_true(partly > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
		TEST(a_full_ring_loses_and_counts),
		TEST(records_go_around_the_ring),
		TEST(a_vcpu_without_ring_counts),
		TEST(a_producer_stops_halfway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
