// SPDX-License-Identifier: BSD-3-Clause
/* test_telemetry.c - DPDK's own telemetry socket, asked as its tools ask it. */
#include "fake_module.h"
#include "fixture.h"
#include "vswitch/daemon/environment.h"
#include "vswitch/daemon/telemetry.h"

#include "cmocka_all.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char directory[] = "/tmp/elisa-test-tel-XXXXXX";

static int telemetry_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char greeting[4096];

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/dpdk/elisa-sw/dpdk_telemetry.v2",
		 directory);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_true(recv(fd, greeting, sizeof(greeting), 0) > 0);
	return fd;
}

/* The value that telemetry gives for a command. */
static json_t *ask(int fd, const char *command)
{
	char answer[32768], name[64];
	json_t *whole, *value;
	ssize_t size;

	assert_int_equal(send(fd, command, strlen(command), 0), strlen(command));
	size = recv(fd, answer, sizeof(answer), 0);
	assert_true(size > 0);
	whole = json_loadb(answer, (size_t)size, 0, NULL);
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(command, ","), command);
	value = json_incref(json_object_get(whole, name));
	assert_non_null(value);
	json_decref(whole);
	return value;
}

static json_int_t number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

/* One test: DPDK's environment starts once in a process. */
static void ports_and_addresses_are_told(void **state)
{
	struct elisa_daemon *daemon = *state;
	struct elisa_failure failure;
	cpu_set_t before, after;
	json_t *value;
	int fd;

	sched_getaffinity(0, sizeof(before), &before);
	daemon->options.telemetry = true;
	if (elisa_environment_start(&daemon->options, &failure) ||
	    elisa_telemetry_start(daemon, &failure))
		fail_msg("%s", failure.message);
	sched_getaffinity(0, sizeof(after), &after);
	assert_true(CPU_EQUAL(&before, &after));
	fixture_vm("a", 1);
	json_decref(fixture_result(daemon, "port-add",
				   "{\"name\":\"p0\",\"vm\":\"a\",\"mac\":\"02:00:00:00:00:01\"}"));
	daemon->domain.sw->sent[0].packets = 7;
	daemon->domain.sw->received[0].drops[ELISA_DROP_RECEIVER_FULL] = 3;
	daemon->domain.sw->sent[0].drops[ELISA_DROP_RATE_LIMIT] = 4;
	daemon->domain.sw->sent[0].unlearned = 5;
	daemon->domain.sw->limits[0].learned = 6;
	fd = telemetry_socket();
	value = ask(fd, "/elisa/ports");
	assert_int_equal(json_array_size(value), 1);
	assert_string_equal(json_string_value(json_array_get(value, 0)), "p0");
	json_decref(value);
	value = ask(fd, "/elisa/port,p0");
	assert_int_equal(number(value, "tx_packets"), 7);
	assert_int_equal(number(value, "rx_drop_receiver_full"), 3);
	assert_int_equal(number(value, "tx_drop_rate_limit"), 4);
	assert_int_equal(number(value, "tx_not_learned"), 5);
	assert_int_equal(number(value, "learned"), 6);
	json_decref(value);
	value = ask(fd, "/elisa/fdb");
	assert_string_equal(json_string_value(json_array_get(value, 0)), "02:00:00:00:00:01 p0");
	json_decref(value);
	value = ask(fd, "/elisa/port,none");
	assert_true(json_is_null(value));
	json_decref(value);
	value = ask(fd, "/elisa/port");
	assert_true(json_is_null(value));
	json_decref(value);
	close(fd);
	elisa_telemetry_stop();
	elisa_environment_stop();
}

static int setup(void **state)
{
	return fixture_daemon_setup(state);
}

/* DPDK keeps descriptors for as long as the process lives: not counted here. */
static int teardown(void **state)
{
	elisa_daemon_close(*state);
	assert_int_equal(fake_module_objects(), 0);
	fixture_end();
	return 0;
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ports_and_addresses_are_told, setup, teardown),
	};
	char command[64];
	int failed;

	if (argc < 2 || !mkdtemp(directory))
		return 2;
	fixture_image = argv[1];
	setenv("RUNTIME_DIRECTORY", directory, 1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command) ? 2 : failed;
}
