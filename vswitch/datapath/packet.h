/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packet.h - private copies of what a sender asked for, and the state of one transmit call.
 *
 * All of it lives on the trusted stack of the call. The first bytes of a packet are read once, into
 * `header`: policy decides on them, and they are what the receivers get. The rest is copied from
 * the sender's buffers when it is delivered, and nothing is decided on it.
 */
#ifndef ELISA_VSWITCH_DATAPATH_PACKET_H
#define ELISA_VSWITCH_DATAPATH_PACKET_H

#include "vswitch/datapath/copy.h"
#include "vswitch/datapath/counters.h"
#include "vswitch/datapath/desc.h"
#include "vswitch/datapath/region.h"
#include "vswitch/datapath/switch.h"

/* Room for Ethernet, two VLAN tags, IPv4 with all options, and TCP up to its data offset. */
#define ELISA_HEADER_SIZE 96u
#define ELISA_BATCH_PACKETS 32u /* bits of a packet mask */
#define ELISA_BATCH_SEGMENTS 96u

struct elisa_segment {
	uint64_t address; /* translated */
	uint32_t length;
};

struct elisa_packet {
	_Alignas(16) uint8_t header[ELISA_HEADER_SIZE];
	uint32_t length;        /* bytes, all of it */
	uint16_t header_length; /* of them in `header` */
	uint16_t first_segment; /* of the batch: the bytes after the header */
	uint16_t nb_segments;
	uint16_t first_desc; /* index in the transmit window */
	uint16_t flags;      /* ELISA_DESC_CSUM, _TSO, _GOOD: checked, and meta with them */
	uint32_t meta;       /* elisa_desc_meta(), valid with CSUM */
	uint8_t reason;      /* enum elisa_drop_reason: do not deliver */
	uint8_t port;        /* where to, or ELISA_FDB_NONE = flood */
};

struct elisa_batch {
	struct elisa_packet packets[ELISA_BATCH_PACKETS];
	struct elisa_segment segments[ELISA_BATCH_SEGMENTS];
	uint32_t nb_packets;
	uint32_t nb_segments;
};

/* More headers than fit in struct elisa_packet: of the longest packet that TSO allows. */
#define ELISA_LONG_HEADER 192u

/*
 * Working memory of one call: too large for a host kernel's stack. Each vCPU has its own; it
 * holds nothing between calls.
 */
struct elisa_workspace {
	struct elisa_batch batch;  /* what the sender sent, or an uplink received */
	struct elisa_batch pieces; /* segments of one of its TSO packets */
	_Alignas(16) uint8_t headers[ELISA_BATCH_PACKETS][ELISA_LONG_HEADER]; /* of pieces */
};

struct elisa_sender {
	struct elisa_switch *sw;
	const struct elisa_port_map *maps;
	struct elisa_capture *capture; /* capture.h; NULL: no port captures */
	struct elisa_workspace *workspace;
	bool in_host;         /* context.h */
	bool may_use_uplinks; /* context.h */
	const struct elisa_desc *window;
	uint32_t nb_descs; /* the call's count */
	uint32_t vcpu;
	uint32_t port;
	uint32_t queue;
	uint32_t max_frame; /* bytes */
	struct elisa_view view;
	bool waited; /* for an uplink's queue: a call does so once */

	/* The port's policy: ELISA_RULE_*. With a rate or storm limit, the time of the call. */
	uint32_t rules;
	bool has_clock;
	uint64_t now; /* as buckets count it, bucket.h */

	/* What the packet before had: most have the same. ELISA_NO_MAC = none yet. */
	uint64_t last_source;
	uint64_t last_destination;
	uint32_t last_port;

	/* Added to the port's counters once, at the end of the call. */
	struct elisa_send_counters counters;
};

/* No address: those have 48 bits. */
#define ELISA_NO_MAC ~0ull

/* First and second address of a packet, as numbers. */
static inline uint64_t elisa_packet_destination(const struct elisa_packet *packet)
{
	return __builtin_bswap64(*(const elisa_u64u *)packet->header) >> 16;
}

static inline uint64_t elisa_packet_source(const struct elisa_packet *packet)
{
	return __builtin_bswap64(*(const elisa_u64u *)(packet->header + 6)) >> 16;
}

#endif
