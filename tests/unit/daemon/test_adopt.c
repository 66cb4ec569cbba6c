// SPDX-License-Identifier: BSD-3-Clause
/* test_adopt.c - a daemon that is killed, and the next one that takes over what it had. */
#include "fake_module.h"
#include "fake_nic.h"
#include "fixture_restart.h"
#include "vswitch/daemon/control.h"
#include "vswitch/daemon/loop.h"
#include "vswitch/daemon/module.h"
#include "vswitch/datapath/journal.h"

#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static json_t *all_lists(struct elisa_daemon *daemon)
{
	return json_pack("[o, o, o, o, o]", fixture_result(daemon, "port-list", "{}"),
			 fixture_result(daemon, "vm", "{}"), fixture_result(daemon, "stats", "{}"),
			 fixture_result(daemon, "fdb", "{}"),
			 fixture_result(daemon, "uplink-list", "{}"));
}

static void nothing_changes_but_the_process(void **state)
{
	struct elisa_daemon *daemon = *state;
	json_t *before, *after;
	pid_t a, b;

	fixture_three_ports(daemon, &a, &b);
	fixture_uplink_add(daemon, 0, 2);
	fake_module.claimed = 1;
	daemon->domain.sw->sent[0].packets = 4711;
	daemon->domain.sw->received[2].drops[ELISA_DROP_RUNT] = 12;
	elisa_switch_port_set_backpressure(daemon->domain.sw, 1, false);
	daemon->ports.ports[1].backpressure = false;
	before = all_lists(daemon);
	for (unsigned int i = 1; i <= 3; i++) {
		fixture_restart(daemon);
		fixture_consistent(daemon);
		after = all_lists(daemon);
		assert_true(json_equal(before, after));
		json_decref(after);
		assert_true(daemon->adopted);
		assert_int_equal(fake_module.adopts, i);
		assert_int_equal(fake_module.attaches, 2);
		assert_int_equal(fake_module.port_adds, 3);
	}
	json_decref(before);
	fixture_restart_add(daemon, "b1", "b");
	json_decref(fixture_result(daemon, "port-del", "{\"name\":\"a0\"}"));
	fixture_consistent(daemon);
}

static void it_waits_until_the_last_daemon_is_gone(void **state)
{
	struct elisa_daemon *daemon = *state;
	pid_t a, b;

	fixture_three_ports(daemon, &a, &b);
	fake_module.adopt_error = -EBUSY;
	fake_module.adopt_errors = 3;
	fixture_restart(daemon);
	assert_int_equal(fake_module.adopts, 4);
	fixture_consistent(daemon);
}

/* What the loop ends with when it is told by a signal. */
static int told_by(struct elisa_daemon *daemon, int number)
{
	struct elisa_control control;
	int signals = elisa_loop_block_signals(), result;

	elisa_control_init(&control);
	assert_true(signals >= 0);
	raise(number);
	result = elisa_loop_run(daemon, &control, signals);
	close(signals);
	return result;
}

static void it_is_left_where_somebody_keeps_it(void **state)
{
	struct elisa_daemon *daemon = *state;

	assert_int_equal(told_by(daemon, SIGHUP), ELISA_LOOP_LEAVE);
	assert_int_equal(told_by(daemon, SIGTERM), 0);
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(told_by(daemon, SIGHUP), 0);
	setenv("NOTIFY_SOCKET", fixture_store.path, 1);
}

static void the_switch_keeps_what_it_was_made_with(void **state)
{
	struct elisa_daemon *daemon = *state;

	daemon->options.fdb_capacity = 65536;
	daemon->options.age_ticks = 7;
	fixture_restart(daemon);
	assert_int_equal(daemon->options.fdb_capacity, 1024);
	assert_int_equal(daemon->options.age_ticks, 30);
}

/* As in test_events.c: vCPU 1, of VM a, has slot 3 of port 1's ring. */
static void claim_slot(struct elisa_switch *sw)
{
	const struct elisa_run run = {.port = 1, .queue = 0, .first = 3, .count = 1, .epoch = 1};

	sw->queues[1][0].ring = ELISA_GVA(ELISA_OFFSET_MEMORY) + ELISA_PAGE_SIZE;
	sw->queues[1][0].size = 8;
	sw->queues[1][0].word = elisa_queue_word(4, 2, 1);
	sw->journals[1].word = elisa_journal_word(ELISA_JOURNAL_CLAIMED, &run);
	fake_module.word = elisa_desc_word(2048, ELISA_DESC_POSTED | elisa_slot_phase(3, 8));
}

static void slot_went_back(const struct elisa_daemon *daemon)
{
	assert_int_equal(fake_module.word, elisa_desc_word(0, ELISA_DESC_DONE | ELISA_DESC_DROPPED |
								      elisa_slot_phase(3, 8)));
	assert_int_equal(daemon->domain.sw->received[1].drops[ELISA_DROP_SENDER_LOST], 1);
	assert_int_equal(daemon->domain.sw->journals[1].word, 0);
}

static void a_vm_that_died_meanwhile_is_finished(void **state)
{
	struct elisa_daemon *daemon = *state;
	pid_t a, b;

	fixture_three_ports(daemon, &a, &b);
	claim_slot(daemon->domain.sw);
	fixture_restart_kill(daemon);
	fixture_kill(a);
	fixture_restart(daemon);
	fixture_consistent(daemon);
	assert_int_equal(fixture_nb_ports(daemon), 1);
	assert_true(daemon->ports.ports[1].present);
	slot_went_back(daemon);
}

/* Its process lives, and the event that told of its end was read by the last daemon. */
static void a_vm_that_kvm_has_no_more_is_finished(void **state)
{
	struct elisa_daemon *daemon = *state;
	pid_t a, b;

	fixture_three_ports(daemon, &a, &b);
	fake_module.stats_error = -ENOENT;
	fixture_restart(daemon);
	fake_module.stats_error = 0;
	assert_int_equal(fixture_nb_ports(daemon), 0);
	fixture_consistent(daemon);
}

static void a_vcpu_that_was_thrown_out_is_let_in_again(void **state)
{
	struct elisa_daemon *daemon = *state;
	pid_t a, b;

	fixture_three_ports(daemon, &a, &b);
	claim_slot(daemon->domain.sw);
	fake_module.held = 1;
	fixture_restart(daemon);
	slot_went_back(daemon);
	assert_int_equal(fake_module.reopens, 5); /* two vCPUs of a, three of b */
	assert_int_equal(fixture_nb_ports(daemon), 3);
}

static void a_vcpu_that_may_be_inside_is_left_alone(void **state)
{
	struct elisa_daemon *daemon = *state;
	pid_t a, b;

	fixture_three_ports(daemon, &a, &b);
	claim_slot(daemon->domain.sw);
	fixture_restart(daemon);
	assert_int_equal(fake_module.cmpxchgs, 0);
	assert_int_not_equal(daemon->domain.sw->journals[1].word, 0);
}

static void captures_end(void **state)
{
	struct elisa_daemon *daemon = *state;
	struct elisa_domain_map map = {
		.access = ELISA_MAP_WRITE, .length = 0x3000, .offset = ELISA_OFFSET_CAPTURE};
	pid_t a, b;

	fixture_three_ports(daemon, &a, &b);
	assert_int_equal(elisa_module_domain_map(daemon->domain.fd, &map), 0);
	map.offset += 0x3000;
	assert_int_equal(elisa_module_domain_map(daemon->domain.fd, &map), 0);
	elisa_switch_port_set_capture(daemon->domain.sw, 2, 96);
	fixture_restart(daemon);
	assert_int_equal(daemon->domain.sw->config[2].capture, 0);
	fixture_consistent(daemon);
}

/* A vCPU had a queue of the NIC when the daemon was killed. */
static void an_uplink_is_set_up_again(void **state)
{
	struct elisa_daemon *daemon = *state;
	const struct elisa_uplink_port *uplink;
	pid_t a, b;

	fixture_uplink_add(daemon, 0, 1);
	fixture_uplink_add(daemon, 1, 2);
	fixture_three_ports(daemon, &a, &b);
	json_decref(fixture_result(daemon, "uplink-del", "{\"name\":\"up0\"}"));
	daemon->domain.sw->uplinks[1].queues[1].owner = 1 << 16 | 2;
	fixture_restart(daemon);
	uplink = elisa_uplinks_find(&daemon->uplinks, "up1");
	assert_non_null(uplink);
	assert_int_equal(uplink->number, 1);
	assert_string_equal(fake_nic.last.pci, "0000:02:00.0");
	assert_int_equal(fake_nic.last.nb_queues, 2);
	assert_int_equal(fake_module.evicts, 1);
	fixture_consistent(daemon);
	fixture_restart(daemon);
	fixture_consistent(daemon);
}

static void an_uplink_that_cannot_be_had_again_is_gone(void **state)
{
	struct elisa_daemon *daemon = *state;

	fixture_uplink_add(daemon, 0, 1);
	fake_nic.open_error = -EIO;
	fixture_restart(daemon);
	fixture_consistent(daemon);
	assert_int_equal(fixture_nb_uplinks(daemon), 0);
	fake_nic.open_error = 0;
	fixture_restart(daemon);
	assert_int_equal(fixture_nb_uplinks(daemon), 0);
	fixture_uplink_add(daemon, 0, 1);
	fixture_consistent(daemon);
}

static void left_in_order_it_is_taken_over_too(void **state)
{
	struct elisa_daemon *daemon = *state;
	struct elisa_failure failure;
	json_t *before, *after;
	pid_t a, b;

	fixture_three_ports(daemon, &a, &b);
	fixture_uplink_add(daemon, 0, 2);
	before = all_lists(daemon);
	elisa_daemon_leave(daemon);
	assert_int_equal(fake_nic.opened, 0);
	assert_false(fake_nic.has_memory);
	fake_nic_killed();
	assert_int_equal(fake_module_objects(), 1 + 2 + 3);
	assert_int_equal(fixture_restart_start(daemon, &failure), 0);
	fixture_consistent(daemon);
	after = all_lists(daemon);
	assert_true(json_equal(before, after));
	json_decref(before);
	json_decref(after);
}

static void names_that_mean_nothing_are_dropped(void **state)
{
	struct elisa_daemon *daemon = *state;
	struct elisa_kept *kept = &fixture_store.kept;
	int pipes[2];
	pid_t a, b;

	fixture_three_ports(daemon, &a, &b);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	kept->fds[kept->nb++] = (struct elisa_kept_fd){pipes[0], "vm-64"};
	kept->fds[kept->nb++] = (struct elisa_kept_fd){pipes[1], "port-9"};
	kept->fds[kept->nb++] = (struct elisa_kept_fd){dup(pipes[1]), "nonsense"};
	fixture_restart(daemon);
	fixture_consistent(daemon);
	assert_int_equal(fixture_nb_ports(daemon), 3);
}

/* Loses one descriptor of a thing, by its place among those of that name. */
static void lose(const char *name, unsigned int place)
{
	struct elisa_kept *kept = &fixture_store.kept;

	for (unsigned int i = 0; i < kept->nb; i++) {
		if (strcmp(kept->fds[i].name, name) || place--)
			continue;
		close(kept->fds[i].fd);
		kept->fds[i] = kept->fds[--kept->nb];
		return;
	}
	fail_msg("no descriptor of %s", name);
}

static void things_that_are_not_whole_go(void **state)
{
	struct elisa_daemon *daemon = *state;
	pid_t a, b;

	fixture_three_ports(daemon, &a, &b);
	for (unsigned int place = 0; place < 2; place++) {
		lose("port-1", place);
		fixture_restart(daemon);
		fixture_consistent(daemon);
		assert_int_equal(fixture_nb_ports(daemon), 2);
		assert_int_equal(fixture_nb_vms(daemon), 1);
		fixture_restart_add(daemon, "b0", "b");
	}
	for (unsigned int place = 0; place < 3; place++) {
		lose("vm-1", place);
		fixture_restart(daemon);
		fixture_consistent(daemon);
		assert_int_equal(fixture_nb_ports(daemon), 2);
		assert_int_equal(fixture_nb_vms(daemon), 1);
		fixture_restart_add(daemon, "b0", "b");
	}
}

/* Killed right after a port was revoked: all else of it is there. */
static void a_port_that_was_revoked_goes(void **state)
{
	struct elisa_daemon *daemon = *state;
	pid_t a, b;

	fixture_three_ports(daemon, &a, &b);
	elisa_module_revoke(daemon->ports.ports[1].fd);
	fixture_restart(daemon);
	fixture_consistent(daemon);
	assert_int_equal(fixture_nb_ports(daemon), 2);
	assert_int_equal(fixture_nb_vms(daemon), 1);
}

static void half_a_port_in_the_datapath_goes(void **state)
{
	struct elisa_daemon *daemon = *state;
	struct elisa_port_params params = {.mac = {2, 0, 0, 0, 0, 9}};
	struct elisa_switch *sw = daemon->domain.sw;
	pid_t a, b;

	fixture_three_ports(daemon, &a, &b);
	elisa_switch_port_add(sw, 5, &params);
	sw->ports &= ~(1ull << 5); /* it is not told of yet */
	params.mac[5] = 10;
	elisa_switch_port_add(sw, 6, &params);
	sw->ports &= ~(1ull << 6);
	sw->config[6].present = 0; /* only its address is there */
	params.mac[5] = 11;
	elisa_switch_port_add(sw, 7, &params); /* whole, but the module has none */
	fixture_restart(daemon);
	fixture_consistent(daemon);
	assert_int_equal(fixture_nb_ports(daemon), 3);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_restart_setup, fixture_restart_teardown)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(nothing_changes_but_the_process),
		TEST(it_waits_until_the_last_daemon_is_gone),
		TEST(it_is_left_where_somebody_keeps_it),
		TEST(the_switch_keeps_what_it_was_made_with),
		TEST(a_vm_that_died_meanwhile_is_finished),
		TEST(a_vm_that_kvm_has_no_more_is_finished),
		TEST(a_vcpu_that_was_thrown_out_is_let_in_again),
		TEST(a_vcpu_that_may_be_inside_is_left_alone),
		TEST(captures_end),
		TEST(an_uplink_is_set_up_again),
		TEST(an_uplink_that_cannot_be_had_again_is_gone),
		TEST(left_in_order_it_is_taken_over_too),
		TEST(names_that_mean_nothing_are_dropped),
		TEST(things_that_are_not_whole_go),
		TEST(a_port_that_was_revoked_goes),
		TEST(half_a_port_in_the_datapath_goes),
	};

	if (argc < 2)
		return 2;
	fixture_image = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
