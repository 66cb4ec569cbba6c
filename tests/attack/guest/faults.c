// SPDX-License-Identifier: BSD-3-Clause
/*
 * faults.c - guests of the faults (faults.h of the VMM). One has a bystander's port and the receiver's;
 * the other, in another VM, sends to that receiver, or through an uplink, and is stopped on the way.
 */
#include "faults_layout.h"
#include "port.h"

#define NUMBER 16 /* offset of it in a frame */
#define LENGTH 80 /* of the bystander's */

__attribute__((used)) struct faults_report faults_report;
__attribute__((used)) char faults_port_name[ELISA_NAME_SIZE];

static const uint8_t sender_mac[ELISA_MAC_SIZE] = {0x52, 0xe1, 0x15, 0xa0, 0x0f, 0x0a};
static const uint8_t bystander_mac[ELISA_MAC_SIZE] = {0x52, 0xe1, 0x15, 0xa0, 0x0f, 0x0b};
static const uint8_t receiver_mac[ELISA_MAC_SIZE] = {0x52, 0xe1, 0x15, 0xa0, 0x0f, 0x0c};
static const uint8_t other_mac[ELISA_MAC_SIZE] = {0x52, 0xe1, 0x15, 0xa0, 0x0f, 0x0d};
static const uint8_t outside_mac[ELISA_MAC_SIZE] = {0x52, 0xe1, 0x15, 0xa0, 0xee, 0x01};

static struct port sender, bystander, receiver;
static uint64_t next_sent, next_received;

static uint8_t pattern(uint64_t number, uint32_t offset)
{
	return (uint8_t)(number * 31 + offset);
}

static uint32_t sender_length(uint64_t i)
{
	return 60 + 70 * (uint32_t)i;
}

static void fill(struct port *port, uint32_t i, const uint8_t *to, uint64_t number, uint32_t length)
{
	uint8_t *frame = port_frame(port, i, to, length);

	memcpy(frame + NUMBER, &number, sizeof(number));
	for (uint32_t k = NUMBER + sizeof(number); k < length; k++)
		frame[k] = pattern(number, k);
}

ATTACK_FUNCTION int64_t faults_open_sender(void)
{
	return port_open(&sender, faults_port_name, (uint8_t *)GUEST_REGION);
}

/* The window for a call: the last packet in two descriptors. Returns what the call's first argument is. */
ATTACK_FUNCTION int64_t faults_prepare(uint64_t whom)
{
	struct elisa_desc *window = port_window(&sender);
	const uint8_t *to = outside_mac;

	if (whom == FAULTS_TO_RECEIVER)
		to = receiver_mac;
	else if (whom == FAULTS_TO_OTHER)
		to = other_mac;
	for (uint32_t i = 0; i < FAULTS_PACKETS; i++) {
		fill(&sender, i, to, i, sender_length(i));
		window[i].addr = (uintptr_t)port_buffer(&sender, i);
		window[i].word = sender_length(i);
	}
	window[FAULTS_PACKETS] = window[FAULTS_PACKETS - 1];
	window[FAULTS_PACKETS].addr += 120;
	window[FAULTS_PACKETS].word -= 120;
	window[FAULTS_PACKETS - 1].word = 120 | ELISA_DESC_MORE << 16;
	return sender.number;
}

ATTACK_FUNCTION int64_t faults_call(uint64_t operation, uint64_t first, uint64_t second)
{
	return gate_call(operation, first, second);
}

ATTACK_FUNCTION int64_t faults_open(void)
{
	int error = port_open(&bystander, "faults-b", (uint8_t *)GUEST_REGION);

	if (!error)
		error = port_open(&receiver, "faults-r", (uint8_t *)GUEST_REGION + PORT_MEMORY);
	return error;
}

/* The bystander sends to the receiver, or one frame to the uplink. Returns what was taken. */
ATTACK_FUNCTION int64_t faults_send(uint64_t count)
{
	int64_t taken;

	for (uint32_t i = 0; i < count; i++)
		fill(&bystander, i, receiver_mac, next_sent + i, LENGTH);
	taken = port_send(&bystander, count, LENGTH);
	if (taken > 0) {
		next_sent += taken;
		faults_report.sent += taken;
	}
	return taken;
}

ATTACK_FUNCTION int64_t faults_send_outside(void)
{
	fill(&bystander, 0, outside_mac, 0, LENGTH);
	return port_send(&bystander, 1, LENGTH);
}

static bool is_whole(const uint8_t *data, uint64_t number)
{
	uint32_t length = data[11] == bystander_mac[5] ? LENGTH : sender_length(number);

	for (uint32_t k = NUMBER + sizeof(number); k < length; k++)
		if (data[k] != pattern(number, k))
			return false;
	return true;
}

static void check(const uint8_t *data, uint32_t length)
{
	uint64_t number;

	if (data[12] != PORT_ETHER_TYPE >> 8 || data[13] != (PORT_ETHER_TYPE & 0xff)) {
		faults_report.outside++;
		return;
	}
	memcpy(&number, data + NUMBER, sizeof(number));
	if (data[11] == sender_mac[5] && number < FAULTS_PACKETS &&
	    length == sender_length(number) && is_whole(data, number)) {
		faults_report.sender++;
	} else if (data[11] == bystander_mac[5] && number >= next_received && number < next_sent &&
		   length == LENGTH && is_whole(data, number)) {
		faults_report.lost += number - next_received;
		next_received = number + 1;
		faults_report.bystander++;
	} else {
		faults_report.torn++;
	}
}

/* Takes what is there; returns packets. */
ATTACK_FUNCTION int64_t faults_drain(void)
{
	const uint8_t *data;
	uint32_t length;
	int64_t packets = 0;

	while ((length = port_receive(&receiver, &data, &faults_report.dropped))) {
		check(data, length);
		packets++;
	}
	return packets;
}

/* What was sent and did not arrive was meant to be lost: it is not counted. */
ATTACK_FUNCTION int64_t faults_forgive(void)
{
	int64_t nb = next_sent - next_received;

	next_received = next_sent;
	return nb;
}
