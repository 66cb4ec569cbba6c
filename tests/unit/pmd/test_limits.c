/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_limits.c - what the device says that it can do (rte_eth_dev_info), at its very limits: IPv6,
 * VLAN tags, headers over several segments, the most segments, the longest frames, each RSS type.
 */
#include "rig.h"

#include <errno.h>
#include <string.h>

#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#define MAX_PACKET 65549u /* the longest IPv4 packet behind an Ethernet header */

static const struct rig_options all = {
	.tx_offloads = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM |
		       RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_TSO |
		       RTE_ETH_TX_OFFLOAD_MULTI_SEGS,
	.rx_offloads = RTE_ETH_RX_OFFLOAD_SCATTER};

/* What a test frame is; lengths in bytes. */
struct shape {
	uint32_t tags; /* VLAN tags */
	bool ipv6;
	uint8_t protocol;
	uint32_t length;
	uint32_t segment;
};

static uint8_t bytes[MAX_PACKET];

static uint32_t l2_of(const struct shape *shape)
{
	return RTE_ETHER_HDR_LEN + 4 * shape->tags;
}

static uint32_t l3_of(const struct shape *shape)
{
	return shape->ipv6 ? sizeof(struct rte_ipv6_hdr) : sizeof(struct rte_ipv4_hdr);
}

static void fill_ip(const struct shape *shape)
{
	uint32_t l2 = l2_of(shape), l3 = l3_of(shape);
	struct rte_ipv6_hdr *ip6 = (struct rte_ipv6_hdr *)(bytes + l2);
	struct rte_ipv4_hdr *ip4 = (struct rte_ipv4_hdr *)(bytes + l2);

	if (shape->ipv6) {
		*ip6 = (struct rte_ipv6_hdr){
			.vtc_flow = RTE_BE32(6u << 28),
			.payload_len = rte_cpu_to_be_16((uint16_t)(shape->length - l2 - l3)),
			.proto = shape->protocol,
			.hop_limits = 64,
		};
		ip6->src_addr[15] = 1;
		ip6->dst_addr[15] = 2;
		return;
	}
	*ip4 = (struct rte_ipv4_hdr){
		.version_ihl = RTE_IPV4_VHL_DEF,
		.total_length = rte_cpu_to_be_16((uint16_t)(shape->length - l2)),
		.time_to_live = 64,
		.next_proto_id = shape->protocol,
		.src_addr = RTE_BE32(RTE_IPV4(10, 0, 0, 1)),
		.dst_addr = RTE_BE32(RTE_IPV4(10, 0, 0, 2)),
	};
}

/* The headers in `bytes`, no checksum filled in; the payload is rig_packet()'s. */
static void fill_headers(const struct shape *shape)
{
	uint8_t *at = bytes + 2 * RTE_ETHER_ADDR_LEN;
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(bytes + l2_of(shape) + l3_of(shape));
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)tcp;

	for (uint32_t i = 0; i < shape->tags; i++, at += 4) {
		*(rte_be16_t *)at = RTE_BE16(RTE_ETHER_TYPE_VLAN);
		*(rte_be16_t *)(at + 2) = RTE_BE16(5);
	}
	*(rte_be16_t *)at =
		shape->ipv6 ? RTE_BE16(RTE_ETHER_TYPE_IPV6) : RTE_BE16(RTE_ETHER_TYPE_IPV4);
	fill_ip(shape);
	tcp->src_port = RTE_BE16(1000);
	tcp->dst_port = RTE_BE16(80);
	if (shape->protocol == IPPROTO_TCP)
		tcp->data_off = sizeof(*tcp) / 4 << 4;
	else
		udp->dgram_len =
			rte_cpu_to_be_16((uint16_t)(shape->length - l2_of(shape) - l3_of(shape)));
}

static void read_all(const struct rte_mbuf *packet, uint8_t *to)
{
	for (; packet; to += packet->data_len, packet = packet->next)
		memcpy(to, rte_pktmbuf_mtod(packet, const void *), packet->data_len);
}

/* The packet of this shape with its checksum offloaded, in segments. */
static struct rte_mbuf *make(const struct rig *rig, const struct shape *shape)
{
	struct rte_mbuf *packet = rig_packet(rig, rig->a, rig->b, shape->length, shape->segment, 3);
	uint32_t done = 0;

	read_all(packet, bytes);
	fill_headers(shape);
	for (struct rte_mbuf *mbuf = packet; mbuf; done += mbuf->data_len, mbuf = mbuf->next)
		memcpy(rte_pktmbuf_mtod(mbuf, void *), bytes + done, mbuf->data_len);
	packet->l2_len = l2_of(shape);
	packet->l3_len = l3_of(shape);
	packet->l4_len = shape->protocol == IPPROTO_TCP ? sizeof(struct rte_tcp_hdr)
							: sizeof(struct rte_udp_hdr);
	packet->ol_flags =
		shape->ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	packet->ol_flags |=
		shape->protocol == IPPROTO_TCP ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM;
	return packet;
}

static void send_prepared(const struct rig *rig, struct rte_mbuf *packet)
{
	assert_int_equal(rte_eth_tx_prepare(rig->a, 0, &packet, 1), 1);
	assert_int_equal(rte_eth_tx_burst(rig->a, 0, &packet, 1), 1);
}

/* Takes a packet from b and asserts that DPDK finds its checksums right. Returns its length. */
static uint32_t take_finished(const struct rig *rig, const struct shape *shape)
{
	static uint8_t received[MAX_PACKET];
	const void *ip = received + l2_of(shape);
	const void *l4 = received + l2_of(shape) + l3_of(shape);
	struct rte_mbuf *packet;
	uint32_t length;

	assert_int_equal(rte_eth_rx_burst(rig->b, 0, &packet, 1), 1);
	length = packet->pkt_len;
	assert_int_equal(packet->ol_flags, 0);
	read_all(packet, received);
	rte_pktmbuf_free(packet);
	assert_memory_equal(received, bytes, l2_of(shape));
	if (shape->ipv6) {
		assert_int_equal(rte_ipv6_udptcp_cksum_verify(ip, l4), 0);
	} else {
		assert_int_equal(rte_ipv4_cksum(ip), 0);
		assert_int_equal(rte_ipv4_udptcp_cksum_verify(ip, l4), 0);
	}
	return length;
}

/* Both IPs, both protocols, up to two tags, in one segment, and with headers over many. */
static void checksums_of_every_kind(void **state)
{
	static const uint32_t segments[] = {2000, 40, 33, 16};
	struct rig rig;

	(void)state;
	rig_up(&rig, &all);
	for (uint32_t i = 0; i < 3 * 2 * 2 * RTE_DIM(segments); i++) {
		struct shape shape = {.tags = i % 3,
				      .ipv6 = i / 3 % 2,
				      .protocol = i / 6 % 2 ? IPPROTO_TCP : IPPROTO_UDP,
				      .length = 601,
				      .segment = segments[i / 12]};

		send_prepared(&rig, make(&rig, &shape));
		assert_int_equal(take_finished(&rig, &shape), shape.length);
	}
	rig_down(&rig);
}

/* nb_seg_max segments go, one more does not. */
static void most_segments(void **state)
{
	struct rte_eth_dev_info info;
	struct rte_mbuf *packet;
	struct rig rig;

	(void)state;
	rig_up(&rig, &all);
	assert_int_equal(rte_eth_dev_info_get(rig.a, &info), 0);
	packet = rig_packet(&rig, rig.a, rig.b, 20 * info.tx_desc_lim.nb_seg_max, 20, 9);
	assert_int_equal(packet->nb_segs, info.tx_desc_lim.nb_seg_max);
	send_prepared(&rig, packet);
	assert_int_equal(rte_eth_rx_burst(rig.b, 0, &packet, 1), 1);
	rig_assert_packet(packet, rig.a, rig.b, 20 * info.tx_desc_lim.nb_seg_max, 9);
	rte_pktmbuf_free(packet);
	packet = rig_packet(&rig, rig.a, rig.b, 20 * info.tx_desc_lim.nb_seg_max + 1, 20, 9);
	assert_int_equal(rte_eth_tx_prepare(rig.a, 0, &packet, 1), 0);
	assert_int_equal(rte_errno, EINVAL);
	rte_pktmbuf_free(packet);
	rig_down(&rig);
}

/* The longest TCP packet there is, in every VLAN depth, cut for a receiver that knows no LRO. */
static void longest_tso(void **state)
{
	static const uint32_t payload = 65535 - 20 - 20, mss = 1400;
	struct rig rig;

	(void)state;
	rig_up(&rig, &all);
	for (uint32_t tags = 0; tags < 3; tags++) {
		struct shape shape = {.tags = tags, .protocol = IPPROTO_TCP, .segment = 1400};
		struct rte_mbuf *packet;
		uint32_t left = payload;
		uint32_t headers = l2_of(&shape) + 40;

		/* rig_packet() and `bytes` end where an untagged packet does. */
		shape.length = MAX_PACKET;
		left -= 4 * tags;
		packet = make(&rig, &shape);
		packet->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
		packet->tso_segsz = mss;
		send_prepared(&rig, packet);
		for (; left; left -= RTE_MIN(left, mss))
			assert_int_equal(take_finished(&rig, &shape), headers + RTE_MIN(left, mss));
		assert_int_equal(rte_eth_rx_burst(rig.b, 0, &packet, 1), 0);
	}
	rig_down(&rig);
}

/* max_mtu, with max_rx_pktlen of frame around it; not a byte more. */
static void longest_frames(void **state)
{
	struct rte_eth_dev_info info;
	struct rte_mbuf *packet;
	struct rig rig;

	(void)state;
	rig_up(&rig, &all);
	assert_int_equal(rte_eth_dev_info_get(rig.a, &info), 0);
	assert_int_equal(rte_eth_dev_set_mtu(rig.a, info.max_mtu), 0);
	assert_int_equal(rte_eth_dev_set_mtu(rig.b, info.max_mtu), 0);
	packet = rig_packet(&rig, rig.a, rig.b, info.max_rx_pktlen, 1024, 9);
	send_prepared(&rig, packet);
	assert_int_equal(rte_eth_rx_burst(rig.b, 0, &packet, 1), 1);
	rig_assert_packet(packet, rig.a, rig.b, info.max_rx_pktlen, 9);
	rte_pktmbuf_free(packet);
	send_prepared(&rig, rig_packet(&rig, rig.a, rig.b, info.max_rx_pktlen + 1, 1024, 9));
	assert_int_equal(rte_eth_rx_burst(rig.b, 0, &packet, 1), 0);
	assert_int_not_equal(rte_eth_dev_set_mtu(rig.a, info.max_mtu + 1), 0);
	rig_down(&rig);
}

/* How many of 64 flows of this shape, with other ports each, come on queue 1. */
static uint32_t on_second_queue(const struct rig *rig, const struct shape *shape)
{
	uint32_t nb[2] = {0};

	for (uint32_t flow = 0; flow < 64; flow++) {
		struct rte_mbuf *packet = make(rig, shape);

		*rte_pktmbuf_mtod_offset(packet, rte_be16_t *, packet->l2_len + packet->l3_len) =
			rte_cpu_to_be_16((uint16_t)flow);
		send_prepared(rig, packet);
		for (uint16_t queue = 0; queue < 2; queue++)
			while (rte_eth_rx_burst(rig->b, queue, &packet, 1)) {
				nb[queue]++;
				rte_pktmbuf_free(packet);
			}
	}
	assert_int_equal(nb[0] + nb[1], 64);
	return nb[1];
}

static void start_two_queues(uint16_t port, struct rte_mempool *pool, uint64_t types)
{
	struct rte_eth_conf conf = {.rxmode = {.mq_mode = RTE_ETH_MQ_RX_RSS},
				    .txmode = {.offloads = all.tx_offloads},
				    .rx_adv_conf.rss_conf.rss_hf = types};

	assert_int_equal(rte_eth_dev_stop(port), 0);
	assert_int_equal(rte_eth_dev_configure(port, 2, 2, &conf), 0);
	for (uint16_t i = 0; i < 2; i++) {
		assert_int_equal(rte_eth_rx_queue_setup(port, i, 256, SOCKET_ID_ANY, NULL, pool),
				 0);
		assert_int_equal(rte_eth_tx_queue_setup(port, i, 256, SOCKET_ID_ANY, NULL), 0);
	}
	assert_int_equal(rte_eth_dev_start(port), 0);
}

/* Ports count for the types that were asked for, and for no other. */
static void each_rss_type(void **state)
{
	static const struct {
		uint64_t type;
		bool ipv6;
		uint8_t protocol;
	} types[] = {{RTE_ETH_RSS_NONFRAG_IPV4_TCP, false, IPPROTO_TCP},
		     {RTE_ETH_RSS_NONFRAG_IPV4_UDP, false, IPPROTO_UDP},
		     {RTE_ETH_RSS_NONFRAG_IPV6_TCP, true, IPPROTO_TCP},
		     {RTE_ETH_RSS_NONFRAG_IPV6_UDP, true, IPPROTO_UDP}};
	struct rig rig;

	(void)state;
	rig_up(&rig, &all);
	for (uint32_t i = 0; i < RTE_DIM(types); i++) {
		start_two_queues(rig.b, rig.rx_pool, types[i].type);
		for (uint32_t k = 0; k < RTE_DIM(types); k++) {
			struct shape shape = {.ipv6 = types[k].ipv6,
					      .protocol = types[k].protocol,
					      .length = 100,
					      .segment = 100};
			uint32_t nb = on_second_queue(&rig, &shape);

			if (i == k)
				assert_in_range(nb, 10, 54);
			else
				assert_true(nb == 0 || nb == 64);
		}
	}
	rig_down(&rig);
}

int test_limits(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksums_of_every_kind),
		cmocka_unit_test(most_segments),
		cmocka_unit_test(longest_tso),
		cmocka_unit_test(longest_frames),
		cmocka_unit_test(each_rss_type),
	};

	return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
