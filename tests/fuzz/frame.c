// SPDX-License-Identifier: BSD-3-Clause
/* frame.c - see frame.h. One byte after the other: slow and plain. */
#include "frame.h"

uint32_t frame_get16(const uint8_t *at)
{
	return at[0] * 256u + at[1];
}

uint32_t frame_get32(const uint8_t *at)
{
	return frame_get16(at) * 65536u + frame_get16(at + 2);
}

void frame_put16(uint8_t *at, uint32_t value)
{
	at[0] = value / 256;
	at[1] = value;
}

void frame_put32(uint8_t *at, uint32_t value)
{
	frame_put16(at, value / 65536);
	frame_put16(at + 2, value);
}

static void parse4(const uint8_t *ip, uint32_t have, struct frame *frame)
{
	if (have < 20 || ip[0] / 16 != 4 || ip[0] % 16 < 5 || frame_get16(ip + 2) < ip[0] % 16 * 4u)
		return;
	frame->version = 4;
	frame->l3 = ip[0] % 16 * 4u;
	frame->l4 = frame_get16(ip + 2) - frame->l3;
	if (frame_get16(ip + 6) % 0x4000 == 0)
		frame->protocol = ip[9];
}

static void parse6(const uint8_t *ip, uint32_t have, struct frame *frame)
{
	uint32_t next, at = 40, payload;

	if (have < 40 || ip[0] / 16 != 6)
		return;
	frame->version = 6;
	next = ip[6];
	payload = frame_get16(ip + 4);
	for (unsigned int nb = 0; next == 0 || next == 43 || next == 60; nb++) {
		uint32_t size;

		if (nb == 4 || have < at + 2)
			return;
		size = 8 + 8u * ip[at + 1];
		next = ip[at];
		if (at - 40 + size > payload)
			return;
		at += size;
	}
	frame->l3 = at;
	frame->l4 = payload - (at - 40);
	frame->protocol = next == 44 ? 0 : next;
}

struct frame frame_parse(const uint8_t *bytes, uint32_t have)
{
	struct frame frame = {0};
	uint32_t type;

	if (have < 14)
		return frame;
	frame.l2 = 14;
	type = frame_get16(bytes + 12);
	while ((type == 0x8100 || type == 0x88a8) && frame.l2 < 22 && have >= frame.l2 + 4) {
		type = frame_get16(bytes + frame.l2 + 2);
		frame.l2 += 4;
	}
	if (type == 0x0800)
		parse4(bytes + frame.l2, have - frame.l2, &frame);
	else if (type == 0x86dd)
		parse6(bytes + frame.l2, have - frame.l2, &frame);
	return frame;
}

uint32_t frame_sum(const uint8_t *bytes, uint32_t nb, uint32_t from)
{
	uint64_t sum = from;

	for (uint32_t i = 0; i < nb; i++)
		sum += i % 2 ? bytes[i] : bytes[i] * 256u;
	while (sum > 0xffff)
		sum = sum / 65536 + sum % 65536;
	return sum;
}

bool frame_ip_sum_holds(const uint8_t *bytes, const struct frame *frame)
{
	return frame_sum(bytes + frame->l2, frame->l3, 0) == 0xffff;
}

bool frame_l4_sum_holds(const uint8_t *bytes, const struct frame *frame)
{
	const uint8_t *ip = bytes + frame->l2;
	uint32_t sum = frame->l4 % 65536 + frame->protocol;

	if (frame->version == 4)
		sum = frame_sum(ip + 12, 8, sum);
	else
		sum = frame_sum(ip + 8, 32, sum);
	return frame_sum(ip + frame->l3, frame->l4, sum) == 0xffff;
}

void frame_shape(uint8_t *bytes, uint32_t shape)
{
	uint32_t protocol = shape & FRAME_SHAPE_TCP ? FRAME_TCP : FRAME_UDP;
	uint8_t *ip = bytes + 14;

	if (shape & (FRAME_SHAPE_VLAN | FRAME_SHAPE_QINQ))
		frame_put16((ip += 4) - 6, shape & FRAME_SHAPE_QINQ ? 0x88a8 : 0x8100);
	if (shape & FRAME_SHAPE_VLAN && shape & FRAME_SHAPE_QINQ)
		frame_put16((ip += 4) - 6, 0x8100);
	if (shape & FRAME_SHAPE_IPV4) {
		frame_put16(ip - 2, 0x0800);
		ip[0] = shape & FRAME_SHAPE_PLAIN ? 0x45 : 0x40 | ip[0] % 16;
		ip[6] = shape & FRAME_SHAPE_PLAIN ? 0x40 : ip[6];
		ip[7] = shape & FRAME_SHAPE_PLAIN ? 0 : ip[7];
		ip[9] = shape & (FRAME_SHAPE_TCP | FRAME_SHAPE_UDP) ? protocol : ip[9];
		ip[20 + 12] = shape & FRAME_SHAPE_PLAIN ? 0x50 : ip[20 + 12];
	} else if (shape & FRAME_SHAPE_IPV6) {
		frame_put16(ip - 2, 0x86dd);
		ip[0] = 0x60;
		ip[6] = shape & (FRAME_SHAPE_TCP | FRAME_SHAPE_UDP) ? protocol : ip[6];
		ip[40 + 12] = shape & FRAME_SHAPE_PLAIN ? 0x50 : ip[40 + 12];
	}
}

void frame_fit(uint8_t *bytes, const struct frame *frame, uint32_t length)
{
	uint8_t *ip = bytes + frame->l2;
	uint32_t l3 = length - frame->l2;

	if (frame->version == 4)
		frame_put16(ip + 2, l3 < 0xffff ? l3 : 0xffff);
	else if (frame->version == 6)
		frame_put16(ip + 4, l3 - 40 < 0xffff ? l3 - 40 : 0xffff);
}
