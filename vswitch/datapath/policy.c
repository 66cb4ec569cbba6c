/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy.c - see policy.h.
 *
 * In the trusted image. Called by route.c. Reads private copies of packets, writes the port's buckets.
 */
#include "vswitch/datapath/bucket.h"
#include "vswitch/datapath/cut.h"
#include "vswitch/datapath/guard.h"
#include "vswitch/datapath/policy.h"

/* Policies that may be set while one batch is looked at. */
#define GUARD_TRIES 4

static struct elisa_port_limits *limits_of(const struct elisa_sender *sender)
{
	return &sender->sw->limits[sender->port];
}

/* Those that were last set. Pairs with the store-release of elisa_switch_port_set_policy(). */
static const struct elisa_port_rules *rules_of(const struct elisa_port_limits *limits)
{
	return &limits->rules[elisa_load_acquire(&limits->version) & 1];
}

static uint32_t find_spoofed(const struct elisa_sender *sender, const struct elisa_batch *batch,
			     const struct elisa_port_rules *rules)
{
	uint64_t mac = elisa_load(&sender->sw->config[sender->port].mac);
	uint32_t found = 0;

	for (uint32_t i = 0; i < batch->nb_packets; i++)
		if (batch->packets[i].reason == ELISA_DROP_NONE &&
		    !elisa_guard_allows(rules, mac, &batch->packets[i]))
			found |= 1u << i;
	return found;
}

/* Decided on one policy, whole, however often it is set meanwhile; or nothing passes. */
static uint32_t guard(const struct elisa_sender *sender, const struct elisa_batch *batch)
{
	const struct elisa_port_limits *limits = limits_of(sender);

	for (unsigned int try = 0; try < GUARD_TRIES; try++) {
		uint64_t version = elisa_load_acquire(&limits->version);
		uint32_t found = find_spoofed(sender, batch, &limits->rules[version & 1]);

		if (elisa_likely(elisa_load(&limits->version) == version))
			return found;
	}
	return ~0u;
}

static bool take(const struct elisa_sender *sender, uint64_t *bucket,
		 const struct elisa_bucket_rate *rate, uint64_t nb)
{
	return !elisa_load(&rate->per_second) ||
	       elisa_bucket_take(bucket, sender->now, elisa_load(&rate->tolerance),
				 elisa_bucket_cost(rate, nb));
}

static void give(uint64_t *bucket, const struct elisa_bucket_rate *rate, uint64_t nb)
{
	if (elisa_load(&rate->per_second))
		elisa_bucket_give(bucket, elisa_bucket_cost(rate, nb));
}

static bool take_rate(const struct elisa_sender *sender, const struct elisa_packet *packet)
{
	struct elisa_port_limits *limits = limits_of(sender);
	const struct elisa_port_rules *rules = rules_of(limits);
	struct elisa_cut_size size = elisa_cut_size(packet);

	if (!sender->has_clock || !take(sender, &limits->packets, &rules->packets, size.frames))
		return false;
	if (take(sender, &limits->bytes, &rules->bytes, size.bytes))
		return true;
	give(&limits->packets, &rules->packets, size.frames);
	return false;
}

static bool take_storm(const struct elisa_sender *sender, const struct elisa_packet *packet)
{
	struct elisa_port_limits *limits = limits_of(sender);

	return sender->has_clock && take(sender, &limits->storm, &rules_of(limits)->storm,
					 elisa_cut_size(packet).frames);
}

void elisa_policy_admit(struct elisa_sender *sender, struct elisa_batch *batch,
			struct elisa_charges *charges)
{
	uint32_t spoofed = 0;

	if (sender->rules & ELISA_RULE_GUARD)
		spoofed = guard(sender, batch);
	for (uint32_t i = 0; i < batch->nb_packets; i++) {
		struct elisa_packet *packet = &batch->packets[i];

		if (packet->reason != ELISA_DROP_NONE)
			continue;
		if (spoofed >> i & 1)
			packet->reason = ELISA_DROP_SOURCE_GUARD;
		else if (!(sender->rules & ELISA_RULE_RATE))
			continue;
		else if (take_rate(sender, packet))
			charges->rated |= 1u << i;
		else
			packet->reason = ELISA_DROP_RATE_LIMIT;
	}
}

void elisa_policy_flood(struct elisa_sender *sender, struct elisa_batch *batch,
			struct elisa_charges *charges)
{
	for (uint32_t i = 0; i < batch->nb_packets; i++) {
		struct elisa_packet *packet = &batch->packets[i];

		if (packet->reason != ELISA_DROP_NONE || packet->port < ELISA_MAX_PORTS)
			continue;
		if (take_storm(sender, packet))
			charges->flooded |= 1u << i;
		else
			packet->reason = ELISA_DROP_STORM_LIMIT;
	}
}

void elisa_policy_give_back(struct elisa_sender *sender, const struct elisa_batch *batch,
			    uint32_t taken, const struct elisa_charges *charges)
{
	struct elisa_port_limits *limits = limits_of(sender);
	const struct elisa_port_rules *rules = rules_of(limits);

	for (uint32_t i = taken; i < batch->nb_packets; i++) {
		struct elisa_cut_size size;

		/* What took nothing may be no packet that has a size: refused, and its MSS 0. */
		if (!((charges->rated | charges->flooded) >> i & 1))
			continue;
		size = elisa_cut_size(&batch->packets[i]);
		if (charges->rated >> i & 1) {
			give(&limits->packets, &rules->packets, size.frames);
			give(&limits->bytes, &rules->bytes, size.bytes);
		}
		if (charges->flooded >> i & 1)
			give(&limits->storm, &rules->storm, size.frames);
	}
}
