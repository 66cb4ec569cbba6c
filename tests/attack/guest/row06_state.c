// SPDX-License-Identifier: BSD-3-Clause
/* row06_state.c - a packet from the attacker's port to its second one, and whether it arrived as sent. */
#include "attacker.h"

static struct port second;

ATTACK_FUNCTION int64_t row06_open(void)
{
	char name[ELISA_NAME_SIZE];
	uint32_t length = 0;

	while (attacker_port_name[length]) {
		name[length] = attacker_port_name[length];
		length++;
	}
	name[length] = '2';
	name[length + 1] = 0;
	return port_open(&second, name, (uint8_t *)GUEST_REGION + PORT_MEMORY);
}

/* Leaves it in the transmit window; the port's number. */
ATTACK_FUNCTION int64_t row06_prepare(uint64_t length)
{
	struct elisa_desc *window = port_window(&attacker_port);
	uint8_t *frame = port_frame(&attacker_port, 0, second.mac, length);

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

	if (port_receive(&second, &data, &dropped) != length || dropped)
		return -1;
	for (uint64_t i = 0; i < length; i++)
		if (data[i] != frame[i])
			return (int64_t)i + 1;
	return 0;
}
