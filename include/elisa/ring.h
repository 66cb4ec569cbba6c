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
 *
 * Offloads, on the first descriptor of a packet, with `meta` as below, in both directions:
 *	CSUM	the TCP or UDP checksum field is not valid and need not be: nobody looked at the
 *		packet yet, or who sent it knows that it is whole. Whoever needs it computes it all.
 *	TSO	with CSUM, TCP only: the packet is to be cut into segments of meta's mss bytes of
 *		payload before it leaves the host. IPv4 total length (or IPv6 payload length) and
 *		header checksum are those of the long packet.
 *	IP_CSUM	transmit only: the IPv4 header checksum is not filled in; the switch fills it in.
 *		With CSUM or alone; alone, meta's l4 and mss are 0.
 *	GOOD	receive only, without CSUM: an uplink checked the IP and L4 checksums.
 * A receiver that did not ask for CSUM or TSO (ELISA_PORT_RX_*) gets finished packets.
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
			uint32_t meta;   /* with CSUM or IP_CSUM: elisa_desc_meta(); else 0 */
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
#define ELISA_DESC_CSUM 0x0020u
#define ELISA_DESC_TSO 0x0040u
#define ELISA_DESC_GOOD 0x0080u
#define ELISA_DESC_IP_CSUM 0x0100u

/*
 * meta: mss:14 | l4:2 | l3_length:9 | l2_length:7. Lengths of headers in bytes; the L4 header
 * begins at l2_length + l3_length. mss = 0 without TSO. l4 is one of ELISA_L4_*.
 */
#define ELISA_L4_TCP 1u
#define ELISA_L4_UDP 2u

static inline uint32_t elisa_desc_meta(uint32_t l2_length, uint32_t l3_length, uint32_t l4,
				       uint32_t mss)
{
	return (mss & 0x3fff) << 18 | (l4 & 3) << 16 | (l3_length & 0x1ff) << 7 |
	       (l2_length & 0x7f);
}

static inline uint32_t elisa_meta_l2_length(uint32_t meta)
{
	return meta & 0x7f;
}

static inline uint32_t elisa_meta_l3_length(uint32_t meta)
{
	return meta >> 7 & 0x1ff;
}

static inline uint32_t elisa_meta_l4(uint32_t meta)
{
	return meta >> 16 & 3;
}

static inline uint32_t elisa_meta_mss(uint32_t meta)
{
	return meta >> 18;
}

#define ELISA_MIN_MSS 64u /* less is ELISA_DROP_BAD_OFFLOAD: work for one packet stays bounded */

#define ELISA_MIN_RING 8u      /* descriptors of a receive ring or transmit window */
#define ELISA_MAX_RING 32768u  /* both are powers of two */
#define ELISA_MAX_BURST 256u   /* descriptors in one gate call */
#define ELISA_MAX_SEGMENTS 48u /* descriptors of one packet: 64 KiB in buffers of 2 KiB, and some */
#define ELISA_MIN_FRAME 14u    /* bytes: an Ethernet header */
#define ELISA_MAX_FRAME 65557u /* with TSO: ELISA_FRAME_OVERHEAD and the longest IP packet */

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
 * ELISA_CALL_POLL	port | queue << 16, budget: packets to take (1..ELISA_MAX_BURST)
 *	looks at the switch's uplinks and delivers what came in, to whichever ports it is for.
 *	returns the number of packets taken from uplinks; 0: nothing there, or another vCPU is at it.
 *	-ENOENT	the switch has no uplink, or the vCPU cannot use one (CR4.FSGSBASE is clear): no
 *	need to ask often
 *	-EINVAL, -EPERM, -ENODEV as above
 *
 * ELISA_CALL_NOP	0, 0
 *	returns 0: a round trip and nothing else.
 */
#define ELISA_CALL_NOP 0u
#define ELISA_CALL_TX 1u
#define ELISA_CALL_POLL 2u

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
	ELISA_DROP_BAD_OFFLOAD,        /* headers are not what CSUM or TSO said */
	ELISA_DROP_UPLINK_FULL,        /* the NIC's ring or its mbuf pool */
	ELISA_DROP_UPLINK_BUSY,        /* another vCPU had the NIC's queue for too long */
	ELISA_DROP_UPLINK_DOWN,        /* no link, or the uplink is being set up or taken away */
	ELISA_DROP_UPLINK_MTU,         /* longer than the uplink's MTU allows */
	ELISA_DROP_UPLINK_ERROR, /* the NIC marked the received frame as bad, or it is malformed */
	ELISA_DROP_SOURCE_GUARD, /* a source that the port's policy does not allow it */
	ELISA_DROP_RATE_LIMIT,   /* more than the port's policy lets it send */
	ELISA_DROP_STORM_LIMIT,  /* more than the port's policy lets it have flooded */
	ELISA_DROP_PRIVATE_PORT, /* from one private port to another */
	ELISA_DROP_REASONS
};

#endif
