/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_settings.c - what the device says of itself, what it takes, what it refuses.
 */
#include "rig.h"

#include <errno.h>

static const struct rig_options plain;

static void describes_itself(void **state)
{
	struct rte_eth_dev_info info;
	struct rte_eth_rxq_info rxq;
	struct rte_eth_txq_info txq;
	struct rte_eth_link link;
	struct rte_ether_addr mac;
	struct rig rig;

	(void)state;
	rig_up(&rig, &plain);
	assert_int_equal(rte_eth_dev_info_get(rig.a, &info), 0);
	assert_string_equal(info.driver_name, "net_elisa");
	assert_int_equal(info.max_rx_queues, 8);
	assert_int_equal(info.max_tx_queues, 8);
	assert_int_equal(info.min_mtu, 68);
	assert_int_equal(info.max_rx_pktlen, info.max_mtu + 22u);
	assert_int_equal(info.max_mac_addrs, 1);
	assert_int_equal(rte_eth_dev_get_supported_ptypes(rig.a, RTE_PTYPE_ALL_MASK, NULL, 0), 0);

	assert_int_equal(rte_eth_link_get_nowait(rig.a, &link), 0);
	assert_int_equal(link.link_status, RTE_ETH_LINK_UP);
	assert_int_equal(link.link_speed, RTE_ETH_SPEED_NUM_100G);
	assert_int_equal(link.link_duplex, RTE_ETH_LINK_FULL_DUPLEX);
	assert_int_equal(link.link_autoneg, RTE_ETH_LINK_FIXED);

	assert_int_equal(rte_eth_macaddr_get(rig.a, &mac), 0);
	assert_memory_equal(mac.addr_bytes, "\x02\xe1\x15\xa0\x00", 5);
	assert_int_equal(rte_eth_dev_default_mac_addr_set(rig.a, &mac), -ENOTSUP);

	assert_int_equal(rte_eth_rx_queue_info_get(rig.a, 0, &rxq), 0);
	assert_ptr_equal(rxq.mp, rig.rx_pool);
	assert_int_equal(rxq.nb_desc, 1024);
	assert_int_equal(rte_eth_tx_queue_info_get(rig.a, 0, &txq), 0);
	assert_int_equal(txq.nb_desc, 256);

	assert_int_equal(rte_eth_dev_stop(rig.a), 0);
	assert_int_equal(rte_eth_link_get_nowait(rig.a, &link), 0);
	assert_int_equal(link.link_status, RTE_ETH_LINK_DOWN);
	assert_int_equal(rte_eth_dev_start(rig.a), 0);
	rig_down(&rig);
}

static void ring_sizes(void **state)
{
	static const uint16_t bad[] = {1, 4, 7, 9, 24, 1000, 1536, 65535};
	struct rte_mempool *pool = rte_pktmbuf_pool_create("p", 63, 0, 0, RIG_DATA_ROOM, 0);
	struct rig_options options;
	unsigned int i, size;
	uint16_t port;

	(void)state;
	assert_non_null(pool);
	assert_int_equal(rig_probe("net_elisa0", "gate=local", &port), 0);
	for (i = 0; i < RTE_DIM(bad); i++) {
		options = (struct rig_options){.rx_size = bad[i]};
		assert_int_not_equal(rig_configure(port, &options, pool), 0);
		options = (struct rig_options){.tx_size = bad[i]};
		assert_int_not_equal(rig_configure(port, &options, pool), 0);
	}
	for (size = 8; size <= 32768; size *= 2) {
		options =
			(struct rig_options){.rx_size = (uint16_t)size, .tx_size = (uint16_t)size};
		assert_int_equal(rig_configure(port, &options, pool), 0);
	}

	rig_log_begin();
	options = (struct rig_options){.rx_size = 24};
	assert_int_not_equal(rig_configure(port, &options, pool), 0);
	assert_int_equal(rig_log_end("give a power of two from 8 to"), 1);

	options = (struct rig_options){.rx_size = 64};
	assert_int_equal(rig_configure(port, &options, pool), 0);
	rig_log_begin();
	assert_int_not_equal(rte_eth_dev_start(port), 0);
	assert_int_equal(rig_log_end("has fewer free buffers than"), 1);
	assert_int_equal(rte_mempool_avail_count(pool), 63);

	options = (struct rig_options){.rx_size = 32};
	assert_int_equal(rig_configure(port, &options, pool), 0);
	assert_int_equal(rte_eth_dev_start(port), 0);
	assert_int_equal(rte_eth_dev_stop(port), 0);
	assert_int_equal(rte_mempool_avail_count(pool), 63);
	rig_remove("net_elisa0");
	rte_mempool_free(pool);
}

static void queue_counts(void **state)
{
	const struct rte_eth_conf conf = {.rxmode = {.mtu = 0}};
	uint16_t port;

	(void)state;
	assert_int_equal(rig_probe("net_elisa0", "gate=local", &port), 0);
	rig_log_begin();
	assert_int_not_equal(rte_eth_dev_configure(port, 1, 0, &conf), 0);
	assert_int_equal(rig_log_end("as many of one as of the other"), 1);
	assert_int_not_equal(rte_eth_dev_configure(port, 9, 9, &conf), 0);
	assert_int_equal(rte_eth_dev_configure(port, 1, 1, &conf), 0);
	rig_log_begin();
	assert_int_not_equal(rte_eth_dev_start(port), 0);
	assert_int_equal(rig_log_end("queue pair 0 is not set up"), 1);
	rig_remove("net_elisa0");
}

/* Sends one packet of `length` from a to b: how many arrive. */
static uint16_t arrives(const struct rig *rig, uint32_t length)
{
	struct rte_mbuf *packet = rig_packet(rig, rig->a, rig->b, length, 2048, length);
	struct rte_mbuf *received[2];
	uint16_t count;

	assert_int_equal(rte_eth_tx_burst(rig->a, 0, &packet, 1), 1);
	count = rte_eth_rx_burst(rig->b, 0, received, 2);
	if (count == 1)
		rig_assert_packet(received[0], rig->a, rig->b, length, length);
	rte_pktmbuf_free_bulk(received, count);
	return count;
}

/* The switch keeps each port's MTU; a frame may be 22 bytes longer. */
static void mtu(void **state)
{
	const struct rig_options options = {.rx_offloads = RTE_ETH_RX_OFFLOAD_SCATTER};
	struct rte_eth_dev_info info;
	struct rig rig;

	(void)state;
	rig_up(&rig, &options);
	assert_int_equal(rte_eth_dev_info_get(rig.a, &info), 0);
	assert_int_not_equal(rte_eth_dev_set_mtu(rig.a, 67), 0);
	assert_int_not_equal(rte_eth_dev_set_mtu(rig.a, info.max_mtu + 1), 0);

	assert_int_equal(arrives(&rig, 1522), 1);
	assert_int_equal(arrives(&rig, 1523), 0);
	assert_int_equal(rte_eth_dev_set_mtu(rig.a, info.max_mtu), 0);
	assert_int_equal(arrives(&rig, 1523), 0);
	assert_int_equal(rte_eth_dev_set_mtu(rig.b, info.max_mtu), 0);
	assert_int_equal(arrives(&rig, 1523), 1);
	assert_int_equal(arrives(&rig, info.max_mtu + 22), 1);
	assert_int_equal(arrives(&rig, info.max_mtu + 23), 0);
	assert_int_equal(rte_eth_dev_set_mtu(rig.b, 68), 0);
	assert_int_equal(arrives(&rig, 90), 1);
	assert_int_equal(arrives(&rig, 91), 0);

	assert_int_equal(rte_eth_dev_stop(rig.b), 0);
	assert_int_equal(rte_eth_dev_set_mtu(rig.b, 9000), 0);
	assert_int_equal(rte_eth_dev_start(rig.b), 0);
	assert_int_equal(arrives(&rig, 9022), 1);
	assert_int_equal(arrives(&rig, 9023), 0);
	rig_down(&rig);
}

/* Without SCATTER a frame must fit one buffer. */
static void mtu_and_buffers(void **state)
{
	struct rig rig;

	(void)state;
	rig_up(&rig, &plain);
	assert_int_equal(rte_eth_dev_set_mtu(rig.a, 2048 - 22), 0);
	rig_log_begin();
	assert_int_not_equal(rte_eth_dev_set_mtu(rig.a, 2048 - 21), 0);
	assert_int_equal(rig_log_end("or enable the SCATTER offload"), 1);
	rig_down(&rig);
}

/* A frame for somebody else, whom the switch does not know, reaches b only when b wants all. */
static uint16_t stray_arrives(const struct rig *rig, const char *destination)
{
	struct rte_mbuf *packet = rig_packet(rig, rig->a, rig->b, 64, 2048, 0);
	struct rte_mbuf *received[2];
	uint16_t count;

	memcpy(rte_pktmbuf_mtod(packet, void *), destination, RTE_ETHER_ADDR_LEN);
	assert_int_equal(rte_eth_tx_burst(rig->a, 0, &packet, 1), 1);
	count = rte_eth_rx_burst(rig->b, 0, received, 2);
	rte_pktmbuf_free_bulk(received, count);
	return count;
}

#define STRAY "\x02\x00\x00\x00\x12\x34"
#define MULTICAST "\x01\x00\x5e\x00\x00\x05"
#define BROADCAST "\xff\xff\xff\xff\xff\xff"

static void promiscuous(void **state)
{
	struct rig rig;

	(void)state;
	rig_up(&rig, &plain);
	assert_int_equal(stray_arrives(&rig, STRAY), 0);
	assert_int_equal(stray_arrives(&rig, BROADCAST), 1);
	assert_int_equal(rte_eth_promiscuous_enable(rig.b), 0);
	assert_int_equal(rte_eth_promiscuous_get(rig.b), 1);
	assert_int_equal(stray_arrives(&rig, STRAY), 1);
	assert_int_equal(rte_eth_dev_stop(rig.b), 0);
	assert_int_equal(rte_eth_dev_start(rig.b), 0);
	assert_int_equal(stray_arrives(&rig, STRAY), 1);
	assert_int_equal(rte_eth_promiscuous_disable(rig.b), 0);
	assert_int_equal(stray_arrives(&rig, STRAY), 0);
	assert_int_equal(rte_eth_allmulticast_enable(rig.b), 0);
	assert_int_equal(stray_arrives(&rig, MULTICAST), 1);
	assert_int_equal(rte_eth_allmulticast_disable(rig.b), 0);
	rig_down(&rig);
}

static void statistics(void **state)
{
	struct rte_eth_stats stats;
	struct rig rig;

	(void)state;
	rig_up(&rig, &plain);
	assert_int_equal(arrives(&rig, 100), 1);
	assert_int_equal(arrives(&rig, 200), 1);
	assert_int_equal(rte_eth_stats_get(rig.b, &stats), 0);
	assert_int_equal(stats.ipackets, 2);
	assert_int_equal(stats.ibytes, 300);
	assert_int_equal(stats.q_ipackets[0], 2);
	assert_int_equal(rig_xstat(rig.a, "tx_good_packets"), 2);
	assert_int_equal(rig_xstat(rig.a, "tx_gate_calls"), 2);
	assert_int_equal(rig_xstat(rig.b, "rx_dropped_slots"), 0);
	assert_int_equal(rte_eth_stats_reset(rig.a), 0);
	assert_int_equal(rte_eth_xstats_reset(rig.b), 0);
	assert_int_equal(rte_eth_stats_get(rig.b, &stats), 0);
	assert_int_equal(stats.ipackets + stats.ibytes + stats.q_ipackets[0], 0);
	assert_int_equal(rig_xstat(rig.a, "tx_gate_calls"), 0);
	assert_int_equal(arrives(&rig, 64), 1);
	assert_int_equal(rig_xstat(rig.a, "tx_good_bytes"), 64);
	assert_int_equal(rig_xstat(rig.b, "rx_good_bytes"), 64);
	rig_down(&rig);
}

int test_settings(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(describes_itself), cmocka_unit_test(ring_sizes),
		cmocka_unit_test(queue_counts),     cmocka_unit_test(mtu),
		cmocka_unit_test(mtu_and_buffers),  cmocka_unit_test(promiscuous),
		cmocka_unit_test(statistics),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
