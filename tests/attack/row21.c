// SPDX-License-Identifier: BSD-3-Clause
/*
 * row21.c - the control socket: somebody without rights, and a root that sends anything: malformed,
 * endless and huge requests, more clients than there is room for, half a request, answers that nobody
 * reads. Refused or closed; the daemon lives, answers others in time, and is no bigger afterwards.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attacks.h"

#define SOCKET "/run/elisa/elisa0.sock" /* that of the scenario's switch */
#define NOBODY 65534
#define REQUEST_MAX 65536 /* elisa-switchd(8) */
#define CLIENTS_MAX 16
#define ROUNDS 2000        /* malformed requests */
#define CROWD 40           /* clients at once */
#define SLOW 8             /* of them that do not read */
#define ENDLESS (4u << 20) /* bytes without a newline, if it takes so many */
#define PATIENCE_MS 10000  /* for an answer, on the emulated host */
#define GROWTH_KIB 4096

struct counts {
	uint64_t tried;
	uint64_t refused; /* error in an answer */
	uint64_t closed;
	uint64_t answered;
};

static char answer[1 << 18];

static int connect_switch(void)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SOCKET};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	if (!connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		return fd;
	close(fd);
	return -1;
}

static int must_connect(void)
{
	int fd = connect_switch();

	if (fd < 0)
		die(SOCKET);
	return fd;
}

/* As much as is taken; false: the other end is closed. */
static bool tell(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);

		if (sent < 0)
			return false;
		bytes += sent;
		size -= (size_t)sent;
	}
	return true;
}

/* One line, in `answer`: 1; 0: closed without one; -1: neither in time. */
static int hear(int fd)
{
	size_t got = 0;

	for (;;) {
		struct pollfd input = {.fd = fd, .events = POLLIN};
		ssize_t size;

		if (got == sizeof(answer) - 1 || poll(&input, 1, PATIENCE_MS) <= 0)
			return -1;
		size = recv(fd, answer + got, sizeof(answer) - 1 - got, 0);
		if (size <= 0)
			return 0;
		got += (size_t)size;
		answer[got] = 0;
		if (answer[got - 1] == '\n')
			return 1;
	}
}

static bool is_error(const char *code)
{
	return strstr(answer, "\"error\"") && strstr(answer, code);
}

static uint64_t resident_kib(pid_t pid)
{
	unsigned long long kib = 0;
	char path[32], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	if (!file)
		die(path);
	while (fgets(line, sizeof(line), file) && sscanf(line, "VmRSS: %llu", &kib) != 1)
		continue;
	fclose(file);
	return kib;
}

/* A child's status: 0 it could not connect, 1 it was turned away, 2 it was heard. */
static int as_nobody(void)
{
	pid_t child = fork();
	int status, fd;

	if (child < 0)
		die("fork");
	if (child) {
		if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
			die("waitpid");
		return WEXITSTATUS(status);
	}
	if (setgid(NOBODY) || setuid(NOBODY))
		_exit(3);
	fd = connect_switch();
	if (fd < 0)
		_exit(errno == EACCES ? 0 : 3);
	tell(fd, "{\"version\": 1, \"command\": \"status\"}\n", 36);
	_exit(hear(fd) == 1 && is_error("EPERM") ? 1 : 2);
}

static const char *unprivileged(struct counts *counts)
{
	int status = as_nobody();

	REQUIRE(status == 0, "user %d: status %d instead of EACCES", NOBODY, status);
	/* Also where somebody has opened the socket to all. */
	if (chmod(SOCKET, 0666))
		die(SOCKET);
	status = as_nobody();
	if (chmod(SOCKET, 0600))
		die(SOCKET);
	REQUIRE(status == 1, "user %d on an open socket: status %d instead of EPERM", NOBODY,
		status);
	counts->tried += 2;
	counts->refused += 2;
	return NULL;
}

static uint64_t next_random(void)
{
	static uint64_t state = 0x2545f4914f6cdd1d;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* A request about a port that is not there, with bytes changed, or nothing but random bytes. */
static size_t malformed(char *line)
{
	static const char sound[] =
		"{\"version\": 1, \"command\": \"port-set\", \"arguments\": {\"name\": \"nobody\", "
		"\"guard\": [\"mac\"], \"storm\": 1000, \"allow_vlan\": [1, 2]}}";
	size_t size = sizeof(sound) - 1;

	memcpy(line, sound, size);
	if (next_random() % 4 == 0) {
		for (size_t i = 0; i < size; i++)
			line[i] = (char)next_random();
	} else {
		for (uint64_t changes = next_random() % 4; changes--;)
			line[next_random() % size] = (char)next_random();
		if (next_random() % 4 == 0)
			size = 1 + next_random() % size;
	}
	for (size_t i = 0; i < size; i++)
		if (line[i] == '\n')
			line[i] = '{';
	line[size] = '\n';
	return size + 1;
}

static const char *many_malformed(struct counts *counts)
{
	int fd = must_connect();
	char line[256];

	for (unsigned int i = 0; i < ROUNDS; i++) {
		size_t size = malformed(line);

		REQUIRE(tell(fd, line, size), "request %u is not taken", i);
		REQUIRE(hear(fd) == 1 && is_error(""), "request %u is not refused", i);
		counts->refused++;
	}
	counts->tried += ROUNDS;
	close(fd);
	return NULL;
}

static const char *huge(struct counts *counts)
{
	static char bytes[REQUEST_MAX];
	int fd = must_connect(), heard;
	uint64_t sent = 0;

	/* As long as may be, and as deep as that lets it be. */
	memset(bytes, '[', sizeof(bytes));
	bytes[sizeof(bytes) - 1] = '\n';
	REQUIRE(tell(fd, bytes, sizeof(bytes)) && hear(fd) == 1 && is_error(""),
		"%zu brackets are not refused", sizeof(bytes));
	/* Without an end. */
	memset(bytes, ' ', sizeof(bytes));
	while (sent < ENDLESS && tell(fd, bytes, sizeof(bytes)))
		sent += sizeof(bytes);
	heard = hear(fd);
	close(fd);
	REQUIRE(sent < ENDLESS, "%llu bytes without a newline were taken",
		(unsigned long long)sent);
	REQUIRE(heard == 0 || (heard == 1 && is_error("EMSGSIZE")), "an endless request: %d, %.80s",
		heard, answer);
	counts->tried += 2;
	counts->refused++;
	counts->closed++;
	return NULL;
}

static const char *half_closed(struct counts *counts)
{
	static const char status[] = "{\"version\": 1, \"command\": \"status\"}\n";
	int fd = must_connect();

	REQUIRE(tell(fd, status, 10) && !shutdown(fd, SHUT_WR), "half a request is not taken");
	REQUIRE(hear(fd) == 0, "half a request is not closed");
	close(fd);
	fd = must_connect();
	REQUIRE(tell(fd, status, sizeof(status) - 1) && !shutdown(fd, SHUT_WR), "not taken");
	REQUIRE(hear(fd) == 1 && strstr(answer, "\"result\""), "a last request is not answered");
	close(fd);
	/* Gone before the answer. */
	for (unsigned int i = 0; i < CROWD; i++) {
		fd = must_connect();
		tell(fd, status, sizeof(status) - 1);
		close(fd);
	}
	counts->tried += 2 + CROWD;
	counts->closed += 1 + CROWD;
	counts->answered++;
	return NULL;
}

/* Those who are there stay and wait, the rest are told so. */
static const char *crowd(struct counts *counts)
{
	int fds[CROWD];
	unsigned int turned_away = 0;

	for (unsigned int i = 0; i < CROWD; i++)
		fds[i] = must_connect();
	for (unsigned int i = CLIENTS_MAX; i < CROWD; i++)
		turned_away += hear(fds[i]) == 1 && is_error("EUSERS");
	for (unsigned int i = 0; i < CROWD; i++)
		close(fds[i]);
	REQUIRE(turned_away == CROWD - CLIENTS_MAX, "%u of %u turned away", turned_away, CROWD);
	counts->tried += CROWD;
	counts->refused += turned_away;
	counts->closed += CLIENTS_MAX;
	return NULL;
}

static const char *answers_in_time(pid_t pid)
{
	struct timespec before, after;
	pid_t now;

	clock_gettime(CLOCK_MONOTONIC, &before);
	now = attack_daemon_pid();
	clock_gettime(CLOCK_MONOTONIC, &after);
	REQUIRE(now == pid, "elisa-switchd was process %d, now %d", pid, now);
	REQUIRE((after.tv_sec - before.tv_sec) * 1000 < PATIENCE_MS, "status took %lld s",
		(long long)(after.tv_sec - before.tv_sec));
	return NULL;
}

/* Requests without end whose answers nobody takes: the daemon must neither wait nor keep them. */
static const char *slow_readers(struct counts *counts, pid_t pid)
{
	static const char stats[] = "{\"version\": 1, \"command\": \"stats\"}\n";
	const char *reason;
	int fds[SLOW];
	uint64_t taken = 0;

	for (unsigned int i = 0; i < SLOW; i++) {
		fds[i] = must_connect();
		while (send(fds[i], stats, sizeof(stats) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
			taken++;
	}
	reason = answers_in_time(pid);
	for (unsigned int i = 0; i < SLOW; i++)
		close(fds[i]);
	counts->tried += taken;
	counts->closed += taken;
	return reason;
}

static const char *all(struct counts *counts, pid_t pid)
{
	static const char *(*const parts[])(struct counts * counts) = {unprivileged, many_malformed,
								       huge, half_closed, crowd};
	const char *reason = NULL;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !reason; i++) {
		reason = parts[i](counts);
		if (!reason)
			reason = answers_in_time(pid);
	}
	return reason ? reason : slow_readers(counts, pid);
}

const char *attack_row21(struct attacker *attacker)
{
	struct counts counts = {0}, once = {0};
	pid_t pid = attack_daemon_pid();
	const char *reason;
	uint64_t kib;

	(void)attacker;
	if (!pid)
		return "elisactl status names no process";
	/* Once before its size is looked at: what the daemon allocates once and keeps. */
	reason = all(&once, pid);
	kib = resident_kib(pid);
	if (!reason)
		reason = all(&counts, pid);
	attack_tried(once.tried + counts.tried);
	attack_saw("refused", once.refused + counts.refused);
	attack_saw("closed", once.closed + counts.closed);
	attack_saw("answered", once.answered + counts.answered);
	if (reason)
		return reason;
	reason = answers_in_time(pid);
	REQUIRE(reason || resident_kib(pid) < kib + GROWTH_KIB,
		"the daemon has %llu KiB, %llu before", (unsigned long long)resident_kib(pid),
		(unsigned long long)kib);
	return reason;
}
