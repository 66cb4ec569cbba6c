// SPDX-License-Identifier: BSD-3-Clause
/*
 * world_policy.c - ports' policies: any of them is set, and what reached a receiver must be allowed by
 * the one in force. The clock is a fuzzer's too. See world.h.
 *
 * The oracle is weaker than the guard, and simpler: of what is tagged or not, it looks at addresses.
 */
#include <string.h>

#include "frame.h"
#include "vswitch/datapath/clock.h"
#include "vswitch/datapath/fdb.h"
#include "world.h"

#define TSC_HZ 1000000000ull

/* When each port's policy was set, and what it had sent by then. */
static struct {
	uint64_t tsc;
	uint64_t passed;
} since[WORLD_ALL_PORTS];

static uint64_t tsc;

/* Instead of vswitch/datapath/clock.c. */
uint64_t elisa_clock_rdtsc(void)
{
	return tsc;
}

/* Packets that took from the port's bucket. */
static uint64_t passed(const struct world *world, uint32_t port)
{
	static const enum elisa_drop_reason before[] = {
		ELISA_DROP_BAD_DESCRIPTOR, ELISA_DROP_RUNT,         ELISA_DROP_GIANT,
		ELISA_DROP_BAD_OFFLOAD,    ELISA_DROP_SOURCE_GUARD, ELISA_DROP_RATE_LIMIT,
		ELISA_DROP_UPLINK_ERROR};
	const struct elisa_send_counters *sent = &world->sw->sent[port];
	uint64_t nb = sent->packets;

	for (uint32_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		nb -= sent->drops[before[i]];
	return nb;
}

/* Addresses that write_frame() of commands.c makes in frames, by the number of tags. */
static void choose_addresses(struct elisa_port_policy *policy, uint32_t tags)
{
	for (uint32_t i = 0; i < policy->nb_ipv4; i++)
		for (uint32_t j = 0; j < 4; j++)
			policy->ipv4[i][j] = (26 + tags % 3 * 4 + j) * 11 + i;
	for (uint32_t i = 0; i < policy->nb_ipv6; i++)
		for (uint32_t j = 0; j < 16; j++)
			policy->ipv6[i][j] = (22 + tags % 3 * 4 + j) * 11 + i;
	for (uint32_t i = 0; i < policy->nb_vlans; i++)
		policy->vlans[i] = i ? 14 * 11 << 8 | 15 * 11 : 0;
}

static struct elisa_rate take_rate(struct input *input)
{
	struct elisa_rate rate = {take(input, 2), 0};

	rate.burst = rate.per_second ? take(input, 1) : 0;
	return rate;
}

void world_set_policy(struct world *world, struct input *input)
{
	uint32_t port = take(input, 1) % WORLD_ALL_PORTS, rates = take(input, 1);
	struct elisa_port_policy policy = {.flags = take(input, 1)};

	policy.learning_limit = take(input, 1);
	policy.nb_ipv4 = policy.flags & ELISA_POLICY_GUARD_IPV4 ? take(input, 1) : 0;
	policy.nb_ipv6 = policy.flags & ELISA_POLICY_GUARD_IPV6 ? take(input, 1) : 0;
	policy.nb_vlans = policy.flags & ELISA_POLICY_GUARD_VLAN ? take(input, 1) : 0;
	if (policy.nb_ipv4 <= 8 && policy.nb_ipv6 <= 8 && policy.nb_vlans <= 8)
		choose_addresses(&policy, rates >> 4);
	if (rates & 1)
		policy.packets = take_rate(input);
	if (rates & 2)
		policy.bytes = take_rate(input);
	if (rates & 4)
		policy.storm = take_rate(input);
	if (rates & 8)
		tsc += take(input, 4);
	if (elisa_switch_port_set_policy(world->sw, port, &policy, TSC_HZ))
		return;
	since[port].tsc = tsc;
	since[port].passed = passed(world, port);
}

static bool is_listed(const void *list, uint32_t nb, const uint8_t *address, uint32_t size)
{
	for (uint32_t i = 0; i < nb; i++)
		if (!memcmp((const uint8_t *)list + i * size, address, size))
			return true;
	return false;
}

static bool is_own_link_local(const uint8_t *address, uint32_t port)
{
	const uint8_t own[16] = {0xfe, 0x80, 0,    0,    0,    0,    0, 0,
				 0,    0xe1, 0x15, 0xff, 0xfe, 0xa0, 0, port};

	return !memcmp(address, own, 16);
}

void world_check_source(const struct world *world, uint32_t sender, const uint8_t *bytes,
			uint32_t length)
{
	static const uint8_t none[16];
	struct elisa_port_policy policy;
	struct frame frame = frame_parse(bytes, length);
	uint32_t type = frame_get16(bytes + frame.l2 - 2);
	const uint8_t *net = bytes + frame.l2;
	uint8_t mac[6];

	if (elisa_switch_port_policy(world->sw, sender, &policy))
		return;
	elisa_mac_from_number(world_mac(sender), mac);
	if (policy.flags & ELISA_POLICY_GUARD_MAC)
		CHECK(!memcmp(bytes + 6, mac, 6));
	if (policy.flags & ELISA_POLICY_GUARD_VLAN && frame.l2 == 14)
		CHECK(!policy.vlans[0]);
	if (policy.flags & ELISA_POLICY_GUARD_IPV4 && type == 0x0800)
		CHECK(is_listed(policy.ipv4, policy.nb_ipv4, net + 12, 4) ||
		      (frame.protocol == FRAME_UDP && !memcmp(net + 12, none, 4)));
	if (policy.flags & ELISA_POLICY_GUARD_IPV4 && type == 0x0806)
		CHECK(is_listed(policy.ipv4, policy.nb_ipv4, net + 14, 4) ||
		      !memcmp(net + 14, none, 4));
	if (policy.flags & ELISA_POLICY_GUARD_IPV6 && type == 0x86dd)
		CHECK(is_listed(policy.ipv6, policy.nb_ipv6, net + 8, 16) ||
		      is_own_link_local(net + 8, sender) || !memcmp(net + 8, none, 16));
	if (policy.flags & (ELISA_POLICY_GUARD_IPV4 | ELISA_POLICY_GUARD_IPV6))
		CHECK(type == 0x0800 || type == 0x0806 || type == 0x86dd);
}

static bool is_private(const struct world *world, uint32_t port)
{
	struct elisa_port_policy policy;

	return !elisa_switch_port_policy(world->sw, port, &policy) &&
	       policy.flags & ELISA_POLICY_PRIVATE;
}

/* What passed since the policy was set: what came in, a burst, one more, and what was rounded. */
static void check_rate(const struct world *world, uint32_t port)
{
	struct elisa_port_policy policy;
	uint64_t came_in;

	if (elisa_switch_port_policy(world->sw, port, &policy) || !policy.packets.per_second)
		return;
	came_in = (tsc - since[port].tsc) * policy.packets.per_second / TSC_HZ;
	CHECK(passed(world, port) - since[port].passed <= came_in + policy.packets.burst + 2);
}

static void check_learned(const struct world *world)
{
	uint64_t nb[ELISA_MAX_PORTS] = {0};

	for (uint32_t i = 0; i < world->sw->fdb_buckets * ELISA_FDB_WAYS; i++)
		if (world->sw->fdb[i] && !(world->sw->fdb[i] & ELISA_FDB_FIXED))
			nb[elisa_fdb_entry_port(world->sw->fdb[i])]++;
	for (uint32_t port = 0; port < WORLD_ALL_PORTS; port++)
		CHECK(world->sw->limits[port].learned == nb[port]);
}

void world_policy_check(const struct world *world, uint32_t sender, const uint64_t *received)
{
	check_learned(world);
	for (uint32_t port = 0; port < WORLD_ALL_PORTS; port++)
		check_rate(world, port);
	for (uint32_t port = 0; port < WORLD_PORTS; port++)
		if (sender < WORLD_PORTS && is_private(world, sender) && is_private(world, port))
			CHECK(!received[port]);
}
