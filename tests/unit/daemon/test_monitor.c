// SPDX-License-Identifier: BSD-3-Clause
/*
 * test_monitor.c - the monitor: what it gives to the next daemon, and when it starts one. What it keeps:
 * test_monitor_store.c.
 *
 * The monitor runs in a process of its own and starts this program again, as `--daemon SCRIPT…`, one
 * letter for each start: what that daemon does. What they saw comes by a pipe that is inherited.
 */
#include "fixture.h"

#include "vswitch/daemon/log.h"
#include "vswitch/daemon/monitor.h"

#include "cmocka_all.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPORT_FD 600 /* of the daemons */
#define WAIT_MS 20000

static char folder[64];
static char *program;

/* The daemon's side. */

static void say(const char *word)
{
	if (write(REPORT_FD, word, strlen(word)) < 0)
		_exit(99);
}

static void keep_number(unsigned int number)
{
	struct elisa_vm_record record = {.pid = (int)number};
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC))
		_exit(98);
	elisa_store_keep(ELISA_KEPT_VM, number, &record, sizeof(record), pipes[0], pipes[1]);
}

static void say_kept(struct elisa_kept *kept)
{
	struct elisa_vm_record record;
	struct elisa_kept_thing thing;
	char word[16];

	for (unsigned int i = 0; i < 300; i++) {
		if (!elisa_kept_take(kept, ELISA_KEPT_VM, i, &thing))
			continue;
		if (elisa_record_read(thing.record, ELISA_KEPT_VM, &record, sizeof(record)) ||
		    record.pid != (int)i || thing.object < 0)
			say("!");
		elisa_kept_close_thing(&thing);
		snprintf(word, sizeof(word), "%u,", i);
		if (i < 10 || i > 297)
			say(word);
	}
	if (!elisa_store_present() || !elisa_monitor_is_parent())
		say("?");
}

/* How often it was started stands in a file. */
static int run_daemon(const char *script, const char *counter)
{
	static struct elisa_kept kept;
	int fd = open(counter, O_RDWR | O_CREAT | O_APPEND, 0600);
	struct stat status;
	char act;

	fstat(fd, &status);
	if (write(fd, "x", 1) != 1)
		return 97;
	act = script[status.st_size];
	elisa_kept_open(&kept);
	say("[");
	say_kept(&kept);
	say("]");
	switch (act) {
	case 'k': /* keeps two things, drops one again, and is killed */
		keep_number(3);
		keep_number(4);
		elisa_store_drop(ELISA_KEPT_VM, 3);
		raise(SIGKILL);
		return 96;
	case 'm': /* more than a handful */
		for (unsigned int i = 0; i < 150; i++)
			keep_number(i + 150);
		raise(SIGKILL);
		return 96;
	case 'r':
		return ELISA_EXIT_RESTART;
	case 'f':
		return 7;
	case 'w':
		pause();
		return 95;
	default:
		return 0;
	}
}

/* The test's side. */

struct watched {
	pid_t monitor;
	int report;
	char said[256];
};

static void start(struct watched *watched, const char *script)
{
	struct elisa_options options = {.switch_name = "sw"};
	char counter[128];
	char *argv[] = {program, "--daemon", (char *)script, counter, NULL};
	int pipes[2];

	snprintf(counter, sizeof(counter), "%s/counter", folder);
	snprintf(options.socket, sizeof(options.socket), "%s/sw.sock", folder);
	unlink(counter);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	watched->said[0] = '\0';
	watched->report = pipes[0];
	watched->monitor = fork();
	if (!watched->monitor) {
		dup2(pipes[1], REPORT_FD);
		signal(SIGHUP, SIG_IGN); /* of the daemons, which inherit that */
		elisa_log_open("sw");
		_exit(elisa_monitor_run(&options, argv));
	}
	close(pipes[1]);
}

/* Reads until `wanted` has been said; fails the test when that takes too long. */
static void until_said(struct watched *watched, const char *wanted)
{
	struct pollfd poller = {.fd = watched->report, .events = POLLIN};
	size_t length = strlen(watched->said);

	while (strncmp(watched->said, wanted, strlen(wanted)) != 0) {
		ssize_t size;

		if (poll(&poller, 1, WAIT_MS) != 1)
			fail_msg("'%s' and no '%s'", watched->said, wanted);
		size = read(watched->report, watched->said + length,
			    sizeof(watched->said) - 1 - length);
		if (size <= 0)
			fail_msg("'%s' and not '%s'", watched->said, wanted);
		length += (size_t)size;
		watched->said[length] = '\0';
	}
}

/* Nothing is left of it in the file system. */
static void ends_with(struct watched *watched, int expected)
{
	char command[128];
	int status;

	assert_int_equal(waitpid(watched->monitor, &status, 0), watched->monitor);
	close(watched->report);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected);
	snprintf(command, sizeof(command), "! ls %s | grep sock", folder);
	assert_int_equal(system(command), 0);
}

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/elisa-test-monitor-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static void what_a_killed_daemon_kept_goes_to_the_next(void **state)
{
	struct watched watched;

	(void)state;
	start(&watched, "kre");
	until_said(&watched, "[][4,][4,]");
	ends_with(&watched, 0);
}

static void all_of_many_things(void **state)
{
	struct watched watched;

	(void)state;
	start(&watched, "me");
	until_said(&watched, "[][298,299,]");
	ends_with(&watched, 0);
}

static void a_failed_start_is_no_reason_to_try_again(void **state)
{
	struct watched watched;

	(void)state;
	start(&watched, "f");
	until_said(&watched, "[]");
	ends_with(&watched, 7);
}

static void a_daemon_that_fails_to_take_over_is_started_again(void **state)
{
	struct watched watched;

	(void)state;
	start(&watched, "kfe");
	until_said(&watched, "[][4,][4,]");
	ends_with(&watched, 0);
}

static void told_to_end_it_ends_with_its_daemon(void **state)
{
	struct watched watched;

	(void)state;
	start(&watched, "kw");
	until_said(&watched, "[][4,]");
	kill(watched.monitor, SIGTERM);
	ends_with(&watched, EXIT_FAILURE); /* this daemon does not end in order */
}

static void told_to_end_between_daemons(void **state)
{
	struct watched watched;

	(void)state;
	start(&watched, "kkkkkkk"); /* the pauses are 0, 1/4, 1/2, 1, 2, 4 s */
	until_said(&watched, "[][4,][4,][4,][4,]");
	usleep(1000000); /* in the middle of the 2 s */
	kill(watched.monitor, SIGTERM);
	ends_with(&watched, EXIT_SUCCESS);
}

static void hangup_ends_a_pause(void **state)
{
	struct watched watched;
	int status = -1;

	(void)state;
	start(&watched, "kffffffe"); /* the pauses are 0, 1/4, ... 4 and 8 s: 16 s in all */
	until_said(&watched, "[][4,]");
	for (unsigned int i = 0; i < 100 && !waitpid(watched.monitor, &status, WNOHANG); i++) {
		kill(watched.monitor, SIGHUP);
		usleep(100000);
	}
	until_said(&watched, "[][4,][4,][4,][4,][4,][4,][4,]");
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
	close(watched.report);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_a_killed_daemon_kept_goes_to_the_next),
		TEST(all_of_many_things),
		TEST(a_failed_start_is_no_reason_to_try_again),
		TEST(a_daemon_that_fails_to_take_over_is_started_again),
		TEST(told_to_end_it_ends_with_its_daemon),
		TEST(told_to_end_between_daemons),
		TEST(hangup_ends_a_pause),
	};

	if (argc == 4 && !strcmp(argv[1], "--daemon"))
		return run_daemon(argv[2], argv[3]);
	program = argv[0];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
