/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * route.c - a batch: runs of packets for one receiver, floods, uplinks.
 *
 * In the trusted image. Touches no guest memory itself.
 */
#include "vswitch/datapath/fdb.h"
#include "vswitch/datapath/forward.h"
#include "vswitch/datapath/mask.h"
#include "vswitch/datapath/policy.h"
#include "vswitch/datapath/route.h"
#include "vswitch/datapath/spread.h"
#include "vswitch/datapath/tap.h"
#include "vswitch/datapath/uplink.h"

/* Packets first .. end - 1 of a batch; end is 1..32. */
static uint32_t mask_between(uint32_t first, uint32_t end)
{
	return ~0u >> (ELISA_BATCH_PACKETS - end) & ~0u << first;
}

/* Does the port exist, and may packets be delivered to it? */
static bool is_receiver(const struct elisa_sender *sender, uint32_t port, uint32_t *flags)
{
	*flags = elisa_load_acquire(&sender->maps[port].flags);
	return *flags & ELISA_PORT_STARTED && elisa_load(&sender->sw->config[port].present);
}

/* The uplink that a port number stands for, or ELISA_MAX_UPLINKS: it is a guest's. */
static uint32_t find_uplink(const struct elisa_sender *sender, uint32_t port)
{
	uint32_t uplink = elisa_load(&sender->sw->config[port].uplink) - 1;

	return uplink < ELISA_MAX_UPLINKS ? uplink : ELISA_MAX_UPLINKS;
}

/*
 * Flooded packets go to every other port that wants them. They never wait for a full receiver: one
 * slow port would hold up the others' broadcasts.
 */
static void flood(struct elisa_sender *sender, struct elisa_batch *batch, uint32_t mask)
{
	uint64_t ports = elisa_load(&sender->sw->ports) & ~(1ull << sender->port);
	uint32_t reached = 0;

	for (; ports; ports &= ports - 1) {
		uint32_t port = __builtin_ctzll(ports);
		uint32_t uplink = find_uplink(sender, port);
		uint32_t wanted;
		uint32_t flags;

		if (uplink < ELISA_MAX_UPLINKS) {
			elisa_uplink_transmit(sender, batch, mask, uplink, false);
			reached = mask;
			continue;
		}
		if (!is_receiver(sender, port, &flags) || elisa_policy_separates(sender, port))
			continue;
		wanted = elisa_forward_filter(sender, batch, mask, port, flags);
		if (wanted)
			elisa_spread(sender, batch, wanted, port, flags, false);
		reached |= wanted;
	}
	for (; mask; mask &= mask - 1) {
		sender->counters.flooded++;
		if (!(mask & -mask & reached))
			sender->counters.drops[ELISA_DROP_NO_DESTINATION]++;
	}
}

/* Packets first .. end - 1 have the same destination. Returns the first not taken. */
static uint32_t send_run(struct elisa_sender *sender, struct elisa_batch *batch, uint32_t first,
			 uint32_t end)
{
	uint32_t port = batch->packets[first].port;
	uint32_t mask = mask_between(first, end);
	uint32_t uplink;
	uint32_t flags;
	bool may_wait;

	if (port == ELISA_FDB_NONE) {
		flood(sender, batch, mask);
		return end;
	}
	port &= elisa_below_mask(port, ELISA_MAX_PORTS);
	/* What came from a wire has nowhere to wait. */
	may_wait = sender->window && elisa_load(&sender->sw->config[port].backpressure);
	uplink = find_uplink(sender, port);
	if (uplink < ELISA_MAX_UPLINKS) {
		mask = elisa_uplink_transmit(sender, batch, mask, uplink, may_wait);
		return mask ? (uint32_t)__builtin_ctz(mask) : end;
	}
	if (!is_receiver(sender, port, &flags)) {
		sender->counters.drops[ELISA_DROP_NO_DESTINATION] += end - first;
		return end;
	}
	if (elisa_policy_separates(sender, port)) {
		sender->counters.drops[ELISA_DROP_PRIVATE_PORT] += end - first;
		return end;
	}
	mask = elisa_spread(sender, batch, mask, port, flags, may_wait);
	return mask ? (uint32_t)__builtin_ctz(mask) : end;
}

static uint32_t send_batch(struct elisa_sender *sender, struct elisa_batch *batch)
{
	uint32_t first = 0;

	while (first < batch->nb_packets) {
		const struct elisa_packet *packet = &batch->packets[first];
		uint32_t end = first + 1;
		uint32_t taken;

		if (packet->reason != ELISA_DROP_NONE) {
			sender->counters.drops[packet->reason]++;
			first++;
			continue;
		}
		while (end < batch->nb_packets && batch->packets[end].port == packet->port &&
		       batch->packets[end].reason == ELISA_DROP_NONE)
			end++;
		taken = send_run(sender, batch, first, end);
		if (taken < end)
			return taken;
		first = end;
	}
	return first;
}

/* Where does each packet go, and does the port's policy let it? */
static void decide(struct elisa_sender *sender, struct elisa_batch *batch,
		   struct elisa_charges *charges)
{
	charges->rated = 0;
	charges->flooded = 0;
	if (elisa_unlikely(sender->rules & (ELISA_RULE_GUARD | ELISA_RULE_RATE)))
		elisa_policy_admit(sender, batch, charges);
	for (uint32_t i = 0; i < batch->nb_packets; i++)
		if (elisa_likely(batch->packets[i].reason == ELISA_DROP_NONE))
			elisa_forward(sender, &batch->packets[i]);
	if (elisa_unlikely(sender->rules & ELISA_RULE_STORM))
		elisa_policy_flood(sender, batch, charges);
}

uint32_t elisa_route(struct elisa_sender *sender, struct elisa_batch *batch)
{
	struct elisa_charges charges;
	struct elisa_tap tap;
	uint32_t taken;

	elisa_tap_open(&tap, sender, sender->port, ELISA_CAPTURE_IN, true);
	decide(sender, batch, &charges);
	taken = send_batch(sender, batch);
	for (uint32_t i = 0; i < taken; i++)
		sender->counters.bytes += batch->packets[i].length;
	sender->counters.packets += taken;
	for (uint32_t i = 0; elisa_unlikely(tap.bytes) && i < taken; i++)
		elisa_tap_show(&tap, sender, batch, &batch->packets[i]);
	if (taken < batch->nb_packets) {
		sender->counters.backpressure++;
		if (elisa_unlikely(charges.rated | charges.flooded))
			elisa_policy_give_back(sender, batch, taken, &charges);
	}
	return taken;
}
