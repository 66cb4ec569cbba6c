/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_capture_rings.c - capture rings that are full, go round, are not there, and a producer that
 * stops half-way.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tapped.h"

static struct frame frame;

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

	tap_port(world, a->port, ALL);
	for (uint32_t i = 0; i < room + 10; i++) {
		guest_send_one(world, a, b->mac, 1514, i);
		assert_true(guest_receive(b, &frame));
	}
	assert_int_equal(ring->lost[a->port], 10);
	assert_int_equal(ring->lost[b->port], 0);
	assert_int_equal(world_stats(world, a).tx_packets, room + 10);
	assert_int_equal(world->capture->rings[b->vcpu].head, 0);
	/* What is in it is right, and room that was made is used. */
	assert_tapped(world, a, a->port, IN, b->mac, 1514, 1514, 0);
	assert_tapped(world, a, a->port, IN, b->mac, 1514, 1514, 1);
	guest_send_one(world, a, b->mac, 1514, 1000);
	assert_int_equal(ring->lost[a->port], 10);
	for (uint32_t i = 2; i < room; i++)
		assert_tapped(world, a, a->port, IN, b->mac, 1514, 1514, i);
	assert_tapped(world, a, a->port, IN, b->mac, 1514, 1514, 1000);
	assert_null(tapped_peek(world, a->vcpu));
}

/* Lengths that end at every place before the ring's end. */
static void records_go_around_the_ring(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	uint32_t sent = 0, taken = 0;

	tap_port(world, a->port, ALL);
	while (world->capture->rings[a->vcpu].head < 20ull * ELISA_CAPTURE_RING) {
		for (uint32_t i = 0; i < 90; i++, sent++) {
			guest_send_one(world, a, b->mac, 60 + sent * 37 % 4000, sent);
			assert_true(guest_receive(b, &frame));
		}
		for (; taken < sent - sent % 7; taken++)
			assert_tapped(world, a, a->port, IN, b->mac, 60 + taken * 37 % 4000,
				      60 + taken * 37 % 4000, taken);
	}
	assert_int_equal(world->capture->rings[a->vcpu].lost[a->port], 0);
}

static void a_vcpu_without_ring_counts(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[3];

	tap_port(world, a->port, ALL);
	world->capture->nb_rings = 3;
	guest_send_one(world, a, b->mac, 60, 1);
	guest_send_one(world, b, a->mac, 60, 1);
	assert_int_equal(world->capture->no_ring[a->port], 1);
	assert_tapped(world, a, a->port, IN, b->mac, 60, 60, 1);
	assert_nothing_tapped(world);
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

	while (tapped_peek(world, victim->vcpu)) {
		bool sent = tapped_peek(world, victim->vcpu)->kind == IN;
		uint32_t i = sent ? in++ : out++;

		assert_tapped(world, victim, sent ? victim->port : receiver->port, sent ? IN : OUT,
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

	tap_port(world, victim->port, ALL);
	tap_port(world, receiver->port, ALL);
	fill_victim(victim, receiver);
	total = run_victim(world, victim, UINT32_MAX);
	assert_int_equal(take_victims(world, victim, receiver), 2 * VICTIM_PACKETS);
	step = total / VICTIM_PLACES;
	for (uint32_t steps = step; steps < total; steps += step) {
		guest_setup_queue(world, receiver, TAPPED_RX_RING);
		fill_victim(victim, receiver);
		run_victim(world, victim, steps);
		nb = take_victims(world, victim, receiver);
		partly += nb > 0 && nb < 2 * VICTIM_PACKETS;
		guest_send_one(world, victim, receiver->mac, 77, 9);
		assert_tapped(world, victim, receiver->port, OUT, receiver->mac, 77, 77, 9);
		assert_tapped(world, victim, victim->port, IN, receiver->mac, 77, 77, 9);
		assert_nothing_tapped(world);
	}
	assert_true(partly > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tapped_setup, tapped_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_full_ring_loses_and_counts),
		TEST(records_go_around_the_ring),
		TEST(a_vcpu_without_ring_counts),
		TEST(a_producer_stops_halfway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
