// SPDX-License-Identifier: BSD-3-Clause
/* test_ports.c - the life of ports, as requests see it: exact, all or nothing, nothing left over. */
#include "fake_module.h"
#include "fixture.h"
#include "vswitch/daemon/names.h"

#include "cmocka_all.h"

#include <elisa/ring.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static json_int_t number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static void add(struct elisa_daemon *daemon, const char *name, const char *vm)
{
	char arguments[128];

	snprintf(arguments, sizeof(arguments), "{\"name\":\"%s\",\"vm\":\"%s\"}", name, vm);
	json_decref(fixture_result(daemon, "port-add", arguments));
}

static void del(struct elisa_daemon *daemon, const char *name)
{
	char arguments[64];

	snprintf(arguments, sizeof(arguments), "{\"name\":\"%s\"}", name);
	json_decref(fixture_result(daemon, "port-del", arguments));
}

static size_t nb_ports(struct elisa_daemon *daemon)
{
	json_t *result = fixture_result(daemon, "port-list", "{}");
	size_t count = json_array_size(json_object_get(result, "ports"));

	json_decref(result);
	return count;
}

static void a_port_gets_what_was_asked(void **state)
{
	pid_t pid = fixture_vm("a", 2);
	json_t *port = fixture_result(*state, "port-add",
				      "{\"name\":\"p0\",\"vm\":\"a\",\"mac\":\"02:00:00:00:00:07\","
				      "\"on_full\":\"backpressure\",\"mtu\":9216,\"queues\":2}");

	assert_string_equal(text(port, "name"), "p0");
	assert_int_equal(number(port, "number"), 0);
	assert_string_equal(text(port, "mac"), "02:00:00:00:00:07");
	assert_string_equal(text(port, "on_full"), "backpressure");
	assert_int_equal(number(port, "max_mtu"), 9216);
	assert_int_equal(number(port, "max_queues"), 2);
	assert_int_equal(number(json_object_get(port, "vm"), "pid"), pid);
	assert_int_equal(number(json_object_get(port, "vm"), "uid"), FAKE_USER);
	assert_string_equal(text(json_object_get(port, "vm"), "name"), "a");
	json_decref(port);
	assert_int_equal(fake_module.last_port.max_mtu, 9216);
	assert_int_equal(fake_module.last_port.max_queues, 2);
	assert_int_equal(fake_module.last_port.max_ring, ELISA_MAX_RING);
	assert_memory_equal(fake_module.last_port.mac, "\x02\0\0\0\0\x07", 6);
	assert_string_equal(fake_module.last_port.name, "p0");
}

static void defaults_are_those_of_the_manual(void **state)
{
	struct elisa_daemon *daemon = *state;
	uint8_t mac[ELISA_MAC_SIZE];
	json_t *fdb, *entries;

	fixture_vm("a", 1);
	add(daemon, "p0", "a");
	elisa_mac_derive("sw", "p0", mac);
	assert_memory_equal(fake_module.last_port.mac, mac, ELISA_MAC_SIZE);
	assert_int_equal(fake_module.last_port.max_mtu, 1500);
	assert_int_equal(fake_module.last_port.max_queues, ELISA_MAX_QUEUES);
	assert_int_equal(daemon->domain.sw->config[0].backpressure, 0);
	fdb = fixture_result(daemon, "fdb", "{}");
	entries = json_object_get(fdb, "entries");
	assert_int_equal(json_array_size(entries), 1);
	assert_string_equal(text(json_array_get(entries, 0), "port"), "p0");
	assert_true(json_is_true(json_object_get(json_array_get(entries, 0), "fixed")));
	json_decref(fdb);
}

static void ports_of_one_vm_share_its_attachment(void **state)
{
	unsigned int before;

	fixture_vm("a", 2);
	before = fixture_open_descriptors();
	add(*state, "p0", "a");
	add(*state, "p1", "a");
	assert_int_equal(fake_module.attaches, 1);
	assert_int_equal(fake_module_objects(), 2 + 1 + 2);
	del(*state, "p0");
	assert_int_equal(fake_module_objects(), 2 + 1 + 1);
	del(*state, "p1");
	assert_int_equal(fake_module_objects(), 2);
	assert_int_equal(fixture_open_descriptors(), before);
	add(*state, "p1", "a");
	assert_int_equal(fake_module.attaches, 2);
}

static void a_taken_port_names_its_holder(void **state)
{
	char part[64];
	pid_t pid = fixture_vm("a", 1);

	fixture_vm("b", 1);
	add(*state, "p0", "a");
	snprintf(part, sizeof(part), "port p0 belongs to VM a (process %d)", pid);
	fixture_refused(*state, "port-add", "{\"name\":\"p0\",\"vm\":\"b\"}", "EEXIST", part);
	fake_module.claimed = 1;
	fixture_refused(*state, "port-add", "{\"name\":\"p0\",\"vm\":\"b\"}", "EEXIST",
			"a guest process is using it");
	fixture_refused(*state, "port-add",
			"{\"name\":\"p1\",\"vm\":\"b\",\"mac\":\"02:00:00:00:00:01\",\"mtu\":1}",
			"EINVAL", "'mtu'");
	assert_int_equal(fake_module.attaches, 1);
	assert_int_equal(nb_ports(*state), 1);
}

static void an_address_belongs_to_one_port(void **state)
{
	fixture_vm("a", 1);
	json_decref(fixture_result(*state, "port-add",
				   "{\"name\":\"p0\",\"vm\":\"a\",\"mac\":\"02:00:00:00:00:01\"}"));
	fixture_refused(*state, "port-add",
			"{\"name\":\"p1\",\"vm\":\"a\",\"mac\":\"02:00:00:00:00:01\"}", "EEXIST",
			"that of port p0");
}

static void all_ports_can_be_used_and_no_more(void **state)
{
	char name[16];

	fixture_vm("a", 1);
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		char arguments[128];

		snprintf(arguments, sizeof(arguments),
			 "{\"name\":\"p%u\",\"vm\":\"a\",\"mac\":\"02:00:00:00:01:%02x\"}", i, i);
		json_decref(fixture_result(*state, "port-add", arguments));
	}
	fixture_refused(*state, "port-add", "{\"name\":\"more\",\"vm\":\"a\"}", "ENOSPC",
			"64 ports");
	del(*state, "p5");
	add(*state, "more", "a");
	assert_int_equal(fake_module.last_port.port, 5);
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		snprintf(name, sizeof(name), "p%u", i);
		if (i != 5)
			del(*state, name);
	}
	assert_int_equal(nb_ports(*state), 1);
}

/* The module says no: the sentence tells why, and nothing of the port is left. */
static void refused_ports_leave_nothing(void **state)
{
	static const char *const vm = "{\"name\":\"p0\",\"vm\":\"a\"}";
	struct elisa_daemon *daemon = *state;
	unsigned int before;

	fixture_vm("a", 1);
	before = fixture_open_descriptors();
	fake_module.port_add_error = -ERANGE;
	fixture_refused(daemon, "port-add", vm, "ERANGE", "port p0 for VM a");
	fake_module.port_add_error = -EMFILE;
	fixture_refused(daemon, "port-add", vm, "EMFILE", "limit of open files");
	fake_module.port_add_error = 0;
	fake_module.attach_error = -ENOSPC;
	fixture_refused(daemon, "port-add", vm, "ENOSPC", "vCPUs");
	fake_module.attach_error = -EBUSY;
	fixture_refused(daemon, "port-add", vm, "EBUSY", "another switch");
	fake_module.attach_error = -ENOMEM;
	fixture_refused(daemon, "port-add", vm, "ENOMEM", "dmesg");
	fake_module.attach_error = 0;
	assert_int_equal(fake_module_objects(), 2);
	assert_int_equal(daemon->domain.sw->ports, 0);
	assert_int_equal(elisa_switch_fdb_dump(daemon->domain.sw, NULL, 0), 0);
	assert_int_equal(fixture_open_descriptors(), before);
	add(daemon, "p0", "a");
}

static void each_refusal_is_a_sentence(void **state)
{
	static const char *const parts[] = {
		[ELISA_REFUSED_NESTED] = "virtual machine of its own",
		[ELISA_REFUSED_SMM] = "system management mode",
		[ELISA_REFUSED_DIRTY_LOG] = "migration",
		[ELISA_REFUSED_APICV] = "enable_apicv=0",
		[ELISA_REFUSED_SHADOW] = "ept=1",
		[ELISA_REFUSED_WINDOW] = "less memory",
		[ELISA_REFUSED_SIDE_CHANNEL] = "--accept-side-channels",
		[ELISA_REFUSED_VPMU] = "pmu=off",
		[ELISA_REFUSED_NO_VCPU] = "no vCPU yet",
		[ELISA_REFUSED_NO_VCPU + 1] = "same version",
	};

	fixture_vm("a", 1);
	fake_module.attach_error = -EOPNOTSUPP;
	for (uint32_t i = ELISA_REFUSED_NESTED; i < sizeof(parts) / sizeof(parts[0]); i++) {
		fake_module.refusal = i;
		fixture_refused(*state, "port-add", "{\"name\":\"p0\",\"vm\":\"a\"}", "EOPNOTSUPP",
				parts[i]);
	}
}

static void counters_begin_anew_with_the_port(void **state)
{
	struct elisa_daemon *daemon = *state;
	json_t *result, *port;

	fixture_vm("a", 1);
	add(daemon, "p0", "a");
	daemon->domain.sw->sent[0].packets = 12;
	daemon->domain.sw->sent[0].drops[ELISA_DROP_RUNT] = 5;
	daemon->domain.sw->sent[0].drops[ELISA_DROP_GIANT] = 2;
	daemon->domain.sw->received[0].bytes = 640;
	result = fixture_result(daemon, "stats", "{\"name\":\"p0\"}");
	port = json_array_get(json_object_get(result, "ports"), 0);
	assert_int_equal(number(json_object_get(port, "sent"), "packets"), 12);
	assert_int_equal(number(json_object_get(port, "sent"), "dropped"), 7);
	assert_int_equal(number(json_object_get(json_object_get(port, "sent"), "drops"),
				elisa_drop_reason_name(ELISA_DROP_RUNT)),
			 5);
	assert_int_equal(number(json_object_get(port, "received"), "bytes"), 640);
	json_decref(result);
	del(daemon, "p0");
	add(daemon, "p0", "a");
	result = fixture_result(daemon, "stats", "{}");
	port = json_array_get(json_object_get(result, "ports"), 0);
	assert_int_equal(number(json_object_get(port, "sent"), "packets"), 0);
	json_decref(result);
}

static void vm_statistics_are_sums_over_vcpus(void **state)
{
	json_t *result, *vm;

	fixture_vm("a", 3);
	fixture_vm("b", 1);
	add(*state, "p0", "a");
	add(*state, "p1", "a");
	add(*state, "q0", "b");
	result = fixture_result(*state, "vm", "{\"name\":\"a\"}");
	assert_int_equal(json_array_size(json_object_get(result, "vms")), 1);
	vm = json_array_get(json_object_get(result, "vms"), 0);
	assert_int_equal(number(vm, "vcpus"), 3);
	assert_int_equal(number(vm, "exits"), 303);
	assert_int_equal(number(vm, "exits_io"), 30);
	assert_int_equal(number(json_object_get(vm, "by_reason"), "EXTERNAL_INTERRUPT"), 270);
	assert_int_equal(number(json_object_get(vm, "by_reason"), "IO_INSTRUCTION"), 30);
	assert_int_equal(json_object_size(json_object_get(vm, "inside_by_reason")), 1);
	assert_int_equal(json_array_size(json_object_get(vm, "ports")), 2);
	json_decref(result);
	result = fixture_result(*state, "vm", "{}");
	assert_int_equal(json_array_size(json_object_get(result, "vms")), 2);
	json_decref(result);
	fake_module.stats_error = -ENOENT;
	fixture_refused(*state, "vm", "{}", "ENOENT", "vCPU 0");
	fixture_refused(*state, "vm", "{\"name\":\"c\"}", "ENOENT", "no VM c");
}

static void proving_tells_what_broke(void **state)
{
	json_t *result = fixture_result(*state, "prove", "{}");

	assert_int_equal(number(result, "entries"), 4711);
	json_decref(result);
	fake_module.invariant = 3;
	fixture_refused(*state, "prove", "{}", "EUCLEAN", "invariant 3");
	fake_module.invariant = 0;
	fake_module.prove_error = -ENOMEM;
	fixture_refused(*state, "prove", "{}", "ENOMEM", "dmesg");
}

static void proving_tells_what_was_written_to(void **state)
{
	struct elisa_daemon *daemon = *state;
	json_t *result = fixture_result(*state, "prove", "{}");

	assert_true(json_is_true(json_object_get(result, "sound")));
	json_decref(result);
	daemon->domain.sw->ports ^= 1ull << 40;
	fixture_refused(*state, "prove", "{}", "EUCLEAN", "port 40");
	daemon->domain.sw->ports ^= 1ull << 40;
}

static void learned_addresses_are_shown_and_flushed(void **state)
{
	struct elisa_daemon *daemon = *state;
	json_t *result;

	fixture_vm("a", 1);
	add(daemon, "p0", "a");
	result = fixture_result(daemon, "fdb-flush", "{\"name\":\"p0\"}");
	assert_int_equal(number(result, "forgotten"), 0); /* the port's own stays */
	json_decref(result);
	fixture_refused(daemon, "fdb-flush", "{\"name\":\"p9\"}", "ENOENT", "p9");
	result = fixture_result(daemon, "status", "{}");
	assert_int_equal(number(result, "fdb_entries"), 1);
	assert_int_equal(number(result, "fdb_capacity"), 1024);
	assert_int_equal(number(result, "ports"), 1);
	assert_int_equal(number(result, "ageing_s"), 300);
	json_decref(result);
}

static void a_hundred_lives_leave_nothing(void **state)
{
	unsigned int before;

	fixture_vm("a", 2);
	before = fixture_open_descriptors();
	for (unsigned int i = 0; i < 100; i++) {
		add(*state, "p0", "a");
		del(*state, "p0");
	}
	assert_int_equal(fixture_open_descriptors(), before);
	assert_int_equal(fake_module_objects(), 2);
	fixture_refused(*state, "port-del", "{\"name\":\"p0\"}", "ENOENT", "no port p0");
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_daemon_setup, fixture_daemon_teardown)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_port_gets_what_was_asked),
		TEST(defaults_are_those_of_the_manual),
		TEST(ports_of_one_vm_share_its_attachment),
		TEST(a_taken_port_names_its_holder),
		TEST(an_address_belongs_to_one_port),
		TEST(all_ports_can_be_used_and_no_more),
		TEST(refused_ports_leave_nothing),
		TEST(each_refusal_is_a_sentence),
		TEST(counters_begin_anew_with_the_port),
		TEST(vm_statistics_are_sums_over_vcpus),
		TEST(proving_tells_what_broke),
		TEST(proving_tells_what_was_written_to),
		TEST(learned_addresses_are_shown_and_flushed),
		TEST(a_hundred_lives_leave_nothing),
	};

	if (argc < 2)
		return 2;
	fixture_image = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
