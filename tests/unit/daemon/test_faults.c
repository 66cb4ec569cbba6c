// SPDX-License-Identifier: BSD-3-Clause
/*
 * test_faults.c - a daemon's whole life, each time with another of its allocations failing: start, ports,
 * an uplink, questions, a capture, the end. Whoever meets the failure gets an error that can be read, or its
 * connection closed; the same request then works; nothing is left at the end.
 *
 * Linked with --wrap for what the daemon allocates with; jansson is given the same functions.
 */
#include "fake_module.h"
#include "fake_nic.h"
#include "fixture.h"
#include "fixture_sysfs.h"
#include "vswitch/daemon/control.h"
#include "vswitch/daemon/requests.h"

#include "cmocka_all.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MANY 100000u
#define REQUESTS_MAX 20u

void *__real_malloc(size_t size);
void *__real_calloc(size_t nb, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_mmap(void *address, size_t length, int rights, int flags, int fd, off_t offset);
DIR *__real_opendir(const char *path);
FILE *__real_fopen(const char *path, const char *mode);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t nb, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_mmap(void *address, size_t length, int rights, int flags, int fd, off_t offset);
DIR *__wrap_opendir(const char *path);
FILE *__wrap_fopen(const char *path, const char *mode);

static bool armed;
static unsigned int fail_at, allocations;
static size_t whole[REQUESTS_MAX];
static unsigned int next_request;

/* Is this the one that is to fail? */
static bool fails(void)
{
	if (!armed || ++allocations != fail_at)
		return false;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t nb, size_t size)
{
	return fails() ? NULL : __real_calloc(nb, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return fails() ? NULL : __real_realloc(memory, size);
}

void *__wrap_mmap(void *address, size_t length, int rights, int flags, int fd, off_t offset)
{
	return fails() ? MAP_FAILED : __real_mmap(address, length, rights, flags, fd, offset);
}

DIR *__wrap_opendir(const char *path)
{
	return fails() ? NULL : __real_opendir(path);
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
	return fails() ? NULL : __real_fopen(path, mode);
}

static bool was_met(void)
{
	return allocations >= fail_at;
}

/* What a request was answered; NULL: nothing, its connection would be closed. */
static json_t *ask(struct elisa_daemon *daemon, const char *line)
{
	json_t *answer;
	char *text;

	armed = true;
	text = elisa_request_answer(daemon, line, strlen(line));
	armed = false;
	if (!text)
		return NULL;
	answer = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (!answer)
		fail_msg("allocation %u: this is no answer: %s", fail_at, text);
	free(text);
	return answer;
}

/* Values in it, of all depths. */
static size_t nb_values(json_t *json)
{
	size_t count = 1, i;
	const char *key;
	json_t *value;

	json_object_foreach(json, key, value) count += nb_values(value);
	json_array_foreach(json, i, value) count += nb_values(value);
	return count;
}

/* As many as without a failure, which the first life is. */
static void assert_whole(json_t *result)
{
	size_t count = nb_values(result);

	assert_true(next_request < REQUESTS_MAX);
	if (fail_at == MANY)
		whole[next_request] = count;
	assert_int_equal(count, whole[next_request]);
	next_request++;
}

/* An answer says in a sentence what went wrong, or has all of the result. */
static bool is_refused(const json_t *answer, const char *line)
{
	const json_t *error = json_object_get(answer, "error");

	if (!error) {
		assert_whole(json_object_get(answer, "result"));
		return false;
	}
	if (!was_met())
		fail_msg("%s: %s", line, json_string_value(json_object_get(error, "message")));
	assert_true(json_string_length(json_object_get(error, "message")) > 10);
	assert_non_null(json_object_get(error, "code"));
	return true;
}

/* Once more, if the failure was met: then it has been done, or is now. */
static void request(struct elisa_daemon *daemon, const char *line, const char *done)
{
	bool met_before = was_met(), refused;
	json_t *answer = ask(daemon, line);

	refused = !answer || is_refused(answer, line);
	json_decref(answer);
	if (!refused)
		return;
	assert_true(!met_before && was_met());
	answer = ask(daemon, line);
	assert_non_null(answer);
	if (json_object_get(answer, "error")) {
		assert_string_equal(json_string_value(json_object_get(
					    json_object_get(answer, "error"), "code")),
				    done);
		next_request++;
	} else {
		assert_whole(json_object_get(answer, "result"));
	}
	json_decref(answer);
}

#define REQUEST(command, arguments) \
	"{\"version\":1,\"command\":\"" command "\",\"arguments\":{" arguments "}}"

static void all_requests(struct elisa_daemon *daemon)
{
	request(daemon, REQUEST("port-add", "\"name\":\"p0\",\"vm\":\"a\""), "EEXIST");
	request(daemon, REQUEST("port-add", "\"name\":\"p1\",\"vm\":\"b\",\"queues\":2"), "EEXIST");
	request(daemon, REQUEST("uplink-add", "\"name\":\"up0\",\"pci\":\"01:00.0\""), "EEXIST");
	request(daemon, REQUEST("uplink-list", ""), "");
	request(daemon, REQUEST("uplink-show", "\"name\":\"up0\""), "");
	request(daemon, REQUEST("port-list", ""), "");
	request(daemon, REQUEST("port-show", "\"name\":\"p1\""), "");
	request(daemon, REQUEST("stats", ""), "");
	request(daemon, REQUEST("vm", ""), "");
	request(daemon, REQUEST("fdb", ""), "");
	request(daemon, REQUEST("prove", ""), "");
	request(daemon, REQUEST("status", ""), "");
}

/* The client that has this number then; -1: there was no memory for it, and its connection is closed. */
static int client(struct elisa_control *control, unsigned int number, const char *line)
{
	int fds[2];
	char byte;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	armed = true;
	elisa_control_adopt(control, fds[0], time(NULL));
	armed = false;
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	if (control->clients[number].fd >= 0) {
		assert_int_equal(send(fds[1], line, strlen(line), 0), strlen(line));
		return fds[1];
	}
	assert_int_equal(recv(fds[1], &byte, 1, 0), 0);
	close(fds[1]);
	return -1;
}

static void turns(struct elisa_control *control, struct elisa_daemon *daemon)
{
	struct pollfd polls[1 + ELISA_CLIENTS_MAX];

	for (int turn = 0; turn < 2; turn++) {
		elisa_control_polls(control, polls);
		for (unsigned int i = 0; i < 1 + ELISA_CLIENTS_MAX; i++)
			polls[i].revents = polls[i].fd >= 0 ? polls[i].events : 0;
		armed = true;
		elisa_control_serve(control, daemon, polls, time(NULL));
		elisa_captures_turn(&daemon->captures, &daemon->domain, &daemon->vms);
		armed = false;
	}
}

/*
 * An answer, or the end: nobody waits for ever. Only the connection of a capture that was answered with
 * its result has become a stream.
 */
static void assert_served(const struct elisa_control *control, unsigned int number, int fd,
			  bool captures)
{
	bool is_client = control->clients[number].fd >= 0;
	char text[ELISA_REQUEST_MAX];
	ssize_t size = recv(fd, text, sizeof(text) - 1, 0);

	assert_true(size >= 0 || errno == ECONNRESET);
	if (size <= 0) {
		assert_false(is_client);
		return;
	}
	text[size] = '\0';
	assert_int_equal(!is_client, captures && !strstr(text, "\"error\""));
}

/* With connections, whose memory can be missing too. The other one is served right after it. */
static void capture(struct elisa_daemon *daemon)
{
	static const char line[] =
		REQUEST("capture", "\"name\":\"p0\",\"filter\":\"0006000000040000\"") "\n";
	static struct elisa_control control;
	bool again = false;
	int fd, other;

	elisa_control_init(&control);
	do {
		again = !again && !was_met();
		fd = client(&control, 0, line);
		if (fd < 0)
			continue;
		other = client(&control, 1, REQUEST("status", "") "\n");
		turns(&control, daemon);
		assert_served(&control, 0, fd, true);
		close(fd);
		if (other >= 0)
			assert_served(&control, 1, other, false);
		close(other);
		armed = true;
		elisa_captures_turn(&daemon->captures, &daemon->domain, &daemon->vms);
		armed = false;
		elisa_control_close(&control);
	} while (again && was_met());
}

/* False: there are not so many allocations. */
static bool live(unsigned int n)
{
	static struct elisa_daemon daemon;
	struct elisa_kept kept = {.nb = 0};
	const struct elisa_options options = {
		.switch_name = "sw", .image = fixture_image, .fdb_capacity = 64, .age_ticks = 30};
	unsigned int before = fixture_open_descriptors();
	struct elisa_failure failure;
	int error;

	fake_module_reset();
	fake_nic_reset();
	fail_at = n;
	allocations = 0;
	next_request = 0;
	armed = true;
	error = elisa_daemon_open(&daemon, &options, fixture_proc, &kept, &failure);
	armed = false;
	if (error) {
		assert_true(was_met());
		assert_true(strlen(failure.message) > 10);
		assert_int_equal(fake_module_objects(), 0);
		assert_int_equal(fixture_open_descriptors(), before);
		assert_int_equal(
			elisa_daemon_open(&daemon, &options, fixture_proc, &kept, &failure), 0);
	}
	daemon.uplinks.sysfs = fixture_sysfs;
	assert_int_equal(elisa_uplinks_open(&daemon.uplinks, 64, &failure), 0);
	all_requests(&daemon);
	capture(&daemon);
	request(&daemon, REQUEST("uplink-del", "\"name\":\"up0\""), "ENOENT");
	request(&daemon, REQUEST("port-del", "\"name\":\"p1\""), "ENOENT");
	armed = true;
	elisa_daemon_close(&daemon);
	armed = false;
	assert_int_equal(fake_module_objects(), 0);
	assert_int_equal(fixture_open_descriptors(), before);
	return was_met();
}

static void every_allocation_fails_once(void **state)
{
	unsigned int n = 1;

	(void)state;
	fixture_sysfs_begin();
	fixture_sysfs_device("0000:01:00.0", "0x020000", "igb_uio", false);
	fixture_begin();
	fixture_vm("a", 2);
	fixture_vm("b", 1);
	assert_false(live(MANY));
	while (n < MANY && live(n))
		n++;
	fixture_end();
	fixture_sysfs_end();
	print_message("%u allocations\n", n - 1);
	assert_in_range(n, 100, MANY - 1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_fails_once),
	};

	if (argc < 2)
		return 2;
	fixture_image = argv[1];
	json_set_alloc_funcs(__wrap_malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
