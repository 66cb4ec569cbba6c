/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_killed.c - a sender stopped for good after each instruction of a send.
 *
 * The victim is a child process that shares the switch and all guests' memory. It is stepped through
 * elisa_datapath_call() instruction by instruction with ptrace. After each instruction, while it
 * stands still, all that it shares is kept aside; its journal is finished, by the daemon's function
 * or as by the vCPU's next call; and the ring must be whole: what the receiver finds is the victim's
 * packets in order, each right or missing, then everybody else's. Then memory is put back and the
 * victim goes one instruction further.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

#define VICTIM_PACKETS 5
#define RING 32
#define ROOM 256
#define KEPT_BUFFERS RING
#define KEPT_BYTES 512 /* of each buffer: more than any packet here has */

static struct frame frame;
static struct world world;

/* One of the victim's packets takes two slots. */
static uint32_t victim_length(uint32_t i)
{
	return i == 2 ? 300 : 60 + i;
}

static void fill_victim(struct guest *victim, const struct guest *receiver)
{
	for (uint32_t i = 0; i < VICTIM_PACKETS; i++)
		guest_fill(victim, i, receiver->mac, victim_length(i), i);
}

/* In the child: the parent steps from the first stop to the second. */
static void be_victim(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	guest_send(&world, &world.guests[1], VICTIM_PACKETS);
	_exit(0);
}

/* All memory that the tests here change, kept aside. */
struct kept {
	struct world world;
	uint8_t *sw;
	struct {
		uint8_t tx[8 * sizeof(struct elisa_desc)];
		uint8_t rx[RING * sizeof(struct elisa_desc)];
		uint8_t buffers[2 * KEPT_BUFFERS][KEPT_BYTES];
	} guests[4];
};

static void move(bool keep, void *kept, void *used, size_t size)
{
	memcpy(keep ? kept : used, keep ? used : kept, size);
}

static void keep_or_put_back(bool keep, struct kept *kept)
{
	move(keep, &kept->world, &world, sizeof(world));
	move(keep, kept->sw, world.sw, world.sw->size);
	for (uint32_t i = 0; i < world.nb_guests; i++) {
		struct guest *guest = &world.guests[i];

		move(keep, kept->guests[i].tx, guest->tx, sizeof(kept->guests[i].tx));
		move(keep, kept->guests[i].rx, guest->rx, sizeof(kept->guests[i].rx));
		for (uint32_t j = 0; j < KEPT_BUFFERS; j++) {
			move(keep, kept->guests[i].buffers[2 * j],
			     guest->memory + GUEST_TX_BUFFERS + j * BUFFER_SIZE, KEPT_BYTES);
			move(keep, kept->guests[i].buffers[2 * j + 1],
			     guest->memory + GUEST_RX_BUFFERS + j * BUFFER_SIZE, KEPT_BYTES);
		}
	}
}

static pid_t start_victim(void)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child)
		be_victim();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSTOPPED(status));
	/* A test that fails here does not leave it behind. */
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_EXITKILL), 0);
	return child;
}

/* One instruction further. False: it has ended. */
static bool step_victim(pid_t child)
{
	int status;

	assert_int_equal(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSTOPPED(status)) {
		assert_int_equal(WSTOPSIG(status), SIGTRAP);
		return true;
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return false;
}

/* Other senders, while the dead one's slots are not handed back, and after. */
static void others_send(uint32_t seed)
{
	guest_send_one(&world, &world.guests[2], world.guests[0].mac, 100, seed);
	guest_send_one(&world, &world.guests[3], world.guests[0].mac, 200, seed);
}

static void assert_others(uint32_t seed)
{
	assert_true(guest_receive(&world.guests[0], &frame));
	assert_frame(&frame, &world.guests[2], world.guests[0].mac, 100, seed);
	assert_true(guest_receive(&world.guests[0], &frame));
	assert_frame(&frame, &world.guests[3], world.guests[0].mac, 200, seed);
}

/* The victim's packets: each as sent or not at all, in order. Then the frame of the first other. */
static uint32_t take_victims(void)
{
	const struct guest *receiver = &world.guests[0], *victim = &world.guests[1];
	uint32_t next = 0;
	uint32_t nb = 0;

	for (;;) {
		assert_true(guest_receive(&world.guests[0], &frame));
		if (!frame.length)
			continue;
		if (frame.bytes[11] == world.guests[2].port)
			return nb;
		while (next < VICTIM_PACKETS && frame.length != victim_length(next))
			next++;
		assert_true(next < VICTIM_PACKETS);
		assert_frame(&frame, victim, receiver->mac, victim_length(next), next);
		next++;
		nb++;
	}
}

/* The victim stands still. Finish, and see that all is well. Returns how many slots were lost. */
static uint64_t finish_and_check(bool others_first, bool by_itself)
{
	struct guest *receiver = &world.guests[0], *victim = &world.guests[1];
	uint32_t nb_victims;
	uint64_t nb_lost;

	if (others_first)
		others_send(1);
	if (by_itself) {
		guest_fill(victim, 8, world.guests[3].mac, 60, 9);
		victim->tx[0] = victim->tx[8];
		assert_int_equal(guest_send(&world, victim, 1), 1);
		assert_int_equal(guest_drain(&world.guests[3]), 1);
	} else {
		assert_true(elisa_switch_vcpu_finish(world.sw, victim->vcpu, world_cmpxchg,
						     &world) >= 0);
	}
	assert_idle(&world);
	nb_lost = world_stats(&world, receiver).rx_drops[ELISA_DROP_SENDER_LOST];
	if (!others_first)
		others_send(1);
	nb_victims = take_victims();
	assert_true(nb_lost || nb_victims == 0 || nb_victims == VICTIM_PACKETS);
	assert_frame(&frame, &world.guests[2], receiver->mac, 100, 1);
	assert_true(guest_receive(receiver, &frame));
	assert_frame(&frame, &world.guests[3], receiver->mac, 200, 1);
	assert_false(guest_receive(receiver, &frame));
	/* Three laps more, nothing out of step. */
	for (uint32_t i = 0; i < 48; i++) {
		others_send(i);
		assert_others(i);
	}
	assert_false(guest_receive(receiver, &frame));
	return nb_lost;
}

static void die_everywhere(bool others_first, bool by_itself)
{
	struct kept *kept = malloc(sizeof(*kept));
	uint64_t seen_lost[VICTIM_PACKETS + 2] = {0};
	uint32_t nb_steps = 0;
	pid_t child;

	assert_non_null(kept);
	world_make(&world, 4, RING, ROOM);
	/* It is the ring's owner already, from a send before. */
	guest_send_one(&world, &world.guests[1], world.guests[0].mac, 60, 0);
	assert_int_equal(guest_drain(&world.guests[0]), 1);
	fill_victim(&world.guests[1], &world.guests[0]);
	kept->sw = malloc(world.sw->size);
	assert_non_null(kept->sw);
	child = start_victim();
	do {
		uint64_t nb_lost;

		keep_or_put_back(true, kept);
		nb_lost = finish_and_check(others_first, by_itself);
		keep_or_put_back(false, kept);
		assert_in_range(nb_lost, 0, VICTIM_PACKETS + 1);
		seen_lost[nb_lost]++;
		nb_steps++;
	} while (step_victim(child));
	print_message("%u instructions\n", nb_steps);
	/* The send was stepped through: with all slots claimed, with some, with none published. */
	for (uint32_t i = 0; i <= VICTIM_PACKETS + 1; i++)
		assert_true(seen_lost[i] > 0);
	assert_int_equal(guest_drain(&world.guests[0]), VICTIM_PACKETS);
	free(kept->sw);
	free(kept);
	world_free(&world);
}

static void test_finished_at_once(void **state)
{
	(void)state;
	die_everywhere(false, false);
}

static void test_others_first(void **state)
{
	(void)state;
	die_everywhere(true, false);
}

static void test_comes_back(void **state)
{
	(void)state;
	die_everywhere(true, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finished_at_once),
		cmocka_unit_test(test_others_first),
		cmocka_unit_test(test_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
