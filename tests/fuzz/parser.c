// SPDX-License-Identifier: BSD-3-Clause
/*
 * parser.c - fuzzer: any frame with any flags and meta through the datapath's reading of headers,
 * offload check, RSS hash, segmentation and checksums. libFuzzer calls it.
 *
 * An input is a few settings and the first bytes of a frame; the rest of the frame is a pattern.
 * Each part of the packet lies in a block of its own, of its very size: AddressSanitizer sees the
 * first byte read beyond it.
 */
#include <string.h>

#include <sanitizer/asan_interface.h>

#include "frame.h"
#include "input.h"
#include "vswitch/datapath/checksum.h"
#include "vswitch/datapath/cut.h"
#include "vswitch/datapath/headers.h"
#include "vswitch/datapath/offload.h"
#include "vswitch/datapath/rss.h"

#include <elisa/hypercall.h>

struct settings {
	uint32_t flags;
	uint32_t meta;
	uint32_t mtu;
	uint32_t length;  /* of the frame */
	uint32_t step;    /* bytes of it in one segment */
	uint32_t receive; /* bytes of it in one slot */
	uint32_t shape;   /* SHAPE_*: what frame_shape() writes over the bytes */
	bool fit;         /* make the IP header's length that of the frame */
	bool match;       /* make meta what the headers are, but for mss */
	struct elisa_rss rss;
};

static struct elisa_workspace workspace;
static struct elisa_sender sender;
static uint8_t *blocks[ELISA_BATCH_SEGMENTS];
static uint8_t frame[ELISA_MAX_FRAME + 1];

static struct settings take_settings(struct input *input)
{
	struct settings settings = {0};
	uint32_t choice = take(input, 1);
	uint32_t seed;

	settings.flags = (choice & 1 ? ELISA_DESC_CSUM : 0) | (choice & 2 ? ELISA_DESC_TSO : 0) |
			 (choice & 4 ? ELISA_DESC_IP_CSUM : 0);
	settings.fit = choice & 8;
	settings.match = choice & 16;
	settings.meta = take(input, 4);
	settings.mtu = ELISA_MIN_MTU + take(input, 2) % (ELISA_MAX_MTU - ELISA_MIN_MTU + 1);
	settings.shape = take(input, 1);
	settings.length = take(input, 2);
	/* Few are long: they take their time. */
	settings.length %= settings.shape & 128 ? ELISA_MAX_FRAME - ELISA_MIN_FRAME + 1 : 2048;
	settings.length += ELISA_MIN_FRAME;
	settings.step = 1 + take(input, 2);
	settings.receive = 1 + take(input, 1);
	settings.rss.types = take(input, 1) & ELISA_RSS_ALL;
	settings.rss.reta_size = 1u << take(input, 1) % 8;
	seed = take(input, 2);
	for (uint32_t i = 0; i < ELISA_RSS_KEY_SIZE; i++)
		settings.rss.key[i] = (seed = seed * 1103515245 + 12345) >> 16;
	for (uint32_t i = 0; i < ELISA_RSS_RETA_MAX; i++)
		settings.rss.reta[i] = i * 5;
	return settings;
}

static void make_frame(struct input *input, struct settings *settings)
{
	uint32_t have = settings->length < ELISA_HEADER_SIZE ? settings->length : ELISA_HEADER_SIZE;
	uint32_t mss = elisa_meta_mss(settings->meta);
	struct frame parsed;

	for (uint32_t i = 0; i < settings->length; i++)
		frame[i] = input->left ? take(input, 1) : i * 7 + (i >> 8);
	frame_shape(frame, settings->shape);
	if (settings->fit) {
		parsed = frame_parse(frame, have);
		frame_fit(frame, &parsed, settings->length);
	}
	parsed = frame_parse(frame, have);
	if (settings->match)
		settings->meta =
			elisa_desc_meta(parsed.l2, parsed.l3,
					parsed.protocol == FRAME_TCP ? ELISA_L4_TCP : ELISA_L4_UDP,
					settings->flags & ELISA_DESC_TSO ? mss : 0);
}

/* As gather.c does it: the first bytes in the packet, the others where the sender has them. */
static struct elisa_packet *make_packet(struct settings *settings)
{
	struct elisa_batch *batch = &workspace.batch;
	struct elisa_packet *packet = &batch->packets[0];
	uint32_t length = settings->length;
	uint32_t least = (length + ELISA_MAX_SEGMENTS - 1) / ELISA_MAX_SEGMENTS;
	uint32_t step = settings->step < least ? least : settings->step;

	memset(packet, 0, sizeof(*packet));
	packet->length = length;
	packet->header_length = length < ELISA_HEADER_SIZE ? length : ELISA_HEADER_SIZE;
	memcpy(packet->header, frame, packet->header_length);
	for (uint32_t at = packet->header_length; at < length; at += step) {
		uint32_t nb = length - at < step ? length - at : step;

		blocks[packet->nb_segments] = malloc(nb);
		memcpy(blocks[packet->nb_segments], frame + at, nb);
		batch->segments[packet->nb_segments].address =
			(uintptr_t)blocks[packet->nb_segments];
		batch->segments[packet->nb_segments++].length = nb;
	}
	batch->nb_packets = 1;
	batch->nb_segments = packet->nb_segments;
	__asan_poison_memory_region(packet->header + packet->header_length,
				    ELISA_HEADER_SIZE - packet->header_length);
	return packet;
}

static void free_packet(struct elisa_packet *packet)
{
	__asan_unpoison_memory_region(packet->header, ELISA_HEADER_SIZE);
	for (uint32_t i = 0; i < packet->nb_segments; i++)
		free(blocks[i]);
}

static void check_headers(const struct elisa_packet *packet, const struct frame *parsed)
{
	struct elisa_headers headers;

	elisa_headers_read(packet, &headers);
	CHECK(headers.version == parsed->version);
	CHECK(headers.l2_length == parsed->l2);
	CHECK(headers.l3_length == parsed->l3);
	CHECK(headers.l4_length == parsed->l4);
	CHECK(headers.protocol == parsed->protocol);
}

/* offload.h, once more. */
static bool may_pass(const struct settings *settings, const struct frame *parsed, uint32_t have)
{
	uint32_t l4 = elisa_meta_l4(settings->meta), mss = elisa_meta_mss(settings->meta);
	uint32_t begin = parsed->l2 + parsed->l3;
	uint32_t header;

	if (parsed->l2 != elisa_meta_l2_length(settings->meta) ||
	    parsed->l3 != elisa_meta_l3_length(settings->meta) || !parsed->version)
		return false;
	if (settings->flags & ELISA_DESC_IP_CSUM && (parsed->version != 4 || begin > have))
		return false;
	if (settings->flags == ELISA_DESC_IP_CSUM && !l4 && !mss)
		return true;
	if (!(settings->flags & ELISA_DESC_CSUM) || begin + parsed->l4 > settings->length)
		return false;
	if (!(l4 == ELISA_L4_TCP && parsed->protocol == FRAME_TCP && parsed->l4 >= 20) &&
	    !(l4 == ELISA_L4_UDP && parsed->protocol == FRAME_UDP && parsed->l4 >= 8))
		return false;
	if (!(settings->flags & ELISA_DESC_TSO))
		return mss == 0;
	if (l4 != ELISA_L4_TCP || mss < ELISA_MIN_MSS || begin + 13 > have)
		return false;
	header = frame[begin + 12] / 16 * 4;
	return header >= 20 && header < parsed->l4 && begin + header + mss <= sender.max_frame;
}

static void check_verdict(const struct settings *settings, const struct elisa_packet *packet,
			  const struct frame *parsed)
{
	bool pass = !settings->flags || may_pass(settings, parsed, packet->header_length);
	uint8_t ip_sum[2] = {frame[parsed->l2 + 10], frame[parsed->l2 + 11]};

	CHECK(packet->reason == (pass ? ELISA_DROP_NONE : ELISA_DROP_BAD_OFFLOAD));
	if (!pass)
		return;
	CHECK(packet->flags == (settings->flags & ~ELISA_DESC_IP_CSUM));
	if (settings->flags & ELISA_DESC_IP_CSUM) {
		CHECK(frame_ip_sum_holds(packet->header, parsed));
		memcpy(ip_sum, packet->header + parsed->l2 + 10, 2);
		memcpy(frame + parsed->l2 + 10, ip_sum, 2);
	}
	CHECK(!memcmp(packet->header, frame, packet->header_length));
}

/* Bit after bit, as the Toeplitz hash is defined. */
static uint32_t slow_hash(const uint8_t *key, const uint8_t *bytes, uint32_t nb)
{
	uint32_t hash = 0;

	for (uint32_t bit = 0; bit < nb * 8; bit++) {
		if (!(bytes[bit / 8] >> (7 - bit % 8) & 1))
			continue;
		for (uint32_t i = 0; i < 32; i++)
			hash ^= (uint32_t)(key[(bit + i) / 8] >> (7 - (bit + i) % 8) & 1)
				<< (31 - i);
	}
	return hash;
}

static uint32_t expected_hash(const struct elisa_rss *rss, const struct frame *parsed,
			      uint32_t have)
{
	uint32_t shift = parsed->version == 6 ? 3 : 0, size = parsed->version == 6 ? 16 : 4;
	uint32_t at = parsed->l2 + parsed->l3, nb = 2 * size;
	uint32_t wanted = parsed->protocol == FRAME_TCP   ? ELISA_RSS_IPV4_TCP << shift
			  : parsed->protocol == FRAME_UDP ? ELISA_RSS_IPV4_UDP << shift
							  : 0;
	const uint8_t *addresses = frame + parsed->l2 + (parsed->version == 6 ? 8 : 12);
	uint8_t tuple[36], kept[16];

	if (!parsed->version)
		return 0;
	memcpy(tuple, addresses, nb);
	if (rss->types & wanted && at + 4 <= have) {
		memcpy(tuple + nb, frame + at, 4);
		nb += 4;
	} else if (!(rss->types & ELISA_RSS_IPV4 << shift)) {
		return 0;
	}
	if (rss->types & ELISA_RSS_SYMMETRIC && memcmp(tuple, tuple + size, size) > 0) {
		memcpy(kept, tuple, size);
		memcpy(tuple, tuple + size, size);
		memcpy(tuple + size, kept, size);
	}
	if (rss->types & ELISA_RSS_SYMMETRIC && nb > 2 * size &&
	    memcmp(tuple + 2 * size, tuple + 2 * size + 2, 2) > 0) {
		memcpy(kept, tuple + 2 * size, 2);
		memcpy(tuple + 2 * size, tuple + 2 * size + 2, 2);
		memcpy(tuple + 2 * size + 2, kept, 2);
	}
	return slow_hash(rss->key, tuple, nb);
}

/* The way back: addresses exchanged, and ports if they are in the header. */
static void turn_round(struct elisa_packet *packet, const struct frame *parsed)
{
	uint32_t size = parsed->version == 6 ? 16 : 4;
	uint8_t *addresses = packet->header + parsed->l2 + (parsed->version == 6 ? 8 : 12);
	uint8_t *ports = packet->header + parsed->l2 + parsed->l3;
	uint8_t kept[16];

	memcpy(kept, addresses, size);
	memcpy(addresses, addresses + size, size);
	memcpy(addresses + size, kept, size);
	if ((parsed->protocol != FRAME_TCP && parsed->protocol != FRAME_UDP) ||
	    parsed->l2 + parsed->l3 + 4 > packet->header_length)
		return;
	memcpy(kept, ports, 2);
	memcpy(ports, ports + 2, 2);
	memcpy(ports + 2, kept, 2);
}

static void check_rss(const struct settings *settings, struct elisa_packet *packet,
		      const struct frame *parsed)
{
	uint32_t hash = elisa_rss_hash(&settings->rss, packet);
	uint32_t queue = elisa_rss_queue(&settings->rss, settings->rss.reta_size, packet);

	CHECK(hash == expected_hash(&settings->rss, parsed, packet->header_length));
	CHECK(queue == settings->rss.reta[hash % settings->rss.reta_size] % ELISA_MAX_QUEUES);
	if (!parsed->version || !(settings->rss.types & ELISA_RSS_SYMMETRIC))
		return;
	turn_round(packet, parsed);
	CHECK(elisa_rss_hash(&settings->rss, packet) == hash);
	turn_round(packet, parsed);
}

/* Copies a packet into slots of `room` bytes, lets its checksum be filled in there, and back. */
static void deliver(const struct elisa_batch *batch, const struct elisa_packet *packet,
		    uint32_t room, uint8_t *bytes)
{
	struct elisa_piece pieces[ELISA_MAX_SEGMENTS];
	uint32_t least = (packet->length + ELISA_MAX_SEGMENTS - 1) / ELISA_MAX_SEGMENTS;
	uint32_t nb = 0, at = packet->header_length;

	memcpy(bytes, packet->header, packet->header_length);
	for (uint32_t i = 0; i < packet->nb_segments; i++) {
		const struct elisa_segment *segment = &batch->segments[packet->first_segment + i];

		CHECK(at + segment->length <= packet->length);
		memcpy(bytes + at, (const uint8_t *)(uintptr_t)segment->address, segment->length);
		at += segment->length;
	}
	CHECK(at == packet->length);
	room = room < least ? least : room;
	for (at = 0; at < packet->length; at += room, nb++) {
		pieces[nb].length = packet->length - at < room ? packet->length - at : room;
		pieces[nb].address = malloc(pieces[nb].length);
		memcpy(pieces[nb].address, bytes + at, pieces[nb].length);
	}
	elisa_checksum_fill(packet, pieces, nb);
	for (uint32_t i = 0; i < nb; i++) {
		memcpy(bytes + i * room, pieces[i].address, pieces[i].length);
		free(pieces[i].address);
	}
}

/* Nothing but the checksum differs from the frame as it was sent, and it is right. */
static void check_checksum(const struct elisa_packet *packet, const struct frame *parsed,
			   uint32_t room)
{
	static uint8_t bytes[ELISA_MAX_FRAME];
	uint32_t field = parsed->l2 + parsed->l3 + (parsed->protocol == FRAME_TCP ? 16 : 6);

	deliver(&workspace.batch, packet, room, bytes);
	CHECK(frame_l4_sum_holds(bytes, parsed));
	CHECK(parsed->protocol == FRAME_TCP || frame_get16(bytes + field));
	memcpy(bytes + field, frame + field, 2);
	CHECK(!memcmp(bytes, frame, packet->length));
}

/* The headers that segment `index` should have, with `nb` bytes of payload after `done`. */
static void expect_header(uint8_t *header, const struct frame *parsed, uint32_t header_length,
			  uint32_t index, uint32_t done, uint32_t nb, bool last)
{
	uint8_t *ip = header + parsed->l2;
	uint8_t *tcp = ip + parsed->l3;

	memcpy(header, frame, header_length);
	if (parsed->version == 4) {
		frame_put16(ip + 2, header_length - parsed->l2 + nb);
		frame_put16(ip + 4, frame_get16(ip + 4) + index);
		frame_put16(ip + 10, 0);
		frame_put16(ip + 10, ~frame_sum(ip, parsed->l3, 0));
	} else {
		frame_put16(ip + 4, header_length - parsed->l2 + nb - 40);
	}
	frame_put32(tcp + 4, frame_get32(tcp + 4) + done);
	if (!last)
		tcp[13] &= ~(1 | 8); /* FIN, PSH */
	if (index)
		tcp[13] &= ~128; /* CWR */
}

static void check_segment(const struct elisa_packet *segment, const struct frame *parsed,
			  uint32_t header_length, uint32_t index, uint32_t done, uint32_t left)
{
	static uint8_t bytes[ELISA_MAX_FRAME], expected[ELISA_LONG_HEADER];
	uint32_t mss = elisa_meta_mss(workspace.batch.packets[0].meta);
	uint32_t nb = left < mss ? left : mss;
	uint32_t field = parsed->l2 + parsed->l3 + 16;
	struct frame itself;

	CHECK(segment->length == header_length + nb && segment->length <= sender.max_frame);
	CHECK(segment->flags == ELISA_DESC_CSUM && segment->reason == ELISA_DROP_NONE);
	deliver(&workspace.pieces, segment, 1 + index % 300, bytes);
	itself = frame_parse(bytes, segment->header_length);
	CHECK(itself.l3 == parsed->l3 && itself.l4 == header_length + nb - parsed->l2 - parsed->l3);
	CHECK(frame_l4_sum_holds(bytes, &itself));
	CHECK(itself.version == 6 || frame_ip_sum_holds(bytes, &itself));
	expect_header(expected, parsed, header_length, index, done, nb, nb == left);
	memcpy(bytes + field, expected + field, 2);
	CHECK(!memcmp(bytes, expected, header_length));
	CHECK(!memcmp(bytes + header_length, frame + header_length + done, nb));
}

/* The segments' payload is the packet's, each with headers of its own. */
static void check_cut(const struct elisa_packet *packet, const struct frame *parsed)
{
	uint32_t header_length = elisa_offload_header_length(packet);
	uint32_t payload = parsed->l2 + parsed->l3 + parsed->l4 - header_length;
	uint32_t mss = elisa_meta_mss(packet->meta);
	uint32_t index = 0, nb;
	struct elisa_cut cut;

	elisa_cut_begin(&cut, &workspace.batch, 0);
	while ((nb = elisa_cut_next(&cut, &sender))) {
		const struct elisa_batch *pieces = &workspace.pieces;

		CHECK(nb == pieces->nb_packets && nb <= ELISA_BATCH_PACKETS);
		CHECK(pieces->nb_segments <= ELISA_BATCH_SEGMENTS);
		for (uint32_t i = 0; i < nb; i++, index++) {
			CHECK(index * mss < payload);
			check_segment(&pieces->packets[i], parsed, header_length, index,
				      index * mss, payload - index * mss);
		}
	}
	CHECK(index == (payload + mss - 1) / mss && index == cut.nb_pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {.at = data, .left = size};
	struct settings settings = take_settings(&input);
	struct elisa_packet *packet;
	struct frame parsed;

	make_frame(&input, &settings);
	packet = make_packet(&settings);
	parsed = frame_parse(frame, packet->header_length);
	sender.workspace = &workspace;
	sender.max_frame = settings.mtu + ELISA_FRAME_OVERHEAD;
	check_headers(packet, &parsed);
	check_rss(&settings, packet, &parsed);
	if (settings.flags)
		elisa_offload_check(&sender, packet, settings.flags, settings.meta);
	check_verdict(&settings, packet, &parsed);
	if (packet->reason == ELISA_DROP_NONE && packet->flags & ELISA_DESC_TSO)
		check_cut(packet, &parsed);
	else if (packet->reason == ELISA_DROP_NONE && packet->flags & ELISA_DESC_CSUM)
		check_checksum(packet, &parsed, settings.receive);
	free_packet(packet);
	return 0;
}
