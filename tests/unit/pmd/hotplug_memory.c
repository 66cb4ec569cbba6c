/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hotplug_memory.c - DPDK's memory grows and shrinks while the port is started.
 *
 * Needs hugepages of 2 MiB: takes its own if it may, and exits with 77 (skipped) if it may not.
 */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>

#include <rte_log.h>
#include <rte_malloc.h>

#define NEEDED_PAGES 48
#define PAGES_FILE "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
#define FREE_FILE "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"

static const struct rig_options plain;
static long pages_before = -1;

static long read_number(const char *path)
{
	FILE *file = fopen(path, "r");
	long number = 0;

	if (file) {
		if (fscanf(file, "%ld", &number) != 1)
			number = 0;
		fclose(file);
	}
	return number;
}

static void write_number(const char *path, long number)
{
	FILE *file = fopen(path, "w");

	if (file) {
		fprintf(file, "%ld\n", number);
		fclose(file);
	}
}

static void give_pages_back(void)
{
	write_number(PAGES_FILE, pages_before);
}

static int take_pages(void)
{
	if (read_number(FREE_FILE) >= NEEDED_PAGES)
		return 0;
	pages_before = read_number(PAGES_FILE);
	write_number(PAGES_FILE, pages_before + NEEDED_PAGES);
	atexit(give_pages_back);
	return read_number(FREE_FILE) >= NEEDED_PAGES ? 0 : -1;
}

/* Sends from `pool`, receives all. */
static void send_all(const struct rig *rig, struct rte_mempool *pool, unsigned int count)
{
	struct rig sender = *rig;
	struct rte_mbuf *packet, *received[2];
	unsigned int i;

	sender.tx_pool = pool;
	for (i = 0; i < count; i++) {
		packet = rig_packet(&sender, rig->a, rig->b, 1500, 2048, i);
		assert_int_equal(rte_eth_tx_burst(rig->a, 0, &packet, 1), 1);
		assert_int_equal(rte_eth_rx_burst(rig->b, 0, received, 2), 1);
		rig_assert_packet(received[0], rig->a, rig->b, 1500, i);
		rte_pktmbuf_free(received[0]);
	}
}

static void no_op(void *address, void *arg)
{
	(void)address;
	(void)arg;
}

/* Sends 64 bytes that lie at an address which is nobody's any more: nothing may arrive. */
static void assert_out_of_reach(const struct rig *rig, void *address)
{
	static struct rte_mbuf_ext_shared_info shared = {.free_cb = no_op};
	struct rte_mbuf *packet = rte_pktmbuf_alloc(rig->tx_pool);
	struct rte_mbuf *received[2];

	assert_non_null(packet);
	assert_null(rte_mem_virt2memseg(address, NULL)->addr);
	rte_mbuf_ext_refcnt_set(&shared, 1);
	rte_pktmbuf_attach_extbuf(packet, address, RTE_BAD_IOVA, 64, &shared);
	packet->data_off = 0;
	packet->data_len = 64;
	packet->pkt_len = 64;
	assert_int_equal(rte_eth_tx_burst(rig->a, 0, &packet, 1), 1);
	assert_int_equal(rte_eth_rx_burst(rig->b, 0, received, 2), 0);
}

/* Leaves the regions as they came, lets a start merge them, or lets it with the rings elsewhere. */
static void rearrange(const struct rig *rig, unsigned int round)
{
	const struct rig_options other = {.rx_size = 8u << round, .tx_size = 1024u >> round};

	if (round % 3 == 0)
		return;
	assert_int_equal(rte_eth_dev_stop(rig->a), 0);
	if (round % 3 == 2)
		assert_int_equal(rig_configure(rig->a, &other, rig->rx_pool), 0);
	assert_int_equal(rte_eth_dev_start(rig->a), 0);
}

/* The memory that goes lies beside the rings too, in one piece with them once the port restarted. */
static void grows_and_shrinks(void **state)
{
	struct rte_mempool *pools[3];
	struct rte_mempool_memhdr *chunk;
	void *address;
	struct rig rig;
	unsigned int round, i;
	char name[8];

	(void)state;
	rig_up(&rig, &plain);
	rig_log_begin();
	for (round = 0; round < 6; round++) {
		for (i = 0; i < RTE_DIM(pools); i++) {
			snprintf(name, sizeof(name), "hot%u", i);
			pools[i] = rte_pktmbuf_pool_create(name, 2047, 0, 0, RIG_DATA_ROOM, 0);
			assert_non_null(pools[i]);
			send_all(&rig, pools[i], 2047);
		}
		rearrange(&rig, round);
		chunk = STAILQ_FIRST(&pools[1]->mem_list);
		address = RTE_PTR_ADD(chunk->addr, chunk->len / 2);
		rte_mempool_free(pools[1]);
		assert_out_of_reach(&rig, address);
		send_all(&rig, pools[0], 100);
		send_all(&rig, pools[2], 100);
		rte_mempool_free(pools[0]);
		rte_mempool_free(pools[2]);
		send_all(&rig, rig.tx_pool, 100);
	}
	assert_int_equal(rte_eth_dev_stop(rig.a), 0);
	assert_int_equal(rte_eth_dev_start(rig.a), 0);
	send_all(&rig, rig.tx_pool, 100);
	assert_int_equal(rig_log_end("cannot"), 0);
	rig_down(&rig);
}

/* What the host kept of memory that is gone is taken back before other memory comes to its place. */
static void shrinks_late(void **state)
{
	struct rte_mempool *pool;
	struct rig rig;

	(void)state;
	rig_up(&rig, &plain);
	pool = rte_pktmbuf_pool_create("late", 2047, 0, 0, RIG_DATA_ROOM, 0);
	assert_non_null(pool);
	rig_log_begin();
	rig_refuse_unregister(rig.a, true);
	rte_mempool_free(pool);
	rig_refuse_unregister(rig.a, false);
	assert_int_not_equal(rig_log_end("cannot unregister"), 0);

	rig_log_begin();
	rte_log_set_level_pattern("pmd.net.elisa", RTE_LOG_DEBUG);
	pool = rte_pktmbuf_pool_create("late", 2047, 0, 0, RIG_DATA_ROOM, 0);
	rte_log_set_level_pattern("pmd.net.elisa", RTE_LOG_NOTICE);
	assert_non_null(pool);
	assert_int_not_equal(rig_log_end("net_elisa0: registered"), 0);
	send_all(&rig, pool, 2047);
	rte_mempool_free(pool);
	rig_down(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_shrinks),
		cmocka_unit_test(shrinks_late),
	};
	const char *const options[] = {"--in-memory", "-m", "4"};

	if (take_pages()) {
		printf("skipped: %d free hugepages of 2 MiB are needed, and cannot be had\n",
		       NEEDED_PAGES);
		return 77;
	}
	rig_init_eal(options, RTE_DIM(options));
	return cmocka_run_group_tests_name("hotplug memory", tests, NULL, NULL);
}
