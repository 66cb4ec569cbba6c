// SPDX-License-Identifier: BSD-3-Clause
/* test_policy.c - what a port may send, as requests see it: set, shown, refused as a whole. */
#include "fake_module.h"
#include "fixture.h"
#include "vswitch/daemon/tsc.h"

#include "cmocka_all.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DEFAULTS                                                                                \
	"{\"rate_packets\":null,\"rate_bits\":null,\"storm\":null,\"learn\":1024,\"guard\":[]," \
	"\"allow_ip\":[],\"allow_vlan\":[],\"private\":false}"

#define ALL                                                                                \
	"\"rate_packets\":5000,\"rate_bits\":80000000,\"storm\":100,\"learn\":16,"         \
	"\"guard\":[\"mac\",\"ip\",\"vlan\"],\"allow_ip\":[\"10.0.0.1\",\"2001:db8::1\"]," \
	"\"allow_vlan\":[0,4094],\"private\":true"

static void add(struct elisa_daemon *daemon)
{
	fixture_vm("a", 2);
	json_decref(fixture_result(daemon, "port-add", "{\"name\":\"p0\",\"vm\":\"a\"}"));
}

static json_t *set(struct elisa_daemon *daemon, const char *members)
{
	char arguments[1024];

	snprintf(arguments, sizeof(arguments), "{\"name\":\"p0\",%s}", members);
	return fixture_result(daemon, "port-set", arguments);
}

static void refused(struct elisa_daemon *daemon, const char *members, const char *code,
		    const char *part)
{
	char arguments[1024];

	snprintf(arguments, sizeof(arguments), "{\"name\":\"p0\",%s}", members);
	fixture_refused(daemon, "port-set", arguments, code, part);
}

/* The policy of a port, or of the answer that showed it, is this JSON text. Takes `port` over. */
static void has(json_t *port, const char *text)
{
	const json_t *policy = json_object_get(port, "policy");
	json_t *wanted = json_loads(text, 0, NULL);

	assert_non_null(wanted);
	if (!json_equal(policy, wanted))
		fail_msg("%s instead of %s", json_dumps(policy, 0), text);
	json_decref(wanted);
	json_decref(port);
}

static json_t *show(struct elisa_daemon *daemon)
{
	return fixture_result(daemon, "port-show", "{\"name\":\"p0\"}");
}

static void a_port_begins_without_limits(void **state)
{
	json_t *ports;

	add(*state);
	has(show(*state), DEFAULTS);
	ports = fixture_result(*state, "port-list", "{}");
	has(json_incref(json_array_get(json_object_get(ports, "ports"), 0)), DEFAULTS);
	json_decref(ports);
}

static void check_all_in_the_switch(const struct elisa_switch *sw)
{
	struct elisa_port_policy policy;

	assert_int_equal(elisa_switch_port_policy(sw, 0, &policy), 0);
	assert_int_equal(policy.flags, ELISA_POLICY_FLAGS);
	assert_int_equal(policy.packets.per_second, 5000);
	assert_int_equal(policy.bytes.per_second, 10000000);
	assert_int_equal(policy.storm.per_second, 100);
	assert_int_equal(policy.learning_limit, 16);
	assert_int_equal(policy.nb_ipv4, 1);
	assert_memory_equal(policy.ipv4[0], "\x0a\0\0\x01", 4);
	assert_int_equal(policy.nb_ipv6, 1);
	assert_memory_equal(policy.ipv6[0], "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	assert_int_equal(policy.nb_vlans, 2);
	assert_int_equal(policy.vlans[0], 0);
	assert_int_equal(policy.vlans[1], 4094);
}

static void what_is_set_is_shown_and_in_the_switch(void **state)
{
	struct elisa_daemon *daemon = *state;

	add(daemon);
	has(set(daemon, ALL), "{" ALL "}");
	has(show(daemon), "{" ALL "}");
	check_all_in_the_switch(daemon->domain.sw);
}

static void a_port_can_be_added_with_limits(void **state)
{
	struct elisa_daemon *daemon = *state;

	fixture_vm("a", 1);
	has(fixture_result(daemon, "port-add", "{\"name\":\"p0\",\"vm\":\"a\"," ALL "}"),
	    "{" ALL "}");
	check_all_in_the_switch(daemon->domain.sw);
}

static void what_is_not_given_stays(void **state)
{
	static const struct {
		const char *given, *then;
	} steps[] = {
		{"\"storm\":7", "{\"rate_packets\":5000,\"rate_bits\":80000000,\"storm\":7,"
				"\"learn\":16,\"guard\":[\"mac\",\"ip\",\"vlan\"],"
				"\"allow_ip\":[\"10.0.0.1\",\"2001:db8::1\"],"
				"\"allow_vlan\":[0,4094],\"private\":true}"},
		{"\"rate_bits\":null,\"learn\":null,\"allow_ip\":[\"fe80::1\"]",
		 "{\"rate_packets\":5000,\"rate_bits\":null,\"storm\":7,\"learn\":null,"
		 "\"guard\":[\"mac\",\"ip\",\"vlan\"],\"allow_ip\":[\"fe80::1\"],"
		 "\"allow_vlan\":[0,4094],\"private\":true}"},
		/* A list goes with its guard. */
		{"\"guard\":[\"mac\"],\"private\":false",
		 "{\"rate_packets\":5000,\"rate_bits\":null,\"storm\":7,\"learn\":null,"
		 "\"guard\":[\"mac\"],\"allow_ip\":[],\"allow_vlan\":[],\"private\":false}"},
		/* A guard of IP without addresses lets none through. */
		{"\"guard\":[\"ip\"],\"learn\":0",
		 "{\"rate_packets\":5000,\"rate_bits\":null,\"storm\":7,\"learn\":0,"
		 "\"guard\":[\"ip\"],\"allow_ip\":[],\"allow_vlan\":[],\"private\":false}"},
		{"\"rate_packets\":null,\"storm\":null,\"learn\":1024,\"guard\":[]", DEFAULTS},
	};

	add(*state);
	json_decref(set(*state, ALL));
	for (unsigned int i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		has(set(*state, steps[i].given), steps[i].then);
		has(show(*state), steps[i].then);
	}
}

/* A larger rate comes with a larger burst, not with that of the rate before it. */
static void a_new_rate_has_its_own_burst(void **state)
{
	struct elisa_daemon *daemon = *state;
	struct elisa_port_policy policy;

	add(daemon);
	json_decref(set(daemon, "\"rate_packets\":1"));
	elisa_switch_port_policy(daemon->domain.sw, 0, &policy);
	assert_int_equal(policy.packets.burst, ELISA_BURST_MIN_PACKETS);
	json_decref(set(daemon, "\"rate_packets\":10000000"));
	elisa_switch_port_policy(daemon->domain.sw, 0, &policy);
	assert_int_equal(policy.packets.burst, 100000);
}

static void edges_are_taken(void **state)
{
	static const char *const members[] = {
		"\"rate_packets\":1",
		"\"rate_packets\":100000000000",
		"\"rate_bits\":8000",
		"\"rate_bits\":800000000000",
		"\"storm\":1",
		"\"learn\":0",
		"\"learn\":1048576",
		"\"guard\":[\"vlan\"],\"allow_vlan\":[0,1,2,3,4,5,6,4094]",
		"\"guard\":[\"ip\"],\"allow_ip\":[\"1.0.0.0\",\"223.255.255.255\",\"1.0.0.2\","
		"\"1.0.0.3\",\"1.0.0.4\",\"1.0.0.5\",\"1.0.0.6\",\"1.0.0.7\",\"::1\",\"::2\",\"::"
		"3\","
		"\"::4\",\"::5\",\"::6\",\"::7\",\"fe80::\"]",
		"\"guard\":[\"mac\",\"mac\"]",
		"\"allow_ip\":[]",
		"\"allow_vlan\":[]",
	};

	add(*state);
	for (unsigned int i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		json_decref(set(*state, members[i]));
}

/* Each with something good before it, of which nothing may stay. */
static void bad_values_are_named_and_change_nothing(void **state)
{
	static const struct {
		const char *members, *part;
	} bad[] = {
		{"\"rate_packets\":0", "'rate_packets'"},
		{"\"rate_packets\":100000000001", "from 1 to 100000000000"},
		{"\"rate_packets\":-1", "'rate_packets'"},
		{"\"rate_packets\":1.5", "'rate_packets'"},
		{"\"rate_packets\":\"none\"", "or none (in JSON: null)"},
		{"\"rate_bits\":7999", "from 8000 to 800000000000"},
		{"\"rate_bits\":800000000001", "'rate_bits'"},
		{"\"rate_bits\":[]", "'rate_bits'"},
		{"\"storm\":0", "'storm'"},
		{"\"storm\":true", "'storm'"},
		{"\"learn\":-1", "from 0 to 1048576"},
		{"\"learn\":1048577", "'learn'"},
		{"\"guard\":\"mac\"", "'guard' has to be a list"},
		{"\"guard\":null", "'guard'"},
		{"\"guard\":[\"ipv4\"]", "\"mac\", \"ip\" and \"vlan\""},
		{"\"guard\":[1]", "'guard'"},
		{"\"guard\":[\"\"]", "'guard'"},
		{"\"guard\":[\"vlan\"]", "'allow_vlan' have to be set together"},
		{"\"guard\":[\"vlan\"],\"allow_vlan\":[]", "'allow_vlan'"},
		{"\"guard\":[\"mac\"],\"allow_vlan\":[1]", "'allow_vlan'"},
		{"\"allow_vlan\":[1]", "'allow_vlan'"},
		{"\"guard\":[\"vlan\"],\"allow_vlan\":[4095]", "at most 8 numbers"},
		{"\"guard\":[\"vlan\"],\"allow_vlan\":[-1]", "'allow_vlan'"},
		{"\"guard\":[\"vlan\"],\"allow_vlan\":[65541]", "'allow_vlan'"},
		{"\"guard\":[\"vlan\"],\"allow_vlan\":[\"5\"]", "'allow_vlan'"},
		{"\"guard\":[\"vlan\"],\"allow_vlan\":5", "'allow_vlan'"},
		{"\"guard\":[\"vlan\"],\"allow_vlan\":[1,2,3,4,5,6,7,8,9]", "at most 8"},
		{"\"allow_ip\":[\"10.0.0.1\"]", "the guard \"ip\""},
		{"\"guard\":[\"mac\"],\"allow_ip\":[\"::1\"]", "the guard \"ip\""},
		{"\"guard\":[\"ip\"],\"allow_ip\":\"10.0.0.1\"", "'allow_ip' has to be a list"},
		{"\"guard\":[\"ip\"],\"allow_ip\":[10]", "'allow_ip'"},
		{"\"guard\":[\"ip\"],\"allow_ip\":[\"\"]", "'allow_ip'"},
		{"\"guard\":[\"ip\"],\"allow_ip\":[\"10.0.0\"]", "not 10.0.0"},
		{"\"guard\":[\"ip\"],\"allow_ip\":[\"10.0.0.0/24\"]", "without a prefix"},
		{"\"guard\":[\"ip\"],\"allow_ip\":[\"10.0.0.256\"]", "'allow_ip'"},
		{"\"guard\":[\"ip\"],\"allow_ip\":[\"0.0.0.0\"]", "unicast"},
		{"\"guard\":[\"ip\"],\"allow_ip\":[\"224.0.0.1\"]", "unicast"},
		{"\"guard\":[\"ip\"],\"allow_ip\":[\"255.255.255.255\"]", "unicast"},
		{"\"guard\":[\"ip\"],\"allow_ip\":[\"::\"]", "unicast"},
		{"\"guard\":[\"ip\"],\"allow_ip\":[\"ff02::1\"]", "unicast"},
		{"\"guard\":[\"ip\"],\"allow_ip\":[\"fe80::1%eth0\"]", "'allow_ip'"},
		{"\"guard\":[\"ip\"],\"allow_ip\":[\"1.0.0.1\",\"1.0.0.2\",\"1.0.0.3\",\"1.0.0.4\","
		 "\"1.0.0.5\",\"1.0.0.6\",\"1.0.0.7\",\"1.0.0.8\",\"1.0.0.9\"]",
		 "at most 8 IPv4"},
		{"\"guard\":[\"ip\"],\"allow_ip\":[\"::1\",\"::2\",\"::3\",\"::4\",\"::5\","
		 "\"::6\",\"::7\",\"::8\",\"::9\"]",
		 "8 IPv6 addresses"},
		{"\"private\":\"on\"", "'private' has to be true or false"},
		{"\"private\":1", "'private'"},
		{"\"burst\":1", "'burst'"},
	};
	char members[512];

	add(*state);
	json_decref(set(*state, "\"storm\":3"));
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(members, sizeof(members), "%s%s",
			 strstr(bad[i].members, "rate_packets") ? "\"learn\":1,"
								: "\"rate_packets\":9,",
			 bad[i].members);
		refused(*state, members, "EINVAL", bad[i].part);
		has(show(*state), "{\"rate_packets\":null,\"rate_bits\":null,\"storm\":3,"
				  "\"learn\":1024,\"guard\":[],\"allow_ip\":[],\"allow_vlan\":[],"
				  "\"private\":false}");
	}
	fixture_refused(*state, "port-set", "{\"name\":\"p0\"}", "EINVAL", "port set --help");
	fixture_refused(*state, "port-set", "{\"name\":\"p1\",\"storm\":1}", "ENOENT",
			"no port p1");
	fixture_refused(*state, "port-set", "{\"storm\":1}", "EINVAL", "'name'");
	fixture_refused(*state, "port-add", "{\"name\":\"p1\",\"vm\":\"a\",\"guard\":[\"vlan\"]}",
			"EINVAL", "'allow_vlan'");
	assert_int_equal(((struct elisa_daemon *)*state)->domain.sw->ports, 1);
}

/* What needs no clock is for everybody. */
static void a_scaled_counter_measures_no_rate(void **state)
{
	static const char *const rates[] = {"\"rate_packets\":1", "\"rate_bits\":8000",
					    "\"storm\":1"};
	struct elisa_daemon *daemon = *state;
	unsigned int before;

	add(daemon);
	before = fixture_open_descriptors();
	fake_module.tsc_scaled = 1;
	for (unsigned int i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		refused(daemon, rates[i], "EOPNOTSUPP", "port of VM a");
		refused(daemon, rates[i], "EOPNOTSUPP", "tsc-frequency");
	}
	has(show(daemon), DEFAULTS);
	fixture_refused(daemon, "port-add", "{\"name\":\"p1\",\"vm\":\"a\",\"storm\":1}",
			"EOPNOTSUPP", "VM a");
	assert_int_equal(daemon->domain.sw->ports, 1);
	assert_int_equal(fixture_open_descriptors(), before);
	json_decref(set(daemon, "\"learn\":1,\"guard\":[\"mac\"],\"private\":true"));
	fake_module.tsc_scaled = 0;
	json_decref(set(daemon, "\"storm\":1"));
	fake_module.stats_error = -ENOENT;
	refused(daemon, "\"storm\":2", "ENOENT", "vCPU 0 of VM a");
}

static void the_next_port_begins_anew(void **state)
{
	struct elisa_daemon *daemon = *state;

	add(daemon);
	json_decref(set(daemon, ALL));
	json_decref(fixture_result(daemon, "port-del", "{\"name\":\"p0\"}"));
	json_decref(fixture_result(daemon, "port-add", "{\"name\":\"p0\",\"vm\":\"a\"}"));
	has(show(daemon), DEFAULTS);
}

static void what_was_not_let_through_is_counted_by_reason(void **state)
{
	static const char *const names[] = {"source-guard", "rate-limit", "storm-limit",
					    "private-port"};
	struct elisa_daemon *daemon = *state;
	struct elisa_send_counters *counters = &daemon->domain.sw->sent[0];
	json_t *result, *port, *sent;

	add(daemon);
	for (unsigned int i = 0; i < 4; i++)
		counters->drops[ELISA_DROP_SOURCE_GUARD + i] = i + 1;
	counters->unlearned = 5;
	daemon->domain.sw->limits[0].learned = 6;
	result = fixture_result(daemon, "stats", "{}");
	port = json_array_get(json_object_get(result, "ports"), 0);
	sent = json_object_get(port, "sent");
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(json_integer_value(
					 json_object_get(json_object_get(sent, "drops"), names[i])),
				 i + 1);
	assert_int_equal(json_integer_value(json_object_get(sent, "dropped")), 10);
	assert_int_equal(json_integer_value(json_object_get(sent, "not_learned")), 5);
	assert_int_equal(json_integer_value(json_object_get(port, "learned")), 6);
	json_decref(result);
}

/* Right after the start as well as later: within 1 % of what a tenth of a second shows. */
static void the_counters_rate_is_measured(void **state)
{
	struct elisa_clock_reading start = elisa_clock_read(), end = start;
	uint64_t at_once = elisa_tsc_hz(&start), later, hz;

	(void)state;
	while (end.ns - start.ns < 100000000)
		end = elisa_clock_read();
	later = elisa_tsc_hz(&start);
	hz = (end.tsc - start.tsc) * 1000000000 / (end.ns - start.ns);
	assert_in_range(at_once, hz - hz / 100, hz + hz / 100);
	assert_in_range(later, hz - hz / 100, hz + hz / 100);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_daemon_setup, fixture_daemon_teardown)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_port_begins_without_limits),
		TEST(what_is_set_is_shown_and_in_the_switch),
		TEST(a_port_can_be_added_with_limits),
		TEST(what_is_not_given_stays),
		TEST(a_new_rate_has_its_own_burst),
		TEST(edges_are_taken),
		TEST(bad_values_are_named_and_change_nothing),
		TEST(a_scaled_counter_measures_no_rate),
		TEST(the_next_port_begins_anew),
		TEST(what_was_not_let_through_is_counted_by_reason),
		cmocka_unit_test(the_counters_rate_is_measured),
	};

	if (argc < 2)
		return 2;
	fixture_image = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
