// SPDX-License-Identifier: BSD-3-Clause
/* strays.c - see strays.h. */
#include "strays.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_arp.h>
#include <rte_common.h>
#include <rte_ip.h>

#define OWN_IP RTE_IPV4(10, 0, 0, 1)
#define OTHER_IP RTE_IPV4(10, 0, 0, 2)
#define LENGTH 64u /* of each frame */

static void put_ipv4(uint8_t *at, uint32_t source)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)at;

	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->total_length = RTE_BE16(sizeof(*ip));
	ip->time_to_live = 64;
	ip->next_proto_id = IPPROTO_RAW;
	ip->src_addr = rte_cpu_to_be_32(source);
	ip->dst_addr = rte_cpu_to_be_32(OTHER_IP);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

/* 2001:db8::last */
static void put_ipv6(uint8_t *at, uint8_t last)
{
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)at;
	static const uint8_t prefix[4] = {0x20, 0x01, 0x0d, 0xb8};

	ip->vtc_flow = RTE_BE32(6u << 28);
	ip->proto = IPPROTO_NONE;
	ip->hop_limits = 64;
	memcpy(ip->src_addr, prefix, sizeof(prefix));
	memcpy(ip->dst_addr, prefix, sizeof(prefix));
	ip->src_addr[15] = last;
	ip->dst_addr[15] = 2;
}

static void put_arp(uint8_t *at, const struct rte_ether_addr *sender, uint32_t source)
{
	struct rte_arp_hdr *arp = (struct rte_arp_hdr *)at;

	arp->arp_hardware = RTE_BE16(RTE_ARP_HRD_ETHER);
	arp->arp_protocol = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	arp->arp_hlen = RTE_ETHER_ADDR_LEN;
	arp->arp_plen = sizeof(source);
	arp->arp_opcode = RTE_BE16(RTE_ARP_OP_REPLY);
	arp->arp_data.arp_sha = *sender;
	arp->arp_data.arp_sip = rte_cpu_to_be_32(source);
	arp->arp_data.arp_tip = rte_cpu_to_be_32(OTHER_IP);
}

static uint8_t *begin(uint8_t *bytes, const struct rte_ether_addr *source,
		      const struct rte_ether_addr *peer, uint16_t type)
{
	struct rte_ether_hdr *ether = (struct rte_ether_hdr *)bytes;

	memset(bytes, 0, LENGTH);
	ether->src_addr = *source;
	ether->dst_addr = *peer;
	ether->ether_type = rte_cpu_to_be_16(type);
	return bytes + sizeof(*ether);
}

/* What comes behind the tag. */
static uint8_t *put_tag(uint8_t *at, uint16_t vlan, uint16_t type)
{
	struct rte_vlan_hdr *tag = (struct rte_vlan_hdr *)at;

	tag->vlan_tci = rte_cpu_to_be_16(vlan);
	tag->eth_proto = rte_cpu_to_be_16(type);
	return at + sizeof(*tag);
}

static void make_vlan(uint8_t *bytes, uint16_t vlan, const struct rte_ether_addr *own,
		      const struct rte_ether_addr *peer)
{
	put_ipv4(put_tag(begin(bytes, own, peer, RTE_ETHER_TYPE_VLAN), vlan, RTE_ETHER_TYPE_IPV4),
		 OWN_IP);
}

uint32_t frames_make_stray(uint8_t *bytes, uint32_t index, const struct rte_ether_addr *own,
			   const struct rte_ether_addr *peer)
{
	switch (index % 8) {
	case 0:
		put_ipv4(begin(bytes, own, peer, RTE_ETHER_TYPE_IPV4), OWN_IP);
		break;
	case 1:
		make_vlan(bytes, 5, own, peer);
		break;
	case 2:
		put_ipv6(begin(bytes, own, peer, RTE_ETHER_TYPE_IPV6), 1);
		break;
	case 3:
		put_ipv4(begin(bytes, peer, peer, RTE_ETHER_TYPE_IPV4), OWN_IP);
		break;
	case 4:
		put_ipv4(begin(bytes, own, peer, RTE_ETHER_TYPE_IPV4), OTHER_IP);
		break;
	case 5:
		make_vlan(bytes, 6, own, peer);
		break;
	case 6:
		put_ipv6(begin(bytes, own, peer, RTE_ETHER_TYPE_IPV6), 2);
		break;
	case 7:
		put_arp(begin(bytes, own, peer, RTE_ETHER_TYPE_ARP), own, OTHER_IP);
		break;
	}
	return LENGTH;
}

uint32_t frames_make_source(uint8_t *bytes, uint32_t index, const struct rte_ether_addr *own,
			    const struct rte_ether_addr *peer)
{
	struct rte_ether_addr source = {{0x02, 0, (uint8_t)(index >> 24), (uint8_t)(index >> 16),
					 (uint8_t)(index >> 8), (uint8_t)index}};

	(void)own;
	put_ipv4(begin(bytes, &source, peer, RTE_ETHER_TYPE_IPV4), OWN_IP);
	return LENGTH;
}
