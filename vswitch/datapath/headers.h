/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * headers.h - Ethernet, VLAN, IP, TCP and UDP headers in a packet's private first bytes.
 */
#ifndef ELISA_VSWITCH_DATAPATH_HEADERS_H
#define ELISA_VSWITCH_DATAPATH_HEADERS_H

#include "vswitch/datapath/mask.h"
#include "vswitch/datapath/packet.h"

#define ELISA_ETHERTYPE_IPV4 0x0800u
#define ELISA_ETHERTYPE_IPV6 0x86ddu
#define ELISA_ETHERTYPE_VLAN 0x8100u
#define ELISA_ETHERTYPE_QINQ 0x88a8u

#define ELISA_IP_TCP 6u
#define ELISA_IP_UDP 17u

/* What the private header shows. Nothing in it is beyond header_length. */
struct elisa_headers {
	uint8_t version;  /* 4, 6; 0: not IP, or not all of its header is there */
	uint8_t protocol; /* of L4: ELISA_IP_TCP, ELISA_IP_UDP, another; 0: a fragment, or unknown */
	uint16_t l2_length; /* Ethernet and up to two VLAN tags */
	uint16_t l3_length; /* with IPv4 options, with IPv6 extension headers */
	uint32_t l4_length; /* bytes after the IP header, as the IP header says */
};

/*
 * Bytes at an offset that a guest chose, all of them below header_length. A mispredicted check of
 * that reads the header's begin, not what is behind it: the packets of earlier calls.
 */
static inline uint32_t elisa_header_u8(const struct elisa_packet *packet, uint32_t at)
{
	return packet->header[at & elisa_below_mask(at, packet->header_length)];
}

static inline uint32_t elisa_header_u16(const struct elisa_packet *packet, uint32_t at)
{
	at &= elisa_below_mask(at + 1, packet->header_length);
	return __builtin_bswap16(*(const elisa_u16u *)(packet->header + at));
}

static inline uint32_t elisa_header_u32(const struct elisa_packet *packet, uint32_t at)
{
	at &= elisa_below_mask(at + 3, packet->header_length);
	return __builtin_bswap32(*(const elisa_u32u *)(packet->header + at));
}

/* Hop-by-hop, routing, destination options. */
static inline bool elisa_is_ipv6_extension(uint32_t next)
{
	return next == 0 || next == 43 || next == 60;
}

/* Never reads beyond packet->header_length. */
void elisa_headers_read(const struct elisa_packet *packet, struct elisa_headers *headers);

/* For packets whose flags and meta were checked (offload.h). */

/* TCP or UDP header and payload, bytes, without what may follow to fill up a short frame. */
uint32_t elisa_headers_l4_length(const struct elisa_packet *packet);

/* The pseudo header's part of the L4 checksum, for `l4_length` bytes. */
uint64_t elisa_headers_pseudo_sum(const struct elisa_packet *packet, uint32_t l4_length);

#endif
