// SPDX-License-Identifier: BSD-3-Clause
/* frames.c - see frames.h. */
#include "frames.h"

#include "strays.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_common.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#define OWN_IP RTE_IPV4(10, 0, 0, 1)
#define PEER_IP RTE_IPV4(10, 0, 0, 2)
#define L2 sizeof(struct rte_ether_hdr)
#define L3 sizeof(struct rte_ipv4_hdr)
#define SHORT_PAYLOAD 200u
#define LONG_PAYLOAD 8000u
#define SEGMENTS (LONG_PAYLOAD / FRAMES_MSS)

struct headers {
	struct rte_ether_hdr ether;
	struct rte_ipv4_hdr ip;
	union {
		struct rte_udp_hdr udp;
		struct rte_tcp_hdr tcp;
		struct rte_icmp_hdr icmp;
	};
} __rte_packed __rte_aligned(2);

static uint8_t payload_byte(uint32_t index, uint32_t i)
{
	return (uint8_t)(index * 29 + i * 7 + (i >> 8));
}

/* Everything but the L4 header; the headers' checksums are not valid yet. */
static struct headers *begin(uint8_t *bytes, uint32_t index, uint8_t protocol, uint32_t l4,
			     uint32_t payload, const struct rte_ether_addr *own,
			     const struct rte_ether_addr *peer)
{
	struct headers *headers = (struct headers *)bytes;

	memset(headers, 0, sizeof(*headers));
	headers->ether.dst_addr = *peer;
	headers->ether.src_addr = *own;
	headers->ether.ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	headers->ip.version_ihl = RTE_IPV4_VHL_DEF;
	headers->ip.total_length = rte_cpu_to_be_16((uint16_t)(L3 + l4 + payload));
	headers->ip.packet_id = rte_cpu_to_be_16((uint16_t)index);
	headers->ip.time_to_live = 64;
	headers->ip.next_proto_id = protocol;
	headers->ip.src_addr = rte_cpu_to_be_32(OWN_IP);
	headers->ip.dst_addr = rte_cpu_to_be_32(PEER_IP);
	for (uint32_t i = 0; i < payload; i++)
		bytes[L2 + L3 + l4 + i] = payload_byte(index, i);
	return headers;
}

static uint16_t icmp_sum(const struct headers *headers)
{
	return (uint16_t)~rte_raw_cksum(&headers->icmp, sizeof(headers->icmp) + SHORT_PAYLOAD);
}

static uint32_t make_echo(uint8_t *bytes, uint32_t index, const struct rte_ether_addr *own,
			  const struct rte_ether_addr *peer)
{
	struct headers *headers =
		begin(bytes, index, IPPROTO_ICMP, sizeof(headers->icmp), SHORT_PAYLOAD, own, peer);

	headers->icmp.icmp_type = RTE_IP_ICMP_ECHO_REQUEST;
	headers->icmp.icmp_ident = RTE_BE16(7);
	headers->icmp.icmp_seq_nb = rte_cpu_to_be_16((uint16_t)index);
	headers->icmp.icmp_cksum = icmp_sum(headers);
	headers->ip.hdr_checksum = rte_ipv4_cksum(&headers->ip);
	return L2 + L3 + sizeof(headers->icmp) + SHORT_PAYLOAD;
}

static uint32_t make_udp(uint8_t *bytes, uint32_t index, const struct rte_ether_addr *own,
			 const struct rte_ether_addr *peer)
{
	struct headers *headers =
		begin(bytes, index, IPPROTO_UDP, sizeof(headers->udp), SHORT_PAYLOAD, own, peer);

	headers->udp.src_port = rte_cpu_to_be_16((uint16_t)(1000 + index % 100));
	headers->udp.dst_port = RTE_BE16(9);
	headers->udp.dgram_len = RTE_BE16(sizeof(headers->udp) + SHORT_PAYLOAD);
	headers->udp.dgram_cksum = rte_ipv4_udptcp_cksum(&headers->ip, &headers->udp);
	headers->ip.hdr_checksum = rte_ipv4_cksum(&headers->ip);
	return L2 + L3 + sizeof(headers->udp) + SHORT_PAYLOAD;
}

static uint32_t make_wrong_udp(uint8_t *bytes, uint32_t index, const struct rte_ether_addr *own,
			       const struct rte_ether_addr *peer)
{
	uint32_t length = make_udp(bytes, index, own, peer);
	struct headers *headers = (struct headers *)bytes;

	headers->udp.dgram_cksum ^= 0x1111;
	headers->ip.hdr_checksum ^= 0x1111;
	return length;
}

static uint32_t make_tcp(uint8_t *bytes, uint32_t index, const struct rte_ether_addr *own,
			 const struct rte_ether_addr *peer)
{
	struct headers *headers =
		begin(bytes, index, IPPROTO_TCP, sizeof(headers->tcp), LONG_PAYLOAD, own, peer);

	headers->tcp.src_port = RTE_BE16(1000);
	headers->tcp.dst_port = RTE_BE16(80);
	headers->tcp.sent_seq = rte_cpu_to_be_32(index * LONG_PAYLOAD);
	headers->tcp.data_off = sizeof(headers->tcp) / 4 << 4;
	headers->tcp.tcp_flags = RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG;
	headers->tcp.cksum = rte_ipv4_udptcp_cksum(&headers->ip, &headers->tcp);
	headers->ip.hdr_checksum = rte_ipv4_cksum(&headers->ip);
	return L2 + L3 + sizeof(headers->tcp) + LONG_PAYLOAD;
}

/* In VLAN 5. */
static uint32_t make_vlan(uint8_t *bytes, uint32_t index, const struct rte_ether_addr *own,
			  const struct rte_ether_addr *peer)
{
	static const uint8_t tag[4] = {0x81, 0, 0, 5};
	uint32_t length = make_udp(bytes, index, own, peer);

	memmove(bytes + 16, bytes + 12, length - 12);
	memcpy(bytes + 12, tag, sizeof(tag));
	return length + sizeof(tag);
}

/* Is the answer this frame, byte for byte? */
static const char *compare(const uint8_t *bytes, uint32_t length, const uint8_t *expected,
			   uint32_t expected_length)
{
	if (length != expected_length)
		return "of another length";
	if (memcmp(bytes, expected, L2))
		return "other addresses";
	if (memcmp(bytes + L2, expected + L2, L3))
		return "another IP header";
	return memcmp(bytes, expected, length) ? "other bytes after the IP header" : NULL;
}

static void swap_ip(struct headers *headers)
{
	rte_be32_t kept = headers->ip.src_addr;

	headers->ip.src_addr = headers->ip.dst_addr;
	headers->ip.dst_addr = kept;
}

static const char *check_echo(uint8_t *bytes, uint32_t length, uint32_t answer,
			      const struct rte_ether_addr *own, const struct rte_ether_addr *peer)
{
	static uint8_t expected[FRAMES_LONGEST];
	uint32_t expected_length = make_echo(expected, answer, peer, own);
	struct headers *headers = (struct headers *)expected;

	swap_ip(headers);
	headers->icmp.icmp_type = RTE_IP_ICMP_ECHO_REPLY;
	headers->icmp.icmp_cksum = 0;
	headers->icmp.icmp_cksum = icmp_sum(headers);
	return compare(bytes, length, expected, expected_length);
}

/* Back as it was sent, but for the MAC addresses; checksums are right, whatever was sent. */
static const char *check_udp(uint8_t *bytes, uint32_t length, uint32_t answer,
			     const struct rte_ether_addr *own, const struct rte_ether_addr *peer)
{
	static uint8_t expected[FRAMES_LONGEST];
	uint32_t expected_length = make_udp(expected, answer, peer, own);

	return compare(bytes, length, expected, expected_length);
}

static const char *check_vlan(uint8_t *bytes, uint32_t length, uint32_t answer,
			      const struct rte_ether_addr *own, const struct rte_ether_addr *peer)
{
	static uint8_t expected[FRAMES_LONGEST];
	uint32_t expected_length = make_vlan(expected, answer, peer, own);

	return compare(bytes, length, expected, expected_length);
}

static const char *check_swapped(uint8_t *bytes, uint32_t length, uint32_t answer,
				 const struct rte_ether_addr *own,
				 const struct rte_ether_addr *peer)
{
	static uint8_t expected[FRAMES_LONGEST];
	uint32_t expected_length = make_udp(expected, answer, peer, own);
	struct headers *headers = (struct headers *)expected;
	rte_be16_t kept = headers->udp.src_port;

	swap_ip(headers);
	headers->udp.src_port = headers->udp.dst_port;
	headers->udp.dst_port = kept;
	return compare(bytes, length, expected, expected_length);
}

/* Segment answer % SEGMENTS of a frame: what TCP segmentation makes of it. */
static const char *check_segment(uint8_t *bytes, uint32_t length, uint32_t answer,
				 const struct rte_ether_addr *own,
				 const struct rte_ether_addr *peer)
{
	static uint8_t expected[FRAMES_LONGEST];
	uint32_t index = answer / SEGMENTS, segment = answer % SEGMENTS;
	struct headers *headers = (struct headers *)expected;
	uint8_t *payload = expected + L2 + L3 + sizeof(headers->tcp);

	make_tcp(expected, index, peer, own);
	memmove(payload, payload + segment * FRAMES_MSS, FRAMES_MSS);
	headers->ip.total_length = RTE_BE16(L3 + sizeof(headers->tcp) + FRAMES_MSS);
	headers->ip.packet_id = rte_cpu_to_be_16((uint16_t)(index + segment));
	headers->ip.hdr_checksum = 0;
	headers->ip.hdr_checksum = rte_ipv4_cksum(&headers->ip);
	headers->tcp.sent_seq = rte_cpu_to_be_32(index * LONG_PAYLOAD + segment * FRAMES_MSS);
	if (segment + 1 < SEGMENTS)
		headers->tcp.tcp_flags = RTE_TCP_ACK_FLAG;
	headers->tcp.cksum = 0;
	headers->tcp.cksum = rte_ipv4_udptcp_cksum(&headers->ip, &headers->tcp);
	return compare(bytes, length, expected, L2 + L3 + sizeof(headers->tcp) + FRAMES_MSS);
}

static const struct frames_mode modes[] = {
	{"icmpecho", 1, make_echo, check_echo}, {"macswap", 1, make_udp, check_udp},
	{"vlan", 1, make_vlan, check_vlan},     {"5tswap", 1, make_udp, check_swapped},
	{"csum", 1, make_wrong_udp, check_udp}, {"tso", SEGMENTS, make_tcp, check_segment},
	{"strays", 0, frames_make_stray, NULL}, {"sources", 0, frames_make_source, NULL},
};

const struct frames_mode *frames_mode(const char *name)
{
	for (unsigned int i = 0; i < RTE_DIM(modes); i++)
		if (!strcmp(name, modes[i].name))
			return &modes[i];
	return NULL;
}
