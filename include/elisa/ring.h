/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * ring.h - descriptors, who owns them when, and the gate call.
 *
 * A descriptor is 16 bytes: an address in the guest process, and one 64-bit word {length, flags,
 * meta} that is always read and written whole, so that ownership and length change together.
 *
 * Transmit window (struct elisa_desc[tx_size], in the sender's registered memory)
 *	Belongs to the sender. It fills the first `count` descriptors, flags = 0 or
 *	ELISA_DESC_MORE, and makes one gate call. The switch reads each descriptor once and writes
 *	none. When the call returns, the sender owns every buffer again: sending is synchronous.
 *
 * Receive ring (struct elisa_desc[rx_size], in the receiver's registered memory)
 *
 *	          addr, then word {room, POSTED|phase} (store-release, receiver)
 *	  receiver ------------------------------------------------------------> switch
 *	           <------------------------------------------------------------
 *	          word {length, DONE|phase[|MORE][|DROPPED], meta} (store-release, the sending vCPU)
 *
 *	The receiver posts and takes slots in order: slot i of lap n has phase n & 1. A slot whose
 *	word does not carry POSTED with the phase of the lap that the switch is in is not the
 *	switch's: the ring is full. The load-acquire of POSTED pairs with the receiver's
 *	store-release, the load-acquire of DONE with the sender's.
 *	Many vCPUs fill one ring at once: each claims a run of slots by compare-and-swap on a head
 *	in trusted memory. A slot claimed and not yet DONE stays POSTED.
 *	DONE|DROPPED with length 0 returns a slot without data: its sender was lost half-way.
 *
 * A packet in several descriptors has ELISA_DESC_MORE on all but its last.
 */
#ifndef ELISA_RING_H
#define ELISA_RING_H

#include "types.h"

struct elisa_desc {
	uint64_t addr; /* first byte of data, guest-virtual, in one registered region */
	union {
		uint64_t word;
		struct {
			uint16_t length; /* bytes: of data, or of room while POSTED; 1..65535 */
			uint16_t flags;  /* ELISA_DESC_* */
			uint32_t meta;   /* 0 */
		};
	};
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_desc) == 16, "descriptor");
ELISA_STATIC_ASSERT(offsetof(struct elisa_desc, word) == 8, "descriptor word");

#define ELISA_DESC_POSTED 0x0001u
#define ELISA_DESC_PHASE 0x0002u
#define ELISA_DESC_DONE 0x0004u
#define ELISA_DESC_MORE 0x0008u
#define ELISA_DESC_DROPPED 0x0010u

#define ELISA_MIN_RING 8u      /* descriptors of a receive ring or transmit window */
#define ELISA_MAX_RING 32768u  /* both are powers of two */
#define ELISA_MAX_BURST 256u   /* descriptors in one gate call */
#define ELISA_MAX_SEGMENTS 32u /* descriptors of one packet */
#define ELISA_MIN_FRAME 14u    /* bytes: an Ethernet header */
#define ELISA_MAX_FRAME 65535u

/*
 * The gate call: three arguments in RDI, RSI, RDX, result in RAX (signed). System V convention.
 *
 * ELISA_CALL_TX	port | queue << 16, number of descriptors in the transmit window (1..256)
 *	returns the number of descriptors taken, always whole packets, each delivered or dropped
 *	and counted. Less than asked: a receiver with back-pressure is full, try the rest again.
 *	-EINVAL	no such operation, count is 0 or beyond the window or ELISA_MAX_BURST
 *	-EPERM	the port is not this vCPU's
 *	-ENODEV	the port or its queue is not set up, or the gate is closed (no daemon, port deleted)
 *
 * ELISA_CALL_NOP	0, 0
 *	returns 0: a round trip and nothing else.
 */
#define ELISA_CALL_NOP 0u
#define ELISA_CALL_TX 1u

/* Why the switch dropped a packet. Counted for the sending port, and for the receiving one. */
enum elisa_drop_reason {
	ELISA_DROP_NONE = 0,
	ELISA_DROP_BAD_DESCRIPTOR, /* address outside the sender's regions, length 0, endless chain */
	ELISA_DROP_RUNT,           /* shorter than an Ethernet header */
	ELISA_DROP_GIANT,          /* longer than the sending port's MTU allows */
	ELISA_DROP_BAD_SOURCE,     /* source address is multicast or zero */
	ELISA_DROP_NO_DESTINATION, /* nobody to deliver to: own port, or no other port is started */
	ELISA_DROP_RECEIVER_FULL,  /* no posted slot */
	ELISA_DROP_RECEIVER_MTU,   /* longer than the receiving port's MTU allows */
	ELISA_DROP_BAD_RECEIVE_BUFFER, /* the receiver posted an address outside its regions */
	ELISA_DROP_SENDER_LOST,        /* the sending vCPU stopped for good while copying */
	ELISA_DROP_REASONS
};

#endif
