// SPDX-License-Identifier: BSD-3-Clause
/* test_adopt_refuse.c - what was kept and is not what it was: not taken over, and left alone or taken away. */
#include "fake_module.h"
#include "fixture_restart.h"

#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The switch goes on, and one that can take it over still may. */
static void does_not_start(struct elisa_daemon *daemon, int error, const char *part)
{
	unsigned int kept = fixture_store.kept.nb, objects;
	struct elisa_options options = daemon->options;
	struct elisa_failure failure;

	fixture_restart_kill(daemon);
	objects = fake_module_objects();
	assert_int_equal(fixture_restart_start(daemon, &failure), error);
	if (!strstr(failure.message, part))
		fail_msg("'%s' does not say '%s'", failure.message, part);
	assert_int_equal(fixture_store.kept.nb, kept);
	assert_int_equal(fake_module_objects(), objects);
	daemon->options = options;
}

static void what_it_does_not_know_it_leaves_alone(void **state)
{
	struct elisa_daemon *daemon = *state;
	pid_t a, b;

	fixture_three_ports(daemon, &a, &b);
	strcpy(daemon->options.switch_name, "other");
	does_not_start(daemon, -EPROTO, "another name");
	strcpy(daemon->options.switch_name, "sw");
	fake_module.adopt_error = -EINVAL;
	fake_module.adopt_errors = 1;
	does_not_start(daemon, -EINVAL, "take over");
	fake_module.info_version = ELISA_UAPI_VERSION + 1;
	does_not_start(daemon, -EPROTO, "version");
	fake_module.info_version = ELISA_UAPI_VERSION;
	fixture_restart(daemon);
	daemon->domain.sw->layout++;
	does_not_start(daemon, -EPROTO, "layout");
	fixture_restart_kill(daemon);
	/* Somebody mends it. */
	for (unsigned int i = 0; i < fixture_store.kept.nb; i++) {
		const struct elisa_kept_fd *kept = &fixture_store.kept.fds[i];
		uint32_t layout = ELISA_SWITCH_LAYOUT;

		if (!strcmp(kept->name, "domain-0") && fcntl(kept->fd, F_GET_SEALS) >= 0 &&
		    !elisa_record_is_sealed(kept->fd))
			assert_int_equal(pwrite(kept->fd, &layout, sizeof(layout),
						offsetof(struct elisa_switch, layout)),
					 sizeof(layout));
	}
	fixture_restart(daemon);
	fixture_consistent(daemon);
	assert_int_equal(fixture_nb_ports(daemon), 3);
}

/* Replaces the domain's record by one with other bytes. */
static void replace_record(struct elisa_domain_record *record, enum elisa_kept_kind kind)
{
	for (unsigned int i = 0; i < fixture_store.kept.nb; i++) {
		struct elisa_kept_fd *kept = &fixture_store.kept.fds[i];

		if (strcmp(kept->name, "domain-0") != 0 || !elisa_record_is_sealed(kept->fd))
			continue;
		close(kept->fd);
		kept->fd = elisa_record_write(kind, record, sizeof(*record));
	}
}

static void another_image_is_refused(void **state)
{
	struct elisa_daemon *daemon = *state;
	struct elisa_domain_record good = {0}, bad;
	pid_t a, b;

	fixture_three_ports(daemon, &a, &b);
	for (unsigned int i = 0; i < fixture_store.kept.nb; i++)
		elisa_record_read(fixture_store.kept.fds[i].fd, ELISA_KEPT_DOMAIN, &good,
				  sizeof(good));
	assert_string_equal(good.switch_name, "sw");
	bad = good;
	bad.image.version[0]++;
	replace_record(&bad, ELISA_KEPT_DOMAIN);
	does_not_start(daemon, -EPROTO, "--image");
	bad = good;
	bad.text_size--;
	replace_record(&bad, ELISA_KEPT_DOMAIN);
	does_not_start(daemon, -EPROTO, "--image");
	replace_record(&good, ELISA_KEPT_VM);
	does_not_start(daemon, -EPROTO, "another version");
	replace_record(&good, ELISA_KEPT_DOMAIN);
	fixture_restart(daemon);
	fixture_consistent(daemon);
}

/* The kept descriptor `name` that is a record, or the one that is memory and no record. */
static struct elisa_kept_fd *kept_fd(const char *name, bool record)
{
	for (unsigned int i = 0; i < fixture_store.kept.nb; i++) {
		struct elisa_kept_fd *kept = &fixture_store.kept.fds[i];

		if (!strcmp(kept->name, name) && fcntl(kept->fd, F_GET_SEALS) >= 0 &&
		    elisa_record_is_sealed(kept->fd) == record)
			return kept;
	}
	fail_msg("nothing of %s", name);
	return NULL;
}

static void memory_that_is_no_switch_is_refused(void **state)
{
	static const off_t sizes[] = {0, 4096};
	struct elisa_daemon *daemon = *state;
	struct elisa_kept *kept = &fixture_store.kept;
	struct elisa_kept_fd *memory;
	pid_t a, b;
	int good;

	fixture_three_ports(daemon, &a, &b);
	memory = kept_fd("domain-0", false);
	good = memory->fd;
	kept->fds[kept->nb++] =
		(struct elisa_kept_fd){good, "spare"}; /* not the daemon's to close */
	for (unsigned int i = 0; i < 2; i++) {
		memory->fd = memfd_create("switch", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		assert_int_equal(ftruncate(memory->fd, sizes[i]), 0);
		does_not_start(daemon, -EPROTO, "not a switch");
		close(memory->fd);
	}
	memory->fd = good;
	kept->nb--;
	fixture_restart(daemon);
	fixture_consistent(daemon);
}

/* Ports of it go too. */
static void a_vm_with_impossible_vcpus_is_detached(void **state)
{
	static const struct elisa_vm_record bad[] = {
		{.first_vcpu = ELISA_MAX_VCPUS, .nb_vcpus = 1},
		{.first_vcpu = ELISA_MAX_VCPUS + 1, .nb_vcpus = 0},
		{.first_vcpu = 1, .nb_vcpus = ELISA_MAX_VCPUS},
		{.first_vcpu = 2, .nb_vcpus = UINT32_MAX},
		{.first_vcpu = UINT32_MAX, .nb_vcpus = 2},
	};
	struct elisa_daemon *daemon = *state;
	pid_t a, b;

	fixture_three_ports(daemon, &a, &b);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct elisa_kept_fd *record = kept_fd("vm-1", true);
		struct elisa_vm_record changed;

		assert_int_equal(
			elisa_record_read(record->fd, ELISA_KEPT_VM, &changed, sizeof(changed)), 0);
		changed.first_vcpu = bad[i].first_vcpu;
		changed.nb_vcpus = bad[i].nb_vcpus;
		close(record->fd);
		record->fd = elisa_record_write(ELISA_KEPT_VM, &changed, sizeof(changed));
		fixture_restart(daemon);
		fixture_consistent(daemon);
		assert_int_equal(fixture_nb_ports(daemon), 2);
		assert_int_equal(fixture_nb_vms(daemon), 1);
		fixture_restart_add(daemon, "b0", "b");
	}
}

/* What the record of a port says is what module and switch say, or the port goes. */
static void a_port_that_is_another_goes(void **state)
{
	static const uint32_t vms[] = {2, ELISA_MAX_PORTS, 1000, UINT32_MAX};
	struct elisa_daemon *daemon = *state;
	pid_t a, b;

	fixture_three_ports(daemon, &a, &b);
	for (unsigned int i = 0; i < 5; i++) {
		struct elisa_kept_fd *record = kept_fd("port-1", true);
		struct elisa_port_record changed;

		assert_int_equal(
			elisa_record_read(record->fd, ELISA_KEPT_PORT, &changed, sizeof(changed)),
			0);
		if (i < 4)
			changed.vm = vms[i];
		else
			changed.mac[5]++;
		close(record->fd);
		record->fd = elisa_record_write(ELISA_KEPT_PORT, &changed, sizeof(changed));
		fixture_restart(daemon);
		fixture_consistent(daemon);
		assert_int_equal(fixture_nb_ports(daemon), 2);
		fixture_restart_add(daemon, "b0", "b");
	}
}

/* Killed between the two: the module has it still. */
static void a_port_that_the_switch_has_not_goes(void **state)
{
	struct elisa_daemon *daemon = *state;
	struct elisa_switch *sw = daemon->domain.sw;
	uint64_t mac;
	pid_t a, b;

	fixture_three_ports(daemon, &a, &b);
	mac = sw->config[1].mac;
	elisa_switch_port_del(sw, 1);
	assert_int_equal(sw->config[1].mac, mac);
	fixture_restart(daemon);
	fixture_consistent(daemon);
	assert_int_equal(fixture_nb_ports(daemon), 2);
}

/* A record as a later version might write it: the number stands behind the magic one. */
static void write_version(struct elisa_kept_fd *record, uint8_t *bytes, size_t size,
			  uint32_t version)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

	close(record->fd);
	record->fd = memfd_create("record", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	memcpy(bytes + sizeof(uint64_t), &version, sizeof(version));
	assert_int_equal(write(record->fd, bytes, size), size);
	assert_int_equal(fcntl(record->fd, F_ADD_SEALS, seals), 0);
}

static void a_record_of_another_version_is_refused(void **state)
{
	struct elisa_daemon *daemon = *state;
	struct elisa_kept_fd *record = NULL;
	uint8_t bytes[512];
	ssize_t size;

	for (unsigned int i = 0; i < fixture_store.kept.nb; i++) {
		if (elisa_record_is_sealed(fixture_store.kept.fds[i].fd))
			record = &fixture_store.kept.fds[i];
	}
	assert_non_null(record);
	size = pread(record->fd, bytes, sizeof(bytes), 0);
	assert_in_range(size, 16, sizeof(bytes) - 1);
	write_version(record, bytes, (size_t)size, ELISA_RECORD_VERSION + 1);
	does_not_start(daemon, -EPROTO, "another version");
	write_version(record, bytes, (size_t)size, ELISA_RECORD_VERSION);
	fixture_restart(daemon);
	fixture_consistent(daemon);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_restart_setup, fixture_restart_teardown)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_it_does_not_know_it_leaves_alone),
		TEST(another_image_is_refused),
		TEST(a_record_of_another_version_is_refused),
		TEST(memory_that_is_no_switch_is_refused),
		TEST(a_vm_with_impossible_vcpus_is_detached),
		TEST(a_port_that_is_another_goes),
		TEST(a_port_that_the_switch_has_not_goes),
	};

	if (argc < 2)
		return 2;
	fixture_image = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
