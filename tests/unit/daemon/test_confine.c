// SPDX-License-Identifier: BSD-3-Clause
/*
 * test_confine.c - a daemon that has given away what confine.h says: its loop works behind the filter,
 * and what is not its work is refused or ends it. Each test's daemon is a child process.
 */
#include "fake_module.h"
#include "fixture.h"
#include "vswitch/daemon/confine.h"
#include "vswitch/daemon/control.h"
#include "vswitch/daemon/environment.h"
#include "vswitch/daemon/loop.h"
#include "vswitch/daemon/telemetry.h"

#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define KVM_CREATE_VM 0xae01
#define X32_GETPID 0x40000027
#define BIT(capability) (1ull << (capability))
#define KEPT (BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_IPC_LOCK))

static char directory[] = "/tmp/elisa-test-confine-XXXXXX";

/* Runs `child` in a process of its own and returns how that ended, as waitpid() says. */
static int run(void (*child)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		child();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void confine(bool uplinks)
{
	struct elisa_failure failure;

	if (elisa_confine_process(&failure) || elisa_confine_capabilities(uplinks, &failure) ||
	    elisa_confine_calls(uplinks, &failure))
		_exit(99);
}

/* As main.c, with the fake module. */
static void be_the_daemon(struct elisa_daemon *daemon)
{
	struct elisa_control control;
	struct elisa_failure failure;
	int signals = elisa_loop_block_signals();
	char path[128];

	snprintf(path, sizeof(path), "%s/control", directory);
	daemon->options.telemetry = true;
	elisa_control_init(&control);
	if (elisa_confine_process(&failure) || elisa_confine_capabilities(false, &failure) ||
	    elisa_environment_start(&daemon->options, &failure) ||
	    elisa_telemetry_start(daemon, &failure) ||
	    elisa_control_listen(&control, path, &failure) || elisa_confine_calls(false, &failure))
		_exit(99);
	if (elisa_loop_run(daemon, &control, signals))
		_exit(98);
	elisa_control_close(&control);
	elisa_telemetry_stop();
	elisa_daemon_close(daemon);
	elisa_environment_stop();
	_exit(fake_module_objects() ? 97 : 0);
}

/* Waits for the daemon to make its socket. */
static int client(const char *name, int type)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", directory, name);
	for (int i = 0; connect(fd, (struct sockaddr *)&address, sizeof(address)); i++) {
		assert_true(i < 3000);
		usleep(10000);
	}
	return fd;
}

/* The next line of a control connection. */
static json_t *answer(int fd)
{
	static char line[1 << 16];
	size_t size = 0;
	json_t *value;

	do {
		assert_true(size < sizeof(line));
		assert_int_equal(recv(fd, line + size, 1, 0), 1);
	} while (line[size++] != '\n');
	value = json_loadb(line, size, 0, NULL);
	assert_non_null(value);
	return value;
}

static void ask(int fd, const char *command, const char *arguments)
{
	char line[512];
	int size = snprintf(line, sizeof(line),
			    "{\"version\":1,\"command\":\"%s\",\"arguments\":%s}\n", command,
			    arguments);
	json_t *value;

	assert_int_equal(send(fd, line, (size_t)size, MSG_NOSIGNAL), size);
	value = answer(fd);
	if (!json_object_get(value, "result"))
		fail_msg("%s: %s", command, json_dumps(value, 0));
	json_decref(value);
}

static void capture_and_stop(void)
{
	char bytes[4096];
	int fd = client("control", SOCK_STREAM);

	ask(fd, "capture", "{\"name\":\"p0\",\"filter\":\"0006000000040000\"}");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	/* The last record, then the end. */
	assert_true(recv(fd, bytes, sizeof(bytes), 0) > 0);
	assert_int_equal(recv(fd, bytes, sizeof(bytes), 0), 0);
	close(fd);
}

static void telemetry(void)
{
	int fd = client("dpdk/elisa-sw/dpdk_telemetry.v2", SOCK_SEQPACKET);
	char text[4096];
	ssize_t size;

	assert_true(recv(fd, text, sizeof(text), 0) > 0);
	assert_int_equal(send(fd, "/elisa/ports", 12, 0), 12);
	size = recv(fd, text, sizeof(text) - 1, 0);
	assert_true(size > 0);
	text[size] = '\0';
	assert_non_null(strstr(text, "\"p0\""));
	close(fd);
}

/* A socket where somebody keeps descriptors (store.h). */
static int be_the_keeper(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/keeper", directory);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	return fd;
}

/* The next message to it, which has to be there, has this in it. */
static void was_told(int keeper, const char *part)
{
	char text[256];
	ssize_t size = recv(keeper, text, sizeof(text) - 1, MSG_DONTWAIT);

	assert_true(size > 0);
	text[size] = '\0';
	if (!strstr(text, part))
		fail_msg("'%s' without '%s'", text, part);
}

static void the_daemon_works_behind_the_filter(void **state)
{
	int fd, keeper = be_the_keeper(), status;
	pid_t pid;

	fixture_vm("a", 2);
	pid = fork();
	if (!pid)
		be_the_daemon(*state);
	fd = client("control", SOCK_STREAM);
	ask(fd, "port-add", "{\"name\":\"p0\",\"vm\":\"a\",\"mac\":\"02:00:00:00:00:01\"}");
	was_told(keeper, "FDSTORE=1\nFDPOLL=0\nFDNAME=vm-0");
	was_told(keeper, "FDSTORE=1\nFDPOLL=0\nFDNAME=port-0");
	ask(fd, "port-list", "{}");
	capture_and_stop();
	telemetry();
	ask(fd, "vm", "{}");
	ask(fd, "stats", "{}");
	ask(fd, "prove", "{}");
	ask(fd, "port-del", "{\"name\":\"p0\"}");
	was_told(keeper, "FDSTOREREMOVE=1\nFDNAME=port-0");
	was_told(keeper, "FDSTOREREMOVE=1\nFDNAME=vm-0");
	ask(fd, "status", "{}");
	close(fd);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	was_told(keeper, "FDSTOREREMOVE=1\nFDNAME=domain-0");
	unsetenv("NOTIFY_SOCKET");
	close(keeper);
}

static void exec_a_program(void)
{
	char *arguments[] = {"true", NULL};

	execv("/bin/true", arguments);
}

static void trace_a_process(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void read_a_process(void)
{
	char byte;
	struct iovec place = {&byte, 1};

	process_vm_readv(getppid(), &place, 1, &place, 1, 0);
}

static void mount_a_file_system(void)
{
	mount("none", "/no/such/place", "tmpfs", 0, NULL);
}

static void load_a_bpf_program(void)
{
	union bpf_attr attributes = {0};

	syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes));
}

static void become_somebody(void)
{
	syscall(SYS_setuid, 1);
}

static void make_a_namespace(void)
{
	unshare(CLONE_NEWUSER);
}

/* The other ABI has other numbers. */
static void call_by_x32(void)
{
	syscall(X32_GETPID);
}

static void (*attack)(void);

static void attack_confined(void)
{
	confine(false);
	attack();
}

static void attack_with_uplinks(void)
{
	confine(true);
	attack();
}

static void attacks_end_the_daemon(void **state)
{
	static void (*const attacks[])(void) = {
		exec_a_program,     trace_a_process, read_a_process,   mount_a_file_system,
		load_a_bpf_program, become_somebody, make_a_namespace, call_by_x32,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		int plain, uplinks;

		attack = attacks[i];
		plain = run(attack_confined);
		uplinks = run(attack_with_uplinks);
		if (!WIFSIGNALED(plain) || WTERMSIG(plain) != SIGSYS || !WIFSIGNALED(uplinks) ||
		    WTERMSIG(uplinks) != SIGSYS)
			fail_msg("attack %zu: status %#x, with uplinks %#x", i, plain, uplinks);
	}
}

/* Exits with the line of what was not refused. */
#define REFUSED(call)                                                 \
	do {                                                          \
		errno = 0;                                            \
		if ((call) != -1 || errno != EPERM)                   \
			_exit(__LINE__ & 0x7f ? __LINE__ & 0x7f : 1); \
	} while (0)

static void ask_for_more(void)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/tmp/no/such"};
	struct rlimit limit = {100, 100};
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t parent = getppid();
	int pair[2], fd;

	confine(false);
	/* For messages to who keeps descriptors, and for nothing else. */
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	REFUSED(bind(fd, (const struct sockaddr *)&address, sizeof(address)));
	REFUSED(connect(fd, (const struct sockaddr *)&address, sizeof(address)));
	REFUSED(listen(fd, 1));
	REFUSED(socket(AF_INET, SOCK_STREAM, 0));
	REFUSED(socket(AF_NETLINK, SOCK_RAW, 0));
	REFUSED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	REFUSED(fork());
	REFUSED(mprotect(page, 4096, PROT_READ | PROT_EXEC));
	REFUSED((intptr_t)mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	REFUSED(ioctl(0, KVM_CREATE_VM, 0));
	REFUSED(setrlimit(RLIMIT_CORE, &limit));
	REFUSED(kill(parent, 0));
	REFUSED((int)syscall(SYS_tgkill, parent, parent, 0));
	REFUSED(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	REFUSED(rename("/tmp/a", "/tmp/b"));
	REFUSED(chmod("/tmp", 0777));
}

static void what_is_not_its_work_is_refused(void **state)
{
	int status;

	(void)state;
	status = run(ask_for_more);
	if (status)
		fail_msg("status %#x: the low bits of the line in this file", status);
}

static int ready[2];

static void *other_thread(void *unused)
{
	char byte;

	(void)unused;
	if (read(ready[0], &byte, 1) == 1)
		exec_a_program();
	return NULL;
}

static void exec_in_a_thread(void)
{
	pthread_t thread;

	if (pipe(ready) || pthread_create(&thread, NULL, other_thread, NULL))
		_exit(99);
	confine(false);
	if (write(ready[1], "", 1) == 1)
		pthread_join(thread, NULL);
}

static void threads_that_were_there_are_confined(void **state)
{
	int status;

	(void)state;
	status = run(exec_in_a_thread);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

/* The set of that name in /proc/self/status. */
static uint64_t capabilities(const char *name)
{
	unsigned long long set = ~0ull;
	char line[256];
	FILE *file = fopen("/proc/self/status", "re");

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			sscanf(line + strlen(name), ": %llx", &set);
	if (file)
		fclose(file);
	return set;
}

static void drop(bool uplinks, uint64_t kept)
{
	struct elisa_failure failure;

	if (elisa_confine_capabilities(uplinks, &failure))
		_exit(99);
	if (capabilities("CapEff") != kept || capabilities("CapPrm") != kept)
		_exit(1);
	if (capabilities("CapBnd") != kept || capabilities("CapInh") || capabilities("CapAmb"))
		_exit(2);
	/* A second time, as a daemon that was started with so few. */
	if (elisa_confine_capabilities(uplinks, &failure) || capabilities("CapEff") != kept)
		_exit(3);
}

static void drop_without_uplinks(void)
{
	drop(false, KEPT);
}

static void drop_with_uplinks(void)
{
	drop(true, KEPT | BIT(CAP_SYS_ADMIN));
}

static void capabilities_that_are_not_needed_go(void **state)
{
	uint64_t all = KEPT | BIT(CAP_SYS_ADMIN) | BIT(CAP_SETPCAP);

	(void)state;
	if ((capabilities("CapEff") & all) != all) {
		print_message("not root: there is nothing to drop\n");
		skip();
	}
	assert_int_equal(run(drop_without_uplinks), 0);
	assert_int_equal(run(drop_with_uplinks), 0);
}

static void look_at_the_process(void)
{
	struct elisa_failure failure;
	struct rlimit core;

	if (elisa_confine_process(&failure))
		_exit(99);
	if (getrlimit(RLIMIT_CORE, &core) || core.rlim_cur || core.rlim_max)
		_exit(1);
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) || !prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0))
		_exit(2);
	if (umask(0) != 077)
		_exit(3);
}

static void the_process_leaves_nothing(void **state)
{
	(void)state;
	assert_int_equal(run(look_at_the_process), 0);
}

static int nothing_left(void **state)
{
	elisa_daemon_close(*state);
	fixture_end();
	return 0;
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_daemon_works_behind_the_filter,
						fixture_daemon_setup, nothing_left),
		cmocka_unit_test(attacks_end_the_daemon),
		cmocka_unit_test(what_is_not_its_work_is_refused),
		cmocka_unit_test(threads_that_were_there_are_confined),
		cmocka_unit_test(capabilities_that_are_not_needed_go),
		cmocka_unit_test(the_process_leaves_nothing),
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
