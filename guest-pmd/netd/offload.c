// SPDX-License-Identifier: BSD-3-Clause
/* offload.c - see offload.h. */
#include "offload.h"

#include <rte_ip.h>
#include <rte_net.h>
#include <rte_tcp.h>
#include <rte_udp.h>

/* TCP or UDP, whole, with all of its headers in the first segment. */
struct headers {
	uint32_t l2, l3, l4; /* lengths */
	uint16_t field;      /* of the checksum, in the L4 header */
	bool tcp;
	bool ipv6;
};

static bool read_headers(const struct rte_mbuf *packet, struct headers *headers)
{
	struct rte_net_hdr_lens lens;
	uint32_t type = rte_net_get_ptype(
		packet, &lens, RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK | RTE_PTYPE_L4_MASK);

	*headers = (struct headers){
		.l2 = lens.l2_len,
		.l3 = lens.l3_len,
		.l4 = lens.l4_len,
		.tcp = (type & RTE_PTYPE_L4_MASK) == RTE_PTYPE_L4_TCP,
		.ipv6 = RTE_ETH_IS_IPV6_HDR(type),
	};
	headers->field = headers->tcp ? offsetof(struct rte_tcp_hdr, cksum)
				      : offsetof(struct rte_udp_hdr, dgram_cksum);
	/* The length of a TCP header is what the packet says. */
	return (headers->tcp ? headers->l4 >= sizeof(struct rte_tcp_hdr)
			     : (type & RTE_PTYPE_L4_MASK) == RTE_PTYPE_L4_UDP) &&
	       headers->l2 + headers->l3 + headers->l4 <= packet->data_len;
}

static uint16_t *checksum_field(struct rte_mbuf *packet, uint32_t at)
{
	return rte_pktmbuf_mtod_offset(packet, uint16_t *, at);
}

/* A checksum that the switch does not know: anything but plain TCP and UDP. */
static bool finish_checksum(struct rte_mbuf *packet, uint32_t start, uint32_t field)
{
	uint16_t sum;

	if (start + field + sizeof(sum) > packet->data_len ||
	    rte_raw_cksum_mbuf(packet, start, packet->pkt_len - start, &sum))
		return false;
	*checksum_field(packet, start + field) = (uint16_t)~sum;
	return true;
}

bool netd_offload_to_switch(struct rte_mbuf *packet, const struct virtio_net_hdr *header)
{
	const bool cut = header->gso_type != VIRTIO_NET_HDR_GSO_NONE;
	struct headers headers;

	if (!(header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return !cut;
	if (!read_headers(packet, &headers) || headers.l2 + headers.l3 != header->csum_start ||
	    headers.field != header->csum_offset)
		return !cut && finish_checksum(packet, header->csum_start, header->csum_offset);
	packet->l2_len = headers.l2;
	packet->l3_len = headers.l3;
	packet->l4_len = headers.l4;
	packet->ol_flags |= headers.ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
	packet->ol_flags |= headers.tcp ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM;
	if (cut) {
		packet->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
		packet->tso_segsz = header->gso_size;
	}
	return !cut || headers.tcp;
}

/* What CHECKSUM_PARTIAL has in the field: not complemented, of the packet before it is cut. */
static uint16_t pseudo_sum(const struct rte_mbuf *packet, const struct headers *headers)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(packet, const uint8_t *, headers->l2);
	const uint32_t protocol = headers->tcp ? IPPROTO_TCP : IPPROTO_UDP;
	const struct rte_ipv4_hdr *ipv4 = (const void *)ip;
	const struct rte_ipv6_hdr *ipv6 = (const void *)ip;
	uint32_t length;
	uint32_t sum;

	if (headers->ipv6) {
		length = rte_be_to_cpu_16(ipv6->payload_len) + sizeof(*ipv6) - headers->l3;
		sum = __rte_raw_cksum(ipv6->src_addr, 32, 0);
	} else {
		length = rte_be_to_cpu_16(ipv4->total_length) - headers->l3;
		sum = __rte_raw_cksum(&ipv4->src_addr, 8, 0);
	}
	sum += rte_cpu_to_be_16((uint16_t)length) + rte_cpu_to_be_16((uint16_t)protocol);
	return __rte_raw_cksum_reduce(sum);
}

static void tell_length(const struct rte_mbuf *packet, const struct headers *headers,
			struct virtio_net_hdr *header)
{
	const struct rte_tcp_hdr *tcp = rte_pktmbuf_mtod_offset(packet, const struct rte_tcp_hdr *,
								headers->l2 + headers->l3);

	header->gso_type = headers->ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
	if (tcp->tcp_flags & RTE_TCP_CWR_FLAG)
		header->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	header->gso_size = packet->tso_segsz;
}

/*
 * A checksum that is known to be good is told to the kernel as one that is not there yet: a TAP has
 * no word for good, and would look at it again.
 */
bool netd_offload_to_kernel(struct rte_mbuf *packet, struct virtio_net_hdr *header)
{
	const uint64_t known = packet->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
	const bool good = known == RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	struct headers headers;
	uint32_t start;

	*header = (struct virtio_net_hdr){0};
	if (!good && known != RTE_MBUF_F_RX_L4_CKSUM_NONE)
		return true;
	if (!read_headers(packet, &headers))
		return good;
	start = headers.l2 + headers.l3;
	if (good && *checksum_field(packet, start + headers.field) == 0)
		return true; /* UDP without a checksum */
	*checksum_field(packet, start + headers.field) = pseudo_sum(packet, &headers);
	header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	header->csum_start = (uint16_t)start;
	header->csum_offset = headers.field;
	header->hdr_len = (uint16_t)(start + headers.l4);
	if (packet->ol_flags & RTE_MBUF_F_RX_LRO)
		tell_length(packet, &headers, header);
	return true;
}
