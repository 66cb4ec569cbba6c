/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cut.c - see cut.h.
 *
 * In the trusted image. Of the sender's memory it reads what of the headers was not read yet; the
 * payload is left where it is.
 */
#include "vswitch/datapath/checksum.h"
#include "vswitch/datapath/cut.h"
#include "vswitch/datapath/headers.h"
#include "vswitch/datapath/mask.h"
#include "vswitch/datapath/offload.h"

#define TCP_SEQUENCE 4u
#define TCP_FLAGS 13u
#define TCP_FIN_PSH 0x09u
#define TCP_CWR 0x80u

static void next_segment(struct elisa_cut *cut)
{
	cut->from = (const uint8_t *)(uintptr_t)cut->segment->address;
	cut->left_here = cut->segment->length;
	cut->segment++;
}

/* The rest of the headers, in the packet's segments: all of it is inside the packet (checked). */
static void read_header(struct elisa_cut *cut, uint32_t have)
{
	while (have < cut->header_length) {
		uint32_t take = cut->header_length - have;

		if (!cut->left_here)
			next_segment(cut);
		take = take < cut->left_here ? take : cut->left_here;
		elisa_copy(cut->header + have, cut->from, take);
		cut->from += take;
		cut->left_here -= take;
		have += take;
	}
}

/* Bytes of TCP payload; the headers were checked (offload.h), so there is some. */
static uint32_t payload_length(const struct elisa_packet *packet)
{
	return elisa_meta_l2_length(packet->meta) + elisa_meta_l3_length(packet->meta) +
	       elisa_headers_l4_length(packet) - elisa_offload_header_length(packet);
}

struct elisa_cut_size elisa_cut_size(const struct elisa_packet *packet)
{
	struct elisa_cut_size size = {.frames = 1, .bytes = packet->length};
	uint32_t payload, mss;

	if (elisa_likely(!(packet->flags & ELISA_DESC_TSO)))
		return size;
	payload = payload_length(packet);
	mss = elisa_meta_mss(packet->meta);
	size.frames = (payload + mss - 1) / mss;
	size.bytes = payload + size.frames * elisa_offload_header_length(packet);
	/* Who takes it whole gets what follows the IP packet, too. */
	if (size.bytes < packet->length)
		size.bytes = packet->length;
	return size;
}

void elisa_cut_begin(struct elisa_cut *cut, const struct elisa_batch *batch, uint32_t index)
{
	const struct elisa_packet *packet = &batch->packets[index];
	uint32_t have;

	cut->packet = packet;
	cut->segment = &batch->segments[packet->first_segment];
	cut->header_length = elisa_offload_header_length(packet);
	cut->header_length &= elisa_below_mask(cut->header_length, ELISA_LONG_HEADER + 1);
	have = packet->header_length < cut->header_length ? packet->header_length
							  : cut->header_length;
	cut->from = packet->header + have;
	cut->left_here = packet->header_length - have;
	elisa_copy(cut->header, packet->header, have);
	read_header(cut, have);
	cut->left = payload_length(packet);
	cut->done = 0;
	cut->nb_pieces = 0;
}

static void put_u16(uint8_t *at, uint32_t value)
{
	*(elisa_u16u *)at = __builtin_bswap16(value);
}

static uint32_t get_u16(const uint8_t *at)
{
	return __builtin_bswap16(*(const elisa_u16u *)at);
}

static void fix_ip(const struct elisa_cut *cut, uint8_t *ip, uint32_t l3, uint32_t bytes)
{
	uint16_t checksum;

	if (ip[0] >> 4 == 6) {
		put_u16(ip + 4, bytes - 40);
		return;
	}
	put_u16(ip + 2, bytes);
	put_u16(ip + 4, get_u16(ip + 4) + cut->nb_pieces);
	put_u16(ip + 10, 0);
	checksum = elisa_checksum_end(elisa_checksum_add(0, ip, l3));
	*(elisa_u16u *)(ip + 10) = checksum;
}

static void fix_tcp(const struct elisa_cut *cut, uint8_t *tcp, bool last)
{
	uint32_t sequence = __builtin_bswap32(*(const elisa_u32u *)(tcp + TCP_SEQUENCE));

	*(elisa_u32u *)(tcp + TCP_SEQUENCE) = __builtin_bswap32(sequence + cut->done);
	if (!last)
		tcp[TCP_FLAGS] &= ~TCP_FIN_PSH;
	if (cut->nb_pieces)
		tcp[TCP_FLAGS] &= ~TCP_CWR;
}

static void add_segment(struct elisa_batch *pieces, struct elisa_packet *piece, const uint8_t *from,
			uint32_t n)
{
	struct elisa_segment *segment = &pieces->segments[pieces->nb_segments++];

	segment->address = (uintptr_t)from;
	segment->length = n;
	piece->nb_segments++;
}

/* The next `n` bytes of payload. */
static void add_payload(struct elisa_cut *cut, struct elisa_batch *pieces,
			struct elisa_packet *piece, uint32_t n)
{
	cut->left -= n;
	cut->done += n;
	while (n) {
		uint32_t take;

		if (!cut->left_here)
			next_segment(cut);
		take = n < cut->left_here ? n : cut->left_here;
		add_segment(pieces, piece, cut->from, take);
		cut->from += take;
		cut->left_here -= take;
		n -= take;
	}
}

static void make_piece(struct elisa_cut *cut, struct elisa_sender *sender)
{
	struct elisa_batch *pieces = &sender->workspace->pieces;
	uint8_t *header = sender->workspace->headers[pieces->nb_packets];
	struct elisa_packet *piece = &pieces->packets[pieces->nb_packets++];
	uint32_t l2 = elisa_meta_l2_length(cut->packet->meta);
	uint32_t l3 = elisa_meta_l3_length(cut->packet->meta);
	uint32_t mss = elisa_meta_mss(cut->packet->meta);
	uint32_t n = mss < cut->left ? mss : cut->left;
	uint32_t in_packet = cut->header_length;

	if (in_packet > ELISA_HEADER_SIZE)
		in_packet = ELISA_HEADER_SIZE;
	elisa_copy(header, cut->header, cut->header_length);
	fix_ip(cut, header + l2, l3, cut->header_length - l2 + n);
	fix_tcp(cut, header + l2 + l3, n == cut->left);
	elisa_copy(piece->header, header, in_packet);
	piece->header_length = in_packet;
	piece->length = cut->header_length + n;
	piece->first_segment = pieces->nb_segments;
	piece->nb_segments = 0;
	piece->first_desc = cut->packet->first_desc;
	piece->flags = ELISA_DESC_CSUM;
	piece->meta = elisa_desc_meta(l2, l3, ELISA_L4_TCP, 0);
	piece->reason = ELISA_DROP_NONE;
	piece->port = cut->packet->port;
	if (cut->header_length > in_packet)
		add_segment(pieces, piece, header + in_packet, cut->header_length - in_packet);
	add_payload(cut, pieces, piece, n);
	cut->nb_pieces++;
}

uint32_t elisa_cut_next(struct elisa_cut *cut, struct elisa_sender *sender)
{
	struct elisa_batch *pieces = &sender->workspace->pieces;

	pieces->nb_packets = 0;
	pieces->nb_segments = 0;
	/* One piece takes at most its header, and every segment of the packet. */
	while (cut->left && pieces->nb_packets < ELISA_BATCH_PACKETS &&
	       pieces->nb_segments + ELISA_MAX_SEGMENTS + 2 <= ELISA_BATCH_SEGMENTS)
		make_piece(cut, sender);
	return pieces->nb_packets;
}
