/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_litmus.c - the two patterns of memory order that the datapath's protocols are made of, with
 * its own accessors, on two CPUs at once: what docs/memory-ordering.md says of them.
 *
 * A pattern that nothing orders must be seen to fail, or the test could not see anything. On x86
 * that is store buffering only: the CPU keeps the order of the others itself.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "vswitch/datapath/atomic.h"

#define SECONDS 3
#define SHOWN_WITHIN 30 /* seconds, on a machine that has much else to do */
#define WORDS 8
#define ROUNDS 1000 /* between looks at the clock */

/* Each on a line of its own. */
static struct {
	_Alignas(64) uint64_t owner;
	_Alignas(64) uint64_t state;
	_Alignas(64) uint64_t round[2];
	_Alignas(64) uint64_t saw[2];
	_Alignas(64) uint64_t stop;
	_Alignas(64) uint64_t data[WORDS];
	_Alignas(64) uint64_t slot;
} shared;

static cpu_set_t cpus; /* the process's, before a thread is pinned */

static void pin(int nth)
{
	cpu_set_t one;

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &cpus) && !nth--) {
			CPU_ZERO(&one);
			CPU_SET(cpu, &one);
			pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
			return;
		}
}

static bool has_two_cpus(void)
{
	return CPU_COUNT(&cpus) >= 2;
}

/* Both begin round `round` at about the same time. False: the other has stopped. */
static bool meet(unsigned int me, uint64_t round)
{
	unsigned int tries = 0;

	elisa_store_release(&shared.round[me], round);
	while (elisa_load_acquire(&shared.round[!me]) < round) {
		if (elisa_load_acquire(&shared.stop))
			return false;
		if (++tries % 1000 == 0)
			sched_yield();
	}
	return true;
}

/* A vCPU takes a queue and looks at the state; the daemon sets the state and looks at the owner. */
static uint64_t take_and_look(unsigned int me, bool ordered)
{
	uint64_t *mine = me ? &shared.state : &shared.owner;
	uint64_t *others = me ? &shared.owner : &shared.state;

	if (!ordered) {
		elisa_store(mine, 1);
		return elisa_load(others);
	}
	if (me)
		__atomic_store_n(mine, 1, __ATOMIC_SEQ_CST);
	else
		assert_true(elisa_replace(mine, 0, 1));
	return __atomic_load_n(others, __ATOMIC_SEQ_CST);
}

static bool ordered_now;

static void *second(void *unused)
{
	pin(1);
	for (uint64_t round = 1; meet(1, 2 * round); round++) {
		elisa_store(&shared.saw[1], take_and_look(1, ordered_now));
		if (!meet(1, 2 * round + 1))
			break;
	}
	return unused;
}

/* How often neither saw the other. */
static uint64_t store_buffering(bool ordered, unsigned int seconds, bool until_seen)
{
	time_t end = time(NULL) + seconds;
	uint64_t nb_neither = 0;
	uint64_t round = 1;
	pthread_t thread;

	memset(&shared, 0, sizeof(shared));
	ordered_now = ordered;
	assert_int_equal(pthread_create(&thread, NULL, second, NULL), 0);
	pin(0);
	for (; round % ROUNDS || (time(NULL) <= end && !(until_seen && nb_neither)); round++) {
		uint64_t saw;

		meet(0, 2 * round);
		saw = take_and_look(0, ordered);
		meet(0, 2 * round + 1);
		nb_neither += !saw && !elisa_load(&shared.saw[1]);
		shared.owner = 0;
		shared.state = 0;
	}
	elisa_store_release(&shared.stop, 1);
	pthread_join(thread, NULL);
	print_message("%llu rounds, neither saw the other in %llu\n", (unsigned long long)round,
		      (unsigned long long)nb_neither);
	return nb_neither;
}

static void test_store_buffering(void **state)
{
	(void)state;
	if (!has_two_cpus())
		skip();
	assert_int_equal(store_buffering(true, SECONDS, false), 0);
}

static void test_store_buffering_is_seen_without_order(void **state)
{
	(void)state;
	if (!has_two_cpus())
		skip();
	assert_true(store_buffering(false, SHOWN_WITHIN, true) > 0);
}

/* The receiver: takes what is DONE, and posts the slot again. Returns what it saw that is torn. */
static void *receive(void *unused)
{
	uint64_t nb_torn = 0;

	(void)unused;
	pin(1);
	for (uint64_t next = 1; !elisa_load_acquire(&shared.stop); next += 2) {
		unsigned int tries = 0;

		while (elisa_load_acquire(&shared.slot) != next &&
		       !elisa_load_acquire(&shared.stop))
			if (++tries % 1000 == 0)
				sched_yield();
		if (elisa_load_acquire(&shared.slot) != next)
			break;
		for (unsigned int i = 0; i < WORDS; i++)
			nb_torn += shared.data[i] != next;
		elisa_store_release(&shared.slot, next + 1);
	}
	return (void *)(uintptr_t)nb_torn;
}

static void test_message_passing(void **state)
{
	time_t end = time(NULL) + SECONDS;
	uint64_t next = 1;
	pthread_t thread;
	void *nb_torn;

	(void)state;
	if (!has_two_cpus())
		skip();
	memset(&shared, 0, sizeof(shared));
	assert_int_equal(pthread_create(&thread, NULL, receive, NULL), 0);
	pin(0);
	for (; next / 2 % ROUNDS || time(NULL) <= end; next += 2) {
		for (unsigned int i = 0; i < WORDS; i++)
			shared.data[i] = next;
		elisa_store_release(&shared.slot, next);
		for (unsigned int tries = 1; elisa_load_acquire(&shared.slot) == next; tries++)
			if (tries % 1000 == 0)
				sched_yield();
	}
	elisa_store_release(&shared.stop, 1);
	pthread_join(thread, &nb_torn);
	print_message("%llu messages\n", (unsigned long long)next / 2);
	assert_null(nb_torn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message_passing),
		cmocka_unit_test(test_store_buffering),
		cmocka_unit_test(test_store_buffering_is_seen_without_order),
	};

	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
