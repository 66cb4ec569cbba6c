/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_idle.c - when a worker sleeps, for how long, and what wakes it.
 */
#include "packets.h"

#include <unistd.h>

#include <rte_cycles.h>

#include "guest-pmd/netd/idle.h"

#define LOOKS 8

static uint64_t us_since(uint64_t begin)
{
	return (rte_rdtsc() - begin) / (rte_get_tsc_hz() / 1000000);
}

/* Looks that find nothing, until it slept. */
static int looks_to_sleep(struct netd_idle *idle)
{
	int looks = 1;

	while (!netd_idle(idle, false, -1))
		looks++;
	return looks;
}

static void busy_never_sleeps(void **state)
{
	struct netd_idle idle;

	(void)state;
	netd_idle_init(&idle, false);
	for (int i = 0; i < 100; i++) {
		for (int look = 1; look < LOOKS; look++)
			assert_false(netd_idle(&idle, false, -1));
		assert_false(netd_idle(&idle, true, -1));
	}
	assert_int_equal(looks_to_sleep(&idle), LOOKS);
}

static void own_cpu_polls_on(void **state)
{
	struct netd_idle idle;
	uint64_t begin = rte_rdtsc();

	(void)state;
	netd_idle_init(&idle, true);
	looks_to_sleep(&idle);
	assert_true(us_since(begin) >= 50);
}

/* A quarter of the pause, 10 us to 2 ms; a packet makes it short again. */
static void sleeps_grow(void **state)
{
	struct netd_idle idle;
	uint64_t begin = rte_rdtsc();

	(void)state;
	netd_idle_init(&idle, false);
	looks_to_sleep(&idle);
	assert_true(idle.sleep_us >= 10);
	do {
		looks_to_sleep(&idle);
		assert_true(idle.sleep_us <= RTE_MAX(us_since(begin) / 4, 10u));
	} while (us_since(begin) < 10000);
	looks_to_sleep(&idle);
	assert_int_equal(idle.sleep_us, 2000);
	netd_idle(&idle, true, -1);
	looks_to_sleep(&idle);
	assert_true(idle.sleep_us < 2000);
}

/* The kernel's frame ends the sleep: many together take less than they would without. */
static void kernel_wakes(void **state)
{
	struct netd_idle idle;
	uint64_t begin;
	int pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(write(pipes[1], "x", 1), 1);
	netd_idle_init(&idle, false);
	idle.since = rte_rdtsc() - rte_get_tsc_hz();
	begin = rte_rdtsc();
	for (int i = 0; i < 1000; i++)
		while (!netd_idle(&idle, false, pipes[0]))
			;
	assert_int_equal(idle.sleep_us, 2000);
	assert_true(us_since(begin) < 1000 * 200);
	close(pipes[0]);
	close(pipes[1]);
}

/* An interface that is gone: it says so at once, each time, and is never readable. */
static void gone_does_not_wake(void **state)
{
	struct netd_idle idle;
	uint64_t begin;
	int pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	close(pipes[0]);
	netd_idle_init(&idle, false);
	idle.since = rte_rdtsc() - rte_get_tsc_hz();
	begin = rte_rdtsc();
	for (int i = 0; i < 10; i++)
		while (!netd_idle(&idle, false, pipes[1]))
			;
	assert_int_equal(idle.sleep_us, 2000);
	assert_true(us_since(begin) >= 10 * 2000);
	close(pipes[1]);
}

int test_idle(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(busy_never_sleeps),  cmocka_unit_test(own_cpu_polls_on),
		cmocka_unit_test(sleeps_grow),        cmocka_unit_test(kernel_wakes),
		cmocka_unit_test(gone_does_not_wake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
