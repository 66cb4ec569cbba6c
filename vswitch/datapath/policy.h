/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy.h - what of a batch the port's policy lets through. For packets of ports with rules
 * (struct elisa_sender, `rules`), in the order of the functions below.
 */
#ifndef ELISA_VSWITCH_DATAPATH_POLICY_H
#define ELISA_VSWITCH_DATAPATH_POLICY_H

#include "vswitch/datapath/packet.h"

/* Packets of the batch that took from a bucket. */
struct elisa_charges {
	uint32_t rated;
	uint32_t flooded;
};

/* Before anything is learned: guard and rate limit set the reason of packets that have none. */
void elisa_policy_admit(struct elisa_sender *sender, struct elisa_batch *batch,
			struct elisa_charges *charges);

/* When it is known where they go: the same for the storm limit and packets that are to be flooded. */
void elisa_policy_flood(struct elisa_sender *sender, struct elisa_batch *batch,
			struct elisa_charges *charges);

/* Packets from `taken` on were not taken: they come again. */
void elisa_policy_give_back(struct elisa_sender *sender, const struct elisa_batch *batch,
			    uint32_t taken, const struct elisa_charges *charges);

/* Is the way from the sender's port to `port` closed: are both private? */
static inline bool elisa_policy_separates(const struct elisa_sender *sender, uint32_t port)
{
	return elisa_unlikely(sender->rules & ELISA_RULE_PRIVATE) &&
	       elisa_load(&sender->sw->config[port].rules) & ELISA_RULE_PRIVATE;
}

#endif
