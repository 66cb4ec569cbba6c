// SPDX-License-Identifier: BSD-3-Clause
/* port.c - see port.h. */
#include "port.h"

static uint16_t slot_flags(uint64_t slot)
{
	return ELISA_DESC_POSTED | (slot / PORT_RX_SIZE & 1 ? ELISA_DESC_PHASE : 0);
}

static void post(struct port *port, uint64_t slot)
{
	uint32_t i = slot % PORT_RX_SIZE;
	struct elisa_desc *desc = &port_ring(port)[i];
	uint64_t word = PORT_BUFFER | (uint64_t)slot_flags(slot) << 16;

	desc->addr = (uintptr_t)port->base + PORT_RECEIVE_BUFFERS + i * PORT_BUFFER;
	__atomic_store_n(&desc->word, word, __ATOMIC_RELEASE);
}

static int64_t say_hello(struct port *port, const char *name)
{
	struct elisa_hc_hello hello = {.abi = ELISA_GUEST_ABI};
	int64_t error;

	for (uint32_t i = 0; i < ELISA_NAME_SIZE - 1 && name[i]; i++)
		hello.port_name[i] = name[i];
	error = hypercall(ELISA_HC_HELLO, &hello, sizeof(hello));
	port->number = hello.port;
	memcpy(port->mac, hello.mac, ELISA_MAC_SIZE);
	return error;
}

int port_open(struct port *port, const char *name, uint8_t *base)
{
	struct elisa_hc_region region = {
		.flags = ELISA_REGION_WRITE, .gva = (uintptr_t)base, .length = PORT_MEMORY};
	struct elisa_hc_queue queue = {.tx_window = (uintptr_t)base + PORT_WINDOW,
				       .rx_ring = (uintptr_t)base + PORT_RING,
				       .tx_size = PORT_TX_SIZE,
				       .rx_size = PORT_RX_SIZE};
	struct elisa_hc_port set = {.flags = ELISA_PORT_STARTED, .mtu = 1500};

	port->base = base;
	port->next_slot = 0;
	if (say_hello(port, name))
		return -1;
	region.port = queue.port = set.port = port->number;
	if (hypercall(ELISA_HC_REGISTER, &region, sizeof(region)))
		return -2;
	for (uint64_t slot = 0; slot < PORT_RX_SIZE; slot++)
		post(port, slot);
	if (hypercall(ELISA_HC_QUEUE_SETUP, &queue, sizeof(queue)))
		return -3;
	if (hypercall(ELISA_HC_PORT_SET, &set, sizeof(set)))
		return -4;
	return 0;
}

int64_t port_close(struct port *port)
{
	struct elisa_hc_port bye = {.port = port->number};

	return hypercall(ELISA_HC_BYE, &bye, sizeof(bye));
}

uint8_t *port_frame(struct port *port, uint32_t i, const uint8_t destination[ELISA_MAC_SIZE],
		    uint32_t length)
{
	uint8_t *frame = port_buffer(port, i);

	memset(frame, (int)i, length);
	memcpy(frame, destination, ELISA_MAC_SIZE);
	memcpy(frame + ELISA_MAC_SIZE, port->mac, ELISA_MAC_SIZE);
	frame[12] = PORT_ETHER_TYPE >> 8;
	frame[13] = PORT_ETHER_TYPE & 0xff;
	return frame;
}

int64_t port_send(struct port *port, uint32_t count, uint32_t length)
{
	struct elisa_desc *window = port_window(port);

	for (uint32_t i = 0; i < count; i++) {
		window[i].addr = (uintptr_t)port_buffer(port, i);
		window[i].word = length;
	}
	return gate_call(ELISA_CALL_TX, port->number, count);
}

/* One slot: 0 if it is not back yet. */
static uint64_t take(struct port *port)
{
	struct elisa_desc *desc = &port_ring(port)[port->next_slot % PORT_RX_SIZE];
	uint64_t word = __atomic_load_n(&desc->word, __ATOMIC_ACQUIRE);
	uint16_t flags = word >> 16;

	if (!(flags & ELISA_DESC_DONE) ||
	    (flags & ELISA_DESC_PHASE) != (slot_flags(port->next_slot) & ELISA_DESC_PHASE))
		return 0;
	return word;
}

uint32_t port_receive(struct port *port, const uint8_t **data, uint64_t *dropped)
{
	uint64_t word;

	/* The slot before is given back now: its bytes were the caller's until this call. */
	while ((word = take(port))) {
		uint64_t slot = port->next_slot++;

		*data = port->base + PORT_RECEIVE_BUFFERS + slot % PORT_RX_SIZE * PORT_BUFFER;
		if (slot >= 1)
			post(port, slot - 1 + PORT_RX_SIZE);
		if (!(word >> 16 & ELISA_DESC_DROPPED))
			return word & 0xffff;
		++*dropped;
	}
	return 0;
}
