/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * headers.c - see headers.h.
 *
 * In the trusted image. Reads private copies only.
 */
#include "vswitch/datapath/checksum.h"
#include "vswitch/datapath/headers.h"

#define IPV6_HEADER 40u
#define MAX_EXTENSIONS 4u /* extension headers followed: more need more bytes than there are */

static void read_ipv4(const struct elisa_packet *packet, struct elisa_headers *headers)
{
	uint32_t at = headers->l2_length;
	uint32_t first = elisa_header_u8(packet, at);
	uint32_t length = (first & 0xf) * 4u;
	uint32_t total = elisa_header_u16(packet, at + 2);

	if (first >> 4 != 4 || length < 20 || total < length)
		return;
	headers->version = 4;
	headers->l3_length = length;
	headers->l4_length = total - length;
	/* More fragments, or not the first. */
	if (!(elisa_header_u16(packet, at + 6) & 0x3fff))
		headers->protocol = elisa_header_u8(packet, at + 9);
}

static void read_ipv6(const struct elisa_packet *packet, struct elisa_headers *headers)
{
	uint32_t at = headers->l2_length;
	uint32_t payload = elisa_header_u16(packet, at + 4);
	uint32_t next = elisa_header_u8(packet, at + 6);
	uint32_t length = IPV6_HEADER;

	if (elisa_header_u8(packet, at) >> 4 != 6)
		return;
	headers->version = 6;
	for (uint32_t i = 0; elisa_is_ipv6_extension(next); i++) {
		uint32_t extension;

		if (i == MAX_EXTENSIONS || at + length + 2 > packet->header_length)
			return;
		next = elisa_header_u8(packet, at + length);
		extension = (elisa_header_u8(packet, at + length + 1) + 1u) * 8;
		if (extension > payload)
			return;
		length += extension;
		payload -= extension;
	}
	headers->l3_length = length;
	headers->l4_length = payload;
	headers->protocol = next == 44 ? 0 : next; /* 44: a fragment */
}

void elisa_headers_read(const struct elisa_packet *packet, struct elisa_headers *headers)
{
	uint32_t have = packet->header_length;
	uint32_t at = 12;
	uint32_t type;

	headers->version = 0;
	headers->protocol = 0;
	headers->l2_length = 0;
	headers->l3_length = 0;
	headers->l4_length = 0;
	if (have < ELISA_MIN_FRAME)
		return;
	type = elisa_header_u16(packet, at);
	while ((type == ELISA_ETHERTYPE_VLAN || type == ELISA_ETHERTYPE_QINQ) && at < 20 &&
	       at + 6 <= have) {
		at += 4;
		type = elisa_header_u16(packet, at);
	}
	headers->l2_length = at + 2;
	if (type == ELISA_ETHERTYPE_IPV4 && at + 2 + 20 <= have)
		read_ipv4(packet, headers);
	else if (type == ELISA_ETHERTYPE_IPV6 && at + 2 + IPV6_HEADER <= have)
		read_ipv6(packet, headers);
}

static bool is_ipv4(const struct elisa_packet *packet)
{
	return packet->header[elisa_meta_l2_length(packet->meta)] >> 4 == 4;
}

uint32_t elisa_headers_l4_length(const struct elisa_packet *packet)
{
	uint32_t l2 = elisa_meta_l2_length(packet->meta);
	uint32_t l3 = elisa_meta_l3_length(packet->meta);

	if (is_ipv4(packet))
		return elisa_header_u16(packet, l2 + 2) - l3;
	return elisa_header_u16(packet, l2 + 4) + IPV6_HEADER - l3;
}

uint64_t elisa_headers_pseudo_sum(const struct elisa_packet *packet, uint32_t l4_length)
{
	const uint8_t *ip = packet->header + elisa_meta_l2_length(packet->meta);
	bool tcp = elisa_meta_l4(packet->meta) == ELISA_L4_TCP;
	uint64_t sum = (tcp ? ELISA_IP_TCP : ELISA_IP_UDP) << 8; /* as it lies in memory */

	sum += __builtin_bswap16(l4_length & 0xffff);
	if (is_ipv4(packet))
		return elisa_checksum_add(sum, ip + 12, 8);
	return elisa_checksum_add(sum, ip + 8, 32);
}
