/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * owner.h - taking a queue of a NIC, whole, and giving it back. Who finds all queues taken goes on
 * without, at the latest after a bounded number of tries: their owners may have stopped for good.
 */
#ifndef ELISA_UPLINK_OWNER_H
#define ELISA_UPLINK_OWNER_H

#include "vswitch/datapath/atomic.h"
#include "vswitch/datapath/switch.h"

/*
 * Take one queue of the uplink, the vCPU's own (vCPU % nb_queues) if it is free. NULL: all are in
 * use, or the uplink is not up.
 */
struct elisa_uplink_queue *elisa_owner_take(struct elisa_uplink *uplink, uint32_t vcpu);

/* The same, tried again for as long as a poll or a burst of another vCPU takes. Bounded. */
struct elisa_uplink_queue *elisa_owner_wait(struct elisa_uplink *uplink, uint32_t vcpu);

/* Take this queue. False: it is in use, or the uplink is not up. */
bool elisa_owner_take_queue(struct elisa_uplink *uplink, uint32_t queue, uint32_t vcpu);

void elisa_owner_give(struct elisa_uplink_queue *queue);

#endif
