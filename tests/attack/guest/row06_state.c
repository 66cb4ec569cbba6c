// SPDX-License-Identifier: BSD-3-Clause
/* row06_state.c - a packet from the attacker's port to its second one, and whether it arrived as sent. */
#include "attacker.h"

/* Leaves it in the transmit window; the port's number. */
ATTACK_FUNCTION int64_t row06_prepare(uint64_t length)
{
	struct elisa_desc *window = port_window(&attacker_port);
	uint8_t *frame = port_frame(&attacker_port, 0, attacker_second.mac, length);

	for (uint64_t i = 14; i < length; i++)
		frame[i] = (uint8_t)(i * 7);
	window[0].addr = (uintptr_t)frame;
	window[0].word = length;
	return attacker_port.number;
}

/* 0, or 1 + the first byte that differs; -1: no packet, another one's length. */
ATTACK_FUNCTION int64_t row06_check(uint64_t length)
{
	const uint8_t *data, *frame = port_buffer(&attacker_port, 0);
	uint64_t dropped = 0;

	if (port_receive(&attacker_second, &data, &dropped) != length || dropped)
		return -1;
	for (uint64_t i = 0; i < length; i++)
		if (data[i] != frame[i])
			return (int64_t)i + 1;
	return 0;
}
