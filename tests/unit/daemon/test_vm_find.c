// SPDX-License-Identifier: BSD-3-Clause
/* test_vm_find.c - names of VMs, and from a name to a process and its KVM descriptor. */
#include "fake_module.h"
#include "fixture.h"
#include "vswitch/daemon/names.h"
#include "vswitch/daemon/vm_find.h"

#include "cmocka_all.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* sizeof a literal counts its own last NUL, which ends the last argument. */
#define PARSE(literal) parse(literal, sizeof(literal))

/* The name, or NULL. The bytes lie at the end of their memory, so that a sanitizer sees all. */
static const char *parse(const char *bytes, size_t size)
{
	static char name[ELISA_VM_NAME_SIZE];
	char *copy = malloc(size ? size : 1);
	bool found;

	memcpy(copy, bytes, size);
	memset(name, 'x', sizeof(name));
	found = elisa_vm_name_parse(copy, size, name);
	free(copy);
	assert_int_equal(found, name[0] != '\0');
	return found ? name : NULL;
}

static void names_are_taken_as_qemu_takes_them(void **state)
{
	(void)state;
	assert_string_equal(PARSE("qemu\0-name\0guest-a"), "guest-a");
	assert_string_equal(PARSE("qemu\0--name\0guest-a"), "guest-a");
	assert_string_equal(PARSE("qemu\0-name\0a,debug-threads=on"), "a");
	assert_string_equal(PARSE("qemu\0-m\0001G\0-name\0guest=web,debug-threads=on\0-S"), "web");
	assert_string_equal(PARSE("qemu\0-name\0process=x,guest=web"), "web");
	assert_string_equal(PARSE("qemu\0-name\0one\0-name\0two"), "two");
	assert_string_equal(PARSE("qemu\0-name\0guest=a,,b,process=c"), "a,b");
	assert_string_equal(PARSE("qemu\0-name\0-name"), "-name");
}

static void what_names_no_guest_gives_none(void **state)
{
	char bytes[ELISA_VM_NAME_SIZE + 32] = "qemu\0-name\0guest=";
	const size_t start = sizeof("qemu\0-name\0guest=") - 1;

	(void)state;
	assert_null(parse("", 0));
	assert_null(PARSE(""));
	assert_null(PARSE("qemu"));
	assert_null(PARSE("qemu\0-name"));
	assert_null(PARSE("qemu\0-name\0"));
	assert_null(PARSE("qemu\0-name\0process=x"));
	assert_null(PARSE("qemu\0-name\0debug-threads=on,web"));
	assert_null(PARSE("qemu\0-names\0web"));
	assert_null(PARSE("qemu\0-name\0guest="));
	assert_null(PARSE("qemu\0-name\0two\nlines"));
	assert_null(PARSE("qemu\0-name\0\033[2J"));
	assert_null(parse("qemu\0-name\0cut", 14)); /* the last argument has no end */
	memset(bytes + start, 'n', ELISA_VM_NAME_SIZE);
	assert_null(parse(bytes, start + ELISA_VM_NAME_SIZE + 1));
	bytes[start + ELISA_VM_NAME_SIZE - 1] = '\0';
	assert_int_equal(strlen(parse(bytes, start + ELISA_VM_NAME_SIZE)), ELISA_VM_NAME_SIZE - 1);
}

static void random_command_lines_do_no_harm(void **state)
{
	static const char alphabet[] = "-name\0guest=,a\n\xff";
	char bytes[64];

	(void)state;
	srandom(2);
	for (unsigned int i = 0; i < 20000; i++) {
		size_t size = (size_t)random() % sizeof(bytes);

		for (size_t n = 0; n < size; n++)
			bytes[n] = alphabet[(size_t)random() % sizeof(alphabet)];
		parse(bytes, size);
	}
}

static int find(const char *reference, struct elisa_vm_process *found, const char *part_of_message)
{
	struct elisa_failure failure = {.message = ""};
	int result = elisa_vm_find(fixture_proc, reference, found, &failure);

	if (!strstr(failure.message, part_of_message))
		fail_msg("'%s' does not say '%s'", failure.message, part_of_message);
	return result;
}

static int setup(void **state)
{
	(void)state;
	fixture_begin();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_end();
	return 0;
}

static void vms_are_found_by_name_and_by_process(void **state)
{
	struct elisa_vm_process found;
	pid_t one = fixture_vm("one", 1), two = fixture_vm("two", 1);
	char reference[16];

	(void)state;
	assert_int_equal(find("one", &found, ""), 0);
	assert_int_equal(found.pid, one);
	assert_int_equal(found.kvm_fd, FAKE_KVM_FD);
	snprintf(reference, sizeof(reference), "%d", two);
	assert_int_equal(find(reference, &found, ""), 0);
	assert_int_equal(found.pid, two);
	assert_string_equal(found.name, "two");
}

static void what_is_no_vm_is_not_found(void **state)
{
	static const char named[] = "qemu\0-name\0plain";
	struct elisa_vm_process found;
	char reference[32];
	pid_t pid;

	(void)state;
	pid = fixture_process(named, sizeof(named), 1, "anon_inode:kvm-vcpu:0");
	snprintf(reference, sizeof(reference), "%d", pid);
	assert_int_equal(find(reference, &found, "runs no KVM"), -ENOENT);
	assert_int_equal(find("plain", &found, "no running KVM"), -ENOENT);
	assert_int_equal(find("nobody", &found, "nobody"), -ENOENT);
	assert_int_equal(find("99999999", &found, "99999999"), -ENOENT);
	assert_int_equal(find("99999999999999999999", &found, "no running KVM"), -ENOENT);
	assert_int_equal(find("", &found, "empty"), -EINVAL);
	assert_int_equal(find("-1", &found, "no running KVM"), -ENOENT);
	assert_int_equal(find("../1", &found, "no running KVM"), -ENOENT);
}

static void several_vms_of_one_name_are_listed(void **state)
{
	struct elisa_vm_process found;
	pid_t one = fixture_vm("twin", 1);
	char text[16];

	(void)state;
	fixture_vm("twin", 1);
	snprintf(text, sizeof(text), "%d", one);
	assert_int_equal(find("twin", &found, text), -ENOTUNIQ);
}

static void a_process_has_a_user(void **state)
{
	pid_t pid = fixture_vm("one", 1);
	uid_t user = 0;

	(void)state;
	assert_int_equal(elisa_vm_user(fixture_proc, pid, &user), 0);
	assert_int_equal(user, FAKE_USER);
	assert_int_equal(elisa_vm_user("/proc", getpid(), &user), 0);
	assert_int_equal(user, geteuid());
	fixture_kill(pid);
	assert_int_equal(elisa_vm_user(fixture_proc, pid, &user), -ENOENT);
}

static void the_descriptor_is_that_of_the_process(void **state)
{
	struct elisa_vm_process found;
	struct elisa_vm_handle handle;
	struct elisa_failure failure;
	struct fake_vm_content content;
	pid_t pid = fixture_vm("one", 3);
	struct pollfd poller;

	(void)state;
	assert_int_equal(find("one", &found, ""), 0);
	assert_int_equal(elisa_vm_take(fixture_proc, &found, &handle, &failure), 0);
	assert_int_equal(pread(handle.kvm_fd, &content, sizeof(content), 0), sizeof(content));
	assert_int_equal(content.pid, pid);
	poller = (struct pollfd){.fd = handle.pidfd, .events = POLLIN};
	assert_int_equal(poll(&poller, 1, 0), 0);
	fixture_kill(pid);
	assert_int_equal(poll(&poller, 1, 0), 1);
	close(handle.kvm_fd);
	close(handle.pidfd);
}

static void a_vm_that_ended_meanwhile_is_noticed(void **state)
{
	unsigned int before = fixture_open_descriptors();
	struct elisa_vm_process found, other;
	struct elisa_vm_handle handle;
	struct elisa_failure failure;
	pid_t pid = fixture_vm("one", 1);

	(void)state;
	assert_int_equal(find("one", &found, ""), 0);
	other = found;
	strcpy(other.name, "before"); /* the process id was another VM's */
	assert_int_equal(elisa_vm_take(fixture_proc, &other, &handle, &failure), -ESRCH);
	other = found;
	other.kvm_fd = STDIN_FILENO; /* open, but another file */
	assert_int_equal(elisa_vm_take(fixture_proc, &other, &handle, &failure), -ESRCH);
	fixture_kill(pid);
	assert_int_equal(elisa_vm_take(fixture_proc, &found, &handle, &failure), -ESRCH);
	assert_non_null(strstr(failure.message, "ended meanwhile"));
	assert_int_equal(fixture_open_descriptors(), before);
}

static void names_of_ports_and_switches(void **state)
{
	(void)state;
	assert_true(elisa_name_valid("p0"));
	assert_true(elisa_name_valid("0123456789012345678901234567890"));
	assert_false(elisa_name_valid("01234567890123456789012345678901"));
	assert_true(elisa_name_valid("a.b-c_d"));
	assert_false(elisa_name_valid(""));
	assert_false(elisa_name_valid("."));
	assert_false(elisa_name_valid("-a"));
	assert_false(elisa_name_valid("a/b"));
	assert_false(elisa_name_valid("a b"));
	assert_false(elisa_name_valid("\xc3\xa4"));
}

static void mac_addresses(void **state)
{
	static const char *const bad[] = {
		"",
		"52:e1:15:a0:00",
		"52:e1:15:a0:00:1",
		"52:e1:15:a0:00:0g",
		"52:e1:15:a0:00:01:",
		"52-e1-15-a0-00-01",
		"00:00:00:00:00:00",
		"01:00:00:00:00:00",
		"ff:ff:ff:ff:ff:ff",
		" 2:e1:15:a0:00:01",
		"52:e1:15:a0:00:01 ",
	};
	uint8_t mac[ELISA_MAC_SIZE], same[ELISA_MAC_SIZE], other[ELISA_MAC_SIZE];
	char text[ELISA_MAC_TEXT_SIZE];

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(elisa_mac_parse(bad[i], mac));
	assert_true(elisa_mac_parse("52:E1:15:a0:00:fF", mac));
	elisa_mac_print(mac, text);
	assert_string_equal(text, "52:e1:15:a0:00:ff");
	elisa_mac_derive("sw", "p0", mac);
	elisa_mac_derive("sw", "p0", same);
	elisa_mac_derive("sw", "p1", other);
	assert_memory_equal(mac, same, ELISA_MAC_SIZE);
	assert_memory_not_equal(mac, other, ELISA_MAC_SIZE);
	elisa_mac_print(mac, text);
	assert_memory_equal(text, "52:e1:15:a0:", 12);
	elisa_mac_derive("s", "wp0", other);
	assert_memory_not_equal(mac, other, ELISA_MAC_SIZE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_taken_as_qemu_takes_them),
		cmocka_unit_test(what_names_no_guest_gives_none),
		cmocka_unit_test(random_command_lines_do_no_harm),
		cmocka_unit_test_setup_teardown(vms_are_found_by_name_and_by_process, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_no_vm_is_not_found, setup, teardown),
		cmocka_unit_test_setup_teardown(several_vms_of_one_name_are_listed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_process_has_a_user, setup, teardown),
		cmocka_unit_test_setup_teardown(the_descriptor_is_that_of_the_process, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_vm_that_ended_meanwhile_is_noticed, setup,
						teardown),
		cmocka_unit_test(names_of_ports_and_switches),
		cmocka_unit_test(mac_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
