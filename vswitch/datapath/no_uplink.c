/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * no_uplink.c - uplink.h where there is no NIC. Not in the trusted image.
 */
#include "vswitch/datapath/uplink.h"

uint32_t elisa_uplink_transmit(struct elisa_sender *sender, struct elisa_batch *batch,
			       uint32_t mask, uint32_t uplink, bool may_wait)
{
	uint32_t port = elisa_load(&sender->sw->uplinks[uplink].port) % ELISA_MAX_PORTS;

	(void)batch;
	(void)may_wait;
	for (; mask; mask &= mask - 1) {
		sender->counters.drops[ELISA_DROP_UPLINK_DOWN]++;
		elisa_count(&sender->sw->received[port].drops[ELISA_DROP_UPLINK_DOWN], 1);
	}
	return 0;
}

uint32_t elisa_uplink_poll(const struct elisa_context *context, uint32_t uplink, uint32_t budget)
{
	(void)context;
	(void)uplink;
	(void)budget;
	return 0;
}
