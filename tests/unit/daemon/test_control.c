// SPDX-License-Identifier: BSD-3-Clause
/* test_control.c - clients of the control socket that are slow, many, mute, rude or gone. */
#include "fake_module.h"
#include "fixture.h"
#include "vswitch/daemon/control.h"
#include "vswitch/daemon/loop.h"
#include "vswitch/daemon/requests.h"

#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS "{\"version\":1,\"command\":\"status\"}\n"

static struct elisa_control control;
static time_t now;

/* One turn of the daemon's loop, at most as long as there is something to do. */
static bool turn(struct elisa_daemon *daemon)
{
	struct pollfd polls[ELISA_CONTROL_POLLS];

	elisa_control_polls(&control, polls);
	poll(polls, ELISA_CONTROL_POLLS, 0);
	return elisa_control_serve(&control, daemon, polls, now);
}

static int client(void)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	elisa_control_adopt(&control, ends[0], now);
	return ends[1];
}

static void say(int fd, const char *bytes, size_t size)
{
	assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), size);
}

/* Answers that wait, whole lines; -1: the daemon closed. */
static int answers(int fd)
{
	static char bytes[1 << 20];
	ssize_t size = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	int lines = 0;

	if (size == 0 || (size < 0 && errno != EAGAIN))
		return -1;
	for (ssize_t i = 0; i < size; i++)
		lines += bytes[i] == '\n';
	return lines;
}

static unsigned int nb_clients(void)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < ELISA_CLIENTS_MAX; i++)
		count += control.clients[i].fd >= 0;
	return count;
}

static int setup(void **state)
{
	now = 1000;
	elisa_control_init(&control);
	return fixture_daemon_setup(state);
}

static int teardown(void **state)
{
	elisa_control_close(&control);
	return fixture_daemon_teardown(state);
}

static void requests_in_pieces_and_in_heaps_are_answered(void **state)
{
	int fd = client();

	for (const char *c = STATUS; *c; c++) {
		assert_int_equal(answers(fd), 0);
		say(fd, c, 1);
		turn(*state);
	}
	assert_int_equal(answers(fd), 1);
	say(fd, STATUS STATUS STATUS, 3 * strlen(STATUS));
	assert_true(turn(*state)); /* one request a turn, and more wait */
	assert_int_equal(answers(fd), 1);
	assert_true(turn(*state));
	assert_false(turn(*state));
	assert_int_equal(answers(fd), 2);
	close(fd);
	turn(*state);
	assert_int_equal(nb_clients(), 0);
}

static void a_client_that_is_done_sending_gets_its_answers(void **state)
{
	int fd = client();

	say(fd, STATUS STATUS, 2 * strlen(STATUS));
	shutdown(fd, SHUT_WR);
	for (unsigned int i = 0; i < 4; i++)
		turn(*state);
	assert_int_equal(answers(fd), 2);
	assert_int_equal(nb_clients(), 0);
	close(fd);
}

static void a_bad_request_is_answered_and_the_next_one_too(void **state)
{
	static const char lines[] = "\n\xff\xfe\n{]\n" STATUS;
	int fd = client();

	say(fd, lines, sizeof(lines) - 1);
	for (unsigned int i = 0; i < 5; i++)
		turn(*state);
	assert_int_equal(answers(fd), 4);
	close(fd);
}

static void a_request_without_end_is_cut_off(void **state)
{
	char *bytes = malloc(ELISA_REQUEST_MAX);
	int fd = client();

	memset(bytes, 'x', ELISA_REQUEST_MAX);
	say(fd, bytes, ELISA_REQUEST_MAX - 1);
	turn(*state);
	assert_int_equal(answers(fd), 0);
	say(fd, bytes, 1);
	turn(*state);
	turn(*state);
	assert_int_equal(answers(fd), 1);
	assert_int_equal(answers(fd), -1);
	assert_int_equal(nb_clients(), 0);
	close(fd);
	free(bytes);
}

/* The longest request that is allowed is still a request. */
static void a_request_of_the_full_size_is_answered(void **state)
{
	char *bytes = malloc(ELISA_REQUEST_MAX);
	size_t length = strlen(STATUS) - 1;
	int fd = client();

	memset(bytes, ' ', ELISA_REQUEST_MAX);
	memcpy(bytes, STATUS, length);
	bytes[ELISA_REQUEST_MAX - 1] = '\n';
	say(fd, bytes, ELISA_REQUEST_MAX);
	turn(*state);
	assert_int_equal(answers(fd), 1);
	assert_int_equal(nb_clients(), 1);
	close(fd);
	free(bytes);
}

/* Someone who asks and never listens holds one answer, is not read from, and holds nobody up. */
static void a_slow_reader_holds_up_nobody(void **state)
{
	int slow = client(), quick = client(), small = 4096;
	bool stopped = false;

	setsockopt(control.clients[0].fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	for (unsigned int i = 0; i < 3000 && !stopped; i++) {
		stopped = send(slow, STATUS, strlen(STATUS), MSG_DONTWAIT | MSG_NOSIGNAL) < 0;
		turn(*state);
	}
	assert_true(stopped);
	assert_non_null(control.clients[0].output);
	for (unsigned int i = 0; i < 10; i++) {
		say(quick, STATUS, strlen(STATUS));
		turn(*state);
		assert_int_equal(answers(quick), 1);
	}
	now += ELISA_CLIENT_IDLE_SECONDS + 1;
	say(quick, STATUS, strlen(STATUS));
	turn(*state);
	assert_int_equal(control.clients[0].fd, -1);
	close(slow);
	close(quick);
}

static void a_slow_reader_gets_every_answer(void **state)
{
	const int asked = 200;
	int fd = client(), small = 4096, got = 0;

	setsockopt(control.clients[0].fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	for (int i = 0; i < asked; i++)
		say(fd, STATUS, strlen(STATUS));
	for (int i = 0; i < asked; i++)
		turn(*state);
	assert_non_null(control.clients[0].output);
	assert_true(elisa_client_request(&control.clients[0]) > 0);
	for (int i = 0; i < 2 * asked && got < asked; i++) {
		got += answers(fd);
		turn(*state);
	}
	assert_int_equal(got, asked);
	assert_int_equal(answers(fd), 0);
	close(fd);
}

static void a_mute_client_loses_its_place(void **state)
{
	int fd = client();

	say(fd, "{", 1);
	now += ELISA_CLIENT_IDLE_SECONDS;
	turn(*state);
	assert_int_equal(answers(fd), 0);
	now += 1;
	turn(*state);
	assert_int_equal(answers(fd), -1);
	assert_int_equal(nb_clients(), 0);
	close(fd);
}

static void one_client_too_many_is_told(void **state)
{
	int fds[ELISA_CLIENTS_MAX], more;

	for (unsigned int i = 0; i < ELISA_CLIENTS_MAX; i++)
		fds[i] = client();
	more = client();
	assert_int_equal(answers(more), 1);
	assert_int_equal(answers(more), -1);
	close(more);
	for (unsigned int i = 0; i < ELISA_CLIENTS_MAX; i++)
		close(fds[i]);
	turn(*state);
	assert_int_equal(nb_clients(), 0);
}

static void a_client_that_vanishes_half_way_is_forgotten(void **state)
{
	int fd = client();

	say(fd, STATUS, strlen(STATUS));
	close(fd);
	turn(*state);
	turn(*state);
	assert_int_equal(nb_clients(), 0);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

static void the_socket_has_its_place_and_mode(void **state)
{
	char directory[] = "/tmp/elisa-test-control-XXXXXX", path[96], below[80];
	struct elisa_control second;
	struct elisa_failure failure;
	struct stat status;
	int fd;

	assert_non_null(mkdtemp(directory));
	snprintf(below, sizeof(below), "%s/elisa", directory);
	snprintf(path, sizeof(path), "%s/sw.sock", below);
	assert_int_equal(elisa_control_listen(&control, path, &failure), 0);
	assert_int_equal(stat(below, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0755);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	fd = connect_to(path);
	assert_true(fd >= 0);
	turn(*state);
	say(fd, STATUS, strlen(STATUS));
	turn(*state);
	assert_int_equal(answers(fd), 1);
	close(fd);

	elisa_control_init(&second);
	assert_int_equal(elisa_control_listen(&second, path, &failure), -EADDRINUSE);
	assert_non_null(strstr(failure.message, "another elisa-switchd"));
	elisa_control_close(&control);
	assert_int_equal(stat(path, &status), -1);
	assert_int_equal(rmdir(below), 0);
	assert_int_equal(rmdir(directory), 0);
}

static void only_a_dead_daemons_socket_is_replaced(void **state)
{
	char directory[] = "/tmp/elisa-test-control-XXXXXX", path[96];
	struct elisa_failure failure;
	struct stat status;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/sw.sock", directory);
	assert_int_equal(elisa_control_listen(&control, path, &failure), 0);
	control.path[0] = '\0'; /* killed: it stays behind */
	elisa_control_close(&control);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(elisa_control_listen(&control, path, &failure), 0);
	elisa_control_close(&control);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(elisa_control_listen(&control, path, &failure), -EEXIST);
	assert_int_equal(stat(path, &status), 0); /* somebody's file: not touched */
	unlink(path);
	rmdir(directory);
	assert_true(elisa_control_listen(&control, "/nonexistent/a/b.sock", &failure) < 0);
	assert_non_null(strstr(failure.message, "--socket"));
}

/* What somebody without rights is answered, by a socket that lets anybody connect. */
static void only_root_and_its_own_user_command(void **state)
{
	char directory[] = "/tmp/elisa-test-control-XXXXXX", path[96], answer[512] = "";
	struct elisa_failure failure;
	int pipes[2], status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/sw.sock", directory);
	assert_int_equal(elisa_control_listen(&control, path, &failure), 0);
	assert_int_equal(chmod(directory, 0755) || chmod(path, 0666) || pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		int fd = setuid(65534) ? -1 : connect_to(path);

		if (fd < 0 || write(pipes[1], "x", 1) != 1)
			_exit(1);
		_exit(recv(fd, answer, sizeof(answer) - 1, 0) <= 0 || !strstr(answer, "EPERM"));
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], answer, 1), 1);
	turn(*state);
	assert_int_equal(nb_clients(), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(pipes[0]);
	elisa_control_close(&control);
	rmdir(directory);
}

/* With no descriptor left, a client is told so, those connected go on, and nothing spins. */
static void without_descriptors_clients_are_told(void **state)
{
	char directory[] = "/tmp/elisa-test-control-XXXXXX", path[96];
	struct rlimit before, limit;
	struct elisa_failure failure;
	int fd, older, last;

	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/sw.sock", directory);
	assert_int_equal(elisa_control_listen(&control, path, &failure), 0);
	older = client();
	fd = connect_to(path);
	do {
		last = dup(fd);
	} while (last < 63);
	getrlimit(RLIMIT_NOFILE, &before);
	limit = before;
	limit.rlim_cur = (rlim_t)last + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(dup(fd), -1);
	turn(*state);
	say(older, STATUS, strlen(STATUS));
	turn(*state);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(answers(fd), 1);
	assert_int_equal(answers(fd), -1);
	assert_int_equal(answers(older), 1);
	while (last > older && last > fd)
		close(last--);
	close(fd);
	close(older);
	elisa_control_close(&control);
	rmdir(directory);
}

/* The reason is poll()'s, not that of a log that cannot be written. */
static void a_loop_that_cannot_wait_says_why(void **state)
{
	int log = dup(STDERR_FILENO), unwritable = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int signals = elisa_loop_block_signals(), result;
	struct rlimit before, limit;

	assert_true(log >= 0 && unwritable >= 0 && signals >= 0);
	getrlimit(RLIMIT_NOFILE, &before);
	limit = (struct rlimit){ELISA_CONTROL_POLLS, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	dup2(unwritable, STDERR_FILENO);
	result = elisa_loop_run(*state, &control, signals);
	dup2(log, STDERR_FILENO);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(result, -EINVAL);
	close(signals);
	close(unwritable);
	close(log);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(requests_in_pieces_and_in_heaps_are_answered),
		TEST(a_client_that_is_done_sending_gets_its_answers),
		TEST(a_bad_request_is_answered_and_the_next_one_too),
		TEST(a_request_without_end_is_cut_off),
		TEST(a_request_of_the_full_size_is_answered),
		TEST(a_slow_reader_holds_up_nobody),
		TEST(a_slow_reader_gets_every_answer),
		TEST(a_mute_client_loses_its_place),
		TEST(one_client_too_many_is_told),
		TEST(a_client_that_vanishes_half_way_is_forgotten),
		TEST(the_socket_has_its_place_and_mode),
		TEST(only_a_dead_daemons_socket_is_replaced),
		TEST(only_root_and_its_own_user_command),
		TEST(without_descriptors_clients_are_told),
		TEST(a_loop_that_cannot_wait_says_why),
	};

	if (argc < 2)
		return 2;
	fixture_image = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
