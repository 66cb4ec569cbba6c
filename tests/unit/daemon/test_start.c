// SPDX-License-Identifier: BSD-3-Clause
/* test_start.c - hosts that cannot carry a switch: one sentence each, and nothing left behind. */
#include "fake_module.h"
#include "fixture.h"

#include "cmocka_all.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

static struct elisa_options options;
static struct elisa_kept nothing_kept;

static int setup(void **state)
{
	(void)state;
	fake_module_reset();
	options = (struct elisa_options){
		.switch_name = "sw",
		.image = fixture_image,
		.fdb_capacity = 64,
		.age_ticks = 1,
	};
	return 0;
}

static void start_fails(int error, const char *part_of_message)
{
	unsigned int before = fixture_open_descriptors();
	struct elisa_daemon daemon;
	struct elisa_failure failure;

	assert_int_equal(elisa_daemon_open(&daemon, &options, "/proc", &nothing_kept, &failure),
			 error);
	if (!strstr(failure.message, part_of_message))
		fail_msg("'%s' does not say '%s'", failure.message, part_of_message);
	assert_int_equal(fake_module_objects(), 0);
	assert_int_equal(fixture_open_descriptors(), before);
}

static void a_module_that_is_not_there(void **state)
{
	(void)state;
	fake_module.open_error = -ENOENT;
	start_fails(-ENOENT, "modprobe elisa");
	fake_module.open_error = -EACCES;
	start_fails(-EACCES, "as root");
	fake_module.open_error = -EMFILE;
	start_fails(-EMFILE, "/dev/elisa");
}

static void a_module_of_another_version(void **state)
{
	(void)state;
	fake_module.info_version = 7;
	start_fails(-EPROTO, "version 7 and elisa-switchd 0.1.0 speaks 4");
	fake_module.info_version = ELISA_UAPI_VERSION;
	fake_module.info_error = -ENOTTY;
	start_fails(-ENOTTY, "/dev/elisa");
}

static void each_thing_that_is_missing(void **state)
{
	static const struct {
		uint32_t bit;
		const char *part;
	} missing[] = {
		{ELISA_MISSING_VMX, "VT-x"},
		{ELISA_MISSING_EPT, "ept=1"},
		{ELISA_MISSING_EXECUTE_ONLY, "execute-only"},
		{ELISA_MISSING_VMFUNC, "VMFUNC"},
		{ELISA_MISSING_INVEPT, "INVEPT"},
		{ELISA_MISSING_IMMUNITY, "--accept-side-channels"},
		{0x8000, "0x8000"},
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		fake_module.missing = missing[i].bit;
		start_fails(-ENODEV, missing[i].part);
	}
}

static void side_channels_can_be_accepted_and_nothing_else(void **state)
{
	struct elisa_daemon daemon;
	struct elisa_failure failure;

	(void)state;
	options.accept_side_channels = true;
	fake_module.missing = ELISA_MISSING_IMMUNITY | ELISA_MISSING_VMFUNC;
	start_fails(-ENODEV, "VMFUNC");
	fake_module.missing = ELISA_MISSING_IMMUNITY;
	assert_int_equal(elisa_daemon_open(&daemon, &options, "/proc", &nothing_kept, &failure), 0);
	elisa_daemon_close(&daemon);
	assert_int_equal(fake_module_objects(), 0);
}

static void a_domain_that_cannot_be_made(void **state)
{
	(void)state;
	fake_module.domain_error = -EEXIST;
	start_fails(-EEXIST, "another elisa-switchd");
	fake_module.domain_error = -ENOMEM;
	start_fails(-ENOMEM, "dmesg");
}

static void each_mapping_that_fails(void **state)
{
	(void)state;
	for (unsigned int at = 0; at < 3; at++) {
		fake_module_reset();
		fake_module.map_error_at = at;
		fake_module.map_error = -ENOMEM;
		start_fails(-ENOMEM, "RLIMIT_MEMLOCK");
		assert_int_equal(fake_module.maps, at);
	}
	fake_module_reset();
	fake_module.map_error = -EFAULT;
	start_fails(-EFAULT, "same version");
}

static void an_image_that_is_none(void **state)
{
	(void)state;
	options.image = "/proc/self/exe";
	start_fails(-ENOEXEC, "trusted image");
	options.image = "/nonexistent";
	start_fails(-ENOENT, "--image");
}

static enum elisa_options_result parse(struct elisa_options *parsed, const char *option,
				       const char *value)
{
	char *argv[] = {"elisa-switchd", (char *)option, (char *)value, NULL};

	optind = 0;
	return elisa_options_parse(parsed, option ? 1 + (value ? 2 : 1) : 1, argv);
}

static void the_command_line(void **state)
{
	static const char *const bad[][2] = {
		{"--switch", "a/b"},         {"--switch", ""},          {"--socket", ""},
		{"--fdb-size", "0"},         {"--fdb-size", "100"},     {"--fdb-size", "2097152"},
		{"--fdb-size", "64k"},       {"--fdb-size", "-64"},     {"--ageing", "9"},
		{"--ageing", "1271"},        {"--ageing", "soon"},      {"--frobnicate", NULL},
		{"--uplink-memory", "0"},    {"--uplink-memory", "15"}, {"--uplink-memory", "17"},
		{"--uplink-memory", "1026"}, {"stray", NULL},           {"--switch", NULL},
	};
	char path[sizeof(options.socket) + 1];
	struct elisa_options parsed;

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(parse(&parsed, "--socket", path), ELISA_OPTIONS_USAGE);
	path[sizeof(path) - 2] = '\0';
	assert_int_equal(parse(&parsed, "--socket", path), ELISA_OPTIONS_RUN);
	assert_string_equal(parsed.socket, path);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(&parsed, bad[i][0], bad[i][1]), ELISA_OPTIONS_USAGE);
	assert_int_equal(parse(&parsed, "--switch", "01234567890123456789012345678901"),
			 ELISA_OPTIONS_USAGE);
	assert_int_equal(parse(&parsed, NULL, NULL), ELISA_OPTIONS_RUN);
	assert_string_equal(parsed.socket, "/run/elisa/elisa0.sock");
	assert_int_equal(parsed.fdb_capacity, 16384);
	assert_int_equal(parsed.age_ticks, 30);
	assert_true(parsed.telemetry);
	assert_int_equal(parse(&parsed, "--switch", "blue"), ELISA_OPTIONS_RUN);
	assert_string_equal(parsed.socket, "/run/elisa/blue.sock");
	assert_int_equal(parse(&parsed, "--ageing", "11"), ELISA_OPTIONS_RUN);
	assert_int_equal(parsed.age_ticks, 2);
	assert_int_equal(parsed.uplink_memory, 0);
	assert_int_equal(parse(&parsed, "--uplink-memory", "64"), ELISA_OPTIONS_RUN);
	assert_int_equal(parsed.uplink_memory, 64);
	assert_false(parsed.telemetry);
	assert_int_equal(parse(&parsed, "--version", NULL), ELISA_OPTIONS_DONE);
	assert_int_equal(parse(&parsed, "--help", NULL), ELISA_OPTIONS_DONE);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_module_that_is_not_there),
		TEST(a_module_of_another_version),
		TEST(each_thing_that_is_missing),
		TEST(side_channels_can_be_accepted_and_nothing_else),
		TEST(a_domain_that_cannot_be_made),
		TEST(each_mapping_that_fails),
		TEST(an_image_that_is_none),
		TEST(the_command_line),
	};

	if (argc < 2)
		return 2;
	fixture_image = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
