// SPDX-License-Identifier: BSD-3-Clause
/* fixture_restart.c - see fixture_restart.h. */
#include "fixture_restart.h"

#include "fake_module.h"
#include "fake_nic.h"
#include "fixture_sysfs.h"
#include "vswitch/daemon/adopt.h"

#include "cmocka_all.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct elisa_monitor_store fixture_store;

static bool before_daemon[FAKE_MODULE_FD]; /* descriptors that are not the daemon's */
static unsigned int steps_left;
static jmp_buf killed;

int __real_elisa_notify(const char *text, const int *fds, unsigned int nb_fds);
int __wrap_elisa_notify(const char *text, const int *fds, unsigned int nb_fds);

static void step(void)
{
	if (steps_left && !--steps_left)
		longjmp(killed, 1);
}

int __wrap_elisa_notify(const char *text, const int *fds, unsigned int nb_fds)
{
	int result;

	step();
	result = __real_elisa_notify(text, fds, nb_fds);
	elisa_monitor_store_receive(&fixture_store, getpid());
	step();
	return result;
}

/* Calls `act` for each of this process's descriptors below the fakes'. */
static void for_each_fd(void (*act)(int fd))
{
	bool open_now[FAKE_MODULE_FD] = {false};
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;

	while ((entry = readdir(directory))) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] != '.' && fd < FAKE_MODULE_FD && fd != dirfd(directory))
			open_now[fd] = true;
	}
	closedir(directory);
	for (int fd = 0; fd < FAKE_MODULE_FD; fd++) {
		if (open_now[fd])
			act(fd);
	}
}

static void note(int fd)
{
	before_daemon[fd] = true;
}

static void close_if_daemons(int fd)
{
	for (unsigned int i = 0; i < fixture_store.kept.nb; i++) {
		if (fixture_store.kept.fds[i].fd == fd)
			return;
	}
	if (!before_daemon[fd])
		close(fd);
}

int fixture_restart_setup(void **state)
{
	struct elisa_failure failure;
	char beside[64];

	snprintf(beside, sizeof(beside), "/tmp/elisa-test-restart");
	if (elisa_monitor_store_open(&fixture_store, beside, &failure))
		fail_msg("%s", failure.message);
	setenv("NOTIFY_SOCKET", fixture_store.path, 1);
	for (int fd = 0; fd < FAKE_MODULE_FD; fd++)
		before_daemon[fd] = false;
	for_each_fd(note);
	steps_left = 0;
	return fixture_uplink_setup(state);
}

int fixture_restart_teardown(void **state)
{
	fixture_uplink_teardown(state);
	assert_int_equal(fixture_store.kept.nb, 0);
	elisa_monitor_store_close(&fixture_store);
	unsetenv("NOTIFY_SOCKET");
	return 0;
}

void fixture_restart_kill(struct elisa_daemon *daemon)
{
	if (daemon->domain.sw)
		munmap(daemon->domain.sw, daemon->domain.switch_size);
	if (daemon->domain.code)
		munmap(daemon->domain.code, daemon->domain.code_size);
	daemon->domain.sw = NULL;
	daemon->domain.code = NULL;
	for_each_fd(close_if_daemons);
	fake_nic_killed();
	fake_module_collect();
}

int fixture_restart_start(struct elisa_daemon *daemon, struct elisa_failure *failure)
{
	struct elisa_options options = daemon->options;
	static struct elisa_kept kept;
	int result;

	kept = fixture_store.kept;
	for (unsigned int i = 0; i < kept.nb; i++)
		kept.fds[i].fd = fcntl(kept.fds[i].fd, F_DUPFD_CLOEXEC, 3);
	result = elisa_daemon_open(daemon, &options, fixture_proc, &kept, failure);
	if (result)
		return result;
	daemon->uplinks.sysfs = fixture_sysfs;
	result = elisa_uplinks_open(&daemon->uplinks, 64, failure);
	assert_int_equal(result, 0);
	elisa_adopt_uplinks(daemon, &kept);
	elisa_kept_drop_rest(&kept);
	return 0;
}

void fixture_restart(struct elisa_daemon *daemon)
{
	struct elisa_failure failure;

	fixture_restart_kill(daemon);
	if (fixture_restart_start(daemon, &failure))
		fail_msg("%s", failure.message);
}

bool fixture_restart_kill_in(struct elisa_daemon *daemon, void (*act)(struct elisa_daemon *daemon),
			     unsigned int number)
{
	volatile bool came = true;

	if (!setjmp(killed)) {
		steps_left = number;
		fake_module.on_call = step;
		act(daemon);
		came = false;
	}
	steps_left = 0;
	fake_module.on_call = NULL;
	if (came)
		fixture_restart_kill(daemon);
	return came;
}

void fixture_restart_add(struct elisa_daemon *daemon, const char *name, const char *vm)
{
	char arguments[128];

	snprintf(arguments, sizeof(arguments),
		 "{\"name\":\"%s\",\"vm\":\"%s\",\"on_full\":\"backpressure\",\"mtu\":9000,"
		 "\"queues\":3}",
		 name, vm);
	json_decref(fixture_result(daemon, "port-add", arguments));
}

void fixture_three_ports(struct elisa_daemon *daemon, pid_t *a, pid_t *b)
{
	*a = fixture_vm("a", 2);
	*b = fixture_vm("b", 3);
	fixture_restart_add(daemon, "a0", "a");
	fixture_restart_add(daemon, "b0", "b");
	fixture_restart_add(daemon, "a1", "a");
}

unsigned int fixture_nb_ports(const struct elisa_daemon *daemon)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++)
		count += daemon->ports.ports[i].present;
	return count;
}

unsigned int fixture_nb_vms(const struct elisa_daemon *daemon)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++)
		count += daemon->vms.vms[i].attached;
	return count;
}

unsigned int fixture_nb_uplinks(const struct elisa_daemon *daemon)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < ELISA_MAX_UPLINKS; i++)
		count += daemon->uplinks.uplinks[i].present;
	return count;
}

/* The numbers that ports and uplinks of the daemon have. */
static uint64_t numbers(const struct elisa_daemon *daemon)
{
	uint64_t bits = 0;

	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++)
		bits |= (uint64_t)daemon->ports.ports[i].present << i;
	for (unsigned int i = 0; i < ELISA_MAX_UPLINKS; i++) {
		if (daemon->uplinks.uplinks[i].present)
			bits |= 1ull << daemon->uplinks.uplinks[i].number;
	}
	return bits;
}

void fixture_consistent(const struct elisa_daemon *daemon)
{
	const struct elisa_switch *sw = daemon->domain.sw;
	struct elisa_fdb_record records[64];
	unsigned int total = elisa_switch_fdb_dump(sw, records, 64), fixed = 0;
	unsigned int ports = fixture_nb_ports(daemon), vms = fixture_nb_vms(daemon),
		     uplinks = fixture_nb_uplinks(daemon);

	assert_int_equal(fake_module_objects(), 2 + vms + ports);
	assert_int_equal(fake_module.maps, 3 + (uplinks ? 2 + uplinks : 0));
	assert_int_equal(fixture_store.kept.nb, 3 + 3 * vms + 2 * ports + uplinks);
	assert_int_equal(sw->ports, numbers(daemon));
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++)
		assert_int_equal(sw->config[i].present, sw->ports >> i & 1);
	for (unsigned int i = 0; i < total; i++)
		fixed += records[i].fixed;
	assert_int_equal(fixed, ports);
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++)
		assert_true(!daemon->vms.vms[i].attached || daemon->vms.vms[i].nb_ports);
	for (unsigned int i = 0; i < ELISA_MAX_UPLINKS; i++)
		assert_int_equal(sw->uplinks_present >> i & 1, daemon->uplinks.uplinks[i].present);
	assert_int_equal(fake_nic.opened, uplinks);
}
