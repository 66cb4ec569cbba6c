// SPDX-License-Identifier: BSD-3-Clause
/* monitor.c - see monitor.h. */
#include "monitor.h"

#include "log.h"
#include "monitor_store.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PARENT_VARIABLE "ELISA_SWITCHD_MONITOR"

/* A child that ran for so long was well. */
#define WELL_MS 60000
#define PAUSE_MIN_MS 250
#define PAUSE_MAX_MS 60000

struct monitor {
	struct elisa_monitor_store store;
	char program[PATH_MAX]; /* by name: a new file of that name is an upgrade */
	char **argv;
	int signals;
	pid_t child;      /* 0: there is none now */
	int64_t started;  /* it, ms */
	int64_t start_at; /* without a child: when to start the next, ms */
	int pause;        /* before the next start, if it is not well, ms */
	bool ending;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

bool elisa_monitor_is_parent(void)
{
	const char *parent = getenv(PARENT_VARIABLE);

	return parent && atoi(parent) == getppid();
}

/* The descriptors, and as many again on their way to a child. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int prepare(struct monitor *monitor, const char *beside, struct elisa_failure *failure)
{
	ssize_t length = readlink("/proc/self/exe", monitor->program, sizeof(monitor->program) - 1);
	sigset_t signals;

	if (length < 0)
		return elisa_fail(failure, -errno, "the monitor does not find its program file: %s",
				  strerror(errno));
	monitor->program[length] = '\0';
	raise_file_limit();
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	monitor->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (monitor->signals < 0)
		return elisa_fail(failure, -errno, "signals cannot be received: %s",
				  strerror(errno));
	return elisa_monitor_store_open(&monitor->store, beside, failure);
}

static void run_child(const struct monitor *monitor)
{
	char parent[16];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	snprintf(parent, sizeof(parent), "%d", getppid());
	if (!setenv(PARENT_VARIABLE, parent, 1) && elisa_monitor_store_pass(&monitor->store))
		execv(monitor->program, monitor->argv);
	elisa_log(ELISA_LOG_ERROR, "%s cannot be started: %s", monitor->program, strerror(errno));
	_exit(EXIT_FAILURE);
}

static void start(struct monitor *monitor)
{
	pid_t child = fork();

	if (!child)
		run_child(monitor);
	monitor->started = now_ms();
	monitor->start_at = monitor->started + PAUSE_MIN_MS;
	monitor->child = child > 0 ? child : 0;
	if (child < 0)
		elisa_log(ELISA_LOG_ERROR, "no process can be made: %s; trying again",
			  strerror(errno));
}

/* When to start the next one: at once after one that was well, else later each time. */
static void plan(struct monitor *monitor, const char *how, int number)
{
	int64_t now = now_ms();

	if (now - monitor->started >= WELL_MS)
		monitor->pause = 0;
	monitor->start_at = now + monitor->pause;
	elisa_log(
		ELISA_LOG_WARNING,
		"elisa-switchd (process %d) %s %d; starting it again in %d ms, the switch goes on "
		"meanwhile (%u descriptors are kept)",
		monitor->child, how, number, monitor->pause, monitor->store.kept.nb);
	monitor->pause = monitor->pause ? 2 * monitor->pause : PAUSE_MIN_MS;
	if (monitor->pause > PAUSE_MAX_MS)
		monitor->pause = PAUSE_MAX_MS;
}

/*
 * Returns whether to end with *result. A daemon that fails with nothing kept is a failed start, for a
 * person to look at.
 */
static bool child_ended(struct monitor *monitor, int status, int *result)
{
	int exited = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	*result = exited < 0 ? EXIT_FAILURE : exited;
	if (monitor->ending || !exited)
		return true;
	if (exited > 0 && exited != ELISA_EXIT_RESTART && !monitor->store.kept.nb)
		return true;
	if (exited == ELISA_EXIT_RESTART)
		monitor->start_at = now_ms();
	else if (exited > 0)
		plan(monitor, "failed with status", exited);
	else
		plan(monitor, "was killed by signal", WTERMSIG(status));
	monitor->child = 0;
	return false;
}

/* What a child sent before it ended counts. */
static bool reap(struct monitor *monitor, int *result)
{
	int status;

	if (!monitor->child || waitpid(monitor->child, &status, WNOHANG) != monitor->child)
		return false;
	elisa_monitor_store_receive(&monitor->store, monitor->child);
	return child_ended(monitor, status, result);
}

/* Returns whether to end: without a child there is nobody else to do it. */
static bool signalled(struct monitor *monitor, uint32_t number)
{
	if (number == SIGCHLD)
		return false;
	if (number != SIGHUP)
		monitor->ending = true;
	if (monitor->child)
		kill(monitor->child, number == SIGHUP ? SIGHUP : SIGTERM);
	else
		monitor->start_at = now_ms();
	return monitor->ending && !monitor->child;
}

static int wait_ms(const struct monitor *monitor)
{
	int64_t rest = monitor->start_at - now_ms();

	if (monitor->child)
		return -1;
	return rest > 0 ? (int)rest : 0;
}

/* Returns whether to end. */
static bool turn(struct monitor *monitor, int *result)
{
	struct pollfd polls[] = {
		{.fd = monitor->signals, .events = POLLIN},
		{.fd = monitor->store.socket, .events = POLLIN},
	};
	struct signalfd_siginfo info;

	poll(polls, 2, wait_ms(monitor));
	elisa_monitor_store_receive(&monitor->store, monitor->child);
	while (read(monitor->signals, &info, sizeof(info)) == sizeof(info)) {
		if (!signalled(monitor, info.ssi_signo))
			continue;
		*result = EXIT_SUCCESS;
		return true;
	}
	if (reap(monitor, result))
		return true;
	if (!monitor->child && now_ms() >= monitor->start_at)
		start(monitor);
	return false;
}

int elisa_monitor_run(const struct elisa_options *options, char **argv)
{
	static struct monitor monitor;
	struct elisa_failure failure;
	int result = EXIT_SUCCESS;

	monitor = (struct monitor){.argv = argv};
	if (prepare(&monitor, options->socket, &failure)) {
		elisa_log(ELISA_LOG_ERROR, "%s", failure.message);
		return EXIT_FAILURE;
	}
	start(&monitor);
	while (!turn(&monitor, &result))
		;
	elisa_monitor_store_close(&monitor.store);
	close(monitor.signals);
	return result;
}
