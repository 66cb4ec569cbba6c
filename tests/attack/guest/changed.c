// SPDX-License-Identifier: BSD-3-Clause
/* changed.c - a sender whose memory is changed under way by its VMM, and two receivers: rows 8 and 10. */
#include "attacker.h"
#include "changed.h"

#define FILLING 14 /* offset of it in a frame */

__attribute__((used)) struct changed_record changed_records[CHANGED_RECORDS];
__attribute__((used)) char changed_names[2][ELISA_NAME_SIZE];
__attribute__((used)) struct port changed_ports[2];

static uint32_t nb_records;

ATTACK_FUNCTION int64_t changed_open(void)
{
	uint8_t *base = (uint8_t *)GUEST_REGION;
	int error = 0;

	for (int i = 0; i < 2 && !error; i++) {
		base += PORT_MEMORY;
		error = port_open(&changed_ports[i], changed_names[i], base);
	}
	return error;
}

/* Frame i: to receiver i / 4, all bytes behind the header `filling`. */
ATTACK_FUNCTION int64_t changed_frame(uint64_t i, uint64_t filling, uint64_t length)
{
	uint8_t *frame = port_frame(&attacker_port, (uint32_t)i, changed_ports[i / 4].mac, length);

	memset(frame + FILLING, (int)filling, length - FILLING);
	return (int64_t)(uintptr_t)frame;
}

ATTACK_FUNCTION int64_t changed_send(uint64_t count)
{
	return gate_call(ELISA_CALL_TX, attacker_port.number, count);
}

/* As whoever it likes: `first` is a port and a queue, as the gate takes them. */
ATTACK_FUNCTION int64_t changed_send_as(uint64_t first)
{
	return gate_call(ELISA_CALL_TX, first, 1);
}

static void note(const uint8_t *data, uint32_t length, int port)
{
	struct changed_record *record = &changed_records[nb_records % CHANGED_RECORDS];

	nb_records++;
	record->length = length;
	record->destination = data[5];
	record->source = data[11];
	record->source_first = data[6];
	record->port = port + 2;
	record->first = data[FILLING];
	record->mixed = 0;
	for (uint32_t i = FILLING; i < length; i++)
		record->mixed |= data[i] != record->first;
}

/* All that is there into changed_records; returns how many. */
ATTACK_FUNCTION int64_t changed_take(void)
{
	const uint8_t *data;
	uint64_t dropped;
	uint32_t length;

	nb_records = 0;
	for (int i = 0; i < 2; i++) {
		while ((length = port_receive(&changed_ports[i], &data, &dropped)))
			note(data, length, i);
	}
	return nb_records;
}
