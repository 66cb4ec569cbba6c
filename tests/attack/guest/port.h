/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * port.h - a port as a guest program has it: one queue pair, its rings and buffers in one registered
 * piece of memory, frames of up to PORT_BUFFER bytes.
 */
#ifndef ELISA_TEST_ATTACK_PORT_H
#define ELISA_TEST_ATTACK_PORT_H

#include "port_layout.h"
#include "runtime.h"

struct port {
	uint32_t number;
	uint8_t mac[ELISA_MAC_SIZE];
	uint8_t *base;      /* PORT_MEMORY bytes, registered, writable */
	uint64_t next_slot; /* of the receive ring, laps included */
};

static inline struct elisa_desc *port_window(const struct port *port)
{
	return (struct elisa_desc *)(port->base + PORT_WINDOW);
}

static inline struct elisa_desc *port_ring(const struct port *port)
{
	return (struct elisa_desc *)(port->base + PORT_RING);
}

static inline uint8_t *port_buffer(const struct port *port, uint32_t i)
{
	return port->base + PORT_SEND_BUFFERS + i * PORT_BUFFER;
}

/*
 * Hello to the port of this name, then register `base`, set the queue up, post all slots, start.
 * 0, or the number of the step that failed, negative.
 */
int port_open(struct port *port, const char *name, uint8_t *base);

/* BYE. */
int64_t port_close(struct port *port);

/* An Ethernet header (local experimental type) and `length` bytes in all, into send buffer i. */
uint8_t *port_frame(struct port *port, uint32_t i, const uint8_t destination[ELISA_MAC_SIZE],
		    uint32_t length);

/* Descriptors for send buffers 0 .. count - 1 and the gate call: what it returned. */
int64_t port_send(struct port *port, uint32_t count, uint32_t length);

/*
 * The next packet that arrived: its length, its bytes at *data until the next call; 0: none. A slot that
 * came back without data is posted again and counted in *dropped.
 */
uint32_t port_receive(struct port *port, const uint8_t **data, uint64_t *dropped);

#endif
