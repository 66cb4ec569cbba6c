/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * capture.h - packets that pass captured ports, from the vCPUs that carry them to the daemon.
 *
 * struct elisa_capture is at ELISA_OFFSET_CAPTURE of the trusted context while any port has
 * elisa_port_config.capture, and the daemon has the same memory. Nothing else maps it. One ring for
 * each vCPU: its only producer is that vCPU, in the trusted context, its only consumer the daemon.
 *
 *	producer: record and bytes, then head (store-release)	-> consumer: head (load-acquire)
 *	consumer: reads or copies, then tail (store-release)	-> producer: tail (load-acquire)
 *
 * A producer never waits: without room it counts the packet as not captured. One that stops
 * half-way leaves a record that is not published; its next one takes the same place.
 *
 * The daemon sets ports' `capture` to 0 and waits for a grace period before it unmaps.
 */
#ifndef ELISA_VSWITCH_DATAPATH_CAPTURE_H
#define ELISA_VSWITCH_DATAPATH_CAPTURE_H

#include <elisa/layout.h>

#define ELISA_CAPTURE_ALIGN 32u
#define ELISA_CAPTURE_RINGS_AT 0x100000u /* where ring 0 begins; the others follow */
#define ELISA_CAPTURE_RING 0x7f000u /* bytes of one: a multiple of a page and of the alignment */

/* Before each packet's bytes. Size and place are multiples of ELISA_CAPTURE_ALIGN. */
struct elisa_capture_record {
	uint64_t stamp;    /* the vCPU's time-stamp counter */
	uint32_t size;     /* bytes to the next record, this one included */
	uint32_t length;   /* bytes of the packet */
	uint32_t captured; /* of them here: the first ones */
	uint16_t port;
	uint16_t kind;     /* enum elisa_capture_kind */
	uint64_t consumer; /* the daemon's, after the record is published; 0 before */
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_capture_record) == ELISA_CAPTURE_ALIGN, "capture record");

enum elisa_capture_kind {
	ELISA_CAPTURE_IN = 1, /* the port's guest sent it, or its NIC received it */
	ELISA_CAPTURE_OUT,    /* delivered to the port's guest, or given to its NIC */
	ELISA_CAPTURE_FILL,   /* no packet: the rest of the ring, too short for the next record */
};

/* head and tail count bytes since the ring was made; modulo ELISA_CAPTURE_RING they are places. */
struct elisa_capture_ring {
	_Alignas(64) uint64_t head;     /* producer */
	uint64_t lost[ELISA_MAX_PORTS]; /* producer: packets there was no room for */
	_Alignas(64) uint64_t tail;     /* consumer */
};

struct elisa_capture {
	_Alignas(64) uint32_t nb_rings; /* those of vCPUs below are mapped; only grows */
	struct elisa_capture_ring rings[ELISA_MAX_VCPUS];
	_Alignas(64) uint64_t no_ring[ELISA_MAX_PORTS]; /* packets of vCPUs beyond nb_rings */
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_capture) <= ELISA_CAPTURE_RINGS_AT, "capture header");
ELISA_STATIC_ASSERT(ELISA_CAPTURE_RINGS_AT + ELISA_MAX_VCPUS * (uint64_t)ELISA_CAPTURE_RING <=
			    ELISA_CAPTURE_MAX,
		    "capture fits in its place");
ELISA_STATIC_ASSERT(ELISA_CAPTURE_RING % ELISA_PAGE_SIZE == 0, "rings are whole pages");

/* Where the bytes of a ring are. */
static inline uint8_t *elisa_capture_bytes(struct elisa_capture *capture, uint32_t vcpu)
{
	return (uint8_t *)capture + ELISA_CAPTURE_RINGS_AT + (uint64_t)vcpu * ELISA_CAPTURE_RING;
}

#endif
