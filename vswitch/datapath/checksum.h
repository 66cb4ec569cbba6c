/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * checksum.h - the Internet checksum (RFC 1071), for packets that leave unfinished ones behind.
 */
#ifndef ELISA_VSWITCH_DATAPATH_CHECKSUM_H
#define ELISA_VSWITCH_DATAPATH_CHECKSUM_H

#include "vswitch/datapath/packet.h"

/* A part of a frame, where it was copied to. */
struct elisa_piece {
	uint8_t *address;
	uint32_t length; /* bytes */
};

/*
 * Add `n` bytes to a sum of 16-bit words as they lie in memory. Bytes before it were an even
 * number. Sums of less than 2^31 bytes do not overflow.
 */
uint64_t elisa_checksum_add(uint64_t sum, const uint8_t *bytes, uint32_t n);

/* The sum as the 16-bit word to store, as it lies in memory. */
uint16_t elisa_checksum_end(uint64_t sum);

/*
 * Compute the TCP or UDP checksum of a packet with ELISA_DESC_CSUM that was copied whole into
 * `pieces`, and store it there. What was in the field does not matter. Lengths, protocol and
 * addresses are those of the packet's private header; what others write into the pieces meanwhile
 * makes a wrong checksum, and nothing else.
 */
void elisa_checksum_fill(const struct elisa_packet *packet, const struct elisa_piece *pieces,
			 uint32_t nb_pieces);

#endif
