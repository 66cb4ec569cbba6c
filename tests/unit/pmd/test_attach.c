/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_attach.c - devices that must not come up: each ends in one line, and leaves nothing.
 */
#include "rig.h"

#include <rte_bus_vdev.h>

struct refusal {
	const char *arguments;
	const char *text; /* of the line */
};

#define EIGHT "a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1," /* DPDK reads no more than 32 */

static const struct refusal refusals[] = {
	{"gate=telepathy", "gate=telepathy is not known"},
	{"gate", "gate= is not known"},
	{"gate=", "gate= is not known"},
	{"gate=local,speed=9", "argument speed is not known"},
	{"gate=local,gate=local", "argument gate is given twice"},
	{"gate=local,port=a,port=b", "argument port is given twice"},
	{"gate=local,switch=", "a name has 1 to 31 bytes"},
	{"gate=local,port=a2345678901234567890123456789012", "a name has 1 to 31 bytes"},
	{"gate=[local", "gate=[local is not known"},
	{EIGHT EIGHT EIGHT EIGHT "gate=local", "cannot read the arguments"},
	{"gate=local,=", "argument  is not known"},
};

static void bad_arguments(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(refusals); i++) {
		uint16_t before = rte_eth_dev_count_avail();

		rig_log_begin();
		assert_int_not_equal(rig_probe("net_elisa7", refusals[i].arguments, NULL), 0);
		assert_int_equal(rig_log_end(refusals[i].text), 1);
		assert_int_equal(rte_eth_dev_count_avail(), before);
	}
}

static void names_at_their_limit(void **state)
{
	uint16_t port;

	(void)state;
	assert_int_equal(rig_probe("net_elisa0",
				   "gate=local,switch=s234567890123456789012345678901,"
				   "port=p234567890123456789012345678901",
				   &port),
			 0);
	rig_remove("net_elisa0");
}

static void names_by_default(void **state)
{
	uint16_t port;

	(void)state;
	assert_int_equal(rig_probe("net_elisa0", "gate=local", &port), 0);
	rig_remove("net_elisa0");
	rig_log_begin();
	assert_int_not_equal(rig_probe("net_elisa_with_a_name_of_its_own", "gate=local", NULL), 0);
	assert_int_equal(rig_log_end("too long for a port's"), 1);
}

static void port_taken(void **state)
{
	uint16_t port;

	(void)state;
	assert_int_equal(rig_probe("net_elisa0", "gate=local,switch=s,port=a", &port), 0);
	rig_log_begin();
	assert_int_not_equal(rig_probe("net_elisa1", "gate=local,switch=s,port=a", NULL), 0);
	assert_int_equal(rig_log_end("net_elisa1:"), 1);
	assert_int_equal(rte_eth_dev_count_avail(), 1);
	rig_remove("net_elisa0");
	assert_int_equal(rig_probe("net_elisa1", "gate=local,switch=s,port=a", &port), 0);
	rig_remove("net_elisa1");
}

/* No test machine is a guest with a port: whatever it is, the gate must refuse and nothing crash. */
static void no_gate_here(void **state)
{
	(void)state;
	rig_log_begin();
	assert_int_not_equal(rig_probe("net_elisa0", "", NULL), 0);
	assert_int_equal(rig_log_end("net_elisa0:"), 1);
	assert_int_equal(rte_eth_dev_count_avail(), 0);
}

static void many_times(void **state)
{
	uint16_t port;
	int i;

	(void)state;
	for (i = 0; i < 200; i++) {
		assert_int_equal(rig_probe("net_elisa0", "gate=local,switch=s,port=a", &port), 0);
		rig_remove("net_elisa0");
	}
	assert_int_equal(rte_eth_dev_count_avail(), 0);
}

int test_attach(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_arguments),    cmocka_unit_test(names_at_their_limit),
		cmocka_unit_test(names_by_default), cmocka_unit_test(port_taken),
		cmocka_unit_test(no_gate_here),     cmocka_unit_test(many_times),
	};

	return cmocka_run_group_tests_name("attach", tests, NULL, NULL);
}
