// SPDX-License-Identifier: BSD-3-Clause
/* test_adopt_steps.c - a daemon that is killed at each step of what it does, and the next one. */
#include "fixture_restart.h"

#include "cmocka_all.h"

/* What a daemon may be killed in the middle of. */

static void act_port_add(struct elisa_daemon *daemon)
{
	struct elisa_port_request request = {.name = "b0",
					     .vm = "b",
					     .mac = {2, 0, 0, 0, 0, 7},
					     .max_mtu = 1500,
					     .max_queues = 1};
	struct elisa_failure failure;
	struct elisa_port *port;

	if (elisa_ports_add(&daemon->ports, &daemon->vms, &daemon->domain, &request, &port,
			    &failure))
		fail_msg("%s", failure.message);
}

static void act_port_del(struct elisa_daemon *daemon)
{
	elisa_daemon_remove_port(daemon, elisa_ports_find(&daemon->ports, "b0"));
}

static void act_uplink_add(struct elisa_daemon *daemon)
{
	struct elisa_uplink_request request = {
		.name = "up0", .pci = "0000:01:00.0", .mtu = 1500, .nb_queues = 2};
	struct elisa_uplink_port *uplink;
	struct elisa_failure failure;

	if (elisa_uplinks_add(&daemon->uplinks, &daemon->domain, &request, &uplink, &failure))
		fail_msg("%s", failure.message);
}

static void act_uplink_del(struct elisa_daemon *daemon)
{
	struct elisa_failure failure;

	if (elisa_uplinks_remove(&daemon->uplinks, &daemon->domain,
				 elisa_uplinks_find(&daemon->uplinks, "up0"), &failure))
		fail_msg("%s", failure.message);
}

static void act_adopt(struct elisa_daemon *daemon)
{
	struct elisa_failure failure;

	fixture_restart_kill(daemon);
	if (fixture_restart_start(daemon, &failure))
		fail_msg("%s", failure.message);
}

/* Kills it in each step of `act`, `prepare`d anew each time. Returns how many steps there are. */
static unsigned int kill_in_each_step(struct elisa_daemon *daemon,
				      void (*prepare)(struct elisa_daemon *daemon),
				      void (*act)(struct elisa_daemon *daemon))
{
	struct elisa_failure failure;
	unsigned int step = 1;

	for (;; step++) {
		prepare(daemon);
		if (!fixture_restart_kill_in(daemon, act, step))
			break;
		if (fixture_restart_start(daemon, &failure))
			fail_msg("step %u: %s", step, failure.message);
		fixture_consistent(daemon);
		assert_true(elisa_ports_find(&daemon->ports, "a0") != NULL);
	}
	fixture_consistent(daemon);
	return step - 1;
}

static void without_b0(struct elisa_daemon *daemon)
{
	if (elisa_ports_find(&daemon->ports, "b0"))
		act_port_del(daemon);
}

static void with_b0(struct elisa_daemon *daemon)
{
	if (!elisa_ports_find(&daemon->ports, "b0"))
		act_port_add(daemon);
}

static void without_up0(struct elisa_daemon *daemon)
{
	if (elisa_uplinks_find(&daemon->uplinks, "up0"))
		act_uplink_del(daemon);
}

static void with_up0(struct elisa_daemon *daemon)
{
	if (!elisa_uplinks_find(&daemon->uplinks, "up0"))
		act_uplink_add(daemon);
}

static void with_both(struct elisa_daemon *daemon)
{
	with_b0(daemon);
	with_up0(daemon);
}

static void begin(struct elisa_daemon *daemon)
{
	fixture_vm("a", 2);
	fixture_vm("b", 3);
	json_decref(fixture_result(daemon, "port-add", "{\"name\":\"a0\",\"vm\":\"a\"}"));
}

static void while_it_adds_a_port(void **state)
{
	begin(*state);
	assert_true(kill_in_each_step(*state, without_b0, act_port_add) >= 6);
}

static void while_it_removes_a_port(void **state)
{
	begin(*state);
	assert_true(kill_in_each_step(*state, with_b0, act_port_del) >= 6);
}

static void while_it_adds_an_uplink(void **state)
{
	begin(*state);
	assert_true(kill_in_each_step(*state, without_up0, act_uplink_add) >= 4);
}

static void while_it_removes_an_uplink(void **state)
{
	begin(*state);
	assert_true(kill_in_each_step(*state, with_up0, act_uplink_del) >= 4);
}

static void while_it_adopts(void **state)
{
	begin(*state);
	assert_true(kill_in_each_step(*state, with_both, act_adopt) >= 8);
}

static void act_end(struct elisa_daemon *daemon)
{
	elisa_daemon_close(daemon);
}

/* It was told to end: what it came to end is gone, the rest is there. */
static void while_it_ends(void **state)
{
	struct elisa_daemon *daemon = *state;
	struct elisa_failure failure;
	unsigned int step = 1;

	fixture_vm("a", 2);
	fixture_vm("b", 3);
	for (;; step++) {
		if (!elisa_ports_find(&daemon->ports, "a0"))
			json_decref(fixture_result(daemon, "port-add",
						   "{\"name\":\"a0\",\"vm\":\"a\"}"));
		with_both(daemon);
		if (!fixture_restart_kill_in(daemon, act_end, step))
			break;
		if (fixture_restart_start(daemon, &failure))
			fail_msg("step %u: %s", step, failure.message);
		fixture_consistent(daemon);
	}
	assert_true(step > 20);
	assert_int_equal(fixture_store.kept.nb, 0);
	assert_int_equal(fixture_restart_start(daemon, &failure), 0);
	assert_false(daemon->adopted);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_restart_setup, fixture_restart_teardown)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(while_it_adds_a_port),    TEST(while_it_removes_a_port),
		TEST(while_it_adds_an_uplink), TEST(while_it_removes_an_uplink),
		TEST(while_it_adopts),         TEST(while_it_ends),
	};

	if (argc < 2)
		return 2;
	fixture_image = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
