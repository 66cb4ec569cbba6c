/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frame.h - what a frame is, found out by code that shares nothing with the datapath's. The oracle
 * of the fuzzers.
 */
#ifndef ELISA_FUZZ_FRAME_H
#define ELISA_FUZZ_FRAME_H

#include <elisa/types.h>

#define FRAME_TCP 6u
#define FRAME_UDP 17u

struct frame {
	unsigned int version;  /* 4, 6; 0: neither, or not all of its header is there */
	unsigned int protocol; /* of L4; 0: a fragment, or not known */
	uint32_t l2;           /* bytes */
	uint32_t l3;
	uint32_t l4; /* as the IP header says */
};

uint32_t frame_get16(const uint8_t *at);
uint32_t frame_get32(const uint8_t *at);
void frame_put16(uint8_t *at, uint32_t value);
void frame_put32(uint8_t *at, uint32_t value);

/* Of the first `have` bytes: Ethernet, up to two VLAN tags, IP with its options or extensions. */
struct frame frame_parse(const uint8_t *bytes, uint32_t have);

/*
 * What frame_shape() writes over the first 82 bytes of a frame. A fuzzer finds its way to these by
 * itself, but it takes hours.
 */
#define FRAME_SHAPE_IPV4 1u
#define FRAME_SHAPE_IPV6 2u
#define FRAME_SHAPE_TCP 4u
#define FRAME_SHAPE_UDP 8u
#define FRAME_SHAPE_VLAN 16u
#define FRAME_SHAPE_QINQ 32u
#define FRAME_SHAPE_PLAIN 64u /* no options, no fragment, TCP header of 20 bytes */

void frame_shape(uint8_t *bytes, uint32_t shape);

/* Makes the IP header's length that of a frame of `length` bytes. */
void frame_fit(uint8_t *bytes, const struct frame *frame, uint32_t length);

/* The folded one's complement sum of the bytes as big-endian words, on top of `from`. */
uint32_t frame_sum(const uint8_t *bytes, uint32_t nb, uint32_t from);

/* Is the checksum right? Of the IPv4 header; of TCP or UDP, all of which is in `bytes`. */
bool frame_ip_sum_holds(const uint8_t *bytes, const struct frame *frame);
bool frame_l4_sum_holds(const uint8_t *bytes, const struct frame *frame);

#endif
