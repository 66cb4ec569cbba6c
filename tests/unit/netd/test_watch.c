/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_watch.c - a switch that is gone for a moment, and one that stays away.
 */
#include "packets.h"

#include <errno.h>

#include <rte_bus_vdev.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include "guest-pmd/netd/watch.h"

#define LOOKS 20 /* more than a short absence may last */

static struct netd_port port;
/* In no namespace: what only an interface has is looked at in sockets.py. */
static const struct netd_tap tap = {.name = "no-such-tap", .nb_queues = 1, .fds = {-1}};

static int set_up(void **state)
{
	struct rte_ring *ring = rte_ring_create("watched", 8, SOCKET_ID_ANY, 0);
	const struct rte_eth_conf conf = {0};

	port.id = (uint16_t)rte_eth_from_rings("watched", &ring, 1, &ring, 1, 0);
	assert_int_equal(rte_eth_dev_configure(port.id, 1, 1, &conf), 0);
	*state = ring;
	return rte_eth_dev_set_link_up(port.id);
}

static int tear_down(void **state)
{
	assert_int_equal(rte_vdev_uninit("net_ring_watched"), 0);
	rte_ring_free(*state);
	return 0;
}

static void comes_back(void **state)
{
	struct netd_watch watch = {0};

	(void)state;
	for (int i = 0; i < LOOKS; i++) {
		assert_int_equal(i % 2 ? rte_eth_dev_set_link_up(port.id)
				       : rte_eth_dev_set_link_down(port.id),
				 0);
		assert_int_equal(netd_watch(&watch, &port, &tap), 0);
	}
}

static void stays_away(void **state)
{
	struct netd_watch watch = {0};
	int looks = 1;

	(void)state;
	assert_int_equal(rte_eth_dev_set_link_down(port.id), 0);
	while (!netd_watch(&watch, &port, &tap))
		assert_true(++looks < LOOKS);
	assert_true(looks > 1);
	assert_int_equal(netd_watch(&watch, &port, &tap), -ENODEV);
}

int test_watch(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stays_away, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
