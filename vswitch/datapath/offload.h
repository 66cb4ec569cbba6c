/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * offload.h - is a packet what its descriptor's CSUM and TSO say (elisa/ring.h)?
 */
#ifndef ELISA_VSWITCH_DATAPATH_OFFLOAD_H
#define ELISA_VSWITCH_DATAPATH_OFFLOAD_H

#include "vswitch/datapath/packet.h"

/*
 * Check `flags` (CSUM, TSO, IP_CSUM) and meta of a packet that is read, against its private header, and
 * keep CSUM and TSO in the packet and fill in the IPv4 header checksum; or set its reason to
 * ELISA_DROP_BAD_OFFLOAD: flags and meta are then not to be used. What passes:
 *	l2_length: Ethernet and up to two VLAN tags, as they are; l3_length: the IP header as it is;
 *	TCP or UDP as meta says, no fragment, all of it inside the packet;
 *	TSO: TCP, mss at least ELISA_MIN_MSS, payload, segments no longer than the port's MTU allows.
 */
void elisa_offload_check(const struct elisa_sender *sender, struct elisa_packet *packet,
			 uint32_t flags, uint32_t meta);

/* Bytes of all headers of a packet with TSO that was checked. */
uint32_t elisa_offload_header_length(const struct elisa_packet *packet);

#endif
