// SPDX-License-Identifier: BSD-3-Clause
/*
 * test_monitor_store.c - both ends of store.h in one process: what is kept and what is not, a store that is
 * full, and one that does not read.
 */
#include "fixture.h"

#include "vswitch/daemon/monitor_store.h"
#include "vswitch/daemon/notify.h"

#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static char folder[64];
static struct elisa_monitor_store store;
static int fd; /* connected to it */

static int setup(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct elisa_failure failure;
	char beside[128];

	(void)state;
	strcpy(folder, "/tmp/elisa-test-store-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(beside, sizeof(beside), "%s/sw.sock", folder);
	if (elisa_monitor_store_open(&store, beside, &failure))
		return -1;
	setenv("NOTIFY_SOCKET", store.path, 1);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	strcpy(address.sun_path, store.path);
	return connect(fd, (struct sockaddr *)&address, sizeof(address));
}

static int teardown(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	close(fd);
	elisa_monitor_store_close(&store);
	return rmdir(folder);
}

/* `count` descriptors with any text. */
static void send_text(const char *text, size_t size, unsigned int count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(20 * sizeof(int))];
	} control = {0};
	struct iovec data = {(void *)text, size};
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = count ? &control : NULL,
		.msg_controllen = count ? CMSG_SPACE(count * sizeof(int)) : 0,
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	if (header) {
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(count * sizeof(int));
		for (unsigned int i = 0; i < count; i++)
			memcpy(CMSG_DATA(header) + i * sizeof(int), &fd, sizeof(int));
	}
	assert_int_equal(sendmsg(fd, &message, 0), size);
}

static void messages_that_keep_nothing(void **state)
{
	static const char long_line[300] = "FDSTORE=1\nFDNAME=vm-1\n";
	static const char *const texts[] = {
		"",
		"FDSTORE=1",
		"FDNAME=vm-1",
		"FDSTORE=1\nFDNAME=",
		"FDSTORE=1\nFDNAME=a:b",
		"FDSTORE=1\nFDNAME=01234567890123456789012345",
		"FDSTORE=2\nFDNAME=vm-1",
		"READY=1",
		"FDSTOREREMOVE=1\nFDNAME=vm-9",
		"\n\n\n",
	};
	unsigned int before = fixture_open_descriptors();

	(void)state;
	for (unsigned int i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		send_text(texts[i], strlen(texts[i]), 2);
		elisa_monitor_store_receive(&store, getpid());
	}
	send_text(long_line, sizeof(long_line), 1);
	send_text("FDSTORE=1\nFDNAME=vm-1", 21, 20);
	elisa_monitor_store_receive(&store, getpid());
	send_text("FDSTORE=1\nFDNAME=vm-1", 21, 1);
	elisa_monitor_store_receive(&store, getppid());
	send_text("FDSTORE=1\nFDNAME=vm-1", 21, 1);
	elisa_monitor_store_receive(&store, 0);
	assert_int_equal(store.kept.nb, 0);
	assert_int_equal(fixture_open_descriptors(), before);
}

static void a_full_store_keeps_what_it_has(void **state)
{
	unsigned int before = fixture_open_descriptors();

	(void)state;
	for (unsigned int i = 0; i < ELISA_KEPT_MAX / 3 + 2; i++) {
		send_text("FDSTORE=1\nFDNAME=vm-1", 21, 3);
		elisa_monitor_store_receive(&store, getpid());
	}
	assert_int_equal(store.kept.nb, ELISA_KEPT_MAX / 3 * 3);
	send_text("FDSTOREREMOVE=1\nFDNAME=vm-1", 27, 0);
	elisa_monitor_store_receive(&store, getpid());
	assert_int_equal(store.kept.nb, 0);
	assert_int_equal(fixture_open_descriptors(), before);
}

/* What is logged meanwhile; the caller's. */
static char *logged(void (*act)(void))
{
	int before = dup(STDERR_FILENO), file = memfd_create("log", MFD_CLOEXEC);
	char *text;
	off_t size;

	assert_true(file >= 0 && dup2(file, STDERR_FILENO) == STDERR_FILENO);
	act();
	dup2(before, STDERR_FILENO);
	close(before);
	size = lseek(file, 0, SEEK_END);
	text = calloc(1, (size_t)size + 1);
	assert_int_equal(pread(file, text, (size_t)size, 0), size);
	close(file);
	return text;
}

static void keep_seven(void)
{
	struct elisa_vm_record record = {.pid = 7};

	elisa_store_keep(ELISA_KEPT_VM, 7, &record, sizeof(record), fd, fd);
}

static void drop_seven(void)
{
	elisa_store_drop(ELISA_KEPT_VM, 7);
}

static int64_t ms_of_notify(int expected)
{
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_int_equal(elisa_notify("X=1", NULL, 0), expected);
	clock_gettime(CLOCK_MONOTONIC, &to);
	return (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
}

/* It is waited for once, and the log says what it does not know. */
static void a_store_that_does_not_read_holds_nobody_up(void **state)
{
	char *text;

	(void)state;
	keep_seven();
	/* As many as the kernel queues. */
	while (send(fd, "X=1", 3, MSG_DONTWAIT) == 3)
		;
	assert_int_equal(errno, EAGAIN);
	assert_in_range(ms_of_notify(-ETIMEDOUT), ELISA_NOTIFY_SECONDS * 1000 - 100,
			ELISA_NOTIFY_SECONDS * 1000 + 5000);
	assert_in_range(ms_of_notify(-ETIMEDOUT), 0, ELISA_NOTIFY_SECONDS * 1000 / 2);
	text = logged(drop_seven);
	assert_non_null(strstr(text, "cannot be told that vm-7 is gone"));
	free(text);
	text = logged(keep_seven);
	assert_non_null(strstr(text, "vm-7 cannot be handed"));
	free(text);
	elisa_monitor_store_receive(&store, getpid());
	assert_int_equal(store.kept.nb, 3);
	/* What it was not told of is not kept beside what has its name now. */
	keep_seven();
	elisa_monitor_store_receive(&store, getpid());
	assert_int_equal(store.kept.nb, 3);
	assert_in_range(ms_of_notify(0), 0, 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(messages_that_keep_nothing),
		TEST(a_full_store_keeps_what_it_has),
		TEST(a_store_that_does_not_read_holds_nobody_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
