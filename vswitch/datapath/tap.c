// SPDX-License-Identifier: BSD-3-Clause
/*
 * tap.c - see tap.h: the producer of a vCPU's capture ring.
 *
 * In the trusted image. Called by route.c, deliver.c and vswitch/uplink/transmit.c, for captured
 * ports only. Reads senders' buffers, writes the calling vCPU's ring.
 */
#include "vswitch/datapath/checksum.h"
#include "vswitch/datapath/tap.h"

static uint32_t whole_records(uint32_t bytes)
{
	return (bytes + ELISA_CAPTURE_ALIGN - 1) & ~(ELISA_CAPTURE_ALIGN - 1);
}

/* Bytes of the packet that are there to be read: none of one whose descriptors are bad. */
static uint32_t readable(const struct elisa_batch *batch, const struct elisa_packet *packet)
{
	const struct elisa_segment *segment = &batch->segments[packet->first_segment];
	uint32_t bytes = packet->header_length;

	for (uint32_t i = 0; i < packet->nb_segments; i++)
		bytes += segment[i].length;
	return bytes < packet->length ? bytes : packet->length;
}

static void copy_first(uint8_t *to, const struct elisa_batch *batch,
		       const struct elisa_packet *packet, uint32_t left)
{
	const struct elisa_segment *segment = &batch->segments[packet->first_segment];
	uint32_t take = left < packet->header_length ? left : packet->header_length;

	elisa_copy(to, packet->header, take);
	for (left -= take; left; left -= take, segment++) {
		to += take;
		take = left < segment->length ? left : segment->length;
		elisa_copy(to, (const uint8_t *)(uintptr_t)segment->address, take);
	}
}

/*
 * A place for `size` bytes in one piece; *head is where the ring ends then. NULL: no room. The
 * place before the ring's end that is too short for it is filled.
 */
static struct elisa_capture_record *reserve(struct elisa_capture *capture, uint32_t vcpu,
					    uint32_t size, uint64_t *head)
{
	struct elisa_capture_ring *ring = &capture->rings[vcpu];
	uint8_t *bytes = elisa_capture_bytes(capture, vcpu);
	uint32_t place = *head % ELISA_CAPTURE_RING;
	uint32_t to_end = ELISA_CAPTURE_RING - place;
	uint32_t fill = size > to_end ? to_end : 0;
	/* The consumer has read what we write over. */
	uint64_t used = *head - elisa_load_acquire(&ring->tail);

	if (used + fill + size > ELISA_CAPTURE_RING)
		return NULL;
	if (fill) {
		struct elisa_capture_record *record = (void *)(bytes + place);

		record->size = fill;
		record->kind = ELISA_CAPTURE_FILL;
		record->consumer = 0;
		place = 0;
	}
	*head += fill + size;
	return (struct elisa_capture_record *)(bytes + place);
}

static void write_record(struct elisa_capture_record *record, const struct elisa_tap *tap,
			 const struct elisa_batch *batch, const struct elisa_packet *packet)
{
	uint8_t *bytes = (uint8_t *)(record + 1);

	record->stamp = tap->stamp;
	record->length = packet->length;
	record->port = tap->port;
	record->kind = tap->kind;
	record->consumer = 0;
	copy_first(bytes, batch, packet, record->captured);
	/* The receiver got it finished. What is cut off cannot be summed up. */
	if (packet->flags & ELISA_DESC_CSUM && !tap->unfinished &&
	    record->captured == packet->length) {
		struct elisa_piece piece = {.address = bytes, .length = packet->length};

		elisa_checksum_fill(packet, &piece, 1);
	}
}

void elisa_tap_show(const struct elisa_tap *tap, const struct elisa_sender *sender,
		    const struct elisa_batch *batch, const struct elisa_packet *packet)
{
	struct elisa_capture *capture = sender->capture;
	struct elisa_capture_record *record;
	struct elisa_capture_ring *ring;
	uint32_t captured, size;
	uint64_t head;

	if (!capture)
		return;
	if (sender->vcpu >= elisa_load_acquire(&capture->nb_rings)) {
		elisa_count(&capture->no_ring[tap->port], 1);
		return;
	}
	captured = readable(batch, packet);
	captured = captured < tap->bytes ? captured : tap->bytes;
	size = whole_records(sizeof(*record) + captured);
	ring = &capture->rings[sender->vcpu];
	head = elisa_load(&ring->head);
	record = reserve(capture, sender->vcpu, size, &head);
	if (!record) {
		elisa_store(&ring->lost[tap->port], elisa_load(&ring->lost[tap->port]) + 1);
		return;
	}
	record->size = size;
	record->captured = captured;
	write_record(record, tap, batch, packet);
	elisa_store_release(&ring->head, head);
}
