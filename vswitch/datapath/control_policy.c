/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control_policy.c - the daemon sets and reads a port's policy, while vCPUs decide by it.
 *
 * Not in the trusted image.
 */
#include <errno.h>
#include <string.h>

#include "vswitch/datapath/bucket.h"
#include "vswitch/datapath/control_policy.h"
#include "vswitch/datapath/packet.h"

#define MIN_TSC_HZ 1000000ull
#define MAX_TSC_HZ 10000000000ull
#define MAX_VLAN 4094u

/* What one packet can cost: tokens times the largest cost have to fit in a word. */
#define MAX_PIECES (ELISA_MAX_FRAME / ELISA_MIN_MSS + 1)
#define MAX_PIECES_BYTES (ELISA_MAX_FRAME + MAX_PIECES * ELISA_LONG_HEADER)

ELISA_STATIC_ASSERT((MAX_TSC_HZ << ELISA_BUCKET_COST_BITS) <= ~0ull / MAX_PIECES,
		    "a packet's cost fits in a word, at one packet per second");
ELISA_STATIC_ASSERT((MAX_TSC_HZ << ELISA_BUCKET_COST_BITS) / ELISA_RATE_MIN_BYTES <=
			    ~0ull / MAX_PIECES_BYTES,
		    "its bytes' cost does, at the lowest rate of bytes");
ELISA_STATIC_ASSERT((MAX_TSC_HZ << ELISA_BUCKET_COST_BITS) <= ~0ull / ELISA_BURST_MAX_SECONDS,
		    "a burst's cost does");

static int check_port(const struct elisa_switch *sw, unsigned int port)
{
	if (port >= ELISA_MAX_PORTS)
		return -ERANGE;
	return elisa_load(&sw->config[port].present) ? 0 : -ENODEV;
}

void elisa_policy_begin(struct elisa_switch *sw, unsigned int port, uint32_t learning_limit)
{
	memset(&sw->limits[port], 0, sizeof(sw->limits[port]));
	elisa_store(&sw->config[port].rules, 0);
	elisa_store(&sw->config[port].learning_limit, learning_limit);
}

/* The list is there if and only if the guard is, but for a guard of IP that lets none through. */
static bool lists_are_valid(const struct elisa_port_policy *policy)
{
	uint32_t flags = policy->flags;

	if (policy->nb_ipv4 > ELISA_POLICY_ADDRESSES || policy->nb_ipv6 > ELISA_POLICY_ADDRESSES ||
	    policy->nb_vlans > ELISA_POLICY_ADDRESSES)
		return false;
	for (uint32_t i = 0; i < policy->nb_vlans; i++)
		if (policy->vlans[i] > MAX_VLAN)
			return false;
	return (!policy->nb_ipv4 || flags & ELISA_POLICY_GUARD_IPV4) &&
	       (!policy->nb_ipv6 || flags & ELISA_POLICY_GUARD_IPV6) &&
	       !policy->nb_vlans == !(flags & ELISA_POLICY_GUARD_VLAN);
}

/* What a bucket needs: `min_burst` is the least that is kept without a word about it. */
static int convert_rate(struct elisa_bucket_rate *to, const struct elisa_rate *from,
			uint64_t min_rate, uint64_t min_burst, uint64_t tsc_hz)
{
	to->per_second = from->per_second;
	if (!from->per_second)
		return from->burst ? -EINVAL : 0;
	if (tsc_hz < MIN_TSC_HZ || tsc_hz > MAX_TSC_HZ || from->per_second < min_rate ||
	    from->per_second > ELISA_RATE_MAX)
		return -EINVAL;
	to->burst = from->burst;
	if (!to->burst)
		to->burst = from->per_second / 100 > min_burst ? from->per_second / 100 : min_burst;
	if (to->burst > from->per_second * ELISA_BURST_MAX_SECONDS)
		return -EINVAL;
	to->cost = (tsc_hz << ELISA_BUCKET_COST_BITS) / from->per_second;
	to->tolerance = elisa_bucket_cost(to, to->burst);
	return 0;
}

static int convert(struct elisa_port_rules *rules, const struct elisa_port_policy *policy,
		   uint64_t tsc_hz)
{
	int error;

	memset(rules, 0, sizeof(*rules));
	rules->flags = policy->flags;
	rules->nb_ipv4 = policy->nb_ipv4;
	rules->nb_ipv6 = policy->nb_ipv6;
	rules->nb_vlans = policy->nb_vlans;
	memcpy(rules->ipv4, policy->ipv4, policy->nb_ipv4 * sizeof(policy->ipv4[0]));
	memcpy(rules->ipv6, policy->ipv6, policy->nb_ipv6 * sizeof(policy->ipv6[0]));
	for (uint32_t i = 0; i < policy->nb_vlans; i++)
		rules->vlans[i] = policy->vlans[i];
	error = convert_rate(&rules->packets, &policy->packets, 1, ELISA_BURST_MIN_PACKETS, tsc_hz);
	if (!error)
		error = convert_rate(&rules->bytes, &policy->bytes, ELISA_RATE_MIN_BYTES,
				     ELISA_BURST_MIN_BYTES, tsc_hz);
	if (!error)
		error = convert_rate(&rules->storm, &policy->storm, 1, ELISA_BURST_MIN_PACKETS,
				     tsc_hz);
	return error;
}

static uint32_t rules_to_look_at(const struct elisa_port_rules *rules)
{
	uint32_t look = 0;

	if (rules->flags & ELISA_POLICY_PRIVATE)
		look |= ELISA_RULE_PRIVATE;
	if (rules->flags & ELISA_POLICY_GUARDS)
		look |= ELISA_RULE_GUARD;
	if (rules->packets.per_second || rules->bytes.per_second)
		look |= ELISA_RULE_RATE;
	if (rules->storm.per_second)
		look |= ELISA_RULE_STORM;
	return look;
}

/* Word by word: a vCPU that has slept since the version before reads what is written here. */
static void write_rules(struct elisa_port_rules *to, const struct elisa_port_rules *from)
{
	const uint64_t *words = (const uint64_t *)from;

	ELISA_STATIC_ASSERT(sizeof(*from) % sizeof(*words) == 0, "rules are whole words");
	/* Who reads one of them does not find the version that they are not in force in any more. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (size_t i = 0; i < sizeof(*from) / sizeof(*words); i++)
		elisa_store((uint64_t *)to + i, words[i]);
}

/*
 * A bucket counts in time that its rate makes of tokens. At a higher rate a debt of tokens would be one of
 * minutes: another rate begins with a burst.
 */
static void begin_changed(uint64_t *bucket, const struct elisa_bucket_rate *before,
			  const struct elisa_bucket_rate *rate)
{
	if (before->cost != rate->cost || before->tolerance != rate->tolerance)
		elisa_store(bucket, 0);
}

int elisa_switch_port_set_policy(struct elisa_switch *sw, unsigned int port,
				 const struct elisa_port_policy *policy, uint64_t tsc_hz)
{
	int error = check_port(sw, port);
	struct elisa_port_config *config;
	const struct elisa_port_rules *before;
	struct elisa_port_limits *limits;
	struct elisa_port_rules rules;
	uint64_t version;

	if (error)
		return error;
	config = &sw->config[port];
	limits = &sw->limits[port];
	if (elisa_load(&config->uplink) || policy->flags & ~ELISA_POLICY_FLAGS ||
	    !lists_are_valid(policy))
		return -EINVAL;
	error = convert(&rules, policy, tsc_hz);
	if (error)
		return error;
	before = &limits->rules[elisa_load(&limits->version) & 1];
	version = elisa_load(&limits->version) + 1;
	write_rules(&limits->rules[version & 1], &rules);
	/* Pairs with the load-acquire of who decides: it finds the rules whole. */
	elisa_store_release(&limits->version, version);
	begin_changed(&limits->packets, &before->packets, &rules.packets);
	begin_changed(&limits->bytes, &before->bytes, &rules.bytes);
	begin_changed(&limits->storm, &before->storm, &rules.storm);
	elisa_store(&config->learning_limit, policy->learning_limit);
	elisa_store_release(&config->rules, rules_to_look_at(&rules));
	return 0;
}

int elisa_switch_port_policy(const struct elisa_switch *sw, unsigned int port,
			     struct elisa_port_policy *policy)
{
	int error = check_port(sw, port);
	const struct elisa_port_rules *rules;

	if (error)
		return error;
	/* The caller is the one thread that writes them. */
	rules = &sw->limits[port].rules[elisa_load(&sw->limits[port].version) & 1];
	memset(policy, 0, sizeof(*policy));
	policy->flags = rules->flags;
	policy->learning_limit = elisa_load(&sw->config[port].learning_limit);
	policy->packets = (struct elisa_rate){rules->packets.per_second, rules->packets.burst};
	policy->bytes = (struct elisa_rate){rules->bytes.per_second, rules->bytes.burst};
	policy->storm = (struct elisa_rate){rules->storm.per_second, rules->storm.burst};
	policy->nb_ipv4 = rules->nb_ipv4;
	policy->nb_ipv6 = rules->nb_ipv6;
	policy->nb_vlans = rules->nb_vlans;
	memcpy(policy->ipv4, rules->ipv4, sizeof(policy->ipv4));
	memcpy(policy->ipv6, rules->ipv6, sizeof(policy->ipv6));
	for (uint32_t i = 0; i < rules->nb_vlans; i++)
		policy->vlans[i] = rules->vlans[i];
	return 0;
}
