/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * route.h - a batch of packets, whoever sent it: decided, and delivered to ports and uplinks.
 */
#ifndef ELISA_VSWITCH_DATAPATH_ROUTE_H
#define ELISA_VSWITCH_DATAPATH_ROUTE_H

#include "vswitch/datapath/packet.h"

/*
 * Forward and deliver the packets of a batch, or drop them, and count both in the sender's private
 * counters. Packets with a reason are dropped for it. Returns the first packet not taken because a
 * receiver with back-pressure is full; nb_packets: all were taken.
 */
uint32_t elisa_route(struct elisa_sender *sender, struct elisa_batch *batch);

#endif
