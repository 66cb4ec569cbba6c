/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deliver.h - copy packets into one receive ring.
 */
#ifndef ELISA_VSWITCH_DATAPATH_DELIVER_H
#define ELISA_VSWITCH_DATAPATH_DELIVER_H

#include "vswitch/datapath/packet.h"

/*
 * Deliver the packets of `mask`, in order, to a queue of `port`, which has ELISA_PORT_STARTED, or
 * drop and count them. A queue that is not set up is queue 0.
 * With `may_wait`, stop instead of dropping when the ring is full.
 * Returns the packets that were not taken because of that: the last ones of `mask`, or 0.
 *
 * A packet that is longer than the room of a slot takes several. One that would take more slots
 * than the ring or ELISA_MAX_SEGMENTS allows is dropped as if the ring were full; it never waits.
 * A slot whose buffer is bad goes back DONE|DROPPED, with the slots the packet had before it.
 * Checksums are finished for a port that did not ask for ELISA_DESC_CSUM.
 */
uint32_t elisa_deliver(struct elisa_sender *sender, struct elisa_batch *batch, uint32_t mask,
		       uint32_t port, uint32_t queue, bool may_wait);

#endif
