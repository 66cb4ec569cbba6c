// SPDX-License-Identifier: BSD-3-Clause
/*
 * victim.c - the bystander of the attacks: a guest with two ports, v0 and v1, that sends itself numbered
 * packets through the switch and looks whether each arrives whole, once and in order.
 */
#include "victim.h"
#include "port.h"

#define BURST 8
#define LENGTH 200
#define NUMBER 16     /* offset of it in a frame */
#define PATIENCE 1000 /* looks at the ring for the rest of a burst */

__attribute__((used)) struct victim_report victim_report;

static struct port sender, receiver;
static uint64_t next_sent, next_received;

static uint8_t pattern(uint64_t number, uint32_t offset)
{
	return (uint8_t)(number * 31 + offset);
}

static void fill(uint32_t i)
{
	uint8_t *frame = port_frame(&sender, i, receiver.mac, LENGTH);
	uint64_t number = next_sent + i;

	memcpy(frame + NUMBER, &number, sizeof(number));
	for (uint32_t k = NUMBER + sizeof(number); k < LENGTH; k++)
		frame[k] = pattern(number, k);
}

static void check(const uint8_t *data, uint32_t length)
{
	uint64_t number;

	if (length != LENGTH || data[12] != PORT_ETHER_TYPE >> 8 ||
	    data[13] != (PORT_ETHER_TYPE & 0xff)) {
		victim_report.foreign++;
		return;
	}
	memcpy(&number, data + NUMBER, sizeof(number));
	for (uint32_t k = NUMBER + sizeof(number); k < LENGTH; k++) {
		if (data[k] != pattern(number, k)) {
			victim_report.torn++;
			return;
		}
	}
	if (number < next_received || number >= next_sent) {
		victim_report.torn++;
		return;
	}
	victim_report.lost += number - next_received;
	next_received = number + 1;
	victim_report.received++;
}

/* Takes what is there; returns packets. */
static uint32_t drain(void)
{
	const uint8_t *data;
	uint32_t length, packets = 0;

	while ((length = port_receive(&receiver, &data, &victim_report.dropped))) {
		check(data, length);
		packets++;
	}
	return packets;
}

ATTACK_FUNCTION int64_t victim_open(void)
{
	int error = port_open(&sender, "v0", (uint8_t *)GUEST_REGION);

	if (!error)
		error = port_open(&receiver, "v1", (uint8_t *)GUEST_REGION + PORT_MEMORY);
	return error;
}

/* One burst and its arrival. Synchronous: what was sent is there, but for an attack. */
static void turn(void)
{
	int64_t taken;

	for (uint32_t i = 0; i < BURST; i++)
		fill(i);
	next_sent += BURST;
	taken = port_send(&sender, BURST, LENGTH);
	if (taken != BURST) {
		victim_report.refused++;
		victim_report.last_error = taken;
	}
	if (taken > 0)
		victim_report.sent += taken;
	next_sent -= BURST - (taken > 0 ? taken : 0);
	for (uint32_t i = 0; i < PATIENCE && next_received < next_sent; i++)
		drain();
	victim_report.turns++;
}

ATTACK_FUNCTION int64_t victim_turns(uint64_t turns)
{
	while (turns--)
		turn();
	return 0;
}

ATTACK_FUNCTION int64_t victim_close(void)
{
	int64_t error = port_close(&sender);

	return error ? error : port_close(&receiver);
}
