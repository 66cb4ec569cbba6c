/* SPDX-License-Identifier: BSD-3-Clause */
/* packets.c - see packets.h. */
#include "packets.h"

#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

uint32_t packet_l3(const struct packet_kind *kind)
{
	return RTE_ETHER_HDR_LEN + kind->nb_vlans * sizeof(struct rte_vlan_hdr);
}

uint32_t packet_l4(const struct packet_kind *kind)
{
	return packet_l3(kind) +
	       (kind->ip == 4 ? sizeof(struct rte_ipv4_hdr) : sizeof(struct rte_ipv6_hdr));
}

uint16_t *packet_at(const struct rte_mbuf *packet, uint32_t offset)
{
	return rte_pktmbuf_mtod_offset(packet, uint16_t *, offset);
}

static uint32_t l4_header(const struct packet_kind *kind)
{
	return kind->protocol == IPPROTO_TCP ? sizeof(struct rte_tcp_hdr)
					     : sizeof(struct rte_udp_hdr);
}

uint32_t packet_field(const struct packet_kind *kind)
{
	return packet_l4(kind) + (kind->protocol == IPPROTO_TCP ? 16 : 6);
}

static void put_ethernet(struct rte_mbuf *packet, const struct packet_kind *kind)
{
	uint32_t at = 12;

	memset(packet_at(packet, 0), 0x02, 12);
	for (uint32_t i = 0; i < kind->nb_vlans; i++, at += 4) {
		bool outer = i + 1 < kind->nb_vlans;

		*packet_at(packet, at) =
			rte_cpu_to_be_16(outer ? RTE_ETHER_TYPE_QINQ : RTE_ETHER_TYPE_VLAN);
		*packet_at(packet, at + 2) = rte_cpu_to_be_16(100);
	}
	*packet_at(packet, at) =
		rte_cpu_to_be_16(kind->ip == 4 ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6);
}

static void put_ip(struct rte_mbuf *packet, const struct packet_kind *kind, uint32_t l4_length)
{
	void *ip = packet_at(packet, packet_l3(kind));
	struct rte_ipv4_hdr ipv4 = {
		.version_ihl = RTE_IPV4_VHL_DEF,
		.total_length = rte_cpu_to_be_16((uint16_t)(sizeof(ipv4) + l4_length)),
		.time_to_live = 64,
		.next_proto_id = kind->protocol,
		.src_addr = rte_cpu_to_be_32(RTE_IPV4(10, 250, 251, 1)),
		.dst_addr = rte_cpu_to_be_32(RTE_IPV4(10, 252, 253, 2)),
	};
	struct rte_ipv6_hdr ipv6 = {
		.vtc_flow = rte_cpu_to_be_32(6u << 28),
		.payload_len = rte_cpu_to_be_16((uint16_t)l4_length),
		.proto = kind->protocol,
		.hop_limits = 64,
	};

	memset(ipv6.src_addr, 0xfd, sizeof(ipv6.src_addr));
	memset(ipv6.dst_addr, 0xfe, sizeof(ipv6.dst_addr));
	ipv4.hdr_checksum = rte_ipv4_cksum(&ipv4);
	if (kind->ip == 4)
		memcpy(ip, &ipv4, sizeof(ipv4));
	else
		memcpy(ip, &ipv6, sizeof(ipv6));
}

uint16_t packet_pseudo_sum(const struct rte_mbuf *packet, const struct packet_kind *kind)
{
	const void *ip = packet_at(packet, packet_l3(kind));

	return kind->ip == 4 ? rte_ipv4_phdr_cksum(ip, 0) : rte_ipv6_phdr_cksum(ip, 0);
}

struct rte_mbuf *packet_make(struct rte_mempool *pool, const struct packet_kind *kind)
{
	struct rte_mbuf *packet = rte_pktmbuf_alloc(pool);
	uint32_t l4 = packet_l4(kind);
	uint32_t length = l4 + l4_header(kind) + kind->payload;
	uint8_t *bytes;

	assert_non_null(packet);
	bytes = (uint8_t *)rte_pktmbuf_append(packet, (uint16_t)length);
	assert_non_null(bytes);
	for (uint32_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)(i * 7 + 1);
	put_ethernet(packet, kind);
	put_ip(packet, kind, length - l4);
	if (kind->protocol == IPPROTO_TCP) {
		bytes[l4 + 12] = sizeof(struct rte_tcp_hdr) / 4 << 4;
		bytes[l4 + 13] = RTE_TCP_ACK_FLAG;
	} else {
		*packet_at(packet, l4 + 4) = rte_cpu_to_be_16((uint16_t)(length - l4));
	}
	*packet_at(packet, packet_field(kind)) = packet_pseudo_sum(packet, kind);
	return packet;
}

int packet_is_right(const struct rte_mbuf *packet, const struct packet_kind *kind)
{
	const void *ip = packet_at(packet, packet_l3(kind));
	const void *l4 = packet_at(packet, packet_l4(kind));

	return kind->ip == 4 ? !rte_ipv4_udptcp_cksum_verify(ip, l4)
			     : !rte_ipv6_udptcp_cksum_verify(ip, l4);
}
