/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * uplink.h - what the datapath asks of a NIC. vswitch/uplink/ answers in the trusted image; where no
 * NIC can be (gate=local, gate=vmcall, the unit tests of the rest), no_uplink.c does.
 */
#ifndef ELISA_VSWITCH_DATAPATH_UPLINK_H
#define ELISA_VSWITCH_DATAPATH_UPLINK_H

#include "vswitch/datapath/context.h"

/*
 * Send the packets of `mask`, in order, to a NIC in this call, or drop and count them: copied into
 * its mbufs, cut and checksummed in software. `uplink` is below ELISA_MAX_UPLINKS. With `may_wait`,
 * stop instead of dropping when the NIC's ring is full or its queue in use.
 * Returns the packets not taken because of that: the last ones of `mask`, or 0.
 * To a vCPU that may not use uplinks they are down.
 */
uint32_t elisa_uplink_transmit(struct elisa_sender *sender, struct elisa_batch *batch,
			       uint32_t mask, uint32_t uplink, bool may_wait);

/*
 * Take up to `budget` packets that a NIC received, 1..ELISA_MAX_BURST, and deliver them. The
 * context's vCPU may use uplinks; its workspace is used. Returns how many it took; 0 also if another
 * vCPU is at the queue.
 */
uint32_t elisa_uplink_poll(const struct elisa_context *context, uint32_t uplink, uint32_t budget);

#endif
