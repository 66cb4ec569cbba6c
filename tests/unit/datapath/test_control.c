/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_control.c - the daemon's functions, and finishing the journal of a vCPU that stopped at each
 * step of the protocol, set up word by word.
 */
#include <stdlib.h>

#include "vswitch/datapath/fdb.h"
#include "world.h"

static struct frame frame;

static int setup(void **state)
{
	return world_setup(state, 3, 16, 2048);
}

static void test_init(void **state)
{
	struct elisa_switch_params params = {.fdb_capacity = 64, .age_ticks = 1};
	uint64_t size = elisa_switch_size(64);
	struct elisa_switch *sw = aligned_alloc(4096, size);

	(void)state;
	assert_non_null(sw);
	memset(sw, 0, size);
	assert_int_equal(size % 4096, 0);
	assert_int_equal(elisa_switch_size(0), 0);
	assert_int_equal(elisa_switch_size(32), 0);
	assert_int_equal(elisa_switch_size(100), 0);
	assert_int_equal(elisa_switch_size(1u << 21), 0);
	assert_true(elisa_switch_size(1u << 20) <= ELISA_SWITCH_MAX);
	assert_int_equal(elisa_switch_check(sw, size), -EPROTO);
	assert_int_equal(elisa_switch_init(sw, size - 1, &params), -ENOSPC);
	params.age_ticks = 0;
	assert_int_equal(elisa_switch_init(sw, size, &params), -EINVAL);
	params.age_ticks = ELISA_FDB_MAX_AGE_TICKS + 1;
	assert_int_equal(elisa_switch_init(sw, size, &params), -EINVAL);
	params.age_ticks = ELISA_FDB_MAX_AGE_TICKS;
	params.fdb_capacity = 63;
	assert_int_equal(elisa_switch_init(sw, size, &params), -EINVAL);
	params.fdb_capacity = 64;
	assert_int_equal(elisa_switch_init(sw, size, &params), 0);
	assert_int_equal(elisa_switch_check(sw, size), 0);
	assert_int_equal(elisa_switch_check(sw, size - 1), -EPROTO);
	assert_int_equal(elisa_switch_check(sw, 16), -EPROTO);
	sw->layout++;
	assert_int_equal(elisa_switch_check(sw, size), -EPROTO);
	sw->layout--;
	sw->fdb_buckets += 1u << 31; /* as many entries, in 32 bits */
	assert_int_equal(elisa_switch_check(sw, size), -EPROTO);
	sw->fdb_buckets = 3;
	assert_int_equal(elisa_switch_check(sw, size), -EPROTO);
	free(sw);
}

static void test_ports(void **state)
{
	struct world *world = *state;
	struct elisa_port_params params = {.mac = {2, 0, 0, 0, 0, 9}};
	struct elisa_port_stats stats;

	assert_int_equal(elisa_switch_port_add(world->sw, 64, &params), -ERANGE);
	assert_int_equal(elisa_switch_port_add(world->sw, 0, &params), -EEXIST);
	assert_int_equal(elisa_switch_port_del(world->sw, 64), -ERANGE);
	assert_int_equal(elisa_switch_port_del(world->sw, 9), -ENODEV);
	assert_int_equal(elisa_switch_port_stats(world->sw, 9, &stats), -ENODEV);
	assert_int_equal(elisa_switch_port_set_backpressure(world->sw, 9, true), -ENODEV);
	params.mac[0] = 3;
	assert_int_equal(elisa_switch_port_add(world->sw, 9, &params), -EINVAL);
	memset(params.mac, 0, sizeof(params.mac));
	assert_int_equal(elisa_switch_port_add(world->sw, 9, &params), -EINVAL);
	elisa_mac_from_number(world->guests[0].mac, params.mac);
	assert_int_equal(elisa_switch_port_add(world->sw, 9, &params), -EADDRINUSE);
	assert_int_equal(world->sw->ports, 7);
	for (unsigned int reason = 0; reason < ELISA_DROP_REASONS; reason++)
		assert_string_not_equal(elisa_drop_reason_name(reason), "?");
	assert_string_equal(elisa_drop_reason_name(ELISA_DROP_REASONS), "?");
	assert_string_equal(elisa_drop_reason_name(ELISA_DROP_RECEIVER_FULL), "receiver-full");
}

/* Counters start at zero when a number is used again, and its learned addresses are gone. */
static void test_port_again(void **state)
{
	struct world *world = *state;
	struct elisa_port_params params = {.mac = {2, 0, 0, 0, 0, 9}};
	struct elisa_fdb_record records[8];
	struct elisa_port_stats stats;

	guest_send_one(world, &world->guests[0], world->guests[1].mac, 60, 0);
	assert_int_equal(elisa_switch_port_del(world->sw, 0), 0);
	assert_int_equal(elisa_switch_port_add(world->sw, 0, &params), 0);
	assert_int_equal(elisa_switch_port_stats(world->sw, 0, &stats), 0);
	assert_int_equal(stats.tx_packets, 0);
	assert_int_equal(stats.tx_calls, 0);
	assert_int_equal(elisa_switch_fdb_dump(world->sw, records, 8), 3);
}

/* A daemon was killed while it removed port 2 and added port 5; the next one knows of port 0 only. */
static void test_settle(void **state)
{
	struct elisa_port_params params = {.mac = {2, 0, 0, 0, 0, 9}};
	struct world *world = *state;
	struct elisa_switch *sw = world->sw;
	struct guest *gone = &world->guests[1];
	struct elisa_fdb_record record;
	uint64_t mac = gone->mac;
	uint64_t learned = 0x0200000000aaull;

	assert_int_equal(elisa_switch_port_set_capture(sw, 0, 64), 0);
	assert_int_equal(elisa_switch_port_set_capture(sw, 1, 64), 0);
	gone->mac = learned;
	guest_fill(gone, 0, 0xffffffffffff, 60, 0);
	gone->mac = mac;
	assert_int_equal(guest_send(world, gone, 1), 1);
	guest_drain(&world->guests[0]);
	guest_drain(&world->guests[2]);
	sw->ports &= ~4ull;
	assert_int_equal(elisa_switch_port_add(sw, 5, &params), 0);
	sw->ports &= ~32ull;
	sw->config[5].present = 0;
	assert_int_equal(elisa_switch_settle(sw, 1), 1 << 1 | 1 << 2 | 1 << 5);
	assert_int_equal(sw->ports, 1);
	for (uint32_t port = 0; port < ELISA_MAX_PORTS; port++) {
		assert_int_equal(sw->config[port].present, port == 0);
		assert_int_equal(sw->config[port].capture, 0);
	}
	assert_int_equal(elisa_switch_fdb_dump(sw, &record, 1), 1);
	assert_int_equal(record.port, 0);
	assert_int_equal(guest_send(world, gone, 1), -ENODEV);
	assert_int_equal(elisa_switch_settle(sw, 1), 0);
	/* Killed when all was gone but what the port had taught. */
	sw->fdb[elisa_fdb_bucket(sw, learned, 0) - sw->fdb] = elisa_fdb_entry(learned, 2, 0, 0);
	assert_int_equal(elisa_switch_settle(sw, 1), 1 << 2);
	assert_int_equal(elisa_switch_fdb_dump(sw, &record, 1), 1);
	assert_int_equal(elisa_switch_port_add(sw, 5, &params), 0);
}

static void test_dump(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];
	struct elisa_fdb_record records[4];
	uint64_t mac = a->mac;
	unsigned int nb_learned = 0;

	a->mac = 0x0200000000aaull;
	guest_send_one(world, a, world->guests[1].mac, 60, 0);
	a->mac = mac;
	assert_int_equal(elisa_switch_fdb_age(world->sw), 0);
	assert_int_equal(elisa_switch_fdb_dump(world->sw, records, 2), 4);
	assert_int_equal(elisa_switch_fdb_dump(world->sw, records, 4), 4);
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t number = elisa_mac_to_number(records[i].mac);

		if (records[i].fixed) {
			assert_int_equal(number, world->guests[records[i].port].mac);
			assert_int_equal(records[i].age_ticks, 0);
			continue;
		}
		assert_int_equal(number, 0x0200000000aaull);
		assert_int_equal(records[i].port, 0);
		assert_int_equal(records[i].age_ticks, 1);
		nb_learned++;
	}
	assert_int_equal(nb_learned, 1);
}

struct reach {
	struct world *world;
	unsigned int nb_calls;
	unsigned int fail_at; /* the call that answers -ENXIO; 0 = none */
};

static int cmpxchg(void *context, const struct elisa_ring_word *word, uint64_t expected,
		   uint64_t desired, uint64_t *seen)
{
	struct reach *reach = context;

	if (++reach->nb_calls == reach->fail_at)
		return -ENXIO;
	return world_cmpxchg(reach->world, word, expected, desired, seen);
}

/*
 * The state that vCPU 77 leaves when it stops with `nb_done` of the four slots of its run published.
 * A packet of another vCPU went before and one comes after.
 */
static struct elisa_run leave_run(struct world *world, uint32_t nb_done, bool helped)
{
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	struct elisa_run run = {.port = 1, .first = 1, .count = 4};
	uint64_t word;

	guest_send_one(world, a, b->mac, 60, 1);
	run.epoch = world->maps[1].queues[0].epoch;
	word = world->sw->queues[1][0].word;
	assert_int_equal(elisa_queue_head(word), 1);
	assert_true(elisa_journal_claim(world->sw, 77, 2, word, &run));
	assert_int_equal(elisa_queue_head(world->sw->queues[1][0].word), 5);
	for (uint32_t i = 0; i < nb_done; i++)
		b->rx[1 + i].word = (uint64_t)ELISA_DESC_DONE << 16 | 60;
	if (helped) {
		guest_send_one(world, a, b->mac, 60, 2);
		assert_int_equal(elisa_journal_state(world->sw->journals[77].word),
				 ELISA_JOURNAL_CLAIMED);
	}
	return run;
}

/* The ring after leave_run() was finished: in order, nothing twice, and it goes on for laps. */
static void assert_ring_goes_on(struct world *world, uint32_t nb_done, bool helped)
{
	struct guest *a = &world->guests[0], *b = &world->guests[1];

	assert_true(guest_receive(b, &frame));
	assert_frame(&frame, a, b->mac, 60, 1);
	for (uint32_t i = 0; i < 4; i++) {
		assert_true(guest_receive(b, &frame));
		assert_int_equal(frame.length, i < nb_done ? 60 : 0);
	}
	if (helped) {
		assert_true(guest_receive(b, &frame));
		assert_frame(&frame, a, b->mac, 60, 2);
	}
	assert_false(guest_receive(b, &frame));
	for (uint32_t i = 0; i < 100; i++) {
		guest_send_one(world, a, b->mac, 60, i);
		assert_true(guest_receive(b, &frame));
		assert_frame(&frame, a, b->mac, 60, i);
	}
	assert_int_equal(world_stats(world, b).rx_drops[ELISA_DROP_SENDER_LOST], 4 - nb_done);
	assert_int_equal(world_stats(world, &world->guests[2]).tx_drops[ELISA_DROP_SENDER_LOST],
			 4 - nb_done);
}

static void test_finish_by_daemon(void **state)
{
	(void)state;
	for (uint32_t nb_done = 0; nb_done <= 4; nb_done++)
		for (int helped = 0; helped < 2; helped++) {
			struct world world;
			struct reach reach = {.world = &world};

			world_make(&world, 3, 16, 2048);
			leave_run(&world, nb_done, helped);
			assert_int_equal(elisa_switch_vcpu_finish(world.sw, 77, cmpxchg, &reach),
					 4 - nb_done);
			assert_int_equal(elisa_switch_vcpu_finish(world.sw, 77, cmpxchg, &reach),
					 0);
			assert_ring_goes_on(&world, nb_done, helped);
			assert_idle(&world);
			world_free(&world);
		}
}

/* The vCPU comes back and finishes by itself, with its next call. */
static void test_finish_by_itself(void **state)
{
	(void)state;
	for (uint32_t nb_done = 0; nb_done <= 4; nb_done++)
		for (int helped = 0; helped < 2; helped++) {
			struct world world;

			world_make(&world, 3, 16, 2048);
			leave_run(&world, nb_done, helped);
			world.guests[2].vcpu = 77;
			guest_fill(&world.guests[2], 0, world.guests[0].mac, 60, 0);
			assert_int_equal(guest_send(&world, &world.guests[2], 1), 1);
			assert_int_equal(guest_drain(&world.guests[0]), 1);
			assert_ring_goes_on(&world, nb_done, helped);
			assert_idle(&world);
			world_free(&world);
		}
}

/* Stopped before its claim: nothing to hand back, and the slots go to the next sender. */
static void test_finish_without_claim(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	struct elisa_run run = {.port = 1, .first = 1, .count = 4};
	struct reach reach = {.world = world};

	guest_send_one(world, a, b->mac, 60, 1);
	run.epoch = world->maps[1].queues[0].epoch;
	world->sw->journals[77].word = elisa_journal_word(ELISA_JOURNAL_CLAIMING, &run);
	assert_int_equal(elisa_switch_vcpu_finish(world->sw, 77, cmpxchg, &reach), 0);
	assert_int_equal(reach.nb_calls, 0);
	/* Another vCPU claimed exactly this run meanwhile: not ours. */
	world->sw->journals[77].word = elisa_journal_word(ELISA_JOURNAL_CLAIMING, &run);
	for (uint32_t i = 0; i < 4; i++)
		guest_send_one(world, a, b->mac, 60, i);
	assert_int_equal(elisa_queue_head(world->sw->queues[1][0].word), 5);
	assert_int_equal(elisa_switch_vcpu_finish(world->sw, 77, cmpxchg, &reach), 0);
	assert_int_equal(guest_drain(b), 5);
	assert_int_equal(elisa_switch_vcpu_finish(world->sw, 256, cmpxchg, &reach), -ERANGE);
}

/* Another vCPU has claimed exactly the run that this one was about to, and is at it. */
static void test_finish_beside_a_claim(void **state)
{
	struct world *world = *state;
	struct guest *b = &world->guests[1];
	struct elisa_run run = leave_run(world, 0, false);
	struct reach reach = {.world = world};

	world->sw->journals[78].word = elisa_journal_word(ELISA_JOURNAL_CLAIMING, &run);
	assert_int_equal(elisa_switch_vcpu_finish(world->sw, 78, cmpxchg, &reach), 0);
	assert_int_equal(b->rx[1].flags, ELISA_DESC_POSTED);
	assert_int_equal(elisa_switch_vcpu_finish(world->sw, 77, cmpxchg, &reach), 4);
	assert_ring_goes_on(world, 0, false);
}

/* Stopped before its second claim: it is the owner still, but of its first run. */
static void test_finish_before_second_claim(void **state)
{
	(void)state;
	for (int others = 0; others < 2; others++) {
		struct elisa_run run;
		struct world world;
		struct reach reach = {.world = &world};

		world_make(&world, 3, 16, 2048);
		run = leave_run(&world, 4, false);
		run.first += run.count;
		run.count = 2;
		world.sw->journals[77].word = elisa_journal_word(ELISA_JOURNAL_CLAIMING, &run);
		if (others)
			guest_send_one(&world, &world.guests[0], world.guests[1].mac, 60, 2);
		assert_int_equal(elisa_switch_vcpu_finish(world.sw, 77, cmpxchg, &reach), 0);
		assert_int_equal(reach.nb_calls, 0);
		assert_ring_goes_on(&world, 4, others);
		assert_idle(&world);
		world_free(&world);
	}
}

/* A finisher stopped anywhere is followed by another, also when the receiver is laps further. */
static void test_finish_again(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0], *b = &world->guests[1];
	struct elisa_run run = leave_run(world, 0, true);
	struct reach reach = {.world = world};

	assert_int_equal(elisa_switch_vcpu_finish(world->sw, 77, cmpxchg, &reach), 4);
	assert_int_equal(guest_drain(a), 0);
	for (uint32_t i = 0; i < 6; i++)
		assert_true(guest_receive(b, &frame));
	/* In the lap after next, the slots of the run are posted with the phase of the run. */
	for (uint32_t i = 0; i < 20; i++) {
		guest_send_one(world, a, b->mac, 60, i);
		assert_true(guest_receive(b, &frame));
	}
	assert_int_equal(b->rx[1].flags, ELISA_DESC_POSTED);
	world->sw->journals[77].word = elisa_journal_word(ELISA_JOURNAL_RECOVERING, &run);
	assert_int_equal(elisa_switch_vcpu_finish(world->sw, 77, cmpxchg, &reach), 0);
	assert_int_equal(b->rx[1].flags, ELISA_DESC_POSTED);
	world->sw->journals[77].word = elisa_journal_word(ELISA_JOURNAL_RECOVERING, &run);
	world->guests[2].vcpu = 77;
	guest_send_one(world, &world->guests[2], a->mac, 60, 0);
	assert_int_equal(b->rx[1].flags, ELISA_DESC_POSTED);
}

/* The ring is gone, or another one is in its place: nothing of it is touched. */
static void test_finish_after_release(void **state)
{
	struct world *world = *state;
	struct guest *b = &world->guests[1];
	struct reach reach = {.world = world, .fail_at = 1};
	struct elisa_run run;

	leave_run(world, 0, true);
	assert_int_equal(elisa_switch_vcpu_finish(world->sw, 77, cmpxchg, &reach), 3);
	guest_setup_queue(world, b, 16);
	run = leave_run(world, 0, true);
	guest_setup_queue(world, b, 16);
	/* Not restarted yet by a sender: the words look like those of the run, which they are not. */
	assert_int_equal(elisa_switch_vcpu_finish(world->sw, 77, cmpxchg, &reach), 0);
	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(b->rx[i].flags, ELISA_DESC_POSTED);
	world->sw->journals[77].word = elisa_journal_word(ELISA_JOURNAL_CLAIMED, &run);
	/* The same; the vCPU itself finds the map changed. */
	world->guests[2].vcpu = 77;
	guest_send_one(world, &world->guests[2], world->guests[0].mac, 60, 0);
	assert_idle(world);
	/* Restarted: the daemon finds the epoch changed. */
	guest_send_one(world, &world->guests[0], b->mac, 60, 0);
	world->sw->journals[77].word = elisa_journal_word(ELISA_JOURNAL_CLAIMED, &run);
	reach.nb_calls = 0;
	assert_int_equal(elisa_switch_vcpu_finish(world->sw, 77, cmpxchg, &reach), 0);
	assert_int_equal(reach.nb_calls, 0);
	assert_int_equal(guest_drain(b), 1);
	/* Not set up at all. */
	world->maps[1].queues[0].rx_size = 0;
	world->sw->journals[77].word = elisa_journal_word(ELISA_JOURNAL_CLAIMED, &run);
	guest_send_one(world, &world->guests[2], world->guests[0].mac, 60, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),
		cmocka_unit_test_setup_teardown(test_ports, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_port_again, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_settle, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_dump, setup, world_teardown),
		cmocka_unit_test(test_finish_by_daemon),
		cmocka_unit_test(test_finish_by_itself),
		cmocka_unit_test_setup_teardown(test_finish_without_claim, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_finish_beside_a_claim, setup, world_teardown),
		cmocka_unit_test(test_finish_before_second_claim),
		cmocka_unit_test_setup_teardown(test_finish_again, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_finish_after_release, setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
