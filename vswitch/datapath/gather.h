/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gather.h - from a sender's descriptors to private packets.
 */
#ifndef ELISA_VSWITCH_DATAPATH_GATHER_H
#define ELISA_VSWITCH_DATAPATH_GATHER_H

#include "vswitch/datapath/packet.h"

/*
 * Read packets from descriptor `first` of the call on, as many as the batch holds, each with
 * `reason` set if it cannot be sent. Returns the first descriptor not read.
 */
uint32_t elisa_gather(struct elisa_sender *sender, struct elisa_batch *batch, uint32_t first);

#endif
