/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * uplink_owners.h - vCPUs that have a queue of a NIC: waiting for them, and what becomes of a NIC when
 * one of them is lost or thrown out with a queue in its hands.
 *
 * Main thread, under the daemon's lock.
 */
#ifndef ELISA_DAEMON_UPLINK_OWNERS_H
#define ELISA_DAEMON_UPLINK_OWNERS_H

#include "uplinks.h"

/*
 * For an uplink that is DOWN: waits until no vCPU uses a queue. A parked one is thrown out. Bit q of
 * *lost: queue q still has an owner, which is out of the trusted context. -EBUSY: one stayed.
 */
int elisa_uplink_drain(struct elisa_domain *domain, unsigned int index, uint32_t nb_queues,
		       uint32_t *lost);

/* Frees the queues that the above found lost. */
void elisa_uplink_free_lost(struct elisa_switch *sw, unsigned int index, uint32_t lost);

/* While DOWN: tells the datapath where the driver has its queues. */
void elisa_uplink_set_queues(struct elisa_switch *sw, unsigned int index,
			     const struct elisa_nic *nic);

/*
 * A vCPU is out of the trusted context, by force or for good, and cannot enter while this runs. If it
 * has a queue of a NIC, the NIC is set up again: nobody knows in which state it left it. Returns
 * whether it had one.
 */
bool elisa_uplinks_vcpu_out(struct elisa_uplinks *uplinks, struct elisa_domain *domain,
			    uint32_t vcpu);

/* Once a second: links, NICs that are gone, NICs that could not be set up again yet. */
void elisa_uplinks_watch(struct elisa_uplinks *uplinks, struct elisa_domain *domain);

#endif
