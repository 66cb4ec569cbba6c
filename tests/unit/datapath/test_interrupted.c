/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_interrupted.c - a call of one vCPU, and something else that happens between two of its
 * instructions: another vCPU of the same port sends, a guest changes what is read, or the daemon sets a
 * policy. At each of them.
 *
 * The trap flag and SIGTRAP do it in one thread, so it happens just there, on however few CPUs.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <ucontext.h>

#include "fake_clock.h"
#include "vswitch/datapath/fdb.h"
#include "world.h"

#define TSC_HZ 1000000000ull
#define TRAP_FLAG 0x100

static struct frame frame;
static struct world *trapped_world;
static void (*interruption)(struct world *world);
static uint32_t first_trap, last_trap; /* it comes after these instructions, and those between */
static uint32_t traps;

static void on_trap(int number, siginfo_t *info, void *context)
{
	ucontext_t *at = context;

	(void)number;
	(void)info;
	if (traps >= first_trap)
		interruption(trapped_world);
	if (traps++ == last_trap)
		at->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

static inline void step_from_here(void)
{
	asm volatile("sub $128, %%rsp\n\t"
		     "pushfq\n\t"
		     "orq %0, (%%rsp)\n\t"
		     "popfq\n\t"
		     "add $128, %%rsp" ::"i"(TRAP_FLAG)
		     : "cc", "memory");
}

static inline void step_no_more(void)
{
	asm volatile("sub $128, %%rsp\n\t"
		     "pushfq\n\t"
		     "andq %0, (%%rsp)\n\t"
		     "popfq\n\t"
		     "add $128, %%rsp" ::"i"(~TRAP_FLAG)
		     : "cc", "memory");
}

/* The guest's call, with `what` after its instructions `first` to `last`. False: it has not so many. */
static bool send_interrupted(struct world *world, struct guest *guest, uint32_t count,
			     uint32_t first, uint32_t last, void (*what)(struct world *world))
{
	int64_t taken;

	trapped_world = world;
	interruption = what;
	first_trap = first;
	last_trap = last;
	traps = 0;
	step_from_here();
	taken = guest_send(world, guest, count);
	step_no_more();
	assert_int_equal(taken, count);
	return traps > last;
}

static int setup_guests(void **state, uint32_t nb)
{
	struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};

	assert_int_equal(sigaction(SIGTRAP, &action, NULL), 0);
	fake_tsc = 1000 * TSC_HZ;
	return world_setup(state, nb, 64, 2048);
}

static int setup(void **state)
{
	return setup_guests(state, 2);
}

static int setup_three(void **state)
{
	return setup_guests(state, 3);
}

static void set(struct world *world, const struct elisa_port_policy *policy)
{
	assert_int_equal(elisa_switch_port_set_policy(world->sw, 0, policy, TSC_HZ), 0);
}

/* Guest 0's other vCPU, with what guest 0 has in its window. */
static void send_too(struct world *world)
{
	struct guest other = world->guests[0];

	other.vcpu = 77;
	assert_int_equal(guest_send(world, &other, 1), 1);
	guest_drain(&world->guests[1]);
}

#define TOKENS 60000u

/*
 * While one vCPU is in its call, the other sends a packet after each of its instructions; then until
 * there are no tokens left. Together they got what there was.
 */
static void take_all(struct world *world, uint64_t destination)
{
	guest_fill(&world->guests[0], 0, destination, 60, 0);
	send_interrupted(world, &world->guests[0], 1, 0, ~0u, send_too);
	assert_in_range(traps, 300, TOKENS / 2);
	for (uint32_t nb = 0; nb < TOKENS; nb++)
		send_too(world);
	/* A burst, and the packet that finds the last of it. */
	assert_in_range(world_stats(world, &world->guests[1]).rx_packets, TOKENS, TOKENS + 1);
}

static void test_tokens(void **state)
{
	struct world *world = *state;
	const struct elisa_port_policy policy = {.packets = {TOKENS, TOKENS}};

	set(world, &policy);
	take_all(world, world->guests[1].mac);
}

static void test_storm_tokens(void **state)
{
	struct world *world = *state;
	const struct elisa_port_policy policy = {.storm = {TOKENS, TOKENS}};

	set(world, &policy);
	take_all(world, 0xffffffffffff);
}

static uint32_t phase;

/*
 * A station goes from the one port to the other and back, after every other instruction or so: not in
 * step with a loop, whatever the compiler made of it, which could then lose all of its tries.
 */
static void move(struct world *world)
{
	uint32_t number = (traps + phase) * 2654435761u >> 24;

	if (number % 2)
		elisa_fdb_learn(world->sw, 0x020000000002, number / 2 % 2);
}

static uint32_t nb_behind(const struct world *world, uint32_t port)
{
	return (elisa_fdb_lookup(world->sw, 0x020000000001) == port) +
	       (elisa_fdb_lookup(world->sw, 0x020000000002) == port);
}

/* The count of a port's addresses goes with them, whoever else changes it at the same time. */
static void test_learned_count(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];
	uint64_t mac = a->mac;

	a->mac = 0x020000000001;
	guest_fill(a, 0, world->guests[1].mac, 60, 0);
	a->mac = mac;
	for (phase = 0; phase < 4; phase++) {
		elisa_fdb_learn(world->sw, 0x020000000001, 1);
		elisa_fdb_learn(world->sw, 0x020000000002, 1);
		send_interrupted(world, a, 1, 0, ~0u, move);
		/* It may have lost its races, and then has not learned. */
		assert_int_equal(world->sw->limits[0].learned, nb_behind(world, 0));
		assert_int_equal(world->sw->limits[1].learned, nb_behind(world, 1));
		guest_drain(&world->guests[1]);
	}
}

#define OWN "\x20\x01\x0d\xb8\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11"
#define NEXT "\x20\x01\x0d\xb9\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22"
#define MIXED_ONE "\x20\x01\x0d\xb8\x11\x11\x11\x11\x22\x22\x22\x22\x22\x22\x22\x22"
#define MIXED_TWO "\x20\x01\x0d\xb9\x22\x22\x22\x22\x11\x11\x11\x11\x11\x11\x11\x11"

static void allow(struct world *world, const char *address)
{
	struct elisa_port_policy policy = {.flags = ELISA_POLICY_GUARD_IPV6, .nb_ipv6 = 1};

	memcpy(policy.ipv6[0], address, 16);
	set(world, &policy);
}

/* Both versions are written: whichever the call is looking at. */
static void allow_next(struct world *world)
{
	allow(world, NEXT);
	allow(world, NEXT);
}

static void fill_ipv6(struct guest *guest, uint32_t i, uint64_t destination, const char *source)
{
	static const uint8_t ip[] = {0x86, 0xdd, 0x60, 0, 0, 0, 0, 8, 17, 64};
	uint8_t *bytes = guest->memory + (guest_tx_gva(guest, i) - guest->gva);

	guest_fill(guest, i, destination, 70, 1);
	memcpy(bytes + 12, ip, sizeof(ip));
	memcpy(bytes + 22, source, 16);
}

static void fill_all(struct world *world)
{
	struct guest *a = &world->guests[0];

	fill_ipv6(a, 0, world->guests[1].mac, MIXED_ONE);
	fill_ipv6(a, 1, world->guests[1].mac, MIXED_TWO);
	fill_ipv6(a, 2, world->guests[1].mac, OWN);
	fill_ipv6(a, 3, world->guests[1].mac, NEXT);
}

#define SAMPLES 40u

/* The policy changes while it is looked at: half of one address and half of the other is neither. */
static void test_policy_changes(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];
	uint32_t own = 0, next = 0, all;

	fill_all(world);
	allow(world, OWN);
	send_interrupted(world, a, 4, ~0u, ~0u, allow_next);
	all = traps;
	guest_drain(&world->guests[1]);
	for (uint32_t i = 0; i < SAMPLES; i++) {
		allow(world, OWN);
		allow(world, OWN);
		assert_true(send_interrupted(world, a, 4, all / SAMPLES * i, all / SAMPLES * i,
					     allow_next));
		/* One of the two, and no mixture. */
		assert_true(guest_receive(&world->guests[1], &frame));
		own += !memcmp(frame.bytes + 22, OWN, 16);
		next += !memcmp(frame.bytes + 22, NEXT, 16);
		assert_false(guest_receive(&world->guests[1], &frame));
	}
	assert_true(own && next);
	assert_int_equal(own + next, SAMPLES);
	assert_drops(world, a, NULL, ELISA_DROP_SOURCE_GUARD, 3 * (SAMPLES + 1));
}

/* Each of the two versions has one address and then the other. */
static void change(struct world *world)
{
	allow(world, traps / 2 % 2 ? OWN : NEXT);
}

/* It changes after each instruction: what cannot be decided does not pass, and the call ends. */
static void test_policy_never_stands(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];

	fill_all(world);
	allow(world, OWN);
	send_interrupted(world, a, 4, 0, ~0u, change);
	assert_false(guest_receive(&world->guests[1], &frame));
	assert_drops(world, a, NULL, ELISA_DROP_SOURCE_GUARD, 4);
}

/* In all runs of a call, to each of its instructions; of a build with more, to some. */
#define MOST_TRAPS 400000u

static uint8_t *frame_of(struct guest *guest, uint64_t gva)
{
	return guest->memory + (gva - guest->gva);
}

/*
 * Guest 0 sends what `prepare` made, with `what` after one of its instructions; each time `check` looks at
 * what came of it.
 */
static void at_each_instruction(struct world *world, void (*prepare)(struct world *world),
				void (*what)(struct world *world),
				void (*check)(struct world *world))
{
	uint32_t all, stride;

	prepare(world);
	send_interrupted(world, &world->guests[0], 1, ~0u, ~0u, what);
	check(world);
	all = traps;
	stride = all * all / MOST_TRAPS + 1;
	for (uint32_t i = 0; i < all; i += stride) {
		prepare(world);
		send_interrupted(world, &world->guests[0], 1, i, i, what);
		check(world);
	}
}

static uint32_t length;
static uint32_t outcomes[2]; /* as it was, as it became */

static void to_guest_1(struct world *world)
{
	guest_fill(&world->guests[0], 0, world->guests[1].mac, length, 1);
}

static void redirect(struct world *world)
{
	elisa_mac_from_number(world->guests[2].mac,
			      frame_of(&world->guests[0], world->guests[0].tx[0].addr));
}

/* It is where its header says. */
static void is_at_its_destination(struct world *world)
{
	uint32_t nb = 0;

	for (uint32_t i = 1; i < 3; i++) {
		uint8_t mac[6];

		elisa_mac_from_number(world->guests[i].mac, mac);
		for (; guest_receive(&world->guests[i], &frame); nb++) {
			assert_int_equal(frame.length, length);
			assert_memory_equal(frame.bytes, mac, sizeof(mac));
			outcomes[i - 1]++;
		}
	}
	assert_int_equal(nb, 1);
}

static void test_header_changes(void **state)
{
	static const uint32_t lengths[] = {60, 1500};

	for (uint32_t i = 0; i < 2; i++) {
		length = lengths[i];
		outcomes[0] = outcomes[1] = 0;
		at_each_instruction(*state, to_guest_1, redirect, is_at_its_destination);
		assert_true(outcomes[0] && outcomes[1]);
	}
}

/* Of the last bytes that guest 0 registered. */
static void at_the_end(struct world *world)
{
	struct guest *a = &world->guests[0];

	a->tx[0].addr = a->gva + GUEST_MEMORY - 64;
	a->tx[0].word = 60;
	make_bytes(frame_of(a, a->tx[0].addr), world->guests[1].mac, a->mac, 60, 1);
}

static void lengthen(struct world *world)
{
	__atomic_store_n(&world->guests[0].tx[0].word, 600, __ATOMIC_RELAXED);
}

static void has_its_length(struct world *world)
{
	if (!guest_receive(&world->guests[1], &frame)) {
		outcomes[1]++;
		return;
	}
	assert_int_equal(frame.length, 60);
	outcomes[0]++;
}

/* The length that was checked is the length that is used. */
static void test_descriptor_changes(void **state)
{
	outcomes[0] = outcomes[1] = 0;
	at_each_instruction(*state, at_the_end, lengthen, has_its_length);
	assert_true(outcomes[0] && outcomes[1]);
	assert_drops(*state, &((struct world *)*state)->guests[0], NULL, ELISA_DROP_BAD_DESCRIPTOR,
		     outcomes[1]);
}

#define SHORT_ROOM 64u

/* Four buffers of the last bytes that guest 1 registered, for a packet that fills them. */
static void short_buffers(struct world *world)
{
	struct guest *b = &world->guests[1];

	for (uint32_t i = 0; i < 4; i++)
		guest_post(b, i, b->gva + GUEST_MEMORY - SHORT_ROOM * (i + 1), SHORT_ROOM);
	length = 4 * SHORT_ROOM - 1;
	to_guest_1(world);
}

static void widen(struct world *world)
{
	struct guest *b = &world->guests[1];
	uint64_t *word = &b->rx[b->next % b->rx_size].word;

	if (*word >> 16 & ELISA_DESC_POSTED)
		*word = (*word & ~0xffffull) | 2048;
}

/* In all four slots, or dropped for the one that has become bad: nothing behind the guest's memory. */
static void is_in_its_slots(struct world *world)
{
	assert_true(guest_receive(&world->guests[1], &frame));
	if (frame.length) {
		assert_int_equal(frame.length, length);
		assert_int_equal(frame.nb_slots, 4);
	}
	outcomes[!frame.length]++;
	guest_setup_queue(world, &world->guests[1], 64);
}

static void test_slot_changes(void **state)
{
	outcomes[0] = outcomes[1] = 0;
	at_each_instruction(*state, short_buffers, widen, is_in_its_slots);
	assert_true(outcomes[0] && outcomes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)
		TEST(test_tokens),
		TEST(test_storm_tokens),
		TEST(test_learned_count),
		TEST(test_policy_changes),
		TEST(test_policy_never_stands),
#define TEST_OF_THREE(name) cmocka_unit_test_setup_teardown(name, setup_three, world_teardown)
		TEST_OF_THREE(test_header_changes),
		TEST_OF_THREE(test_descriptor_changes),
		TEST_OF_THREE(test_slot_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
