/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_features.c - several queues and RSS, unfinished checksums, TCP segmentation, the uplink poll.
 */
#include "rig.h"

#include <errno.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_thash.h>
#include <rte_udp.h>

#define QUEUES 2u
#define FLOWS 64u
#define L2 sizeof(struct rte_ether_hdr)
#define L3 sizeof(struct rte_ipv4_hdr)
#define TX_OFFLOADS                                                     \
	(RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM | \
	 RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_TSO |    \
	 RTE_ETH_TX_OFFLOAD_MULTI_SEGS)
#define RX_CSUM (RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM)

static const struct rig_options plain = {.tx_offloads = TX_OFFLOADS,
					 .rx_offloads = RTE_ETH_RX_OFFLOAD_SCATTER};

/* An IPv4 packet over the payload of rig_packet(), its checksums not filled in. */
static struct rte_mbuf *ip_packet(const struct rig *rig, uint32_t length, uint8_t protocol,
				  uint16_t source_port)
{
	struct rte_mbuf *packet = rig_packet(rig, rig->a, rig->b, length, 1024, source_port);
	struct rte_ether_hdr *ether = rte_pktmbuf_mtod(packet, struct rte_ether_hdr *);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(ether + 1);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);

	ether->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	*ip = (struct rte_ipv4_hdr){
		.version_ihl = RTE_IPV4_VHL_DEF,
		.total_length = rte_cpu_to_be_16((uint16_t)(length - L2)),
		.time_to_live = 64,
		.next_proto_id = protocol,
		.hdr_checksum = 0x1234,
		.src_addr = rte_cpu_to_be_32(RTE_IPV4(10, 0, 0, 1)),
		.dst_addr = rte_cpu_to_be_32(RTE_IPV4(10, 0, 0, 2)),
	};
	tcp->src_port = rte_cpu_to_be_16(source_port);
	tcp->dst_port = rte_cpu_to_be_16(80);
	if (protocol == IPPROTO_TCP)
		tcp->data_off = sizeof(*tcp) / 4 << 4;
	else
		((struct rte_udp_hdr *)tcp)->dgram_len =
			rte_cpu_to_be_16((uint16_t)(length - L2 - L3));
	packet->l2_len = L2;
	packet->l3_len = L3;
	packet->l4_len = sizeof(*tcp);
	return packet;
}

static struct rte_mbuf *send_one(const struct rig *rig, struct rte_mbuf *packet)
{
	struct rte_mbuf *received = NULL;

	assert_int_equal(rte_eth_tx_prepare(rig->a, 0, &packet, 1), 1);
	assert_int_equal(rte_eth_tx_burst(rig->a, 0, &packet, 1), 1);
	assert_int_equal(rte_eth_rx_burst(rig->b, 0, &received, 1), 1);
	return received;
}

static const struct rte_ipv4_hdr *ip_of(const struct rte_mbuf *packet)
{
	return rte_pktmbuf_mtod_offset(packet, const struct rte_ipv4_hdr *, L2);
}

/* Offered to a receiver that does not know of offloads: finished. */
static void checksums_finished(void **state)
{
	struct rte_mbuf *packet;
	struct rig rig;

	(void)state;
	rig_up(&rig, &plain);
	packet = ip_packet(&rig, 600, IPPROTO_UDP, 7);
	packet->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_UDP_CKSUM;
	packet = send_one(&rig, packet);
	assert_int_equal(rte_ipv4_cksum(ip_of(packet)), 0);
	assert_int_equal(rte_ipv4_udptcp_cksum_verify(ip_of(packet), ip_of(packet) + 1), 0);
	assert_int_equal(packet->ol_flags, 0);
	rte_pktmbuf_free(packet);
	packet = ip_packet(&rig, 1000, IPPROTO_TCP, 7);
	packet->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_CKSUM;
	packet = send_one(&rig, packet);
	assert_int_equal(rte_ipv4_cksum(ip_of(packet)), 0);
	assert_int_equal(rte_ipv4_udptcp_cksum_verify(ip_of(packet), ip_of(packet) + 1), 0);
	rte_pktmbuf_free(packet);
	/* The IPv4 header's alone. */
	packet = ip_packet(&rig, 90, 1, 7);
	packet->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	packet = send_one(&rig, packet);
	assert_int_equal(rte_ipv4_cksum(ip_of(packet)), 0);
	rte_pktmbuf_free(packet);
	rig_down(&rig);
}

/* Offered to one that does: told, and left as it is. */
static void checksums_passed(void **state)
{
	struct rig_options options = plain;
	struct rte_mbuf *packet;
	struct rig rig;

	(void)state;
	options.rx_offloads |= RX_CSUM;
	rig_up(&rig, &options);
	packet = ip_packet(&rig, 600, IPPROTO_UDP, 7);
	packet->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_UDP_CKSUM;
	packet = send_one(&rig, packet);
	assert_int_equal(packet->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK,
			 RTE_MBUF_F_RX_L4_CKSUM_NONE);
	assert_int_equal(packet->ol_flags & RTE_MBUF_F_RX_LRO, 0);
	rte_pktmbuf_free(packet);
	/* Nothing is said of a packet that said nothing. */
	packet = send_one(&rig, ip_packet(&rig, 600, IPPROTO_UDP, 7));
	assert_int_equal(packet->ol_flags, 0);
	rte_pktmbuf_free(packet);
	rig_down(&rig);
}

static struct rte_mbuf *long_packet(const struct rig *rig, uint32_t length, uint16_t mss)
{
	struct rte_mbuf *packet = ip_packet(rig, length, IPPROTO_TCP, 7);

	packet->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_SEG |
			   RTE_MBUF_F_TX_TCP_CKSUM;
	packet->tso_segsz = mss;
	return packet;
}

static void long_packets(void **state)
{
	struct rig_options options = plain;
	struct rte_mbuf *packet;
	struct rig rig;
	uint32_t bytes = 0;

	(void)state;
	rig_up(&rig, &plain);
	packet = long_packet(&rig, 40054, 1000);
	assert_int_equal(rte_eth_tx_burst(rig.a, 0, &packet, 1), 1);
	for (unsigned int i = 0; i < 40; i++) {
		assert_int_equal(rte_eth_rx_burst(rig.b, 0, &packet, 1), 1);
		assert_int_equal(packet->pkt_len, 1054);
		assert_int_equal(rte_ipv4_cksum(ip_of(packet)), 0);
		assert_int_equal(rte_ipv4_udptcp_cksum_verify(ip_of(packet), ip_of(packet) + 1), 0);
		bytes += packet->pkt_len - 54;
		rte_pktmbuf_free(packet);
	}
	assert_int_equal(bytes, 40000);
	assert_int_equal(rte_eth_rx_burst(rig.b, 0, &packet, 1), 0);
	rig_down(&rig);

	options.rx_offloads |= RTE_ETH_RX_OFFLOAD_TCP_LRO;
	rig_up(&rig, &options);
	packet = send_one(&rig, long_packet(&rig, 40054, 1000));
	assert_int_equal(packet->pkt_len, 40054);
	assert_true(packet->ol_flags & RTE_MBUF_F_RX_LRO);
	assert_int_equal(packet->tso_segsz, 1000);
	assert_int_equal(rte_ipv4_cksum(ip_of(packet)), 0);
	rte_pktmbuf_free(packet);
	rig_down(&rig);
}

static void refuse(const struct rig *rig, struct rte_mbuf *packet, int error)
{
	assert_int_equal(rte_eth_tx_prepare(rig->a, 0, &packet, 1), 0);
	assert_int_equal(rte_errno, error);
	rte_pktmbuf_free(packet);
}

static void prepare_refuses(void **state)
{
	struct rte_mbuf *packet;
	struct rig rig;

	(void)state;
	rig_up(&rig, &plain);
	refuse(&rig, long_packet(&rig, 4000, 63), EINVAL);
	refuse(&rig, long_packet(&rig, 4000, 0x4000), EINVAL);
	packet = ip_packet(&rig, 600, IPPROTO_UDP, 7);
	packet->ol_flags = RTE_MBUF_F_TX_SCTP_CKSUM;
	refuse(&rig, packet, ENOTSUP);
	packet = ip_packet(&rig, 600, IPPROTO_UDP, 7);
	packet->ol_flags = RTE_MBUF_F_TX_UDP_CKSUM;
	packet->l2_len = 0;
	refuse(&rig, packet, EINVAL);
	packet = ip_packet(&rig, 600, IPPROTO_UDP, 7);
	packet->ol_flags = RTE_MBUF_F_TX_VLAN;
	refuse(&rig, packet, ENOTSUP);
	rig_down(&rig);
}

static void configure_queues(uint16_t port, struct rte_mempool *pool, struct rte_eth_conf *conf)
{
	assert_int_equal(rte_eth_dev_configure(port, QUEUES, QUEUES, conf), 0);
	for (uint16_t i = 0; i < QUEUES; i++) {
		assert_int_equal(rte_eth_rx_queue_setup(port, i, 256, SOCKET_ID_ANY, NULL, pool),
				 0);
		assert_int_equal(rte_eth_tx_queue_setup(port, i, 256, SOCKET_ID_ANY, NULL), 0);
	}
	assert_int_equal(rte_eth_dev_start(port), 0);
}

/* Each flow goes where DPDK's own hash and the table say. */
static void expect_flows(const struct rig *rig, const uint8_t *key,
			 const struct rte_eth_rss_reta_entry64 *reta)
{
	uint32_t received[QUEUES] = {0};
	uint32_t expected[QUEUES] = {0};
	struct rte_mbuf *packet;

	for (uint16_t flow = 0; flow < FLOWS; flow++) {
		union rte_thash_tuple tuple = {.v4 = {.src_addr = RTE_IPV4(10, 0, 0, 1),
						      .dst_addr = RTE_IPV4(10, 0, 0, 2),
						      {.sport = flow, .dport = 80}}};

		/* The union of ports is laid out for a little-endian 32-bit word. */
		tuple.v4.sport = flow;
		tuple.v4.dport = 80;
		expected[reta[0].reta[rte_softrss((uint32_t *)&tuple, RTE_THASH_V4_L4_LEN, key) %
				      64]]++;
		packet = ip_packet(rig, 100, IPPROTO_TCP, flow);
		assert_int_equal(rte_eth_tx_burst(rig->a, flow % QUEUES, &packet, 1), 1);
	}
	for (uint16_t i = 0; i < QUEUES; i++)
		while (rte_eth_rx_burst(rig->b, i, &packet, 1) == 1) {
			received[i]++;
			rte_pktmbuf_free(packet);
		}
	assert_int_equal(received[0], expected[0]);
	assert_int_equal(received[1], expected[1]);
	assert_int_equal(received[0] + received[1], FLOWS);
}

static void rss(void **state)
{
	struct rte_eth_conf conf = {
		.rxmode = {.mq_mode = RTE_ETH_MQ_RX_RSS},
		.rx_adv_conf = {.rss_conf = {.rss_hf = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP |
						       RTE_ETH_RSS_UDP}},
	};
	struct rte_eth_rss_reta_entry64 reta[2] = {{.mask = ~0ull}, {.mask = ~0ull}};
	struct rte_eth_rss_conf now;
	uint8_t key[40];
	struct rig rig;

	(void)state;
	rig_up(&rig, &plain);
	assert_int_equal(rte_eth_dev_stop(rig.a), 0);
	assert_int_equal(rte_eth_dev_stop(rig.b), 0);
	conf.rx_adv_conf.rss_conf.rss_hf &=
		~(RTE_ETH_RSS_IPV6_EX | RTE_ETH_RSS_IPV6_TCP_EX | RTE_ETH_RSS_IPV6_UDP_EX);
	configure_queues(rig.a, rig.rx_pool, &conf);
	configure_queues(rig.b, rig.rx_pool, &conf);
	now = (struct rte_eth_rss_conf){.rss_key = key, .rss_key_len = sizeof(key)};
	assert_int_equal(rte_eth_dev_rss_hash_conf_get(rig.b, &now), 0);
	assert_int_equal(now.rss_hf, conf.rx_adv_conf.rss_conf.rss_hf);
	assert_int_equal(rte_eth_dev_rss_reta_query(rig.b, reta, 128), 0);
	for (unsigned int i = 0; i < 128; i++)
		assert_int_equal(reta[i / 64].reta[i % 64], i % QUEUES);
	expect_flows(&rig, key, reta);

	for (unsigned int i = 0; i < 128; i++)
		reta[i / 64].reta[i % 64] = i % 4 == 0;
	for (unsigned int i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(i * 37 + 5);
	now.rss_key = key;
	assert_int_equal(rte_eth_dev_rss_reta_update(rig.b, reta, 128), 0);
	assert_int_equal(rte_eth_dev_rss_hash_update(rig.b, &now), 0);
	expect_flows(&rig, key, reta);
	/* A queue that the port does not have is ethdev's to refuse. */
	reta[0].reta[3] = QUEUES;
	assert_int_not_equal(rte_eth_dev_rss_reta_update(rig.b, reta, 128), 0);
	rig_down(&rig);
}

/* Without RSS a sender's queue fills the receiver's queue of the same number. */
static void queues_without_rss(void **state)
{
	struct rte_eth_conf conf = {.rxmode = {.mq_mode = RTE_ETH_MQ_RX_NONE}};
	struct rte_mbuf *packet;
	struct rig rig;

	(void)state;
	rig_up(&rig, &plain);
	assert_int_equal(rte_eth_dev_stop(rig.a), 0);
	assert_int_equal(rte_eth_dev_stop(rig.b), 0);
	configure_queues(rig.a, rig.rx_pool, &conf);
	configure_queues(rig.b, rig.rx_pool, &conf);
	for (uint16_t i = 0; i < QUEUES; i++) {
		packet = rig_packet(&rig, rig.a, rig.b, 64, 64, i);
		assert_int_equal(rte_eth_tx_burst(rig.a, i, &packet, 1), 1);
		assert_int_equal(rte_eth_rx_burst(rig.b, !i, &packet, 1), 0);
		assert_int_equal(rte_eth_rx_burst(rig.b, i, &packet, 1), 1);
		rig_assert_packet(packet, rig.a, rig.b, 64, i);
		rte_pktmbuf_free(packet);
	}
	rig_down(&rig);
}

/* Idle polling looks for an uplink, and where there is none, not more than about 100 times/s. */
static void idle_polls(void **state)
{
	uint64_t end = rte_rdtsc() + rte_get_tsc_hz() / 20;
	struct rte_mbuf *packet;
	struct rig rig;

	(void)state;
	rig_up(&rig, &plain);
	while (rte_rdtsc() < end)
		assert_int_equal(rte_eth_rx_burst(rig.b, 0, &packet, 1), 0);
	assert_in_range(rig_xstat(rig.b, "rx_uplink_polls"), 1, 7);
	assert_int_equal(rig_xstat(rig.b, "rx_uplink_poll_packets"), 0);
	rig_down(&rig);
}

/* A receiver that is never idle looks for one too. */
static void busy_polls(void **state)
{
	struct rig rig;

	(void)state;
	rig_up(&rig, &plain);
	for (uint32_t i = 0; i < 100; i++) {
		struct rte_mbuf *packet = rig_packet(&rig, rig.a, rig.b, 100, 1024, 0);

		assert_int_equal(rte_eth_tx_burst(rig.a, 0, &packet, 1), 1);
		assert_int_equal(rte_eth_rx_burst(rig.b, 0, &packet, 1), 1);
		rte_pktmbuf_free(packet);
	}
	assert_int_equal(rig_xstat(rig.b, "rx_uplink_polls"), 1);
	rig_down(&rig);
}

int test_features(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksums_finished),
		cmocka_unit_test(checksums_passed),
		cmocka_unit_test(long_packets),
		cmocka_unit_test(prepare_refuses),
		cmocka_unit_test(rss),
		cmocka_unit_test(queues_without_rss),
		cmocka_unit_test(idle_polls),
		cmocka_unit_test(busy_polls),
	};

	return cmocka_run_group_tests_name("features", tests, NULL, NULL);
}
