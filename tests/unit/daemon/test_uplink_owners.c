// SPDX-License-Identifier: BSD-3-Clause
/* test_uplink_owners.c - vCPUs that have a NIC's queue and stay, leave, are parked or lost. */
#include "fake_module.h"
#include "fake_nic.h"
#include "fixture_uplink.h"
#include "vswitch/daemon/events.h"
#include "vswitch/daemon/uplink_owners.h"

#include "cmocka_all.h"

#include <errno.h>

static struct elisa_uplink *uplink;

/* As the datapath takes a queue: vswitch/uplink/owner.c. */
static void take(unsigned int queue, uint32_t vcpu)
{
	uplink->queues[queue].owner =
		(uplink->queues[queue].owner & ~0xffffull) + 0x10000 + vcpu + 1;
}

static void give(unsigned int queue)
{
	uplink->queues[queue].owner &= ~0xffffull;
}

static int owner(unsigned int queue)
{
	return elisa_uplink_owner_vcpu(uplink->queues[queue].owner);
}

static void gives_queue_0_back(uint32_t vcpu)
{
	if (owner(0) == (int)vcpu)
		give(0);
}

static void send(uint32_t type, uint32_t vcpu)
{
	struct elisa_event event = {.type = type, .port = UINT32_MAX, .vcpu = vcpu, .reason = 48};

	fake_module_send(&event);
}

/* vCPU 3, of VM b, is thrown out with queue 1: enum elisa_held says on whose account. */
static void throw_out(struct elisa_daemon *daemon, uint32_t flags, uint64_t held)
{
	struct elisa_event event = {.type = ELISA_EVENT_VCPU_RECOVERED,
				    .flags = flags,
				    .port = UINT32_MAX,
				    .vcpu = 3,
				    .reason = ELISA_AT_ENTRY};

	take(1, 3);
	fake_module.held = held;
	fake_module_send(&event);
	elisa_events_handle(daemon);
	assert_int_equal(owner(1), -1);
	assert_int_equal(uplink->state, ELISA_UPLINK_UP);
}

static bool has_port(struct elisa_daemon *daemon, const char *name)
{
	return elisa_ports_find(&daemon->ports, name) != NULL;
}

/* VM a has vCPUs 0 and 1, VM b 2 to 4; uplink up0 has two queues. */
static int setup(void **state)
{
	struct elisa_daemon *daemon;

	fixture_uplink_setup(state);
	daemon = *state;
	fixture_vm("a", 2);
	fixture_vm("b", 3);
	json_decref(fixture_result(daemon, "port-add", "{\"name\":\"a0\",\"vm\":\"a\"}"));
	json_decref(fixture_result(daemon, "port-add", "{\"name\":\"b0\",\"vm\":\"b\"}"));
	fixture_uplink_add(daemon, 0, 2);
	uplink = &daemon->domain.sw->uplinks[0];
	return 0;
}

static void a_vcpu_thrown_out_with_a_queue_resets_the_nic(void **state)
{
	struct elisa_daemon *daemon = *state;

	take(1, 3);
	fake_module.held = 1;
	send(ELISA_EVENT_VCPU_RECOVERED, 3);
	elisa_events_handle(daemon);
	assert_int_equal(fake_nic.restarts, 1);
	assert_int_equal(owner(1), -1);
	assert_int_equal(uplink->queues[1].owner, 0x10000); /* how often it was taken stays */
	assert_int_equal(uplink->state, ELISA_UPLINK_UP);
	assert_int_equal(daemon->uplinks.uplinks[0].resets, 1);
	assert_int_equal(fake_module.reopens, 1);
	send(ELISA_EVENT_VCPU_RECOVERED, 3);
	elisa_events_handle(daemon);
	assert_int_equal(fake_nic.restarts, 1);
}

static void a_vcpu_lost_with_a_queue_resets_the_nic(void **state)
{
	struct elisa_daemon *daemon = *state;

	take(0, 2);
	fake_module.stats_error = -ENOENT;
	fake_module.evict_error = -ENOENT;
	send(ELISA_EVENT_VCPU_LOST, 2);
	elisa_events_handle(daemon);
	assert_int_equal(fake_nic.restarts, 1);
	assert_int_equal(owner(0), -1);
	assert_int_equal(uplink->state, ELISA_UPLINK_UP);
}

/* Others that send at that moment are waited for, and keep nothing of the old NIC. */
static void others_leave_before_the_nic_is_reset(void **state)
{
	struct elisa_daemon *daemon = *state;

	take(0, 0);
	take(1, 3);
	fake_module.held = 1;
	fake_module.on_evict = gives_queue_0_back;
	send(ELISA_EVENT_VCPU_RECOVERED, 3);
	elisa_events_handle(daemon);
	assert_int_equal(fake_nic.restarts, 1);
	assert_int_equal(owner(0), -1);
	assert_int_equal(owner(1), -1);
	assert_int_equal(uplink->state, ELISA_UPLINK_UP);
}

static void vcpu_4_takes_queue_0_in_between(uint32_t vcpu)
{
	if (owner(0) != (int)vcpu)
		return;
	give(0);
	if (vcpu == 0)
		take(0, 4);
}

/* It was taken again, by one that had not seen DOWN: that one is waited for too. */
static void who_took_a_queue_meanwhile_leaves_first(void **state)
{
	struct elisa_daemon *daemon = *state;

	take(0, 0);
	take(1, 3);
	fake_module.held = 1;
	fake_module.on_evict = vcpu_4_takes_queue_0_in_between;
	send(ELISA_EVENT_VCPU_RECOVERED, 3);
	elisa_events_handle(daemon);
	assert_int_equal(fake_module.evicts, 3); /* 0, 4, and 3, which is out */
	assert_int_equal(fake_nic.restarts, 1);
	assert_int_equal(owner(0), -1);
	assert_int_equal(owner(1), -1);
	assert_int_equal(uplink->state, ELISA_UPLINK_UP);
}

static void a_vcpu_without_a_queue_resets_nothing(void **state)
{
	struct elisa_daemon *daemon = *state;

	take(0, 0);
	fake_module.held = 1;
	send(ELISA_EVENT_VCPU_RECOVERED, 3);
	elisa_events_handle(daemon);
	assert_int_equal(fake_nic.restarts, 0);
	assert_int_equal(fake_module.evicts, 0);
	assert_int_equal(owner(0), 0);
	give(0);
}

/* One that never leaves keeps the uplink down, until it does: the daemon goes on. */
static void it_is_tried_again_until_all_are_out(void **state)
{
	struct elisa_daemon *daemon = *state;

	take(0, 0);
	take(1, 3);
	fake_module.held = 1;
	fake_module.evict_error = -ETIMEDOUT;
	send(ELISA_EVENT_VCPU_RECOVERED, 3);
	elisa_events_handle(daemon);
	assert_int_equal(fake_nic.restarts, 0);
	assert_int_equal(uplink->state, ELISA_UPLINK_DOWN);
	elisa_uplinks_watch(&daemon->uplinks, &daemon->domain);
	assert_int_equal(uplink->state, ELISA_UPLINK_DOWN);
	assert_int_equal(owner(1), 3);
	give(0);
	fake_module.evict_error = 0;
	elisa_uplinks_watch(&daemon->uplinks, &daemon->domain);
	assert_int_equal(fake_nic.restarts, 1);
	assert_int_equal(owner(1), -1);
	assert_int_equal(uplink->state, ELISA_UPLINK_UP);
}

static void a_nic_that_does_not_start_is_tried_again(void **state)
{
	struct elisa_daemon *daemon = *state;

	take(1, 3);
	fake_module.held = 1;
	fake_nic.restart_error = -EIO;
	send(ELISA_EVENT_VCPU_RECOVERED, 3);
	elisa_events_handle(daemon);
	assert_int_equal(uplink->state, ELISA_UPLINK_DOWN);
	assert_int_equal(daemon->uplinks.uplinks[0].resets, 0);
	fake_nic.restart_error = 0;
	elisa_uplinks_watch(&daemon->uplinks, &daemon->domain);
	assert_int_equal(uplink->state, ELISA_UPLINK_UP);
	assert_int_equal(daemon->uplinks.uplinks[0].resets, 1);
	elisa_uplinks_watch(&daemon->uplinks, &daemon->domain);
	assert_int_equal(fake_nic.restarts, 2);
}

static void a_vm_that_goes_leaves_no_queue(void **state)
{
	struct elisa_daemon *daemon = *state;

	take(1, 3);
	fake_module.evict_error = -ENOENT;
	json_decref(fixture_result(daemon, "port-del", "{\"name\":\"b0\"}"));
	assert_int_equal(fake_nic.restarts, 1);
	assert_int_equal(owner(1), -1);
	assert_int_equal(uplink->state, ELISA_UPLINK_UP);
}

static void an_uplink_in_use_is_waited_for(void **state)
{
	struct elisa_daemon *daemon = *state;

	take(0, 0);
	fake_module.evict_error = -ETIMEDOUT;
	fixture_refused(daemon, "uplink-del", "{\"name\":\"up0\"}", "EBUSY", "does not leave");
	assert_int_equal(uplink->state, ELISA_UPLINK_UP);
	assert_int_equal(owner(0), 0);
	assert_int_equal(fake_nic.opened, 1);
	fake_module.evict_error = 0;
	fake_module.on_evict = gives_queue_0_back;
	json_decref(fixture_result(daemon, "uplink-del", "{\"name\":\"up0\"}"));
	assert_int_equal(fake_nic.opened, 0);
	assert_int_equal(uplink->state, ELISA_UPLINK_NONE);
	assert_int_equal(fake_nic.restarts, 0);
}

/* Parked inside, thrown out with the queue: there is nobody to wait for. */
static void a_parked_owner_does_not_hold_up_a_removal(void **state)
{
	take(0, 0);
	json_decref(fixture_result(*state, "uplink-del", "{\"name\":\"up0\"}"));
	assert_int_equal(fake_module.evicts, 1);
	assert_int_equal(fake_nic.opened, 0);
	assert_int_equal(uplink->state, ELISA_UPLINK_NONE);
}

/* A guest can have itself thrown out whenever it likes, and all VMs lose packets each time. */
static void a_guest_that_resets_the_nic_again_and_again_loses_its_ports(void **state)
{
	struct elisa_daemon *daemon = *state;

	json_decref(fixture_result(daemon, "port-add", "{\"name\":\"b1\",\"vm\":\"b\"}"));
	throw_out(daemon, 0, ELISA_HELD_THROWN_OUT);
	throw_out(daemon, 0, ELISA_HELD_THROWN_OUT);
	assert_int_equal(fake_module.reopens, 2);
	assert_true(has_port(daemon, "b0"));
	throw_out(daemon, 0, ELISA_HELD_THROWN_OUT);
	assert_int_equal(fake_nic.restarts, 3);
	assert_int_equal(fake_module.reopens, 2);
	assert_false(has_port(daemon, "b0"));
	assert_false(has_port(daemon, "b1"));
	assert_true(has_port(daemon, "a0"));
	/* Who adds its port again trusts it again. */
	json_decref(fixture_result(daemon, "port-add", "{\"name\":\"b0\",\"vm\":\"b\"}"));
	throw_out(daemon, 0, ELISA_HELD_THROWN_OUT);
	assert_int_equal(fake_module.reopens, 3);
	assert_true(has_port(daemon, "b0"));
}

static void resets_that_are_far_between_cost_no_port(void **state)
{
	struct elisa_daemon *daemon = *state;
	struct elisa_vm *vm = elisa_ports_find(&daemon->ports, "b0")->vm;

	for (uint32_t i = 1; i <= 10; i++) {
		throw_out(daemon, 0, ELISA_HELD_THROWN_OUT);
		assert_int_equal(fake_module.reopens, i);
		for (uint32_t j = 0; j < ELISA_VM_RESETS_MAX; j++)
			vm->resets[j] -= ELISA_VM_RESETS_SECONDS / 2;
	}
	throw_out(daemon, 0, ELISA_HELD_THROWN_OUT);
	assert_true(has_port(daemon, "b0"));
	throw_out(daemon, 0, ELISA_HELD_THROWN_OUT);
	assert_false(has_port(daemon, "b0"));
}

/* Who is evicted is so at the daemon's own wish; nor does a flood of events hide that. */
static void what_the_daemon_does_is_not_held_against_a_guest(void **state)
{
	struct elisa_daemon *daemon = *state;

	for (uint32_t i = 1; i <= 5; i++) {
		throw_out(daemon, 0, ELISA_HELD_EVICTED);
		assert_int_equal(fake_nic.restarts, i);
		assert_int_equal(fake_module.reopens, i);
	}
	for (uint32_t i = 1; i <= 3; i++)
		throw_out(daemon, ELISA_EVENT_OVERFLOW, ELISA_HELD_EVICTED);
	assert_int_equal(fake_nic.restarts, 8);
	assert_true(has_port(daemon, "b0"));
}

/* Nor is what happens to a guest without a queue. */
static void without_a_nic_a_guest_is_let_in_each_time(void **state)
{
	struct elisa_daemon *daemon = *state;

	fake_module.held = 1;
	for (uint32_t i = 1; i <= 5; i++) {
		send(ELISA_EVENT_VCPU_RECOVERED, 3);
		elisa_events_handle(daemon);
		assert_int_equal(fake_module.reopens, i);
	}
	assert_true(has_port(daemon, "b0"));
}

/* A flood of events does not hide it. */
static void resets_are_counted_when_events_are_missing(void **state)
{
	struct elisa_daemon *daemon = *state;

	for (uint32_t i = 0; i < 3; i++) {
		assert_true(has_port(daemon, "b0"));
		throw_out(daemon, ELISA_EVENT_OVERFLOW, ELISA_HELD_THROWN_OUT);
	}
	assert_int_equal(fake_nic.restarts, 3);
	assert_false(has_port(daemon, "b0"));
	assert_true(has_port(daemon, "a0"));
}

static void the_daemon_ends_with_queues_left_behind(void **state)
{
	(void)state;
	take(0, 0);
	take(1, 4);
	fake_module.evict_error = -ENOENT; /* tear-down looks that nothing is left */
}

/* It had seen UP before, and was thrown out while it took the queue. */
static void takes_queue_1(const struct elisa_domain_map *map)
{
	if (map->offset >= ELISA_OFFSET_UPLINK_DEVICES && map->offset < ELISA_OFFSET_UPLINK_MEMORY)
		take(1, 4);
}

static void a_queue_taken_behind_the_drain_is_nobody_s(void **state)
{
	struct elisa_daemon *daemon = *state;

	fake_module.before_unmap = takes_queue_1;
	json_decref(fixture_result(daemon, "uplink-del", "{\"name\":\"up0\"}"));
	assert_int_equal(uplink->state, ELISA_UPLINK_NONE);
	fake_module.before_unmap = NULL;
	fixture_uplink_add(daemon, 0, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_uplink_teardown)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_vcpu_thrown_out_with_a_queue_resets_the_nic),
		TEST(a_vcpu_lost_with_a_queue_resets_the_nic),
		TEST(others_leave_before_the_nic_is_reset),
		TEST(who_took_a_queue_meanwhile_leaves_first),
		TEST(a_vcpu_without_a_queue_resets_nothing),
		TEST(it_is_tried_again_until_all_are_out),
		TEST(a_nic_that_does_not_start_is_tried_again),
		TEST(a_vm_that_goes_leaves_no_queue),
		TEST(an_uplink_in_use_is_waited_for),
		TEST(a_parked_owner_does_not_hold_up_a_removal),
		TEST(a_queue_taken_behind_the_drain_is_nobody_s),
		TEST(a_guest_that_resets_the_nic_again_and_again_loses_its_ports),
		TEST(resets_that_are_far_between_cost_no_port),
		TEST(what_the_daemon_does_is_not_held_against_a_guest),
		TEST(without_a_nic_a_guest_is_let_in_each_time),
		TEST(resets_are_counted_when_events_are_missing),
		TEST(the_daemon_ends_with_queues_left_behind),
	};

	if (argc < 2)
		return 2;
	fixture_image = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
