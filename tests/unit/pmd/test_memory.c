/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_memory.c - what the switch can reach: memory of the application's own, and nothing unasked.
 */
#include "rig.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_memory.h>
#include <rte_memzone.h>

static const struct rig_options plain;

#define PAGE 4096u
#define AREA (64u * PAGE)

static void *map_area(void)
{
	void *area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(area != MAP_FAILED);
	return area;
}

static void no_op(void *address, void *arg)
{
	(void)address;
	(void)arg;
}

static struct rte_mbuf_ext_shared_info shared = {.free_cb = no_op};

/* A packet whose 64 bytes lie in `bytes`, outside of DPDK's memory. */
static struct rte_mbuf *external_packet(const struct rig *rig, void *bytes)
{
	struct rte_mbuf *model = rig_packet(rig, rig->a, rig->b, 64, 2048, 7);
	struct rte_mbuf *packet = rte_pktmbuf_alloc(rig->tx_pool);

	assert_non_null(packet);
	memcpy(bytes, rte_pktmbuf_mtod(model, void *), 64);
	rte_pktmbuf_free(model);
	rte_mbuf_ext_refcnt_set(&shared, 1);
	rte_pktmbuf_attach_extbuf(packet, bytes, RTE_BAD_IOVA, 64, &shared);
	packet->data_off = 0;
	packet->data_len = 64;
	packet->pkt_len = 64;
	return packet;
}

static uint16_t arrives(const struct rig *rig, void *bytes)
{
	struct rte_mbuf *packet = external_packet(rig, bytes);
	struct rte_mbuf *received[2];
	uint16_t count;

	assert_int_equal(rte_eth_tx_burst(rig->a, 0, &packet, 1), 1);
	count = rte_eth_rx_burst(rig->b, 0, received, 2);
	if (count == 1)
		rig_assert_packet(received[0], rig->a, rig->b, 64, 7);
	rte_pktmbuf_free_bulk(received, count);
	return count;
}

/* Packets from DPDK's own memory arrive, both ways. */
static void assert_dpdk_memory(const struct rig *rig)
{
	struct rte_mbuf *packet = rig_packet(rig, rig->a, rig->b, 1000, 2048, 3);
	struct rte_mbuf *received[2];

	assert_int_equal(rte_eth_tx_burst(rig->a, 0, &packet, 1), 1);
	assert_int_equal(rte_eth_rx_burst(rig->b, 0, received, 2), 1);
	rig_assert_packet(received[0], rig->a, rig->b, 1000, 3);
	rte_pktmbuf_free(received[0]);
	packet = rig_packet(rig, rig->b, rig->a, 1000, 2048, 4);
	assert_int_equal(rte_eth_tx_burst(rig->b, 0, &packet, 1), 1);
	assert_int_equal(rte_eth_rx_burst(rig->a, 0, received, 2), 1);
	rig_assert_packet(received[0], rig->b, rig->a, 1000, 4);
	rte_pktmbuf_free(received[0]);
}

/* Mapped while started, in pieces, and taken back in other pieces. */
static void own_memory(void **state)
{
	uint8_t *area = map_area();
	struct rte_device *device;
	struct rte_eth_dev_info info;
	struct rig rig;

	(void)state;
	rig_up(&rig, &plain);
	assert_int_equal(rte_eth_dev_info_get(rig.a, &info), 0);
	device = info.device;
	assert_int_equal(rte_extmem_register(area, AREA, NULL, 0, PAGE), 0);
	assert_int_equal(arrives(&rig, area), 0);

	assert_int_equal(rte_dev_dma_map(device, area, 0, 16 * PAGE), 0);
	assert_int_equal(arrives(&rig, area), 1);
	assert_int_equal(arrives(&rig, area + 16 * PAGE - 64), 1);
	assert_int_equal(arrives(&rig, area + 16 * PAGE - 63), 0);
	assert_int_equal(rte_dev_dma_map(device, area, 0, 32 * PAGE), 0);
	assert_int_equal(arrives(&rig, area + 32 * PAGE - 64), 1);

	/* What came in two pieces is two regions, until the next start makes one of it. */
	assert_int_equal(arrives(&rig, area + 16 * PAGE - 32), 0);
	assert_int_equal(rte_eth_dev_stop(rig.a), 0);
	assert_int_equal(rte_eth_dev_start(rig.a), 0);
	assert_int_equal(arrives(&rig, area + 16 * PAGE - 32), 1);

	assert_int_equal(rte_dev_dma_unmap(device, area + 4 * PAGE, 0, 4 * PAGE), 0);
	assert_int_equal(arrives(&rig, area), 1);
	assert_int_equal(arrives(&rig, area + 4 * PAGE - 64), 1);
	assert_int_equal(arrives(&rig, area + 4 * PAGE - 63), 0);
	assert_int_equal(arrives(&rig, area + 6 * PAGE), 0);
	assert_int_equal(arrives(&rig, area + 8 * PAGE), 1);
	assert_int_equal(rte_dev_dma_unmap(device, area, 0, 32 * PAGE), 0);
	assert_int_equal(arrives(&rig, area), 0);
	assert_int_equal(rte_extmem_unregister(area, AREA), 0);
	munmap(area, AREA);
	rig_down(&rig);
}

/* What is there when the port starts needs no word: a restart takes it in. */
static void own_memory_at_start(void **state)
{
	uint8_t *area = map_area();
	struct rig rig;

	(void)state;
	assert_int_equal(rte_extmem_register(area, AREA, NULL, 0, PAGE), 0);
	rig_up(&rig, &plain);
	assert_int_equal(arrives(&rig, area + AREA - 64), 1);
	rig_down(&rig);
	assert_int_equal(rte_extmem_unregister(area, AREA), 0);
	munmap(area, AREA);
}

/* A receive pool with buffers elsewhere: refused in one line, or used when it is registered. */
static void pool_elsewhere(void **state)
{
	uint8_t *area = map_area();
	const struct rte_pktmbuf_extmem memory = {
		.buf_ptr = area, .buf_iova = RTE_BAD_IOVA, .buf_len = AREA, .elt_size = 2304};
	struct rte_mbuf *packet, *received[2];
	struct rte_mempool *pool;
	struct rig rig;

	(void)state;
	assert_int_equal(rte_extmem_register(area, AREA, NULL, 0, PAGE), 0);
	pool = rte_pktmbuf_pool_create_extbuf("extbuf", 63, 0, 0, 2304, SOCKET_ID_ANY, &memory, 1);
	assert_non_null(pool);
	assert_int_equal(rte_extmem_unregister(area, AREA), 0);
	rig_up(&rig, &plain);
	assert_int_equal(rte_eth_dev_stop(rig.b), 0);
	assert_int_equal(rig_configure(rig.b, &(struct rig_options){.rx_size = 32}, pool), 0);
	rig_log_begin();
	assert_int_not_equal(rte_eth_dev_start(rig.b), 0);
	assert_int_equal(rig_log_end("memory that the switch cannot reach"), 1);

	assert_int_equal(rte_extmem_register(area, AREA, NULL, 0, PAGE), 0);
	assert_int_equal(rte_eth_dev_start(rig.b), 0);
	packet = rig_packet(&rig, rig.a, rig.b, 1000, 2048, 3);
	assert_int_equal(rte_eth_tx_burst(rig.a, 0, &packet, 1), 1);
	assert_int_equal(rte_eth_rx_burst(rig.b, 0, received, 2), 1);
	rig_assert_packet(received[0], rig.a, rig.b, 1000, 3);
	assert_in_range((uintptr_t)received[0]->buf_addr, (uintptr_t)area, (uintptr_t)area + AREA);
	rte_pktmbuf_free(received[0]);
	rig_down(&rig);
	assert_int_equal(rte_mempool_avail_count(pool), 63);
	rte_mempool_free(pool);
	assert_int_equal(rte_extmem_unregister(area, AREA), 0);
	munmap(area, AREA);
}

static const struct rte_memzone *receive_ring(uint16_t port)
{
	const struct rte_memzone *zone;
	char name[RTE_MEMZONE_NAMESIZE];

	snprintf(name, sizeof(name), "net_elisa_%u_rx_0", port);
	zone = rte_memzone_lookup(name);
	assert_non_null(zone);
	return zone;
}

/* A ring's memory is not taken back while the switch has the ring, and nothing breaks of asking. */
static void rings_stay(void **state)
{
	const struct rte_memzone *zone;
	struct rte_eth_dev_info info;
	struct rig rig;

	(void)state;
	rig_up(&rig, &plain);
	assert_int_equal(rte_eth_dev_info_get(rig.a, &info), 0);
	zone = receive_ring(rig.a);
	rig_log_begin();
	assert_int_not_equal(rte_dev_dma_unmap(info.device, zone->addr, 0, zone->len), 0);
	assert_int_equal(rte_errno, EBUSY);
	assert_int_equal(rig_log_end("cannot unregister"), 1);
	assert_dpdk_memory(&rig);

	/* All is registered as it should be: a start has nothing to do. */
	assert_int_equal(rte_eth_dev_stop(rig.a), 0);
	rig_log_begin();
	rte_log_set_level_pattern("pmd.net.elisa", RTE_LOG_DEBUG);
	assert_int_equal(rte_eth_dev_start(rig.a), 0);
	rte_log_set_level_pattern("pmd.net.elisa", RTE_LOG_NOTICE);
	assert_int_equal(rig_log_end("registered"), 0);
	assert_dpdk_memory(&rig);
	assert_int_equal(rte_eth_dev_stop(rig.a), 0);
	assert_int_equal(rte_dev_dma_unmap(info.device, zone->addr, 0, zone->len), 0);
	assert_int_equal(rte_eth_dev_start(rig.a), 0);
	assert_dpdk_memory(&rig);
	rig_down(&rig);
}

/* Rings in the midst of one large region: a start parts them, and their neighbours can go. */
static void rings_parted(void **state)
{
	const struct rte_memseg_list *list;
	const struct rte_memzone *zone;
	struct rte_eth_dev_info info;
	struct rig rig;
	void *next;

	(void)state;
	rig_up(&rig, &plain);
	assert_int_equal(rte_eth_dev_info_get(rig.a, &info), 0);
	zone = receive_ring(rig.a);
	next = RTE_PTR_ADD(zone->addr, zone->len);
	list = rte_mem_virt2memseg_list(zone->addr);
	assert_in_range((uintptr_t)next, (uintptr_t)list->base_va + 1,
			(uintptr_t)list->base_va + list->len - PAGE);
	assert_int_equal(rte_eth_dev_stop(rig.a), 0);
	assert_int_equal(rte_dev_dma_unmap(info.device, list->base_va, 0, list->len), 0);
	assert_int_equal(rte_dev_dma_map(info.device, list->base_va, 0, list->len), 0);
	assert_int_equal(rte_eth_dev_start(rig.a), 0);

	assert_int_equal(rte_dev_dma_unmap(info.device, next, 0, PAGE), 0);
	assert_int_equal(rte_dev_dma_map(info.device, next, 0, PAGE), 0);
	assert_dpdk_memory(&rig);
	rig_down(&rig);
}

int test_memory(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_memory),     cmocka_unit_test(own_memory_at_start),
		cmocka_unit_test(pool_elsewhere), cmocka_unit_test(rings_stay),
		cmocka_unit_test(rings_parted),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
