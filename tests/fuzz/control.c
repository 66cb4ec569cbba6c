// SPDX-License-Identifier: BSD-3-Clause
/*
 * control.c - fuzzer: anything on the daemon's control socket, line by line. libFuzzer calls it.
 *
 * The daemon is the whole of it over the unit tests' fake module, with two VMs to add ports to. A
 * line that begins with '!' is an event of the module instead, of its other bytes. Each line has
 * one answer, a JSON text in one line; when the client is gone and the ports are removed, nothing is
 * left. LeakSanitizer looks for memory.
 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>

#include "input.h"
#include "tests/unit/daemon/fake_module.h"
#include "tests/unit/daemon/fixture.h"
#include "vswitch/daemon/control.h"
#include "vswitch/daemon/requests.h"

#define ROUNDS 10000 /* of the daemon's loop: more are no answer */

static struct elisa_daemon *daemon_under_test;
static struct elisa_control control;

static void leave(void)
{
	elisa_daemon_close(daemon_under_test);
	fixture_end();
}

int LLVMFuzzerInitialize(int *nb_arguments, char ***arguments)
{
	(void)nb_arguments;
	(void)arguments;
	fixture_image = FUZZ_IMAGE;
	fixture_daemon_setup((void **)&daemon_under_test);
	fixture_vm("a", 2);
	fixture_vm("b", 1);
	elisa_control_init(&control);
	/* What is logged: more than a person reads. CHECK() writes to the descriptor. */
	stderr = fopen("/dev/null", "w");
	CHECK(stderr);
	atexit(leave);
	return 0;
}

/* One turn of the daemon's loop. */
static void serve(void)
{
	struct pollfd polls[ELISA_CONTROL_POLLS];

	elisa_control_polls(&control, polls);
	CHECK(poll(polls, ELISA_CONTROL_POLLS, 0) >= 0);
	elisa_control_serve(&control, daemon_under_test, polls, 0);
}

static void check_answer(const char *text, size_t size)
{
	json_error_t error;
	json_t *answer = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	const json_t *failure = json_object_get(answer, "error");

	CHECK(json_is_object(answer) && json_object_size(answer) == 2);
	CHECK(json_integer_value(json_object_get(answer, "version")) == ELISA_REQUEST_VERSION);
	CHECK(failure || json_is_object(json_object_get(answer, "result")));
	if (failure) {
		CHECK(json_object_size(failure) == 2);
		CHECK(json_string_value(json_object_get(failure, "code"))[0] == 'E');
		CHECK(json_string_length(json_object_get(failure, "message")) > 10);
	}
	json_decref(answer);
}

static void ask(int fd, const char *line, size_t size)
{
	static char answer[1 << 20];
	size_t got = 0;

	CHECK(send(fd, line, size, 0) == (ssize_t)size && send(fd, "\n", 1, 0) == 1);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		ssize_t nb;

		serve();
		nb = recv(fd, answer + got, sizeof(answer) - got, MSG_DONTWAIT);
		CHECK(nb);
		got += nb > 0 ? nb : 0;
		if (got && answer[got - 1] == '\n')
			break;
	}
	CHECK(got && answer[got - 1] == '\n');
	CHECK(memchr(answer, '\n', got) == answer + got - 1);
	check_answer(answer, got);
}

static void tell(const uint8_t *bytes, size_t size)
{
	struct input input = {.at = bytes, .left = size};
	struct elisa_event event = {.type = take(&input, 1), .flags = take(&input, 1)};

	event.port = take(&input, 1) % 65 - 1u;
	event.vcpu = take(&input, 1) % 4 - 1u;
	event.reason = take(&input, 4);
	fake_module.held = take(&input, 1) % 3; /* enum elisa_held */
	fake_module_send(&event);
}

static void serve_lines(int fd, const uint8_t *data, size_t size)
{
	while (size) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t length = end ? (size_t)(end - data) : size;

		if (*data == '!')
			tell(data + 1, length - 1);
		else
			ask(fd, (const char *)data, length);
		length += end ? 1 : 0;
		data += length;
		size -= length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elisa_ports *ports = &daemon_under_test->ports;
	unsigned int descriptors = fixture_open_descriptors(); /* libFuzzer opens some at times */
	int pair[2];

	if (size > ELISA_REQUEST_MAX / 2)
		return -1;
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	elisa_control_adopt(&control, pair[0], 0);
	serve_lines(pair[1], data, size);
	close(pair[1]);
	serve();
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++)
		if (ports->ports[i].present)
			elisa_ports_remove(ports, &daemon_under_test->domain, &ports->ports[i]);
	CHECK(fake_module_objects() == 2); /* the module and the domain */
	CHECK(fixture_open_descriptors() == descriptors);
	return 0;
}
