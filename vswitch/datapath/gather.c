/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gather.c - read each descriptor once, check it, and read the packet's first bytes once.
 *
 * In the trusted image. Reads the sender's memory, writes only the batch.
 */
#include "vswitch/datapath/gather.h"
#include "vswitch/datapath/mask.h"
#include "vswitch/datapath/offload.h"

#define OFFLOADS (ELISA_DESC_CSUM | ELISA_DESC_TSO | ELISA_DESC_IP_CSUM)

/* Append [address, address + length): to the header while it has room, then as a segment. */
static void append(struct elisa_batch *batch, struct elisa_packet *packet, uint64_t address,
		   uint32_t length)
{
	uint32_t room = ELISA_HEADER_SIZE - packet->header_length;
	uint32_t take = length < room ? length : room;

	packet->length += length;
	if (take) {
		elisa_copy(packet->header + packet->header_length,
			   (const uint8_t *)(uintptr_t)address, take);
		packet->header_length += take;
	}
	if (length > take) {
		struct elisa_segment *segment = &batch->segments[batch->nb_segments++];

		segment->address = address + take;
		segment->length = length - take;
		packet->nb_segments++;
	}
}

/*
 * Nothing but MORE may be set, and on a packet's first descriptor what offloads need: what is not
 * defined yet must be free to define.
 */
static bool is_valid(uint64_t word, bool first)
{
	uint64_t allowed = elisa_desc_word(0xffff, ELISA_DESC_MORE);

	if (first && word & elisa_desc_word(0, OFFLOADS))
		allowed |= elisa_desc_word(0, OFFLOADS) | 0xffffffffull << 32;
	return !(word & ~allowed);
}

/* Returns the first descriptor after the packet's. A bad one spoils its packet, not the next. */
static uint32_t gather_packet(struct elisa_sender *sender, struct elisa_batch *batch,
			      struct elisa_packet *packet, uint32_t index)
{
	const struct elisa_port_map *map = &sender->maps[sender->port];
	uint32_t nb_descs = 0;
	uint64_t first = 0;
	bool more;

	packet->length = 0;
	packet->header_length = 0;
	packet->first_segment = batch->nb_segments;
	packet->nb_segments = 0;
	packet->first_desc = index;
	packet->flags = 0;
	packet->meta = 0;
	packet->reason = ELISA_DROP_NONE;
	do {
		/* Behind the window may be another guest's memory. */
		uint32_t in_window = index & elisa_below_mask(index, sender->nb_descs);
		const struct elisa_desc *desc = &sender->window[in_window];
		uint64_t word = elisa_load(&desc->word);
		uint64_t gva = elisa_load(&desc->addr);
		uint32_t length = word & 0xffff;
		uint64_t address = 0;

		index++;
		more = word & elisa_desc_word(0, ELISA_DESC_MORE);
		if (!nb_descs)
			first = word;
		if (length && is_valid(word, !nb_descs) && nb_descs++ < ELISA_MAX_SEGMENTS &&
		    packet->reason == ELISA_DROP_NONE)
			address = elisa_translate(&sender->view, map, gva, length, 0);
		if (elisa_likely(address))
			append(batch, packet, address, length);
		else
			packet->reason = ELISA_DROP_BAD_DESCRIPTOR;
	} while (more && index < sender->nb_descs);
	if (elisa_unlikely(more))
		packet->reason = ELISA_DROP_BAD_DESCRIPTOR;
	if (elisa_unlikely(first & elisa_desc_word(0, OFFLOADS)) &&
	    packet->reason == ELISA_DROP_NONE)
		elisa_offload_check(sender, packet, first >> 16 & OFFLOADS, first >> 32);
	return index;
}

static uint32_t longest(const struct elisa_sender *sender, const struct elisa_packet *packet)
{
	return packet->flags & ELISA_DESC_TSO ? ELISA_MAX_FRAME : sender->max_frame;
}

static void check_length(const struct elisa_sender *sender, struct elisa_packet *packet)
{
	if (elisa_unlikely(packet->reason != ELISA_DROP_NONE))
		packet->length = 0;
	else if (elisa_unlikely(packet->length < ELISA_MIN_FRAME))
		packet->reason = ELISA_DROP_RUNT;
	else if (elisa_unlikely(packet->length > longest(sender, packet)))
		packet->reason = ELISA_DROP_GIANT;
}

uint32_t elisa_gather(struct elisa_sender *sender, struct elisa_batch *batch, uint32_t first)
{
	uint32_t index = first;

	batch->nb_packets = 0;
	batch->nb_segments = 0;
	while (index < sender->nb_descs && batch->nb_packets < ELISA_BATCH_PACKETS &&
	       batch->nb_segments <= ELISA_BATCH_SEGMENTS - ELISA_MAX_SEGMENTS) {
		struct elisa_packet *packet = &batch->packets[batch->nb_packets++];

		index = gather_packet(sender, batch, packet, index);
		check_length(sender, packet);
		if (elisa_unlikely(packet->reason != ELISA_DROP_NONE)) {
			batch->nb_segments = packet->first_segment;
			packet->nb_segments = 0;
		}
	}
	return index;
}
