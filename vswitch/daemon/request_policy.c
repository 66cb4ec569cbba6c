// SPDX-License-Identifier: BSD-3-Clause
/* request_policy.c - what a port may send, as arguments and as a result; see requests.h. */
#include "arguments.h"
#include "requests.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define BITS 8u
#define GUARD_IP (ELISA_POLICY_GUARD_IPV4 | ELISA_POLICY_GUARD_IPV6)
#define MAX_VLAN 4094

static const struct {
	const char *name;
	uint32_t flags;
} guards[] = {
	{"mac", ELISA_POLICY_GUARD_MAC},
	{"ip", GUARD_IP},
	{"vlan", ELISA_POLICY_GUARD_VLAN},
};

#define GUARDS (sizeof(guards) / sizeof(guards[0]))

/* *list = NULL: absent. */
static int take_list(const json_t *arguments, const char *key, const json_t **list,
		     struct elisa_failure *failure)
{
	*list = json_object_get(arguments, key);
	if (!*list || json_is_array(*list))
		return 0;
	return elisa_fail(failure, -EINVAL, "'%s' has to be a list; an empty one is none", key);
}

/* A new rate comes with the datapath's own burst. */
static int take_rate(const json_t *arguments, const char *key, uint64_t low, uint64_t unit,
		     struct elisa_rate *rate, struct elisa_failure *failure)
{
	uint64_t given = 0;
	int result;

	if (!json_object_get(arguments, key))
		return 0;
	result = elisa_argument_limit(arguments, key, low * unit, ELISA_RATE_MAX * unit, 0, &given,
				      failure);
	if (!result)
		*rate = (struct elisa_rate){.per_second = given / unit};
	return result;
}

static int take_limits(const json_t *arguments, struct elisa_port_policy *policy,
		       struct elisa_failure *failure)
{
	uint64_t learn = policy->learning_limit;
	int result = take_rate(arguments, "rate_packets", 1, 1, &policy->packets, failure);

	if (!result)
		result = take_rate(arguments, "rate_bits", ELISA_RATE_MIN_BYTES, BITS,
				   &policy->bytes, failure);
	if (!result)
		result = take_rate(arguments, "storm", 1, 1, &policy->storm, failure);
	if (!result)
		result = elisa_argument_limit(arguments, "learn", 0, ELISA_FDB_MAX_CAPACITY,
					      ELISA_LEARNING_UNLIMITED, &learn, failure);
	policy->learning_limit = (uint32_t)learn;
	return result;
}

/* A list goes with its guard. */
static void drop_lists(struct elisa_port_policy *policy)
{
	if (!(policy->flags & GUARD_IP))
		policy->nb_ipv4 = policy->nb_ipv6 = 0;
	if (!(policy->flags & ELISA_POLICY_GUARD_VLAN))
		policy->nb_vlans = 0;
}

static int take_guard(const json_t *arguments, struct elisa_port_policy *policy,
		      struct elisa_failure *failure)
{
	const json_t *list, *value;
	int result = take_list(arguments, "guard", &list, failure);
	uint32_t flags = 0;
	size_t i;

	if (result || !list)
		return result;
	json_array_foreach((json_t *)list, i, value)
	{
		const char *text = json_string_value(value);
		unsigned int guard = 0;

		while (guard < GUARDS && (!text || strcmp(text, guards[guard].name)))
			guard++;
		if (guard == GUARDS)
			return elisa_fail(
				failure, -EINVAL,
				"'guard' has to be a list of \"mac\", \"ip\" and \"vlan\"");
		flags |= guards[guard].flags;
	}
	policy->flags = (policy->flags & ~ELISA_POLICY_GUARDS) | flags;
	drop_lists(policy);
	return 0;
}

/* 0.0.0.0, multicast and broadcast are no machine's address; nor are :: and multicast. */
static bool add_address(const char *text, struct elisa_port_policy *policy)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1) {
		if (bytes[0] == 0 || bytes[0] >= 224 || policy->nb_ipv4 == ELISA_POLICY_ADDRESSES)
			return false;
		memcpy(policy->ipv4[policy->nb_ipv4++], bytes, sizeof(policy->ipv4[0]));
		return true;
	}
	if (inet_pton(AF_INET6, text, bytes) != 1 || bytes[0] == 0xff ||
	    !memcmp(bytes, &in6addr_any, sizeof(bytes)) ||
	    policy->nb_ipv6 == ELISA_POLICY_ADDRESSES)
		return false;
	memcpy(policy->ipv6[policy->nb_ipv6++], bytes, sizeof(policy->ipv6[0]));
	return true;
}

static int take_addresses(const json_t *arguments, struct elisa_port_policy *policy,
			  struct elisa_failure *failure)
{
	const json_t *list, *value;
	int result = take_list(arguments, "allow_ip", &list, failure);
	size_t i;

	if (result || !list)
		return result;
	policy->nb_ipv4 = policy->nb_ipv6 = 0;
	json_array_foreach((json_t *)list, i, value)
	{
		const char *text = json_string_value(value);

		if (!text || !add_address(text, policy))
			return elisa_fail(failure, -EINVAL,
					  "'allow_ip' has to be a list of at most %u IPv4 and %u "
					  "IPv6 addresses, unicast and without a prefix%s%.64s",
					  ELISA_POLICY_ADDRESSES, ELISA_POLICY_ADDRESSES,
					  text ? ", not " : "", text ? text : "");
	}
	if (i && !(policy->flags & GUARD_IP))
		return elisa_fail(failure, -EINVAL,
				  "'allow_ip' says what the guard \"ip\" lets through, which the "
				  "port does not have; set both, or clear the list");
	return 0;
}

static int take_vlans(const json_t *arguments, struct elisa_port_policy *policy,
		      struct elisa_failure *failure)
{
	const json_t *list, *value;
	int result = take_list(arguments, "allow_vlan", &list, failure);
	size_t i;

	if (result)
		return result;
	if (list)
		policy->nb_vlans = 0;
	json_array_foreach((json_t *)list, i, value)
	{
		json_int_t vlan = json_integer_value(value);

		if (!json_is_integer(value) || vlan < 0 || vlan > MAX_VLAN ||
		    policy->nb_vlans == ELISA_POLICY_ADDRESSES)
			return elisa_fail(failure, -EINVAL,
					  "'allow_vlan' has to be a list of at most %u numbers "
					  "from 0 (without a tag) to %d",
					  ELISA_POLICY_ADDRESSES, MAX_VLAN);
		policy->vlans[policy->nb_vlans++] = (uint16_t)vlan;
	}
	if (!policy->nb_vlans == !(policy->flags & ELISA_POLICY_GUARD_VLAN))
		return 0;
	return elisa_fail(
		failure, -EINVAL,
		"the guard \"vlan\" and the VLANs in 'allow_vlan' have to be set together, "
		"and cleared together");
}

static int take_private(const json_t *arguments, struct elisa_port_policy *policy,
			struct elisa_failure *failure)
{
	const json_t *value = json_object_get(arguments, "private");

	if (!value)
		return 0;
	if (!json_is_boolean(value))
		return elisa_fail(failure, -EINVAL, "'private' has to be true or false");
	policy->flags &= ~ELISA_POLICY_PRIVATE;
	policy->flags |= json_is_true(value) ? ELISA_POLICY_PRIVATE : 0;
	return 0;
}

int elisa_request_policy(const json_t *arguments, struct elisa_port_policy *policy,
			 struct elisa_failure *failure)
{
	int result = take_limits(arguments, policy, failure);

	if (!result)
		result = take_guard(arguments, policy, failure);
	if (!result)
		result = take_addresses(arguments, policy, failure);
	if (!result)
		result = take_vlans(arguments, policy, failure);
	if (!result)
		result = take_private(arguments, policy, failure);
	return result;
}

static json_t *limit_json(uint64_t limit, uint64_t none)
{
	return limit == none ? json_null() : json_integer((json_int_t)limit);
}

static json_t *guard_json(const struct elisa_port_policy *policy)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < GUARDS; i++) {
		if (policy->flags & guards[i].flags)
			json_array_append_new(list, json_string(guards[i].name));
	}
	return list;
}

static json_t *addresses_json(const struct elisa_port_policy *policy)
{
	char text[INET6_ADDRSTRLEN];
	json_t *list = json_array();

	for (unsigned int i = 0; i < policy->nb_ipv4; i++)
		json_array_append_new(
			list, json_string(inet_ntop(AF_INET, policy->ipv4[i], text, sizeof(text))));
	for (unsigned int i = 0; i < policy->nb_ipv6; i++)
		json_array_append_new(list, json_string(inet_ntop(AF_INET6, policy->ipv6[i], text,
								  sizeof(text))));
	return list;
}

static json_t *vlans_json(const struct elisa_port_policy *policy)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < policy->nb_vlans; i++)
		json_array_append_new(list, json_integer(policy->vlans[i]));
	return list;
}

json_t *elisa_policy_json(const struct elisa_port_policy *policy)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "rate_packets",
			 limit_json(policy->packets.per_second, 0), "rate_bits",
			 limit_json(policy->bytes.per_second * BITS, 0), "storm",
			 limit_json(policy->storm.per_second, 0), "learn",
			 limit_json(policy->learning_limit, ELISA_LEARNING_UNLIMITED), "guard",
			 guard_json(policy), "allow_ip", addresses_json(policy), "allow_vlan",
			 vlans_json(policy), "private",
			 (policy->flags & ELISA_POLICY_PRIVATE) != 0);
}
