// SPDX-License-Identifier: BSD-3-Clause
/* fixture.c - see fixture.h. */
#include "fixture.h"

#include "fake_module.h"
#include "fake_nic.h"
#include "vswitch/daemon/log.h"
#include "vswitch/daemon/requests.h"

#include "cmocka_all.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define VMS_MAX 80

const char *fixture_image;
char fixture_proc[64];
static pid_t vms[VMS_MAX];

static void make_file(const char *path, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

void fixture_begin(void)
{
	const char *folder = getenv("TMPDIR");
	int size = snprintf(fixture_proc, sizeof(fixture_proc), "%s/elisa-test-proc-XXXXXX",
			    folder ? folder : "/tmp");

	assert_true(size < (int)sizeof(fixture_proc));
	assert_non_null(mkdtemp(fixture_proc));
}

static void remove_process(pid_t pid)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%d/fd/%d", fixture_proc, pid, FAKE_KVM_FD);
	unlink(path);
	snprintf(path, sizeof(path), "%s/%d/fd", fixture_proc, pid);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/%d/cmdline", fixture_proc, pid);
	unlink(path);
	snprintf(path, sizeof(path), "%s/%d/status", fixture_proc, pid);
	unlink(path);
	snprintf(path, sizeof(path), "%s/%d", fixture_proc, pid);
	rmdir(path);
}

void fixture_kill(pid_t pid)
{
	for (unsigned int i = 0; i < VMS_MAX; i++) {
		if (vms[i] != pid)
			continue;
		vms[i] = 0;
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		remove_process(pid);
		return;
	}
	fail_msg("no VM with process %d", pid);
}

void fixture_end(void)
{
	for (unsigned int i = 0; i < VMS_MAX; i++) {
		if (vms[i])
			fixture_kill(vms[i]);
	}
	assert_int_equal(rmdir(fixture_proc), 0);
}

/* In the child: be a VMM for ever, but not longer than the test. */
static void run_vm(uint32_t nb_vcpus, int ready)
{
	struct fake_vm_content content = {.pid = getpid(), .nb_vcpus = nb_vcpus};
	int fd = memfd_create("vm", 0);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(fd, &content, sizeof(content)) != sizeof(content) || dup2(fd, FAKE_KVM_FD) < 0 ||
	    write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

pid_t fixture_process(const char *cmdline, size_t size, uint32_t nb_vcpus, const char *link)
{
	char path[128], status[64], byte;
	int ready[2], status_size;
	unsigned int slot = 0;
	pid_t pid;

	while (vms[slot])
		assert_true(++slot < VMS_MAX);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (!pid)
		run_vm(nb_vcpus, ready[1]);
	vms[slot] = pid;
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	snprintf(path, sizeof(path), "%s/%d", fixture_proc, pid);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/%d/fd", fixture_proc, pid);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/%d/fd/%d", fixture_proc, pid, FAKE_KVM_FD);
	assert_int_equal(symlink(link, path), 0);
	snprintf(path, sizeof(path), "%s/%d/cmdline", fixture_proc, pid);
	make_file(path, cmdline, size);
	snprintf(path, sizeof(path), "%s/%d/status", fixture_proc, pid);
	status_size = snprintf(status, sizeof(status), "Name:\tqemu\nUid:\t1\t%u\t2\t3\nGid:\t4\n",
			       FAKE_USER);
	make_file(path, status, (size_t)status_size);
	return pid;
}

pid_t fixture_vm(const char *name, uint32_t nb_vcpus)
{
	char cmdline[128];
	int size = snprintf(cmdline, sizeof(cmdline), "qemu%c-name%cguest=%s,debug-threads=on%c", 0,
			    0, name, 0);

	return fixture_process(cmdline, (size_t)size, nb_vcpus, "anon_inode:kvm-vm");
}

unsigned int fixture_open_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	unsigned int count = 0;

	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static unsigned int descriptors_before;

int fixture_daemon_setup(void **state)
{
	static struct elisa_daemon daemon;
	struct elisa_options options = {
		.switch_name = "sw",
		.image = fixture_image,
		.fdb_capacity = 1024,
		.age_ticks = 30,
	};
	struct elisa_kept kept = {.nb = 0};
	struct elisa_failure failure;

	fake_module_reset();
	fake_nic_reset();
	fixture_begin();
	elisa_log_open("sw");
	descriptors_before = fixture_open_descriptors();
	if (elisa_daemon_open(&daemon, &options, fixture_proc, &kept, &failure))
		fail_msg("%s", failure.message);
	*state = &daemon;
	return 0;
}

int fixture_daemon_teardown(void **state)
{
	elisa_daemon_close(*state);
	assert_int_equal(fake_module_objects(), 0);
	assert_int_equal(fake_nic.opened, 0);
	assert_false(fake_nic.has_memory);
	assert_int_equal(fixture_open_descriptors(), descriptors_before);
	fixture_end();
	return 0;
}

json_t *fixture_ask(struct elisa_daemon *daemon, const char *format, ...)
{
	va_list arguments;
	json_t *answer;
	char *line, *text;
	int size;

	va_start(arguments, format);
	size = vasprintf(&line, format, arguments);
	va_end(arguments);
	assert_true(size >= 0);
	text = elisa_request_answer(daemon, line, (size_t)size);
	free(line);
	assert_non_null(text);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	answer = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	assert_non_null(answer);
	assert_int_equal(json_integer_value(json_object_get(answer, "version")), 1);
	assert_int_equal(json_object_size(answer), 2);
	return answer;
}

json_t *fixture_result(struct elisa_daemon *daemon, const char *command, const char *arguments)
{
	json_t *answer = fixture_ask(daemon, "{\"version\":1,\"command\":\"%s\",\"arguments\":%s}",
				     command, arguments);
	json_t *result = json_incref(json_object_get(answer, "result"));

	if (!result)
		fail_msg("%s", json_string_value(json_object_get(json_object_get(answer, "error"),
								 "message")));
	json_decref(answer);
	return result;
}

void fixture_refused(struct elisa_daemon *daemon, const char *command, const char *arguments,
		     const char *code, const char *part_of_message)
{
	json_t *answer = fixture_ask(daemon, "{\"version\":1,\"command\":\"%s\",\"arguments\":%s}",
				     command, arguments);
	json_t *error = json_object_get(answer, "error");
	const char *message = json_string_value(json_object_get(error, "message"));

	assert_non_null(error);
	assert_string_equal(json_string_value(json_object_get(error, "code")), code);
	if (!strstr(message, part_of_message))
		fail_msg("'%s' does not say '%s'", message, part_of_message);
	json_decref(answer);
}
