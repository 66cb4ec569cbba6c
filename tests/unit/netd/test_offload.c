/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_offload.c - what the kernel left undone, in DPDK's words and back.
 */
#include "packets.h"

#include <string.h>

#include <rte_cycles.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include "guest-pmd/netd/offload.h"

#define UDPLITE 136

static struct rte_mempool *buffers;

static const struct packet_kind kinds[] = {
	{0, 4, IPPROTO_TCP, 1000}, {0, 6, IPPROTO_TCP, 1001}, {0, 4, IPPROTO_UDP, 33},
	{0, 6, IPPROTO_UDP, 34},   {1, 4, IPPROTO_TCP, 999},  {1, 6, IPPROTO_UDP, 1},
	{2, 4, IPPROTO_UDP, 0},    {2, 6, IPPROTO_TCP, 0},
};

static struct virtio_net_hdr undone(const struct packet_kind *kind)
{
	return (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = (uint16_t)packet_l4(kind),
		.csum_offset = (uint16_t)(packet_field(kind) - packet_l4(kind)),
	};
}

static void checksum_to_switch(void **state)
{
	(void)state;
	for (size_t i = 0; i < RTE_DIM(kinds); i++) {
		struct rte_mbuf *packet = packet_make(buffers, &kinds[i]);
		struct virtio_net_hdr header = undone(&kinds[i]);
		uint64_t flags = kinds[i].ip == 4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6;

		flags |= kinds[i].protocol == IPPROTO_TCP ? RTE_MBUF_F_TX_TCP_CKSUM
							  : RTE_MBUF_F_TX_UDP_CKSUM;
		assert_true(netd_offload_to_switch(packet, &header));
		assert_int_equal(packet->ol_flags, flags);
		assert_int_equal(packet->l2_len, packet_l3(&kinds[i]));
		assert_int_equal(packet->l2_len + packet->l3_len, packet_l4(&kinds[i]));
		rte_pktmbuf_free(packet);
	}
}

static void long_to_switch(void **state)
{
	const uint8_t types[] = {VIRTIO_NET_HDR_GSO_TCPV4, VIRTIO_NET_HDR_GSO_TCPV6,
				 VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN};
	const struct packet_kind *const of[] = {&kinds[0], &kinds[1], &kinds[4]};

	(void)state;
	for (size_t i = 0; i < RTE_DIM(types); i++) {
		struct rte_mbuf *packet = packet_make(buffers, of[i]);
		struct virtio_net_hdr header = undone(of[i]);

		header.gso_type = types[i];
		header.gso_size = 536;
		assert_true(netd_offload_to_switch(packet, &header));
		assert_true(packet->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
		assert_int_equal(packet->tso_segsz, 536);
		assert_int_equal(packet->l4_len, sizeof(struct rte_tcp_hdr));
		rte_pktmbuf_free(packet);
	}
}

/* The switch knows TCP and UDP. The kernel leaves other checksums too: they are finished here. */
static void other_checksum_to_switch(void **state)
{
	const struct packet_kind kind = {0, 4, UDPLITE, 101};
	struct rte_mbuf *packet = packet_make(buffers, &kind);
	struct virtio_net_hdr header = undone(&kind);
	uint16_t sum;

	(void)state;
	assert_true(netd_offload_to_switch(packet, &header));
	assert_int_equal(packet->ol_flags, 0);
	/* With the pseudo header once more, all sums to the ones' complement zero. */
	assert_int_equal(rte_raw_cksum_mbuf(packet, packet_l4(&kind),
					    packet->pkt_len - packet_l4(&kind), &sum),
			 0);
	assert_int_equal(__rte_raw_cksum_reduce((uint32_t)sum + packet_pseudo_sum(packet, &kind)),
			 0xffff);
	rte_pktmbuf_free(packet);
}

static void nothing_to_switch(void **state)
{
	const struct virtio_net_hdr header = {.flags = VIRTIO_NET_HDR_F_DATA_VALID};
	struct rte_mbuf *packet = packet_make(buffers, &kinds[0]);

	(void)state;
	assert_true(netd_offload_to_switch(packet, &header));
	assert_int_equal(packet->ol_flags, 0);
	rte_pktmbuf_free(packet);
}

static void assert_refused(const struct packet_kind *kind, struct virtio_net_hdr header)
{
	struct rte_mbuf *packet = packet_make(buffers, kind);

	assert_false(netd_offload_to_switch(packet, &header));
	rte_pktmbuf_free(packet);
}

static void impossible_to_switch(void **state)
{
	struct virtio_net_hdr header = undone(&kinds[0]);

	(void)state;
	header.csum_start = 5000;
	assert_refused(&kinds[0], header);
	header = undone(&kinds[2]);
	header.gso_type = VIRTIO_NET_HDR_GSO_TCPV4; /* UDP */
	assert_refused(&kinds[2], header);
	header = undone(&kinds[0]);
	header.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
	header.flags = 0; /* cut, but without a checksum to be filled in */
	assert_refused(&kinds[0], header);
}

/* The receiving kernel adds up from csum_start and stores the complement: that must be right. */
static void assert_completes(struct rte_mbuf *packet, const struct packet_kind *kind,
			     const struct virtio_net_hdr *header)
{
	uint16_t sum;

	assert_int_equal(header->flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(header->csum_start, packet_l4(kind));
	assert_int_equal(header->csum_start + header->csum_offset, packet_field(kind));
	assert_int_equal(rte_raw_cksum_mbuf(packet, header->csum_start,
					    packet->pkt_len - header->csum_start, &sum),
			 0);
	*packet_at(packet, packet_field(kind)) = (uint16_t)~sum;
	assert_true(packet_is_right(packet, kind));
}

static void checksum_to_kernel(void **state)
{
	const uint64_t marks[] = {RTE_MBUF_F_RX_L4_CKSUM_NONE, RTE_MBUF_F_RX_L4_CKSUM_GOOD};

	(void)state;
	for (size_t i = 0; i < RTE_DIM(kinds) * RTE_DIM(marks); i++) {
		const struct packet_kind *kind = &kinds[i / RTE_DIM(marks)];
		struct rte_mbuf *packet = packet_make(buffers, kind);
		struct virtio_net_hdr header;

		packet->ol_flags = marks[i % RTE_DIM(marks)];
		*packet_at(packet, packet_field(kind)) = 0xbeef; /* not valid, and need not be */
		assert_true(netd_offload_to_kernel(packet, &header));
		assert_int_equal(header.gso_type, VIRTIO_NET_HDR_GSO_NONE);
		assert_completes(packet, kind, &header);
		rte_pktmbuf_free(packet);
	}
}

static void long_to_kernel(void **state)
{
	const struct packet_kind *const of[] = {&kinds[0], &kinds[1]};
	const uint8_t types[] = {VIRTIO_NET_HDR_GSO_TCPV4, VIRTIO_NET_HDR_GSO_TCPV6};
	const uint8_t tcp_flags[] = {RTE_TCP_ACK_FLAG, RTE_TCP_ACK_FLAG | RTE_TCP_CWR_FLAG};

	(void)state;
	for (size_t i = 0; i < RTE_DIM(of); i++) {
		struct rte_mbuf *packet = packet_make(buffers, of[i]);
		uint32_t l4 = packet_l4(of[i]);
		struct virtio_net_hdr header;

		packet->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_NONE | RTE_MBUF_F_RX_LRO;
		packet->tso_segsz = 512;
		*rte_pktmbuf_mtod_offset(packet, uint8_t *, l4 + 13) = tcp_flags[i];
		assert_true(netd_offload_to_kernel(packet, &header));
		assert_int_equal(header.gso_type, types[i] | (i ? VIRTIO_NET_HDR_GSO_ECN : 0));
		assert_int_equal(header.gso_size, 512);
		assert_int_equal(header.hdr_len, l4 + sizeof(struct rte_tcp_hdr));
		assert_completes(packet, of[i], &header);
		rte_pktmbuf_free(packet);
	}
}

/* What has no mark, and UDP without a checksum, is handed on as it is. */
static void unchanged_to_kernel(void **state)
{
	const struct virtio_net_hdr nothing = {0};
	struct virtio_net_hdr header;
	struct rte_mbuf *packet = packet_make(buffers, &kinds[0]);

	(void)state;
	*packet_at(packet, packet_field(&kinds[0])) = 0xbeef;
	assert_true(netd_offload_to_kernel(packet, &header));
	assert_memory_equal(&header, &nothing, sizeof(header));
	assert_int_equal(*packet_at(packet, packet_field(&kinds[0])), 0xbeef);
	rte_pktmbuf_free(packet);

	packet = packet_make(buffers, &kinds[2]);
	packet->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	*packet_at(packet, packet_field(&kinds[2])) = 0;
	assert_true(netd_offload_to_kernel(packet, &header));
	assert_memory_equal(&header, &nothing, sizeof(header));
	assert_int_equal(*packet_at(packet, packet_field(&kinds[2])), 0);
	rte_pktmbuf_free(packet);
}

static void impossible_to_kernel(void **state)
{
	const struct packet_kind kind = {0, 4, UDPLITE, 10};
	struct rte_mbuf *packet = packet_make(buffers, &kind);
	struct virtio_net_hdr header;

	(void)state;
	packet->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_NONE;
	assert_false(netd_offload_to_kernel(packet, &header));
	rte_pktmbuf_free(packet);

	packet = packet_make(buffers, &kinds[0]);
	packet->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_NONE;
	rte_pktmbuf_trim(packet, 1010); /* amid the TCP header */
	assert_false(netd_offload_to_kernel(packet, &header));
	rte_pktmbuf_free(packet);
}

/* A NIC may call anything good. The rest of the header is in another buffer, and must stay that way. */
static void short_header_to_kernel(void **state)
{
	struct rte_mbuf *packet = packet_make(buffers, &kinds[0]);
	struct rte_mbuf *rest = rte_pktmbuf_alloc(buffers);
	struct virtio_net_hdr header;

	(void)state;
	memset(rte_pktmbuf_append(rest, 1010), 0, 1010);
	*rte_pktmbuf_mtod_offset(packet, uint8_t *, packet_l4(&kinds[0]) + 12) = 0;
	rte_pktmbuf_trim(packet, 1006); /* two bytes of the header's first 16 are left out */
	assert_int_equal(rte_pktmbuf_chain(packet, rest), 0);
	*packet_at(packet, packet_field(&kinds[0])) = 0xbeef;
	packet->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	assert_true(netd_offload_to_kernel(packet, &header));
	assert_int_equal(header.flags, 0);
	assert_int_equal(*packet_at(packet, packet_field(&kinds[0])), 0xbeef);
	rte_pktmbuf_free(packet);
}

int test_offload(struct rte_mempool *pool)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksum_to_switch),
		cmocka_unit_test(long_to_switch),
		cmocka_unit_test(other_checksum_to_switch),
		cmocka_unit_test(nothing_to_switch),
		cmocka_unit_test(impossible_to_switch),
		cmocka_unit_test(checksum_to_kernel),
		cmocka_unit_test(long_to_kernel),
		cmocka_unit_test(unchanged_to_kernel),
		cmocka_unit_test(impossible_to_kernel),
		cmocka_unit_test(short_header_to_kernel),
	};

	buffers = pool;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
