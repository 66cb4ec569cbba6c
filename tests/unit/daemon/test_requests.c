// SPDX-License-Identifier: BSD-3-Clause
/* test_requests.c - requests that are not what they should be: each one error, nothing changed. */
#include "fake_module.h"
#include "fixture.h"
#include "vswitch/daemon/requests.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The error's code in the answer to any bytes. */
static const char *code_of(struct elisa_daemon *daemon, const char *bytes, size_t size)
{
	static char code[32];
	char *line = malloc(size ? size : 1), *text;
	json_t *answer, *error;

	memcpy(line, bytes, size);
	text = elisa_request_answer(daemon, line, size);
	free(line);
	assert_non_null(text);
	answer = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	error = json_object_get(answer, "error");
	strcpy(code, "");
	if (error) {
		assert_true(json_string_length(json_object_get(error, "message")) > 10);
		strcpy(code, json_string_value(json_object_get(error, "code")));
	}
	json_decref(answer);
	return code;
}

static void what_is_no_request_is_refused(void **state)
{
	static const struct {
		const char *line, *code;
	} lines[] = {
		{"", "EINVAL"},
		{" ", "EINVAL"},
		{"{", "EINVAL"},
		{"[]", "EINVAL"},
		{"[1,2]", "EINVAL"},
		{"{}", "EPROTO"},
		{"{\"version\":2,\"command\":\"status\"}", "EPROTO"},
		{"{\"version\":\"1\",\"command\":\"status\"}", "EPROTO"},
		{"{\"version\":1.0,\"command\":\"status\"}", "EPROTO"},
		{"{\"version\":1}", "EINVAL"},
		{"{\"version\":1,\"command\":7}", "EINVAL"},
		{"{\"version\":1,\"command\":\"\"}", "EINVAL"},
		{"{\"version\":1,\"command\":\"reboot\"}", "ENOSYS"},
		{"{\"version\":1,\"command\":\"status\\u0000\"}", "EINVAL"},
		{"{\"version\":1,\"command\":\"status\",\"arguments\":[]}", "EINVAL"},
		{"{\"version\":1,\"command\":\"status\",\"arguments\":null}", "EINVAL"},
		{"{\"version\":1,\"command\":\"status\",\"more\":1}", "EINVAL"},
		{"{\"version\":1,\"version\":1,\"command\":\"status\"}", "EINVAL"},
		{"{\"version\":1,\"command\":\"status\",\"arguments\":{\"x\":1}}", "EINVAL"},
		{"{\"version\":1,\"command\":\"status\"} {}", "EINVAL"},
		{"{\"version\":1,\"command\":\"\xff\"}", "EINVAL"},
		{"{\"version\":99999999999999999999,\"command\":\"status\"}", "EINVAL"},
	};

	for (unsigned int i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_string_equal(code_of(*state, lines[i].line, strlen(lines[i].line)),
				    lines[i].code);
	assert_string_equal(code_of(*state, "{\"version\":1,\"command\":\"status\"}", 32), "");
	assert_string_equal(code_of(*state, "{\"version\":1,\"command\":\"status\"}\0", 33),
			    "EINVAL");
}

static void deep_and_long_requests_are_refused(void **state)
{
	char *deep = malloc(ELISA_REQUEST_MAX);

	memset(deep, '[', ELISA_REQUEST_MAX);
	assert_string_equal(code_of(*state, deep, ELISA_REQUEST_MAX), "EINVAL");
	memset(deep, 'a', ELISA_REQUEST_MAX);
	deep[0] = '"';
	assert_string_equal(code_of(*state, deep, ELISA_REQUEST_MAX), "EINVAL");
	deep[ELISA_REQUEST_MAX - 1] = '"';
	assert_string_equal(code_of(*state, deep, ELISA_REQUEST_MAX), "EINVAL");
	free(deep);
}

static void arguments_of_wrong_kind_are_named(void **state)
{
	static const struct {
		const char *arguments, *part;
	} adds[] = {
		{"{}", "'name'"},
		{"{\"name\":\"p0\"}", "'vm'"},
		{"{\"name\":7,\"vm\":\"a\"}", "'name'"},
		{"{\"name\":\"\",\"vm\":\"a\"}", "'name'"},
		{"{\"name\":\"a b\",\"vm\":\"a\"}", "'name'"},
		{"{\"name\":\"../p\",\"vm\":\"a\"}", "'name'"},
		{"{\"name\":\"01234567890123456789012345678901\",\"vm\":\"a\"}", "'name'"},
		{"{\"name\":\"p0\",\"vm\":12}", "'vm'"},
		{"{\"name\":\"p0\",\"vm\":\"\"}", "'vm'"},
		{"{\"name\":\"p0\",\"vm\":null}", "'vm'"},
		{"{\"name\":\"p0\",\"vm\":\"a\",\"mac\":5}", "'mac'"},
		{"{\"name\":\"p0\",\"vm\":\"a\",\"mac\":\"x\"}", "'mac'"},
		{"{\"name\":\"p0\",\"vm\":\"a\",\"mac\":\"01:00:00:00:00:00\"}", "'mac'"},
		{"{\"name\":\"p0\",\"vm\":\"a\",\"mac\":\"02:00:00:00:00:00:00\"}", "'mac'"},
		{"{\"name\":\"p0\",\"vm\":\"a\",\"on_full\":true}", "'on_full'"},
		{"{\"name\":\"p0\",\"vm\":\"a\",\"on_full\":\"wait\"}", "'on_full'"},
		{"{\"name\":\"p0\",\"vm\":\"a\",\"mtu\":67}", "'mtu'"},
		{"{\"name\":\"p0\",\"vm\":\"a\",\"mtu\":9217}", "'mtu'"},
		{"{\"name\":\"p0\",\"vm\":\"a\",\"mtu\":-1}", "'mtu'"},
		{"{\"name\":\"p0\",\"vm\":\"a\",\"mtu\":4294968796}", "'mtu'"},
		{"{\"name\":\"p0\",\"vm\":\"a\",\"mtu\":1500.0}", "'mtu'"},
		{"{\"name\":\"p0\",\"vm\":\"a\",\"mtu\":\"1500\"}", "'mtu'"},
		{"{\"name\":\"p0\",\"vm\":\"a\",\"queues\":0}", "'queues'"},
		{"{\"name\":\"p0\",\"vm\":\"a\",\"queues\":9}", "'queues'"},
		{"{\"name\":\"p0\",\"vm\":\"a\",\"colour\":\"red\"}", "'colour'"},
	};

	fixture_vm("a", 1);
	for (unsigned int i = 0; i < sizeof(adds) / sizeof(adds[0]); i++)
		fixture_refused(*state, "port-add", adds[i].arguments, "EINVAL", adds[i].part);
	assert_int_equal(fake_module.attaches, 0);
	fixture_refused(*state, "port-del", "{}", "EINVAL", "'name'");
	fixture_refused(*state, "port-show", "{\"name\":{}}", "EINVAL", "'name'");
	fixture_refused(*state, "stats", "{\"name\":null}", "EINVAL", "'name'");
	fixture_refused(*state, "stats", "{\"name\":\"p0\"}", "ENOENT", "no port p0");
	fixture_refused(*state, "fdb-flush", "{\"name\":1}", "EINVAL", "'name'");
	fixture_refused(*state, "vm", "{\"name\":[]}", "EINVAL", "'name'");
	fixture_refused(*state, "port-list", "{\"name\":\"p0\"}", "EINVAL", "'name'");
	fixture_refused(*state, "prove", "{\"now\":true}", "EINVAL", "'now'");
}

static void vms_that_are_not_there_are_named(void **state)
{
	fixture_refused(*state, "port-add", "{\"name\":\"p0\",\"vm\":\"nobody\"}", "ENOENT",
			"nobody");
	fixture_refused(*state, "port-add", "{\"name\":\"p0\",\"vm\":\"1\"}", "ENOENT",
			"process 1");
	fixture_refused(*state, "port-add", "{\"name\":\"p0\",\"vm\":\"b\xc3\xbcro\"}", "ENOENT",
			"b\xc3\xbcro");
}

/* Whatever bytes come, one JSON answer goes, and the switch is as before. */
static void random_requests_do_no_harm(void **state)
{
	static const char seed[] = "{\"version\":1,\"command\":\"port-add\",\"arguments\":"
				   "{\"name\":\"p0\",\"vm\":\"z\",\"mtu\":1500}}";
	char line[sizeof(seed)];

	srandom(3);
	for (unsigned int i = 0; i < 20000; i++) {
		size_t size = sizeof(seed) - 1;

		memcpy(line, seed, sizeof(seed));
		for (long n = random() % 3; n >= 0; n--)
			line[(size_t)random() % size] = (char)random();
		if (random() % 4 == 0)
			size = (size_t)random() % size;
		assert_string_not_equal(code_of(*state, line, size), "");
	}
	assert_int_equal(fake_module.attaches, 0);
}

/* A name that is no text at all for JSON is still answered in JSON. */
static void names_that_are_no_utf8_can_be_shown(void **state)
{
	static const char cmdline[] = "qemu\0-name\0guest=b\xfcro";
	pid_t pid = fixture_process(cmdline, sizeof(cmdline), 1, "anon_inode:kvm-vm");
	json_t *result;
	char arguments[64];

	snprintf(arguments, sizeof(arguments), "{\"name\":\"p0\",\"vm\":\"%d\"}", pid);
	result = fixture_result(*state, "port-add", arguments);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(result, "vm"), "name")), "b?ro");
	json_decref(result);
	fixture_refused(*state, "port-add", arguments, "EEXIST", "b?ro");
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_daemon_setup, fixture_daemon_teardown)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_is_no_request_is_refused),     TEST(deep_and_long_requests_are_refused),
		TEST(arguments_of_wrong_kind_are_named), TEST(vms_that_are_not_there_are_named),
		TEST(random_requests_do_no_harm),        TEST(names_that_are_no_utf8_can_be_shown),
	};

	if (argc < 2)
		return 2;
	fixture_image = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
