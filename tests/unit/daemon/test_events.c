// SPDX-License-Identifier: BSD-3-Clause
/* test_events.c - what the module tells of: VMs that end, vCPUs that are lost, too much at once. */
#include "fake_module.h"
#include "fixture.h"
#include "vswitch/daemon/events.h"
#include "vswitch/datapath/journal.h"

#include "cmocka_all.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void add(struct elisa_daemon *daemon, const char *name, const char *vm)
{
	char arguments[128];

	snprintf(arguments, sizeof(arguments), "{\"name\":\"%s\",\"vm\":\"%s\"}", name, vm);
	json_decref(fixture_result(daemon, "port-add", arguments));
}

static void send(uint32_t type, uint32_t vcpu)
{
	struct elisa_event event = {.type = type, .port = UINT32_MAX, .vcpu = vcpu, .reason = 48};

	fake_module_send(&event);
}

static unsigned int nb_ports(const struct elisa_daemon *daemon)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++)
		count += daemon->ports.ports[i].present;
	return count;
}

static void two_vms(struct elisa_daemon *daemon, pid_t *a, pid_t *b)
{
	*a = fixture_vm("a", 2);
	*b = fixture_vm("b", 3);
	add(daemon, "a0", "a");
	add(daemon, "b0", "b");
	add(daemon, "a1", "a");
}

static void ports_of_a_vm_go_with_it(void **state)
{
	struct elisa_daemon *daemon = *state;
	pid_t a, b;

	two_vms(daemon, &a, &b);
	send(ELISA_EVENT_VM_GONE, 1); /* of one that had the number before a */
	elisa_events_handle(daemon);
	assert_int_equal(nb_ports(daemon), 3);
	fake_module.stats_error = -ENOENT;
	send(ELISA_EVENT_VM_GONE, 1); /* a vCPU of a */
	elisa_events_handle(daemon);
	assert_int_equal(nb_ports(daemon), 1);
	assert_true(daemon->ports.ports[1].present);
	assert_int_equal(daemon->domain.sw->ports, 1u << 1);
	send(ELISA_EVENT_VM_GONE, 1); /* told twice */
	elisa_events_handle(daemon);
	assert_int_equal(nb_ports(daemon), 1);
}

static void a_vmm_that_is_killed_is_noticed_without_an_event(void **state)
{
	struct elisa_daemon *daemon = *state;
	pid_t a, b;

	two_vms(daemon, &a, &b);
	elisa_events_reap(daemon);
	assert_int_equal(nb_ports(daemon), 3);
	fixture_kill(b);
	elisa_events_reap(daemon);
	assert_int_equal(nb_ports(daemon), 2);
	fixture_refused(daemon, "port-add", "{\"name\":\"b0\",\"vm\":\"b\"}", "ENOENT", "b");
	fixture_kill(a);
	send(ELISA_EVENT_VM_GONE, UINT32_MAX); /* does not say which */
	elisa_events_handle(daemon);
	assert_int_equal(nb_ports(daemon), 0);
	assert_int_equal(fake_module_objects(), 2);
}

static void events_of_no_meaning_do_no_harm(void **state)
{
	struct elisa_daemon *daemon = *state;
	struct elisa_event event = {.type = ELISA_EVENT_PORT_CLAIMED, .port = ELISA_MAX_PORTS};
	pid_t a, b;

	two_vms(daemon, &a, &b);
	fake_module_send(&event);
	event.type = ELISA_EVENT_PORT_RELEASED;
	event.port = UINT32_MAX;
	fake_module_send(&event);
	send(ELISA_EVENT_VCPU_RECOVERED, UINT32_MAX);
	send(ELISA_EVENT_VCPU_RECOVERED, 0);
	send(ELISA_EVENT_VCPU_LOST, ELISA_MAX_VCPUS);
	send(ELISA_EVENT_VCPU_LOST, UINT32_MAX);
	send(0, 0);
	send(4711, 0);
	elisa_events_handle(daemon);
	assert_int_equal(nb_ports(daemon), 3);
	assert_int_equal(fake_module.cmpxchgs, 0);
	fake_module.event_error = -EIO;
	elisa_events_handle(daemon);
	fake_module.event_error = 0;
}

static void an_overflow_makes_the_daemon_look_itself(void **state)
{
	struct elisa_event event = {
		.flags = ELISA_EVENT_OVERFLOW, .type = ELISA_EVENT_PORT_CLAIMED, .port = 0};
	struct elisa_daemon *daemon = *state;
	pid_t a, b;

	two_vms(daemon, &a, &b);
	fixture_kill(a);
	fake_module_send(&event);
	elisa_events_handle(daemon);
	assert_int_equal(nb_ports(daemon), 1);
}

static void events_come_before_requests(void **state)
{
	struct elisa_daemon *daemon = *state;
	json_t *result;
	pid_t a, b;

	two_vms(daemon, &a, &b);
	fake_module.stats_error = -ENOENT;
	send(ELISA_EVENT_VM_GONE, 0);
	result = fixture_result(daemon, "port-list", "{}");
	assert_int_equal(json_array_size(json_object_get(result, "ports")), 1);
	json_decref(result);
}

/*
 * vCPU `vcpu` of VM a claimed slot 3 of the first ring of port 1 (VM b) and never finished it.
 * Returns where the slot's word is, as an offset in the window.
 */
static uint64_t claim_slot(struct elisa_daemon *daemon, uint32_t vcpu)
{
	const struct elisa_run run = {.port = 1, .queue = 0, .first = 3, .count = 1, .epoch = 1};
	struct elisa_switch *sw = daemon->domain.sw;

	sw->queues[1][0].ring = ELISA_GVA(ELISA_OFFSET_MEMORY) + ELISA_PAGE_SIZE;
	sw->queues[1][0].size = 8;
	sw->queues[1][0].word = elisa_queue_word(4, vcpu + 1, 1);
	sw->journals[vcpu].word = elisa_journal_word(ELISA_JOURNAL_CLAIMED, &run);
	sw->journals[vcpu].sender = 0;
	fake_module.word = elisa_desc_word(2048, ELISA_DESC_POSTED | elisa_slot_phase(3, 8));
	return ELISA_OFFSET_MEMORY + ELISA_PAGE_SIZE + 3 * sizeof(struct elisa_desc) +
	       offsetof(struct elisa_desc, word);
}

static void slot_went_back(struct elisa_daemon *daemon, uint64_t offset)
{
	assert_int_equal(fake_module.last_offset, offset);
	assert_int_equal(fake_module.word, elisa_desc_word(0, ELISA_DESC_DONE | ELISA_DESC_DROPPED |
								      elisa_slot_phase(3, 8)));
	assert_int_equal(daemon->domain.sw->received[1].drops[ELISA_DROP_SENDER_LOST], 1);
}

static void slots_of_a_lost_vcpu_go_back_once(void **state)
{
	struct elisa_daemon *daemon = *state;
	unsigned int calls;
	uint64_t offset;
	pid_t a, b;

	two_vms(daemon, &a, &b);
	offset = claim_slot(daemon, 1);
	fake_module.stats_error = -ENOENT;
	send(ELISA_EVENT_VCPU_LOST, 1);
	elisa_events_handle(daemon);
	slot_went_back(daemon, offset);
	assert_int_equal(fake_module.reopens, 0);
	calls = fake_module.cmpxchgs;
	send(ELISA_EVENT_VCPU_LOST, 1);
	elisa_events_handle(daemon);
	assert_int_equal(fake_module.cmpxchgs, calls);
}

static void a_vcpu_thrown_out_is_finished_and_let_in_again(void **state)
{
	struct elisa_daemon *daemon = *state;
	uint64_t offset;
	pid_t a, b;

	two_vms(daemon, &a, &b);
	offset = claim_slot(daemon, 1);
	fake_module.held = 1;
	send(ELISA_EVENT_VCPU_RECOVERED, 1);
	elisa_events_handle(daemon);
	slot_went_back(daemon, offset);
	assert_int_equal(fake_module.reopens, 1);
}

/* Its event is old, or nothing was in flight: it may be copying into those slots now. */
static void a_vcpu_that_may_be_inside_is_left_alone(void **state)
{
	struct elisa_daemon *daemon = *state;
	uint64_t journal;
	pid_t a, b;

	two_vms(daemon, &a, &b);
	claim_slot(daemon, 1);
	journal = daemon->domain.sw->journals[1].word;
	send(ELISA_EVENT_VCPU_RECOVERED, 1);
	send(ELISA_EVENT_VCPU_LOST, 1);
	elisa_events_handle(daemon);
	fake_module.stats_error = -EFAULT;
	send(ELISA_EVENT_VCPU_LOST, 1);
	elisa_events_handle(daemon);
	assert_int_equal(daemon->domain.sw->journals[1].word, journal);
	assert_int_equal(fake_module.cmpxchgs, 0);
	assert_int_equal(fake_module.reopens, 0);
}

static void an_overflow_does_not_leave_a_vcpu_held(void **state)
{
	struct elisa_event event = {
		.flags = ELISA_EVENT_OVERFLOW, .type = ELISA_EVENT_PORT_CLAIMED, .port = 0};
	struct elisa_daemon *daemon = *state;
	uint64_t offset;
	pid_t a, b;

	two_vms(daemon, &a, &b);
	offset = claim_slot(daemon, 1);
	fake_module_send(&event);
	elisa_events_handle(daemon);
	assert_int_equal(fake_module.reopens, 0);
	fake_module.held = 1;
	fake_module_send(&event);
	elisa_events_handle(daemon);
	slot_went_back(daemon, offset);
	assert_true(fake_module.reopens > 0);
}

static void slots_go_back_when_a_vm_is_detached(void **state)
{
	struct elisa_daemon *daemon = *state;
	uint64_t offset;
	pid_t a, b;

	two_vms(daemon, &a, &b);
	offset = claim_slot(daemon, 1);
	json_decref(fixture_result(daemon, "port-del", "{\"name\":\"a0\"}"));
	assert_int_equal(fake_module.cmpxchgs, 0); /* it can still enter through a1 */
	json_decref(fixture_result(daemon, "port-del", "{\"name\":\"a1\"}"));
	slot_went_back(daemon, offset);
}

static void memory_that_is_gone_is_no_trouble(void **state)
{
	struct elisa_daemon *daemon = *state;
	pid_t a, b;

	two_vms(daemon, &a, &b);
	claim_slot(daemon, 1);
	fake_module.cmpxchg_error = -ENXIO;
	fixture_kill(a);
	elisa_events_reap(daemon);
	assert_int_equal(nb_ports(daemon), 1);
	assert_int_equal(daemon->domain.sw->journals[1].word, 0);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_daemon_setup, fixture_daemon_teardown)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(ports_of_a_vm_go_with_it),
		TEST(a_vmm_that_is_killed_is_noticed_without_an_event),
		TEST(events_of_no_meaning_do_no_harm),
		TEST(an_overflow_makes_the_daemon_look_itself),
		TEST(events_come_before_requests),
		TEST(slots_of_a_lost_vcpu_go_back_once),
		TEST(a_vcpu_thrown_out_is_finished_and_let_in_again),
		TEST(a_vcpu_that_may_be_inside_is_left_alone),
		TEST(an_overflow_does_not_leave_a_vcpu_held),
		TEST(slots_go_back_when_a_vm_is_detached),
		TEST(memory_that_is_gone_is_no_trouble),
	};

	if (argc < 2)
		return 2;
	fixture_image = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
