/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rss.c - see rss.h.
 *
 * In the trusted image. Reads private headers, and a port map that the module may be changing: each
 * value of that is good for itself.
 */
#include "vswitch/datapath/headers.h"
#include "vswitch/datapath/rss.h"

#define TUPLE_WORDS 9u /* two IPv6 addresses and two ports */

/* Source address, destination address, ports: as they go over the wire, in 32-bit words. */
struct tuple {
	uint32_t words[TUPLE_WORDS];
	uint32_t nb_words;
};

static uint32_t get_u32(const uint8_t *at)
{
	return __builtin_bswap32(*(const elisa_u32u *)at);
}

/* Does the lower source come first? True also when both are equal. */
static bool is_ordered(const uint32_t *source, const uint32_t *destination, uint32_t nb_words)
{
	for (uint32_t i = 0; i < nb_words; i++)
		if (source[i] != destination[i])
			return source[i] < destination[i];
	return true;
}

static void order(struct tuple *tuple, uint32_t address_words, bool with_ports)
{
	uint32_t *ports = &tuple->words[2 * address_words];

	if (!is_ordered(tuple->words, tuple->words + address_words, address_words))
		for (uint32_t i = 0; i < address_words; i++) {
			uint32_t kept = tuple->words[i];

			tuple->words[i] = tuple->words[address_words + i];
			tuple->words[address_words + i] = kept;
		}
	if (with_ports && *ports >> 16 > (*ports & 0xffff))
		*ports = *ports >> 16 | *ports << 16;
}

/* Empty if the packet is of no type that counts. */
static void read_tuple(struct tuple *tuple, uint32_t types, const struct elisa_packet *packet)
{
	struct elisa_headers headers;
	uint32_t words;
	uint32_t at;
	bool ports;

	tuple->nb_words = 0;
	elisa_headers_read(packet, &headers);
	if (!headers.version)
		return;
	/* IPv6's bits are IPv4's, three to the left. */
	types >>= headers.version == 6 ? 3 : 0;
	ports = (headers.protocol == ELISA_IP_TCP && types & ELISA_RSS_IPV4_TCP) ||
		(headers.protocol == ELISA_IP_UDP && types & ELISA_RSS_IPV4_UDP);
	at = headers.l2_length + headers.l3_length;
	if (at + 4 > packet->header_length)
		ports = false;
	if (!ports && !(types & ELISA_RSS_IPV4))
		return;
	words = headers.version == 6 ? 8 : 2;
	for (uint32_t i = 0; i < words; i++)
		tuple->words[i] =
			elisa_header_u32(packet, headers.l2_length + (words == 8 ? 8 : 12) + 4 * i);
	if (ports)
		tuple->words[words] = elisa_header_u32(packet, at);
	tuple->nb_words = words + ports;
}

uint32_t elisa_rss_hash(const struct elisa_rss *rss, const struct elisa_packet *packet)
{
	uint32_t types = elisa_load(&rss->types);
	struct tuple tuple;
	uint32_t hash = 0;

	read_tuple(&tuple, types, packet);
	if (types & ELISA_RSS_SYMMETRIC && tuple.nb_words)
		order(&tuple, tuple.nb_words >= 8 ? 4 : 1, tuple.nb_words & 1);
	for (uint32_t i = 0; i < tuple.nb_words; i++) {
		uint64_t key =
			(uint64_t)get_u32(rss->key + 4 * i) << 32 | get_u32(rss->key + 4 * i + 4);

		for (uint32_t word = tuple.words[i]; word; word &= word - 1)
			hash ^= (uint32_t)(key >> (__builtin_ctz(word) + 1));
	}
	return hash;
}

uint32_t elisa_rss_queue(const struct elisa_rss *rss, uint32_t reta_size,
			 const struct elisa_packet *packet)
{
	uint32_t entry = elisa_rss_hash(rss, packet) & (reta_size - 1) & (ELISA_RSS_RETA_MAX - 1);

	return elisa_load(&rss->reta[entry]) & (ELISA_MAX_QUEUES - 1);
}
