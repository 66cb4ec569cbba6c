/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * forward.h - who gets a packet: addresses, learning, and receivers' filters.
 */
#ifndef ELISA_VSWITCH_DATAPATH_FORWARD_H
#define ELISA_VSWITCH_DATAPATH_FORWARD_H

#include "vswitch/datapath/packet.h"

/*
 * Learn the packet's source and set its `port`: the one that has the destination, or
 * ELISA_FDB_NONE for broadcast, multicast and addresses not known. Sets `reason` when the packet
 * cannot be forwarded. Only for packets without a reason yet.
 */
void elisa_forward(struct elisa_sender *sender, struct elisa_packet *packet);

/*
 * Of the packets in `mask`, which are flooded, those that `port` wants, as a network interface would
 * filter them: broadcast always, its own address always, other unicast if promiscuous, multicast
 * if promiscuous or all-multicast.
 */
uint32_t elisa_forward_filter(const struct elisa_sender *sender, const struct elisa_batch *batch,
			      uint32_t mask, uint32_t port, uint32_t port_flags);

#endif
