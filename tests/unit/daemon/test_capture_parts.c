// SPDX-License-Identifier: BSD-3-Clause
/* test_capture_parts.c - filters and the clock of captures, by themselves. */
#include "vswitch/daemon/capture_clock.h"
#include "vswitch/daemon/capture_filter.h"

#include "cmocka_all.h"

#include <pcap/pcap.h>

/* libpcap aborts at a code that it does not know. Constants that are fine for each. */
static void every_code_can_be_run_or_is_refused(void **state)
{
	struct bpf_insn program[] = {{0}, {.code = BPF_RET | BPF_K, .k = 1}};
	const uint8_t bytes[60] = {0};
	unsigned int nb_safe = 0;

	(void)state;
	for (uint32_t code = 0; code <= 0xffff; code++) {
		for (uint32_t k = 0; k < 2; k++) {
			program[0].code = (u_short)code;
			program[0].k = k;
			if (!elisa_filter_is_safe(program, 2))
				continue;
			bpf_filter(program, bytes, sizeof(bytes), sizeof(bytes));
			nb_safe += k;
		}
	}
	/* 13 loads, 2 stores, 10 operations with constant or register and NEG, 8 jumps, 2 ends, 2. */
	assert_int_equal(nb_safe, 13 + 2 + 20 + 1 + 8 + 2 + 2);
}

static void the_clock_draws_straight_lines(void **state)
{
	struct elisa_clock clock;
	const uint64_t s = 1000000000ull;

	(void)state;
	elisa_clock_start(&clock, (struct elisa_clock_reading){.tsc = 1000 * s, .ns = 50 * s});
	assert_int_equal(elisa_clock_ns(&clock, 999 * s), 50 * s);
	/* Two ticks in a nanosecond. */
	elisa_clock_update(&clock,
			   (struct elisa_clock_reading){.tsc = 1001 * s, .ns = 50 * s + s / 2});
	assert_int_equal(elisa_clock_ns(&clock, 1000 * s + 200), 50 * s + 100);
	assert_int_equal(elisa_clock_ns(&clock, 1001 * s), 50 * s + s / 2);
	assert_int_equal(elisa_clock_ns(&clock, 1001 * s + 1), 50 * s + s / 2);
	assert_int_equal(elisa_clock_ns(&clock, 1001 * s - 19 * s), 41 * s);
	assert_int_equal(elisa_clock_ns(&clock, 1001 * s - 21 * s), 50 * s + s / 2);
	assert_int_equal(elisa_clock_ns(&clock, 0), 50 * s + s / 2);
	/* Another rate, from now on three: old lines are forgotten after some time. */
	for (uint64_t i = 1; i <= 4; i++)
		elisa_clock_update(&clock,
				   (struct elisa_clock_reading){.tsc = 1001 * s + i * 3 * s,
								.ns = 50 * s + s / 2 + i * s});
	assert_int_equal(elisa_clock_ns(&clock, 1013 * s - 300), 54 * s + s / 2 - 100);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_can_be_run_or_is_refused),
		cmocka_unit_test(the_clock_draws_straight_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
