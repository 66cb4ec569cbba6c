// SPDX-License-Identifier: BSD-3-Clause
/*
 * test_nic.c - nic.h over the real DPDK, as far as it goes without a NIC: memory at the window's
 * addresses, pools in it, and a device whose driver is not in the trusted image.
 *
 * Needs 16 free hugepages of 2 MiB and root; without, it tests what is said then.
 */
#include "vswitch/daemon/environment.h"
#include "vswitch/daemon/nic.h"
#include "vswitch/daemon/nic_memory.h"
#include "vswitch/daemon/nic_pool.h"
#include "vswitch/daemon/nic_setup.h"
#include "vswitch/uplink/pool.h"

#include "cmocka_all.h"

#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include <ethdev_driver.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEBIBYTES 16u
#define MBUFS 100u
#define ROOM 2048u

static bool memory_is_there;
static char directory[] = "/tmp/elisa-test-nic-XXXXXX";

static void memory_is_where_the_trusted_context_has_it(void **state)
{
	struct elisa_nic_range memory, table;
	struct elisa_failure failure;
	int socket;
	void *block;

	(void)state;
	if (!memory_is_there)
		skip();
	elisa_nic_memory_ranges(&memory, &table);
	assert_int_equal(memory.address, ELISA_GVA(ELISA_OFFSET_UPLINK_MEMORY));
	assert_int_equal(memory.length, MEBIBYTES << 20);
	assert_int_equal(table.address % ELISA_PAGE_SIZE, 0);
	assert_true(table.length <= ELISA_UPLINK_STATE_MAX);
	if (elisa_nic_memory_heap(&socket, &failure))
		fail_msg("%s", failure.message);
	elisa_nic_memory_begin();
	block = rte_zmalloc("driver's queue", 1000, 64);
	elisa_nic_memory_end();
	assert_true(elisa_nic_memory_has(block, 1000));
	assert_false(elisa_nic_memory_has(block, memory.length));
	assert_int_not_equal(rte_malloc_virt2iova(block), RTE_BAD_IOVA);
	rte_free(block);
	block = rte_zmalloc("another's", 1000, 64);
	assert_non_null(block);
	assert_false(elisa_nic_memory_has(block, 1));
	rte_free(block);
}

/* A pool that a vCPU left with mbufs missing is whole again, and each mbuf as new. */
static void a_pool_is_in_it_and_can_be_made_whole(void **state)
{
	struct elisa_failure failure;
	struct rte_mempool *mempool;
	struct rte_mbuf *mbuf;
	int socket;

	(void)state;
	if (!memory_is_there)
		skip();
	assert_int_equal(elisa_nic_memory_heap(&socket, &failure), 0);
	mempool = elisa_nic_pool(0, 0, MBUFS, ROOM, socket);
	assert_non_null(mempool);
	assert_true(elisa_nic_memory_has(mempool, sizeof(*mempool)));
	assert_true(elisa_nic_memory_has(mempool->pool_data, sizeof(struct elisa_pool)));
	assert_int_equal(mempool->cache_size, 0);
	assert_int_equal(rte_mempool_avail_count(mempool), MBUFS);
	for (unsigned int i = 0; i < MBUFS; i++) {
		mbuf = rte_pktmbuf_alloc(mempool);
		assert_true(elisa_nic_memory_has(mbuf, sizeof(*mbuf)));
		assert_true(elisa_nic_memory_has(mbuf->buf_addr, mbuf->buf_len));
		assert_int_equal(rte_pktmbuf_tailroom(mbuf), ROOM);
		assert_int_not_equal(mbuf->buf_iova, RTE_BAD_IOVA);
		mbuf->refcnt = 7;
		mbuf->next = mbuf;
	}
	assert_null(rte_pktmbuf_alloc(mempool));
	elisa_nic_pool_refill(mempool);
	assert_int_equal(rte_mempool_avail_count(mempool), MBUFS);
	for (unsigned int i = 0; i < MBUFS; i++) {
		mbuf = rte_pktmbuf_alloc(mempool);
		assert_non_null(mbuf);
		assert_int_equal(mbuf->refcnt, 1);
		assert_null(mbuf->next);
	}
	rte_mempool_free(mempool);
}

/* The table that vCPUs have for rte_eth_devices: one pointer, to counters in the memory. */
static void the_table_shows_counters_only(void **state)
{
	struct elisa_nic_range memory, table;
	struct elisa_failure failure;
	struct rte_eth_dev_data *data;
	struct rte_eth_dev *devices;
	int socket;

	(void)state;
	if (!memory_is_there)
		skip();
	assert_int_equal(elisa_nic_memory_heap(&socket, &failure), 0);
	elisa_nic_memory_ranges(&memory, &table);
	devices = (struct rte_eth_dev *)(uintptr_t)table.address;
	assert_int_equal(elisa_nic_memory_show(2), 0);
	assert_true(elisa_nic_memory_has(devices[2].data, sizeof(*devices[2].data)));
	devices[2].data->rx_mbuf_alloc_failed = 5;
	assert_int_equal(elisa_nic_memory_no_mbuf(2), 5);
	data = devices[2].data;
	devices[2].data = NULL;
	for (uint64_t i = 0; i < table.length; i++)
		assert_int_equal(((uint8_t *)devices)[i], 0);
	devices[2].data = data;
	elisa_nic_memory_hide(2);
	assert_int_equal(elisa_nic_memory_show(RTE_MAX_ETHPORTS), -ERANGE);
}

static void a_driver_that_was_not_checked_is_refused(void **state)
{
	struct elisa_nic_request request = {.pci = "net_null0", .mtu = 1500, .nb_queues = 1};
	struct elisa_failure failure = {0};
	struct elisa_nic nic = {0};

	(void)state;
	if (!memory_is_there)
		skip();
	assert_int_equal(rte_eal_hotplug_add("vdev", "net_null0", ""), 0);
	assert_int_equal(rte_eth_dev_get_port_by_name("net_null0", &nic.id), 0);
	assert_int_equal(elisa_nic_setup(&request, &nic, &failure), -ENOTSUP);
	assert_non_null(strstr(failure.message, "net_null"));
	assert_non_null(strstr(failure.message, "net_e1000_em"));
	assert_non_null(strstr(failure.message, "docs/uplink.md"));
	assert_int_equal(rte_eal_hotplug_remove("vdev", "net_null0"), 0);
}

static void a_device_that_dpdk_cannot_take_is_refused(void **state)
{
	struct elisa_nic_request request = {.pci = "ffff:01:00.0", .mtu = 1500, .nb_queues = 1};
	struct elisa_failure failure = {0};
	struct elisa_nic nic;

	(void)state;
	if (!memory_is_there)
		skip();
	assert_int_equal(elisa_nic_open(&request, &nic, &failure), -ENODEV);
	assert_non_null(strstr(failure.message, "ffff:01:00.0"));
	assert_int_equal(rte_eth_dev_count_avail(), 0);
}

static void too_much_memory_is_refused_with_what_to_do(void **state)
{
	struct elisa_failure failure = {0};

	(void)state;
	if (memory_is_there)
		elisa_nic_memory_close();
	assert_true(elisa_nic_memory_open(1u << 20, &failure) < 0);
	assert_non_null(strstr(failure.message, "nr_hugepages"));
	if (memory_is_there)
		assert_int_equal(elisa_nic_memory_open(MEBIBYTES, &failure), 0);
}

/* DPDK's environment starts once in a process. */
static int start(void **state)
{
	struct elisa_options options = {.switch_name = "nic", .uplink_memory = MEBIBYTES};
	struct elisa_failure failure;

	(void)state;
	memory_is_there = !elisa_environment_start(&options, &failure) &&
			  !elisa_nic_memory_open(MEBIBYTES, &failure);
	if (!memory_is_there)
		printf("not tested here: %s\n", failure.message);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	elisa_nic_memory_close();
	elisa_environment_stop();
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_much_memory_is_refused_with_what_to_do),
		cmocka_unit_test(memory_is_where_the_trusted_context_has_it),
		cmocka_unit_test(a_pool_is_in_it_and_can_be_made_whole),
		cmocka_unit_test(the_table_shows_counters_only),
		cmocka_unit_test(a_driver_that_was_not_checked_is_refused),
		cmocka_unit_test(a_device_that_dpdk_cannot_take_is_refused),
	};
	char command[64];
	int failed;

	if (!mkdtemp(directory))
		return 2;
	setenv("RUNTIME_DIRECTORY", directory, 1);
	failed = cmocka_run_group_tests(tests, start, stop);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command) ? 2 : failed;
}
