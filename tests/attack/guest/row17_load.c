// SPDX-License-Identifier: BSD-3-Clause
/* row17_load.c - the largest calls that a guest can make, timed by the guest, and as many as it can. */
#include "attacker.h"
#include "changed.h"
#include "row17.h"

#define WINDOW 0x4000 /* of queue 1, in the port's memory */
#define WINDOW_SIZE (2 * ELISA_MAX_BURST)
#define RING 0x6000
#define FRAME 0x10000 /* 64 KiB */
#define FRAME_LENGTH 65000
#define IP 14
#define TCP 34

extern struct port changed_ports[2];

static const uint8_t nobody[ELISA_MAC_SIZE] = {0x52, 0xe1, 0x15, 0x77, 0x77, 0x77};

static int64_t set_flags(const struct port *port, uint32_t flags)
{
	struct elisa_hc_port set = {.port = port->number, .flags = flags, .mtu = 1500};

	return hypercall(ELISA_HC_PORT_SET, &set, sizeof(set));
}

/* A second queue with a window for twice the largest burst; the receivers take what is for nobody. */
ATTACK_FUNCTION int64_t row17_open(void)
{
	struct elisa_hc_queue queue = {.port = attacker_port.number,
				       .queue = 1,
				       .tx_window = (uintptr_t)attacker_port.base + WINDOW,
				       .rx_ring = (uintptr_t)attacker_port.base + RING,
				       .tx_size = WINDOW_SIZE,
				       .rx_size = ELISA_MIN_RING};

	if (set_flags(&attacker_port, 0) ||
	    hypercall(ELISA_HC_QUEUE_SETUP, &queue, sizeof(queue)) ||
	    set_flags(&attacker_port, ELISA_PORT_STARTED))
		return -1;
	for (int i = 0; i < 2; i++)
		if (set_flags(&changed_ports[i], ELISA_PORT_STARTED | ELISA_PORT_PROMISCUOUS))
			return -2;
	return 0;
}

/* An IPv4 TCP packet as long as may be, to be cut into the smallest segments there are. */
static void fill_long(uint8_t *frame)
{
	static const uint8_t ip[] = {0x45,
				     0,
				     (FRAME_LENGTH - IP) >> 8,
				     (FRAME_LENGTH - IP) & 0xff,
				     0,
				     0,
				     0x40,
				     0,
				     64,
				     6,
				     0,
				     0,
				     10,
				     0,
				     0,
				     1,
				     10,
				     0,
				     0,
				     2};

	memset(frame + ELISA_MIN_FRAME, 0, FRAME_LENGTH - ELISA_MIN_FRAME);
	frame[12] = 0x08;
	frame[13] = 0;
	memcpy(frame + IP, ip, sizeof(ip));
	frame[TCP + 12] = 0x50;
}

/* One call's descriptors, all of the same frame. */
ATTACK_FUNCTION int64_t row17_prepare(uint64_t kind)
{
	struct elisa_desc *window = (struct elisa_desc *)(attacker_port.base + WINDOW);
	uint8_t *frame = attacker_port.base + FRAME;
	uint64_t word = 1514;

	memcpy(frame, kind & ROW17_FLOOD ? nobody : changed_ports[0].mac, ELISA_MAC_SIZE);
	memcpy(frame + ELISA_MAC_SIZE, attacker_port.mac, ELISA_MAC_SIZE);
	if (kind & ROW17_TSO) {
		fill_long(frame);
		word = FRAME_LENGTH |
		       (ELISA_DESC_CSUM | ELISA_DESC_TSO | ELISA_DESC_IP_CSUM) << 16 |
		       (uint64_t)elisa_desc_meta(IP, TCP - IP, ELISA_L4_TCP, ELISA_MIN_MSS) << 32;
	} else {
		frame[12] = PORT_ETHER_TYPE >> 8;
		frame[13] = PORT_ETHER_TYPE & 0xff;
	}
	for (uint32_t i = 0; i < WINDOW_SIZE; i++) {
		window[i].addr = (uintptr_t)frame;
		window[i].word = word;
	}
	return 0;
}

ATTACK_FUNCTION int64_t row17_call(uint64_t count)
{
	return gate_call(ELISA_CALL_TX, attacker_port.number | 1 << 16, count);
}

static int64_t call(void)
{
	return row17_call(ELISA_MAX_BURST);
}

static uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* One call: ticks, which on the emulated host are instructions; negative if it was not taken whole. */
ATTACK_FUNCTION int64_t row17_time(void)
{
	uint64_t begin = rdtsc();

	return call() == ELISA_MAX_BURST ? (int64_t)(rdtsc() - begin) : -1;
}

/* In a loop for so many ticks, outside or calling. */
ATTACK_FUNCTION int64_t row17_spin(uint64_t ticks, uint64_t calling)
{
	uint64_t begin = rdtsc();
	int64_t calls = 0;

	while (rdtsc() - begin < ticks) {
		if (calling)
			call();
		calls++;
	}
	return calls;
}
