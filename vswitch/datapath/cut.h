/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cut.h - TCP segmentation: one long packet with TSO becomes segments that fit a wire.
 */
#ifndef ELISA_VSWITCH_DATAPATH_CUT_H
#define ELISA_VSWITCH_DATAPATH_CUT_H

#include "vswitch/datapath/packet.h"

/* Where in a packet the cutting is. Valid while the packet's batch is. */
struct elisa_cut {
	const struct elisa_packet *packet;
	const struct elisa_segment *segment; /* the next one, after `from` */
	const uint8_t *from;                 /* payload not cut yet */
	uint32_t left_here;                  /* bytes at `from` */
	uint32_t left;                       /* bytes of payload not cut yet, in all */
	uint32_t done;                       /* bytes of payload cut */
	uint32_t nb_pieces;                  /* made so far */
	uint32_t header_length;              /* bytes */
	_Alignas(16) uint8_t header[ELISA_LONG_HEADER];
};

/*
 * A packet as a wire would see it: in one frame, or in those that it is to be cut into. Only of a packet
 * without a reason to drop it: its flags and meta were checked.
 */
struct elisa_cut_size {
	uint32_t frames;
	uint32_t bytes; /* of all of them, with their headers; or of the packet, if it has more */
};
struct elisa_cut_size elisa_cut_size(const struct elisa_packet *packet);

/* Begin with packet `index` of `batch`, which has ELISA_DESC_TSO: its headers are read once here. */
void elisa_cut_begin(struct elisa_cut *cut, const struct elisa_batch *batch, uint32_t index);

/*
 * Make the next segments in the sender's workspace: `pieces` is a batch of them, with
 * ELISA_DESC_CSUM and the long packet's port. IP lengths, IPv4 identification and header checksum,
 * TCP sequence number and flags are each segment's own. Returns how many: 0 = all was cut.
 */
uint32_t elisa_cut_next(struct elisa_cut *cut, struct elisa_sender *sender);

#endif
