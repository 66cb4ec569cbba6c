/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * offload.c - see offload.h.
 *
 * In the trusted image. Reads private copies only.
 */
#include "vswitch/datapath/checksum.h"
#include "vswitch/datapath/headers.h"
#include "vswitch/datapath/mask.h"
#include "vswitch/datapath/offload.h"

#define TCP_HEADER 20u
#define TCP_DATA_OFFSET 12u /* its high half: the header's length in words */
#define UDP_HEADER 8u
#define IPV4_CHECKSUM 10u /* offset in the header */

uint32_t elisa_offload_header_length(const struct elisa_packet *packet)
{
	uint32_t l4 = elisa_meta_l2_length(packet->meta) + elisa_meta_l3_length(packet->meta);

	return l4 + (elisa_header_u8(packet, l4 + TCP_DATA_OFFSET) >> 4) * 4u;
}

/* With packet->meta, which is 0 where a mispredicted branch took other lengths than the header's. */
static bool is_what_it_says(struct elisa_packet *packet, uint32_t meta)
{
	bool tcp = elisa_meta_l4(meta) == ELISA_L4_TCP;
	struct elisa_headers headers;
	uint32_t differs;
	uint64_t same;

	if (!tcp && elisa_meta_l4(meta) != ELISA_L4_UDP)
		return false;
	elisa_headers_read(packet, &headers);
	differs = (headers.l2_length ^ elisa_meta_l2_length(meta)) |
		  (headers.l3_length ^ elisa_meta_l3_length(meta));
	/* Before the branch: behind it the compiler knows the answer. */
	same = elisa_below_mask(differs, 1);
	if (!headers.version || headers.protocol != (tcp ? ELISA_IP_TCP : ELISA_IP_UDP) ||
	    differs || headers.l4_length < (tcp ? TCP_HEADER : UDP_HEADER) ||
	    (uint64_t)headers.l2_length + headers.l3_length + headers.l4_length > packet->length)
		return false;
	packet->meta = meta & same;
	return true;
}

static bool can_be_cut(const struct elisa_sender *sender, const struct elisa_packet *packet)
{
	uint32_t l4 = elisa_meta_l2_length(packet->meta) + elisa_meta_l3_length(packet->meta);
	uint32_t mss = elisa_meta_mss(packet->meta);
	uint32_t header;

	if (elisa_meta_l4(packet->meta) != ELISA_L4_TCP || mss < ELISA_MIN_MSS ||
	    l4 + TCP_DATA_OFFSET >= packet->header_length)
		return false;
	header = elisa_offload_header_length(packet);
	return header >= l4 + TCP_HEADER && header < l4 + elisa_headers_l4_length(packet) &&
	       header + mss <= sender->max_frame;
}

/* In the private header, which is what is delivered. False: no such IPv4 header. */
static bool fill_ip_checksum(struct elisa_packet *packet, uint32_t meta)
{
	struct elisa_headers headers;
	uint32_t l2, l3;
	elisa_u16u *field;

	/* Its lengths, not what the guest says of them: they stay in the header unchecked, too. */
	elisa_headers_read(packet, &headers);
	l2 = headers.l2_length;
	l3 = headers.l3_length;
	if (headers.version != 4 || elisa_meta_l2_length(meta) != l2 ||
	    elisa_meta_l3_length(meta) != l3 || l2 + l3 > packet->header_length)
		return false;
	field = (elisa_u16u *)(packet->header + l2 + IPV4_CHECKSUM);
	*field = 0;
	*field = elisa_checksum_end(elisa_checksum_add(0, packet->header + l2, l3));
	return true;
}

void elisa_offload_check(const struct elisa_sender *sender, struct elisa_packet *packet,
			 uint32_t flags, uint32_t meta)
{
	packet->flags = flags & ~ELISA_DESC_IP_CSUM;
	if (flags & ELISA_DESC_IP_CSUM && !fill_ip_checksum(packet, meta)) {
		packet->reason = ELISA_DROP_BAD_OFFLOAD;
		return;
	}
	if (flags == ELISA_DESC_IP_CSUM && !elisa_meta_l4(meta) && !elisa_meta_mss(meta))
		return;
	if (!(flags & ELISA_DESC_CSUM) || !is_what_it_says(packet, meta) ||
	    (flags & ELISA_DESC_TSO ? !can_be_cut(sender, packet) : elisa_meta_mss(meta) != 0))
		packet->reason = ELISA_DROP_BAD_OFFLOAD;
}
