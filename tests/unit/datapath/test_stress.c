/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_stress.c - three senders at once to one receiver: nothing lost uncounted, twice or mixed up.
 *
 * Each sender numbers its packets. The receiver checks every byte, and that each sender's numbers
 * only grow; at the end sent = received + dropped, exactly, in the switch's counters and the guests'.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "world.h"

#define SENDERS 3
#define RECEIVER 0
#define SECONDS 2
#define PATIENCE 30
#define ROOM_RING 1024

struct sender {
	struct guest *guest;
	uint64_t nb_sent;
	uint32_t last; /* number of its last packet; they begin with 1 */
};

static struct world world;
static uint64_t stop;

static uint32_t length_of(uint32_t number)
{
	return 60 + number * 2654435761u % 1000;
}

static void *send_until_stop(void *argument)
{
	struct sender *sender = argument;

	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		uint32_t burst = 1 + sender->last % 48;
		uint32_t done = 0;
		int64_t taken;

		for (uint32_t i = 0; i < burst; i++) {
			uint32_t number = sender->last + 1 + i;
			uint32_t length = length_of(number);

			guest_fill(sender->guest, i, world.guests[RECEIVER].mac, length, number);
			memcpy(sender->guest->memory + GUEST_TX_BUFFERS + i * BUFFER_SIZE + 14,
			       &number, sizeof(number));
		}
		taken = guest_send(&world, sender->guest, burst);
		/* With back-pressure, the rest is sent again, as new packets. */
		if (taken < 0)
			return argument;
		done = taken;
		sender->nb_sent += done;
		sender->last += done;
		if (!done)
			sched_yield();
	}
	return NULL;
}

static void check_frame(const struct frame *frame, uint32_t *last, uint64_t *nb)
{
	uint32_t number;
	uint32_t from;

	assert_true(frame->length >= 60);
	from = frame->bytes[11];
	memcpy(&number, frame->bytes + 14, sizeof(number));
	assert_in_range(from, 1, SENDERS);
	assert_true(number > last[from]);
	last[from] = number;
	nb[from]++;
	assert_int_equal(frame->length, length_of(number));
	for (uint32_t i = 18; i < frame->length; i++)
		if (frame->bytes[i] != (uint8_t)(number * 31 + i * 7 + (i >> 8)))
			fail_msg("byte %u of packet %u of sender %u", i, number, from);
}

/* On a machine that has much else to do, a sender may take a while to get its turn. */
static bool all_were_heard(const uint64_t *nb)
{
	for (uint32_t i = 1; i <= SENDERS; i++)
		if (!nb[i])
			return false;
	return true;
}

static void run(bool backpressure, uint32_t ring, uint32_t room)
{
	static struct frame frame;
	struct sender senders[SENDERS + 1] = {0};
	pthread_t threads[SENDERS + 1];
	uint32_t last[SENDERS + 1] = {0};
	uint64_t nb[SENDERS + 1] = {0};
	uint64_t nb_received = 0;
	struct elisa_port_stats receiver;
	time_t end;

	world_make(&world, 1 + SENDERS, ring, room);
	assert_int_equal(elisa_switch_port_set_backpressure(world.sw, RECEIVER, backpressure), 0);
	stop = 0;
	for (uint32_t i = 1; i <= SENDERS; i++) {
		senders[i].guest = &world.guests[i];
		assert_int_equal(pthread_create(&threads[i], NULL, send_until_stop, &senders[i]),
				 0);
	}
	end = time(NULL) + SECONDS;
	while (time(NULL) <= end || (!all_were_heard(nb) && time(NULL) <= end + PATIENCE)) {
		for (uint32_t i = 0; i < 1000; i++)
			if (guest_receive(&world.guests[RECEIVER], &frame))
				check_frame(&frame, last, nb);
		assert_sound(&world);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	for (uint32_t i = 1; i <= SENDERS; i++) {
		void *failed;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	while (guest_receive(&world.guests[RECEIVER], &frame))
		check_frame(&frame, last, nb);
	for (uint32_t i = 1; i <= SENDERS; i++) {
		struct elisa_port_stats stats = world_stats(&world, &world.guests[i]);
		uint64_t nb_dropped = 0;

		for (uint32_t reason = 0; reason < ELISA_DROP_REASONS; reason++)
			nb_dropped += stats.tx_drops[reason];
		assert_int_equal(stats.tx_packets, senders[i].nb_sent);
		assert_int_equal(stats.tx_packets, nb[i] + nb_dropped);
		assert_int_equal(nb_dropped, stats.tx_drops[ELISA_DROP_RECEIVER_FULL]);
		if (backpressure)
			assert_int_equal(nb_dropped, 0);
		assert_true(nb[i] > 0);
		nb_received += nb[i];
	}
	receiver = world_stats(&world, &world.guests[RECEIVER]);
	assert_int_equal(receiver.rx_packets, nb_received);
	assert_idle(&world);
	world_free(&world);
}

static void test_drop(void **state)
{
	(void)state;
	run(false, 64, 2048);
}

static void test_backpressure(void **state)
{
	(void)state;
	run(true, 128, 2048);
}

static void test_several_slots(void **state)
{
	(void)state;
	run(true, 256, 100);
}

/* Sends its share of the ring, as single packets and bursts. */
static void *send_share(void *argument)
{
	struct sender *sender = argument;
	uint32_t left = ROOM_RING / SENDERS;

	while (left) {
		uint32_t burst = 1 + left % 3;

		burst = burst < left ? burst : left;
		for (uint32_t i = 0; i < burst; i++)
			guest_fill(sender->guest, i, world.guests[RECEIVER].mac, 60, i);
		if (guest_send(&world, sender->guest, burst) != burst)
			return argument;
		left -= burst;
	}
	return NULL;
}

/* Who was overtaken between looking at the ring's head and at its slots has not seen it full. */
static void test_room_for_all(void **state)
{
	struct guest *receiver = &world.guests[RECEIVER];
	time_t end = time(NULL) + SECONDS;

	(void)state;
	world_make(&world, 1 + SENDERS, ROOM_RING, 64);
	while (time(NULL) <= end) {
		struct sender senders[SENDERS + 1] = {0};
		pthread_t threads[SENDERS + 1];

		for (uint32_t i = 1; i <= SENDERS; i++) {
			senders[i].guest = &world.guests[i];
			assert_int_equal(pthread_create(&threads[i], NULL, send_share, &senders[i]),
					 0);
		}
		for (uint32_t i = 1; i <= SENDERS; i++) {
			void *failed;

			assert_int_equal(pthread_join(threads[i], &failed), 0);
			assert_null(failed);
		}
		assert_int_equal(guest_drain(receiver), ROOM_RING / SENDERS * SENDERS);
		assert_int_equal(world_stats(&world, receiver).rx_drops[ELISA_DROP_RECEIVER_FULL],
				 0);
	}
	assert_idle(&world);
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_backpressure),
		cmocka_unit_test(test_several_slots),
		cmocka_unit_test(test_room_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
