// SPDX-License-Identifier: BSD-3-Clause
/* row16_floods.c - many packets of one sort: spoofed, from thousands of addresses, to everybody. */
#include "attacker.h"
#include "row16_kinds.h"

#define LENGTH 80
#define IP 18 /* offset, behind one VLAN tag */

static uint64_t state = 0x9e3779b97f4a7c15;

static void put_tag(uint8_t *frame, uint32_t vlan, uint32_t ether_type)
{
	const uint8_t tag[6] = {0x81, 0x00, vlan >> 8, vlan, ether_type >> 8, ether_type};

	memcpy(frame + 12, tag, sizeof(tag));
}

/* Some unicast address that is no port's. */
static void put_random_mac(uint8_t *mac)
{
	uint64_t number = next_random(&state);

	memcpy(mac, &number, ELISA_MAC_SIZE);
	mac[0] = 0x06;
}

static void put_ipv4(uint8_t *frame, uint32_t last)
{
	const uint8_t header[20] = {0x45, 0, 0, 62, 0, 0, 0,   0, 64, 17,
				    0,    0, 0, 0,  0, 0, 192, 0, 2,  9};

	put_tag(frame, ROW16_VLAN, 0x0800);
	memcpy(frame + IP, header, sizeof(header));
	frame[IP + 12] = 192;
	frame[IP + 14] = 2;
	frame[IP + 15] = (uint8_t)last;
}

static void put_ipv6(uint8_t *frame, uint32_t last)
{
	const uint8_t header[40] = {0x60, 0, 0, 0, 0, 22, 17, 64, 0x20, 0x01, 0x0d, 0xb8};

	put_tag(frame, ROW16_VLAN, 0x86dd);
	memcpy(frame + IP, header, sizeof(header));
	frame[IP + 23] = (uint8_t)last;
	frame[IP + 39] = 9;
}

static void put_arp(uint8_t *frame, uint32_t last)
{
	const uint8_t header[8] = {0, 1, 8, 0, 6, 4, 0, 1};
	const uint8_t ip[4] = {192, 0, 2, (uint8_t)last};

	put_tag(frame, ROW16_VLAN, 0x0806);
	memcpy(frame + IP, header, sizeof(header));
	memcpy(frame + IP + 8, attacker_port.mac, ELISA_MAC_SIZE);
	memcpy(frame + IP + 14, ip, sizeof(ip));
}

/* Any number but that of the allowed address. */
static uint32_t other_address(void)
{
	return (ROW16_ADDRESS + 1 + next_random(&state) % 255) & 0xff;
}

/* Of the kinds that a guard is for. */
static void fill_guarded(uint8_t *frame, enum row16_kind kind)
{
	put_ipv4(frame, kind == ROW16_SPOOFED_IPV4 ? other_address() : ROW16_ADDRESS);
	switch (kind) {
	case ROW16_SPOOFED_MAC:
		put_random_mac(frame + ELISA_MAC_SIZE);
		break;
	case ROW16_ALLOWED_IPV6:
		put_ipv6(frame, ROW16_ADDRESS);
		break;
	case ROW16_ALLOWED_ARP:
		put_arp(frame, ROW16_ADDRESS);
		break;
	case ROW16_SPOOFED_IPV6:
		put_ipv6(frame, other_address());
		break;
	case ROW16_SPOOFED_ARP:
		put_arp(frame, other_address());
		break;
	case ROW16_SPOOFED_ARP_MAC:
		put_arp(frame, ROW16_ADDRESS);
		put_random_mac(frame + IP + 8);
		break;
	case ROW16_SPOOFED_VLAN:
		put_tag(frame, (ROW16_VLAN + 1 + next_random(&state) % 4094) & 0xfff, 0x0800);
		break;
	default:
		break;
	}
}

static void fill(uint32_t i, enum row16_kind kind, const uint8_t station[ELISA_MAC_SIZE])
{
	uint8_t *frame = port_frame(&attacker_port, i, attacker_second.mac, LENGTH);

	switch (kind) {
	case ROW16_MAC_FLOOD:
		put_random_mac(frame + ELISA_MAC_SIZE);
		break;
	case ROW16_STOLEN_MAC:
		memcpy(frame + ELISA_MAC_SIZE, station, ELISA_MAC_SIZE);
		break;
	case ROW16_UNKNOWN:
		put_random_mac(frame);
		break;
	case ROW16_MULTICAST:
		put_random_mac(frame);
		frame[0] |= 1;
		break;
	case ROW16_BROADCAST:
		memset(frame, 0xff, ELISA_MAC_SIZE);
		break;
	case ROW16_UNICAST:
		break;
	default:
		fill_guarded(frame, kind);
	}
}

/* The second port wants all that is flooded. 0 or an error. */
ATTACK_FUNCTION int64_t row16_listen(void)
{
	struct elisa_hc_port set = {.port = attacker_second.number,
				    .flags = ELISA_PORT_STARTED | ELISA_PORT_PROMISCUOUS,
				    .mtu = 1500};

	return hypercall(ELISA_HC_PORT_SET, &set, sizeof(set));
}

/* Packets that the second port has, whole; it takes what is there. */
ATTACK_FUNCTION int64_t row16_received(void)
{
	const uint8_t *data;
	uint64_t dropped = 0;
	int64_t packets = 0;

	while (port_receive(&attacker_second, &data, &dropped))
		packets++;
	return packets;
}

/* How many of `count` packets the switch took. `station`: the address of a port of somebody else's. */
ATTACK_FUNCTION int64_t row16_send(uint64_t kind, uint64_t count, uint64_t station)
{
	int64_t taken, sum = 0;

	while (count) {
		uint32_t burst = count < PORT_TX_SIZE ? (uint32_t)count : PORT_TX_SIZE;

		for (uint32_t i = 0; i < burst; i++)
			fill(i, (enum row16_kind)kind, (const uint8_t *)&station);
		taken = port_send(&attacker_port, burst, LENGTH);
		if (taken < 0)
			return taken;
		sum += taken;
		count -= burst;
	}
	return sum;
}
