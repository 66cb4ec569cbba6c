/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * checksum.c - see checksum.h.
 *
 * In the trusted image. Reads and writes what was copied into a receiver's buffers or an mbuf.
 */
#include "vswitch/datapath/checksum.h"
#include "vswitch/datapath/headers.h"
#include "vswitch/datapath/mask.h"

#define TCP_CHECKSUM 16u /* offset in the header */
#define UDP_CHECKSUM 6u

uint64_t elisa_checksum_add(uint64_t sum, const uint8_t *bytes, uint32_t n)
{
	for (; n >= 8; n -= 8, bytes += 8) {
		uint64_t word = *(const elisa_u64u *)bytes;

		sum += (word & 0xffffffff) + (word >> 32);
	}
	if (n >= 4) {
		sum += *(const elisa_u32u *)bytes;
		bytes += 4;
		n -= 4;
	}
	if (n >= 2) {
		sum += *(const elisa_u16u *)bytes;
		bytes += 2;
		n -= 2;
	}
	return n ? sum + *bytes : sum;
}

static uint32_t fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

uint16_t elisa_checksum_end(uint64_t sum)
{
	return ~fold(sum);
}

/* Sum of bytes from .. from + n - 1 of the frame in `pieces`. */
static uint64_t add_pieces(uint64_t sum, const struct elisa_piece *pieces, uint32_t nb_pieces,
			   uint32_t from, uint32_t n)
{
	bool odd = false;

	for (uint32_t i = 0; i < nb_pieces && n; i++) {
		uint32_t take = pieces[i].length;
		uint32_t part;

		if (from >= take) {
			from -= take;
			continue;
		}
		take -= from;
		take = take < n ? take : n;
		from &= elisa_below_mask(from, pieces[i].length);
		part = fold(elisa_checksum_add(0, pieces[i].address + from, take));
		/* After an odd number of bytes, first and second byte of each word change places. */
		sum += odd ? (part >> 8 | (part & 0xff) << 8) : part;
		odd ^= take & 1;
		n -= take;
		from = 0;
	}
	return sum;
}

static void store_byte(const struct elisa_piece *pieces, uint32_t nb_pieces, uint32_t at,
		       uint8_t value)
{
	for (uint32_t i = 0; i < nb_pieces; i++) {
		if (at < pieces[i].length) {
			at &= elisa_below_mask(at, pieces[i].length);
			pieces[i].address[at] = value;
			return;
		}
		at -= pieces[i].length;
	}
}

static void store(const struct elisa_piece *pieces, uint32_t nb_pieces, uint32_t at, uint16_t value)
{
	store_byte(pieces, nb_pieces, at, value & 0xff);
	store_byte(pieces, nb_pieces, at + 1, value >> 8);
}

void elisa_checksum_fill(const struct elisa_packet *packet, const struct elisa_piece *pieces,
			 uint32_t nb_pieces)
{
	bool tcp = elisa_meta_l4(packet->meta) == ELISA_L4_TCP;
	uint32_t l4 = elisa_meta_l2_length(packet->meta) + elisa_meta_l3_length(packet->meta);
	uint32_t field = l4 + (tcp ? TCP_CHECKSUM : UDP_CHECKSUM);
	uint32_t n = elisa_headers_l4_length(packet);
	uint64_t sum = elisa_headers_pseudo_sum(packet, n);
	uint16_t checksum;

	store(pieces, nb_pieces, field, 0);
	checksum = elisa_checksum_end(add_pieces(sum, pieces, nb_pieces, l4, n));
	if (!checksum && !tcp)
		checksum = 0xffff; /* 0 says that there is none (RFC 768) */
	store(pieces, nb_pieces, field, checksum);
}
