/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_options.c - the command line: defaults, several ports, what is refused.
 */
#include "packets.h"

#include <getopt.h>
#include <string.h>

#include <rte_common.h>

#include "guest-pmd/netd/options.h"

static enum netd_options_result parse(struct netd_options *options, const char *const *words)
{
	char *argv[16] = {(char *)"elisa-netd"};
	int argc = 1;

	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
	optind = 0; /* getopt starts anew */
	return netd_options_parse(options, argc, argv);
}

static void defaults(void **state)
{
	struct netd_options options;

	(void)state;
	assert_int_equal(parse(&options, (const char *const[]){NULL}), NETD_OPTIONS_RUN);
	assert_int_equal(options.nb_links, 1);
	assert_string_equal(options.links[0].port_args, "");
	assert_string_equal(options.links[0].interface, "elisa0");
	assert_int_equal(options.queues, 1);
	assert_int_equal(options.mtu, 0);
	assert_false(options.no_huge);
}

static void several_ports(void **state)
{
	const char *const words[] = {
		"--port", "web0", "--interface", "in0", "--port", "gate=local,port=b",
		"--port", "p2",   "--interface", "in2", NULL};
	struct netd_options options;

	(void)state;
	assert_int_equal(parse(&options, words), NETD_OPTIONS_RUN);
	assert_int_equal(options.nb_links, 3);
	assert_string_equal(options.links[0].port_args, "port=web0");
	assert_string_equal(options.links[0].interface, "in0");
	assert_string_equal(options.links[1].port_args, "gate=local,port=b");
	assert_string_equal(options.links[1].interface, "elisa1");
	assert_string_equal(options.links[2].port_args, "port=p2");
	assert_string_equal(options.links[2].interface, "in2");
}

static void refused(void **state)
{
	const char *const lines[][3] = {
		{"--queues", "0"},
		{"--queues", "9"},
		{"--queues", "1x"},
		{"--mtu", "67"},
		{"--mtu", "9217"},
		{"--interface", ""},
		{"--interface", "a/b"},
		{"--interface", "elisa%d"},
		{"--interface", "sixteen-bytes-ab"},
		{"--port", ""},
		{"extra"},
		{"--no-such-option"},
	};
	struct netd_options options;

	(void)state;
	for (size_t i = 0; i < RTE_DIM(lines); i++)
		assert_int_equal(parse(&options, lines[i]), NETD_OPTIONS_USAGE);
}

int test_options(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(several_ports),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
