/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guard.c - see guard.h.
 *
 * In the trusted image. Called by policy.c. Reads private copies of packets, and the port's rules.
 */
#include "vswitch/datapath/guard.h"
#include "vswitch/datapath/headers.h"

#define ETHERTYPE_ARP 0x0806u

#define ARP_LENGTH 28u /* Ethernet and IPv4 */
#define ARP_REQUEST 1u
#define ARP_SENDER_MAC 8u
#define ARP_SENDER_IP 14u
#define ARP_TARGET_IP 24u

#define DHCP_CLIENT 68u
#define DHCP_SERVER 67u

#define IPV6_HEADER 40u
#define IPV6_SOURCE 8u
#define MAX_EXTENSIONS 4u /* as in headers.c */
#define IPV6_FRAGMENT 44u
#define IPV6_ICMP 58u

#define MLD_REPORT 131u
#define MLD_DONE 132u
#define MLD2_REPORT 143u
#define ND_ROUTER_SOLICITATION 133u
#define ND_ROUTER_ADVERTISEMENT 134u
#define ND_NEIGHBOUR_SOLICITATION 135u
#define ND_NEIGHBOUR_ADVERTISEMENT 136u
#define ND_REDIRECT 137u
#define ND_TARGET 8u /* offset in the message */

static uint32_t get_u32(const uint8_t *at)
{
	return *(const elisa_u32u *)at;
}

static uint64_t get_u64(const uint8_t *at)
{
	return *(const elisa_u64u *)at;
}

/* The rules' words with load-acquire: policy.c then looks whether they are still in force. */
static bool is_listed_ipv4(const struct elisa_port_rules *rules, const uint8_t *address)
{
	uint32_t nb = elisa_load_acquire(&rules->nb_ipv4);
	uint32_t wanted = get_u32(address);

	for (uint32_t i = 0; i < nb && i < ELISA_POLICY_ADDRESSES; i++)
		if (elisa_load_acquire(&rules->ipv4[i]) == wanted)
			return true;
	return false;
}

/* fe80::/64 with the modified EUI-64 of the MAC (RFC 4291, appendix A). */
static bool is_link_local_of(uint64_t mac, const uint8_t *address)
{
	uint64_t interface = (mac >> 24 ^ 0x020000) << 40 | 0xfffeull << 24 | (mac & 0xffffff);

	return __builtin_bswap64(get_u64(address)) == 0xfe80ull << 48 &&
	       __builtin_bswap64(get_u64(address + 8)) == interface;
}

static bool is_allowed_ipv6(const struct elisa_port_rules *rules, uint64_t mac,
			    const uint8_t *address)
{
	uint32_t nb = elisa_load_acquire(&rules->nb_ipv6);

	for (uint32_t i = 0; i < nb && i < ELISA_POLICY_ADDRESSES; i++)
		if (elisa_load_acquire(&rules->ipv6[i][0]) == get_u64(address) &&
		    elisa_load_acquire(&rules->ipv6[i][1]) == get_u64(address + 8))
			return true;
	return is_link_local_of(mac, address);
}

/* The first VLAN that the packet's tags name is the one that it is in. */
static bool allows_vlan(const struct elisa_port_rules *rules, const struct elisa_packet *packet,
			uint32_t l2_length)
{
	uint32_t nb = elisa_load_acquire(&rules->nb_vlans);
	uint32_t vlan = 0;

	for (uint32_t at = 14; at < l2_length && !vlan; at += 4)
		vlan = elisa_header_u16(packet, at) & 0xfff;
	for (uint32_t i = 0; i < nb && i < ELISA_POLICY_ADDRESSES; i++)
		if (elisa_load_acquire(&rules->vlans[i]) == vlan)
			return true;
	return false;
}

/* Whose address a packet of ARP announces. It is in the guard's scope with either of two flags. */
static bool allows_arp(const struct elisa_port_rules *rules, uint32_t flags,
		       const struct elisa_packet *packet, uint32_t at)
{
	const uint8_t *arp = packet->header + at;

	if (at + ARP_LENGTH > packet->header_length || elisa_header_u16(packet, at) != 1 ||
	    elisa_header_u16(packet, at + 2) != ELISA_ETHERTYPE_IPV4 ||
	    elisa_header_u16(packet, at + 4) != 0x0604)
		return false;
	if (__builtin_bswap64(get_u64(arp + ARP_SENDER_MAC)) >> 16 != elisa_packet_source(packet))
		return false;
	if (!(flags & ELISA_POLICY_GUARD_IPV4) || is_listed_ipv4(rules, arp + ARP_SENDER_IP))
		return true;
	return !get_u32(arp + ARP_SENDER_IP) && elisa_header_u16(packet, at + 6) == ARP_REQUEST &&
	       is_listed_ipv4(rules, arp + ARP_TARGET_IP);
}

static bool allows_ipv4(const struct elisa_port_rules *rules, const struct elisa_packet *packet,
			const struct elisa_headers *headers)
{
	const uint8_t *ip = packet->header + headers->l2_length;
	uint32_t l4 = headers->l2_length + headers->l3_length;

	if (headers->version != 4)
		return false;
	if (is_listed_ipv4(rules, ip + 12))
		return true;
	return !get_u32(ip + 12) && get_u32(ip + 16) == 0xffffffff &&
	       headers->protocol == ELISA_IP_UDP && l4 + 4 <= packet->header_length &&
	       elisa_header_u16(packet, l4) == DHCP_CLIENT &&
	       elisa_header_u16(packet, l4 + 2) == DHCP_SERVER;
}

/* An ICMPv6 message, in a packet or the first fragment of one. */
struct message {
	uint32_t at; /* 0: it is none, or not the first fragment */
	uint32_t type;
	bool fragment;
};

/* Where what can be seen of the IPv6 packet ends: what follows its payload is none of it. */
static uint32_t visible_end(const struct elisa_packet *packet, uint32_t ip)
{
	uint32_t end = ip + IPV6_HEADER + elisa_header_u16(packet, ip + 4);

	return end < packet->header_length ? end : packet->header_length;
}

/* False: what it is cannot be seen. */
static bool find_message(const struct elisa_packet *packet, uint32_t ip, struct message *message)
{
	uint32_t end = visible_end(packet, ip);
	uint32_t next = packet->header[ip + 6];
	uint32_t at = ip + IPV6_HEADER;

	message->at = 0;
	message->fragment = false;
	for (uint32_t i = 0; next == IPV6_FRAGMENT || elisa_is_ipv6_extension(next); i++) {
		uint32_t length = 8;

		if (i == MAX_EXTENSIONS || at + 8 > end)
			return false;
		if (next == IPV6_FRAGMENT) {
			if (elisa_header_u16(packet, at + 2) & 0xfff8)
				return true;
			message->fragment = true;
		} else {
			length += elisa_header_u8(packet, at + 1) * 8;
		}
		next = elisa_header_u8(packet, at);
		at += length;
	}
	if (next != IPV6_ICMP)
		return true;
	if (at >= end)
		return false;
	message->at = at;
	message->type = elisa_header_u8(packet, at);
	return true;
}

static bool is_allowed_target(const struct elisa_port_rules *rules, uint64_t mac,
			      const struct elisa_packet *packet, uint32_t message)
{
	return message + ND_TARGET + 16 <= packet->header_length &&
	       is_allowed_ipv6(rules, mac, packet->header + message + ND_TARGET);
}

static bool allows_message(const struct elisa_port_rules *rules, uint64_t mac,
			   const struct elisa_packet *packet, const struct message *message,
			   bool unspecified)
{
	switch (message->type) {
	case ND_ROUTER_SOLICITATION:
		return !message->fragment;
	case ND_NEIGHBOUR_SOLICITATION:
		return !message->fragment &&
		       (!unspecified || is_allowed_target(rules, mac, packet, message->at));
	case ND_NEIGHBOUR_ADVERTISEMENT:
		return !message->fragment && !unspecified &&
		       is_allowed_target(rules, mac, packet, message->at);
	case ND_ROUTER_ADVERTISEMENT:
	case ND_REDIRECT:
		return false;
	case MLD_REPORT:
	case MLD_DONE:
	case MLD2_REPORT:
		return true;
	}
	return !unspecified;
}

static bool allows_ipv6(const struct elisa_port_rules *rules, uint64_t mac,
			const struct elisa_packet *packet, const struct elisa_headers *headers)
{
	const uint8_t *source = packet->header + headers->l2_length + IPV6_SOURCE;
	bool unspecified;
	struct message message;

	if (headers->version != 6)
		return false;
	unspecified = !(get_u64(source) | get_u64(source + 8));
	if (!unspecified && !is_allowed_ipv6(rules, mac, source))
		return false;
	if (!find_message(packet, headers->l2_length, &message))
		return false;
	if (!message.at)
		return !unspecified;
	return allows_message(rules, mac, packet, &message, unspecified);
}

bool elisa_guard_allows(const struct elisa_port_rules *rules, uint64_t mac,
			const struct elisa_packet *packet)
{
	uint32_t flags = elisa_load_acquire(&rules->flags);
	struct elisa_headers headers;
	uint32_t type;

	if (flags & ELISA_POLICY_GUARD_MAC && elisa_packet_source(packet) != mac)
		return false;
	elisa_headers_read(packet, &headers);
	type = elisa_header_u16(packet, headers.l2_length - 2);
	/* One tag more than can be seen through, or cut short. */
	if (type == ELISA_ETHERTYPE_VLAN || type == ELISA_ETHERTYPE_QINQ)
		return false;
	if (flags & ELISA_POLICY_GUARD_VLAN && !allows_vlan(rules, packet, headers.l2_length))
		return false;
	if (type == ETHERTYPE_ARP)
		return !(flags & (ELISA_POLICY_GUARD_MAC | ELISA_POLICY_GUARD_IPV4)) ||
		       allows_arp(rules, flags, packet, headers.l2_length);
	if (type == ELISA_ETHERTYPE_IPV4)
		return !(flags & ELISA_POLICY_GUARD_IPV4) || allows_ipv4(rules, packet, &headers);
	if (type == ELISA_ETHERTYPE_IPV6)
		return !(flags & ELISA_POLICY_GUARD_IPV6) ||
		       allows_ipv6(rules, mac, packet, &headers);
	return !(flags & (ELISA_POLICY_GUARD_IPV4 | ELISA_POLICY_GUARD_IPV6));
}
