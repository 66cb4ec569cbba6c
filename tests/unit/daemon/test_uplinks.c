// SPDX-License-Identifier: BSD-3-Clause
/* test_uplinks.c - the life of uplinks, as requests see it: exact, all or nothing, nothing left over. */
#include "fake_module.h"
#include "fake_nic.h"
#include "fixture_uplink.h"
#include "vswitch/daemon/uplink_owners.h"

#include "cmocka_all.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define UP0 "{\"name\":\"up0\",\"pci\":\"01:00.0\"}"

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

static size_t nb_uplinks(struct elisa_daemon *daemon)
{
	json_t *result = fixture_result(daemon, "uplink-list", "{}");
	size_t count = json_array_size(json_object_get(result, "uplinks"));

	json_decref(result);
	return count;
}

static void an_uplink_gets_what_was_asked(void **state)
{
	struct elisa_daemon *daemon = *state;
	const struct elisa_uplink *uplink = &daemon->domain.sw->uplinks[0];
	json_t *json = fixture_result(daemon, "uplink-add",
				      "{\"name\":\"up0\",\"pci\":\"01:00.0\",\"mtu\":9000,"
				      "\"queues\":3,\"on_full\":\"backpressure\"}");

	assert_string_equal(text(json, "name"), "up0");
	assert_int_equal(number(json, "number"), 0);
	assert_string_equal(text(json, "pci"), "0000:01:00.0");
	assert_string_equal(text(json, "driver"), "net_fake");
	assert_string_equal(text(json, "kernel_driver"), "igb_uio");
	assert_string_equal(text(json, "mac"), "02:00:00:00:09:00");
	assert_string_equal(text(json, "on_full"), "backpressure");
	assert_int_equal(number(json, "mtu"), 9000);
	assert_int_equal(number(json, "queues"), 3);
	assert_string_equal(text(json, "state"), "up");
	assert_true(json_is_true(json_object_get(json, "link")));
	assert_int_equal(number(json, "speed_mbps"), 1000);
	assert_int_equal(number(json, "resets"), 0);
	json_decref(json);
	assert_int_equal(uplink->state, ELISA_UPLINK_UP);
	assert_int_equal(uplink->link, 1);
	assert_int_equal(uplink->driver, 1);
	assert_int_equal(uplink->mtu, 9000);
	assert_int_equal(uplink->nb_queues, 3);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(uplink->queues[i].receive, fake_nic_queue(0, i));
		assert_int_equal(uplink->queues[i].transmit, fake_nic_queue(0, i) + 64);
		assert_int_equal(uplink->queues[i].pool, fake_nic_queue(0, i) + 128);
	}
	assert_int_equal(daemon->domain.sw->config[0].uplink, 1);
	assert_int_equal(daemon->domain.sw->config[0].backpressure, 1);
}

static void defaults_are_those_of_the_manual(void **state)
{
	struct elisa_daemon *daemon = *state;

	json_decref(fixture_result(daemon, "uplink-add", UP0));
	assert_int_equal(fake_nic.last.mtu, 1500);
	assert_int_equal(fake_nic.last.nb_queues, 1);
	assert_int_equal(daemon->domain.sw->config[0].backpressure, 0);
}

/* Mapped with the first, unmapped with the last; what each has of its own goes with it. */
static void uplinks_share_memory_and_not_registers(void **state)
{
	unsigned int before = fake_module.maps;

	fixture_uplink_add(*state, 0, 1);
	assert_int_equal(fake_module.maps, before + 3);
	fixture_uplink_add(*state, 1, 1);
	assert_int_equal(fake_module.maps, before + 4);
	json_decref(fixture_result(*state, "uplink-del", "{\"name\":\"up0\"}"));
	assert_int_equal(fake_module.maps, before + 3);
	assert_true(fake_module_mapped(ELISA_OFFSET_UPLINK_MEMORY));
	json_decref(fixture_result(*state, "uplink-del", "{\"name\":\"up1\"}"));
	assert_int_equal(fake_module.maps, before);
	assert_int_equal(fake_nic.opened, 0);
	fixture_uplink_add(*state, 1, 1);
	assert_int_equal(nb_uplinks(*state), 1);
}

static void ports_and_uplinks_share_numbers_and_names(void **state)
{
	struct elisa_daemon *daemon = *state;

	fixture_vm("a", 1);
	fixture_uplink_add(daemon, 0, 1);
	json_decref(fixture_result(daemon, "port-add", "{\"name\":\"p0\",\"vm\":\"a\"}"));
	assert_int_equal(fake_module.last_port.port, 1);
	fixture_uplink_add(daemon, 1, 1);
	assert_int_equal(daemon->uplinks.uplinks[1].number, 2);
	fixture_refused(daemon, "port-add", "{\"name\":\"up0\",\"vm\":\"a\"}", "EEXIST", "uplink");
	fixture_refused(daemon, "uplink-add", "{\"name\":\"p0\",\"pci\":\"03:00.0\"}", "EEXIST",
			"port of a VM");
	fixture_refused(daemon, "uplink-add", "{\"name\":\"up0\",\"pci\":\"03:00.0\"}", "EEXIST",
			"uplink up0 is NIC 0000:01:00.0");
	fixture_refused(daemon, "uplink-add", "{\"name\":\"up2\",\"pci\":\"02:00.0\"}", "EEXIST",
			"uplink up1 is NIC 0000:02:00.0");
	fixture_refused(daemon, "port-del", "{\"name\":\"up0\"}", "ENOENT", "up0 is an uplink");
	fixture_refused(daemon, "uplink-del", "{\"name\":\"p0\"}", "ENOENT", "no uplink p0");
	assert_int_equal(fake_nic.opened, 2);
}

static void there_are_four_and_no_more(void **state)
{
	for (unsigned int i = 0; i < ELISA_MAX_UPLINKS; i++)
		fixture_uplink_add(*state, i, 1);
	fixture_refused(*state, "uplink-add", "{\"name\":\"up4\",\"pci\":\"05:00.0\"}", "ENOSPC",
			"4 uplinks");
	json_decref(fixture_result(*state, "uplink-del", "{\"name\":\"up2\"}"));
	fixture_uplink_add(*state, 4, 1);
	assert_int_equal(nb_uplinks(*state), 4);
}

static void arguments_of_wrong_kind_are_named(void **state)
{
	static const struct {
		const char *arguments, *part;
	} adds[] = {
		{"{}", "'name'"},
		{"{\"name\":\"up0\"}", "'pci'"},
		{"{\"name\":\"a/b\",\"pci\":\"01:00.0\"}", "'name'"},
		{"{\"name\":\"up0\",\"pci\":7}", "'pci'"},
		{"{\"name\":\"up0\",\"pci\":\"eth0\"}", "lspci -D"},
		{"{\"name\":\"up0\",\"pci\":\"01:00.0\",\"mtu\":67}", "'mtu'"},
		{"{\"name\":\"up0\",\"pci\":\"01:00.0\",\"mtu\":9217}", "'mtu'"},
		{"{\"name\":\"up0\",\"pci\":\"01:00.0\",\"queues\":0}", "'queues'"},
		{"{\"name\":\"up0\",\"pci\":\"01:00.0\",\"queues\":9}", "'queues'"},
		{"{\"name\":\"up0\",\"pci\":\"01:00.0\",\"on_full\":\"wait\"}", "'on_full'"},
		{"{\"name\":\"up0\",\"pci\":\"01:00.0\",\"vm\":\"a\"}", "'vm'"},
	};

	for (unsigned int i = 0; i < sizeof(adds) / sizeof(adds[0]); i++)
		fixture_refused(*state, "uplink-add", adds[i].arguments, "EINVAL", adds[i].part);
	fixture_refused(*state, "uplink-add", "{\"name\":\"up0\",\"pci\":\"0a:00.0\"}", "ENODEV",
			"0000:0a:00.0");
	fixture_refused(*state, "uplink-del", "{}", "EINVAL", "'name'");
	fixture_refused(*state, "uplink-show", "{\"name\":1}", "EINVAL", "'name'");
	fixture_refused(*state, "uplink-list", "{\"name\":\"up0\"}", "EINVAL", "'name'");
	assert_int_equal(fake_nic.last.mtu, 0);
}

static void without_memory_there_are_none(void **state)
{
	struct elisa_daemon *daemon = *state;

	elisa_uplinks_close(&daemon->uplinks, &daemon->domain);
	fixture_refused(daemon, "uplink-add", UP0, "EOPNOTSUPP", "--uplink-memory");
}

/* Something on the way says no: the sentence tells why, and nothing of the uplink is left. */
static void refused_uplinks_leave_nothing(void **state)
{
	struct elisa_daemon *daemon = *state;
	unsigned int before = fake_module.maps;

	fake_nic.open_error = -ENOTSUP;
	fixture_refused(daemon, "uplink-add", UP0, "EOPNOTSUPP", "fake NIC");
	fake_nic.open_error = 0;
	for (unsigned int at = 0; at < 3; at++) {
		fake_module.map_error_at = before + at;
		fake_module.map_error = -ENOMEM;
		fixture_refused(daemon, "uplink-add", UP0, "ENOMEM", "RLIMIT_MEMLOCK");
		fake_module.map_error = -EFAULT;
		fixture_refused(daemon, "uplink-add", UP0, "EFAULT", "dmesg");
		assert_int_equal(fake_module.maps, before);
		assert_int_equal(fake_nic.opened, 0);
	}
	fake_module.map_error = 0;
	assert_int_equal(daemon->domain.sw->ports, 0);
	assert_int_equal(daemon->domain.sw->uplinks_present, 0);
	assert_int_equal(nb_uplinks(daemon), 0);
	json_decref(fixture_result(daemon, "uplink-add", UP0));
	/* A second one that fails does not take the memory from the first. */
	fake_module.map_error_at = fake_module.maps;
	fake_module.map_error = -ENOMEM;
	fixture_refused(daemon, "uplink-add", "{\"name\":\"up1\",\"pci\":\"02:00.0\"}", "ENOMEM",
			"RLIMIT_MEMLOCK");
	fake_module.map_error = 0;
	assert_int_equal(fake_module.maps, before + 3);
	assert_int_equal(fake_nic.opened, 1);
}

/* What vCPUs may still reach is not given back: the uplink stays, down, until it works. */
static void what_cannot_be_unmapped_is_kept(void **state)
{
	struct elisa_daemon *daemon = *state;
	json_t *json;

	fixture_uplink_add(daemon, 0, 1);
	fake_module.unmap_error = -EIO;
	fixture_refused(daemon, "uplink-del", "{\"name\":\"up0\"}", "EIO", "dmesg");
	assert_int_equal(fake_nic.opened, 1);
	elisa_uplinks_watch(&daemon->uplinks, &daemon->domain);
	assert_int_equal(daemon->domain.sw->uplinks[0].state, ELISA_UPLINK_DOWN);
	json = fixture_result(daemon, "uplink-show", "{\"name\":\"up0\"}");
	assert_string_equal(text(json, "state"), "down");
	json_decref(json);
	/* What it shares with others may be gone already. */
	fixture_refused(daemon, "uplink-add", "{\"name\":\"up1\",\"pci\":\"02:00.0\"}", "EBUSY",
			"uplink del up0");
	assert_int_equal(fake_nic.opened, 1);
	fake_module.unmap_error = 0;
	json_decref(fixture_result(daemon, "uplink-del", "{\"name\":\"up0\"}"));
	assert_int_equal(fake_nic.opened, 0);
	fixture_uplink_add(daemon, 1, 1);
}

static void its_packets_are_shown_like_a_ports(void **state)
{
	struct elisa_daemon *daemon = *state;
	struct elisa_switch *sw = daemon->domain.sw;
	json_t *result, *port;

	fixture_uplink_add(daemon, 0, 1);
	sw->sent[0].packets = 12;
	sw->sent[0].segments = 3;
	sw->received[0].packets = 7;
	sw->received[0].drops[ELISA_DROP_UPLINK_FULL] = 2;
	fake_nic.stats = (struct elisa_nic_stats){.ipackets = 12, .opackets = 7, .imissed = 1};
	result = fixture_result(daemon, "stats", "{\"name\":\"up0\"}");
	port = json_array_get(json_object_get(result, "ports"), 0);
	assert_string_equal(text(port, "name"), "up0");
	assert_int_equal(number(json_object_get(port, "sent"), "packets"), 12);
	assert_int_equal(number(json_object_get(port, "sent"), "segments"), 3);
	assert_int_equal(number(json_object_get(port, "received"), "packets"), 7);
	assert_int_equal(number(json_object_get(port, "received"), "dropped"), 2);
	assert_int_equal(number(json_object_get(port, "nic"), "ipackets"), 12);
	assert_int_equal(number(json_object_get(port, "nic"), "opackets"), 7);
	assert_int_equal(number(json_object_get(port, "nic"), "imissed"), 1);
	json_decref(result);
	result = fixture_result(daemon, "status", "{}");
	assert_int_equal(number(result, "uplinks"), 1);
	assert_int_equal(number(result, "ports"), 0);
	json_decref(result);
	json_decref(fixture_result(daemon, "fdb-flush", "{\"name\":\"up0\"}"));
}

static void the_link_is_watched(void **state)
{
	struct elisa_daemon *daemon = *state;
	const struct elisa_uplink *uplink = &daemon->domain.sw->uplinks[0];

	fake_nic.link_up = false;
	fixture_uplink_add(daemon, 0, 1);
	assert_int_equal(uplink->link, 0);
	fake_nic.link_up = true;
	elisa_uplinks_watch(&daemon->uplinks, &daemon->domain);
	assert_int_equal(uplink->link, 1);
	fake_nic.link_up = false;
	elisa_uplinks_watch(&daemon->uplinks, &daemon->domain);
	assert_int_equal(uplink->link, 0);
	assert_int_equal(uplink->state, ELISA_UPLINK_UP);
}

static void a_nic_that_is_gone_is_removed(void **state)
{
	struct elisa_daemon *daemon = *state;
	unsigned int before = fake_module.maps;

	fixture_uplink_add(daemon, 0, 1);
	fake_nic.link_error = -ENODEV;
	elisa_uplinks_watch(&daemon->uplinks, &daemon->domain);
	assert_int_equal(nb_uplinks(daemon), 0);
	assert_int_equal(fake_nic.opened, 0);
	assert_int_equal(fake_module.maps, before);
	assert_int_equal(daemon->domain.sw->ports, 0);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_uplink_setup, fixture_uplink_teardown)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(an_uplink_gets_what_was_asked),
		TEST(defaults_are_those_of_the_manual),
		TEST(uplinks_share_memory_and_not_registers),
		TEST(ports_and_uplinks_share_numbers_and_names),
		TEST(there_are_four_and_no_more),
		TEST(arguments_of_wrong_kind_are_named),
		TEST(without_memory_there_are_none),
		TEST(refused_uplinks_leave_nothing),
		TEST(what_cannot_be_unmapped_is_kept),
		TEST(its_packets_are_shown_like_a_ports),
		TEST(the_link_is_watched),
		TEST(a_nic_that_is_gone_is_removed),
	};

	if (argc < 2)
		return 2;
	fixture_image = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
