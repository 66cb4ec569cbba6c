// SPDX-License-Identifier: BSD-3-Clause
/* test_elisactl.c - the real elisactl against the real daemon's loop, over the fake module. */
#include "fake_module.h"
#include "fixture_uplink.h"
#include "vswitch/daemon/loop.h"

#include "cmocka_all.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *elisactl;
static char directory[] = "/tmp/elisa-test-ctl-XXXXXX";
static char socket_path[96];
static char output[65536];
static struct elisa_control control;
static pthread_t loop;
static int signals;

/* Runs "elisactl --socket … WORDS" and returns its exit code; output is what it printed. */
static int run(const char *words, const char *redirection)
{
	char command[512];
	size_t size;
	FILE *stream;
	int status;

	snprintf(command, sizeof(command), "%s --socket %s %s %s", elisactl, socket_path, words,
		 redirection);
	stream = popen(command, "r");
	assert_non_null(stream);
	size = fread(output, 1, sizeof(output) - 1, stream);
	output[size] = '\0';
	status = pclose(stream);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void prints(const char *words, int code, const char *part)
{
	int got = run(words, "2>/dev/null");

	if (got != code || !strstr(output, part))
		fail_msg("'%s': %d instead of %d, or no '%s' in:\n%s", words, got, code, part,
			 output);
}

static void complains(const char *words, int code, const char *part)
{
	int got = run(words, "2>&1 >/dev/null");

	if (got != code || !strstr(output, part))
		fail_msg("'%s': %d instead of %d, or no '%s' in:\n%s", words, got, code, part,
			 output);
	assert_memory_equal(output, "elisactl: ", 10);
}

static void *run_loop(void *daemon)
{
	return (void *)(intptr_t)elisa_loop_run(daemon, &control, signals);
}

static int setup(void **state)
{
	struct elisa_failure failure;

	fixture_uplink_setup(state);
	signals = elisa_loop_block_signals();
	elisa_control_init(&control);
	if (elisa_control_listen(&control, socket_path, &failure))
		fail_msg("%s", failure.message);
	return pthread_create(&loop, NULL, run_loop, *state);
}

static int teardown(void **state)
{
	void *result;

	kill(getpid(), SIGTERM);
	pthread_join(loop, &result);
	assert_null(result);
	elisa_control_close(&control);
	close(signals);
	assert_int_equal(access(socket_path, F_OK), -1);
	return fixture_uplink_teardown(state);
}

static void what_is_asked_is_done(void **state)
{
	json_t *json;

	(void)state;
	fixture_vm("a", 2);
	prints("port add p0 --vm a --on-full backpressure", 0, "backpressure");
	prints("port add p1 --vm a --mac 02:00:00:00:00:09 --mtu 9000 --queues 1", 0,
	       "02:00:00:00:00:09");
	prints("port list", 0, "PORT  MAC ADDRESS");
	prints("port list", 0, "p1    02:00:00:00:00:09");
	prints("port show p1", 0, "9000");
	prints("stats", 0, "SENT");
	prints("stats p0", 0, "p0");
	prints("fdb", 0, "02:00:00:00:00:09  p1");
	prints("fdb flush", 0, "forgotten        0");
	prints("fdb flush p0", 0, "forgotten        0");
	prints("vm a", 0, "EXTERNAL_INTERRUPT");
	prints("vm", 0, "recoveries       2");
	prints("vm", 0, "gate calls     10");
	prints("prove", 0, "all invariants hold (4711");
	prints("status", 0, "ports            2");
	prints("--json status", 0, "{");
	json = json_loads(output, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(json, "ports")), 2);
	json_decref(json);
	prints("uplink add up0 01:00.0 --on-full drop --mtu 1400 --queues 2", 0, "0000:01:00.0");
	prints("uplink list", 0, "up0     0000:01:00.0  net_fake  up     yes     1000");
	prints("uplink show up0", 0, "MTU              1400");
	prints("stats up0", 0, "up0: NIC ipackets 0");
	prints("fdb flush up0", 0, "forgotten        0");
	prints("status", 0, "uplinks          1");
	prints("uplink del up0", 0, "");
	prints("port del p0", 0, "");
	prints("port list --json", 0, "\"p1\"");
}

static void limits_are_set_and_shown(void **state)
{
	struct elisa_daemon *daemon = *state;

	fixture_vm("a", 1);
	prints("port add p0 --vm a --storm 2k --private on", 0, "flooded/s        2000\n");
	prints("port set p0 --rate-packets 5M --rate-bits 10mbit --learn 64", 0,
	       "packets/s        5000000\nbits/s           10000000\nflooded/s        2000\n"
	       "learned at most  64\nsource guard     none\n  IP addresses   none\n"
	       "  VLANs          none\nprivate          yes\n");
	prints("port set p0 --rate-bits 1G --guard mac,ip,vlan --allow-ip 10.0.0.1,fe80::1 "
	       "--allow-vlan 0,5 --private off",
	       0,
	       "bits/s           1000000000\nflooded/s        2000\nlearned at most  64\n"
	       "source guard     mac ip vlan\n  IP addresses   10.0.0.1 fe80::1\n"
	       "  VLANs          0 5\nprivate          no\n");
	prints("port set p0 --rate-packets none --rate-bits none --storm none --learn none", 0,
	       "packets/s        none\nbits/s           none\nflooded/s        none\n"
	       "learned at most  none\nsource guard     mac ip vlan\n");
	prints("port set p0 --allow-ip none", 0, "  IP addresses   none\n  VLANs          0 5");
	prints("port set p0 --guard none", 0, "  VLANs          none\n");
	pthread_mutex_lock(&daemon->lock);
	daemon->domain.sw->sent[0].drops[ELISA_DROP_SOURCE_GUARD] = 3;
	daemon->domain.sw->sent[0].unlearned = 4;
	pthread_mutex_unlock(&daemon->lock);
	prints("stats p0", 0,
	       "p0: 3 sent packets dropped: source-guard\np0: 4 sent packets not learned from\n");
}

static void what_the_daemon_refuses_is_1(void **state)
{
	struct elisa_daemon *daemon = *state;

	fixture_vm("a", 1);
	complains("port show p0", 1, "no port p0");
	complains("port add p0 --vm nobody", 1, "nobody");
	complains("port add p0 --vm a --mtu 1", 1, "'mtu'");
	complains("port add p0 --vm a --mtu 99999999999", 1, "'mtu'");
	complains("port add a/b --vm a", 1, "'name'");
	complains("vm b", 1, "no VM b");
	complains("port set p0 --storm 5", 1, "no port p0");
	complains("uplink add up0 eth0", 1, "'pci'");
	complains("uplink add up0 09:00.0", 1, "lspci -D");
	complains("uplink show up0", 1, "no uplink up0");
	prints("port add p0 --vm a", 0, "p0");
	complains("--json port add p0 --vm a", 1, "belongs to VM a");
	complains("port set p0", 1, "port set --help");
	complains("port set p0 --storm 0", 1, "'storm'");
	complains("port set p0 --rate-bits 1000G", 1, "from 8000 to 800000000000");
	complains("port set p0 --guard mac,ports", 1, "'guard'");
	complains("port set p0 --guard ''", 1, "'guard'");
	complains("port set p0 --guard ip --allow-ip 10.0.0.1,", 1, "'allow_ip'");
	complains("port set p0 --allow-ip 10.0.0.1", 1, "the guard \"ip\"");
	complains("port add p1 --vm a --guard vlan", 1, "'allow_vlan'");
	prints("uplink add up0 01:00.0", 0, "up0");
	complains("port set up0 --storm 5", 1, "up0 is an uplink and has no limits");
	complains("port del up0", 1, "elisactl uplink del up0");
	pthread_mutex_lock(&daemon->lock);
	fake_module.invariant = 2;
	pthread_mutex_unlock(&daemon->lock);
	complains("prove", 1, "invariant 2");
}

static void wrong_usage_is_2(void **state)
{
	(void)state;
	complains("", 2, "a command is missing");
	complains("frobnicate", 2, "no command 'frobnicate'");
	complains("port", 2, "no command 'port'");
	complains("port frobnicate", 2, "no command 'port frobnicate'");
	complains("port add", 2, "port add NAME --vm");
	complains("port add p0", 2, "--vm");
	complains("port add p0 p1 --vm a", 2, "'p1'");
	complains("port list p0", 2, "'p0'");
	complains("port add p0 --vm a --mtu many", 2, "'many'");
	complains("status --vm a", 2, "does not take --vm");
	complains("uplink add up0", 2, "uplink add NAME PCI-ADDRESS");
	complains("uplink add up0 01:00.0 eth0", 2, "'eth0'");
	complains("uplink add up0 01:00.0 --vm a", 2, "does not take --vm");
	complains("port del p0 --mtu 1500", 2, "does not take --mtu");
	complains("port set", 2, "port set NAME");
	complains("port set p0 --vm a", 2, "does not take --vm");
	complains("port del p0 --private on", 2, "does not take --private");
	complains("port set p0 --storm many", 2, "--storm 'many' is not a whole number");
	complains("port set p0 --storm 5kk", 2, "'5kk'");
	complains("port set p0 --storm 5kbit", 2, "'5kbit'");
	complains("port set p0 --rate-bits 5kB", 2, "'5kB'");
	complains("port set p0 --rate-bits ''", 2, "''");
	complains("port set p0 --learn 9223372036854775808", 2, "'9223372036854775808'");
	complains("port set p0 --learn 9223372036854775807k", 2, "'9223372036854775807k'");
	complains("port set p0 --allow-vlan 1,x", 2, "--allow-vlan '1,x' is not numbers");
	complains("port set p0 --allow-vlan 1,", 2, "'1,'");
	complains("port set p0 --private yes", 2, "--private 'yes' is not on or off");
	complains("status --switch a/b", 2, "--switch");
	complains("status --socket ''", 2, "--socket");
	assert_int_equal(run("status --frobnicate", "2>&1"), 2);
	assert_int_equal(run("status --switch", "2>&1"), 2);
}

static void help_is_there_for_everything(void **state)
{
	static const char *const commands[] = {
		"port add",   "port set",    "port del",    "port list", "port show", "uplink add",
		"uplink del", "uplink list", "uplink show", "stats",     "fdb",       "fdb flush",
		"vm",         "prove",       "status",      "capture"};
	char words[64];

	(void)state;
	prints("--help", 0, "usage: elisactl");
	prints("--version", 0, "elisactl 0.1.0");
	for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		snprintf(words, sizeof(words), "%s --help", commands[i]);
		prints(words, 0, commands[i]);
	}
}

static void no_daemon_is_3(void **state)
{
	(void)state;
	complains("status", 3, "elisa-switchd is not running");
	complains("--switch blue port list", 3, "elisa-switchd@blue");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_is_asked_is_done),
		TEST(limits_are_set_and_shown),
		TEST(what_the_daemon_refuses_is_1),
		cmocka_unit_test(wrong_usage_is_2),
		cmocka_unit_test(help_is_there_for_everything),
		cmocka_unit_test(no_daemon_is_3),
	};
	int failed;

	if (argc < 3 || !mkdtemp(directory))
		return 2;
	fixture_image = argv[1];
	elisactl = argv[2];
	snprintf(socket_path, sizeof(socket_path), "%s/sw.sock", directory);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(directory);
	return failed;
}
