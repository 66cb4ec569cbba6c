/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spread.h - packets for one port: cut if it must be, and to which of its queues.
 */
#ifndef ELISA_VSWITCH_DATAPATH_SPREAD_H
#define ELISA_VSWITCH_DATAPATH_SPREAD_H

#include "vswitch/datapath/packet.h"

/*
 * Deliver the packets of `mask`, in order within each queue, to `port`, which has
 * ELISA_PORT_STARTED in `port_flags`, or drop and count them (deliver.h).
 *
 * Without RSS a sender's queue q fills queue q. A TSO packet for a port that does not take them is
 * cut: the sender's `segments` counts what that adds, and each segment is delivered or dropped for
 * itself. It waits for a full ring only as a whole; once its first segments are delivered, those
 * that find no slot are dropped.
 * Returns the packets that wait: the last ones of `mask`, or 0.
 */
uint32_t elisa_spread(struct elisa_sender *sender, struct elisa_batch *batch, uint32_t mask,
		      uint32_t port, uint32_t port_flags, bool may_wait);

#endif
