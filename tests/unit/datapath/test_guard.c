/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_guard.c - source guard: what passes, and what is dropped and counted, byte by byte.
 *
 * Guest 0 is guarded; its frames go to guest 1, which takes all. A frame is written as a list of hex
 * bytes; OWN and PEER stand for the two addresses.
 */
#include <stdio.h>
#include <stdlib.h>

#include "world.h"

#define TSC_HZ 1000000000ull

/* Guest 0 and 1 (world.c), and a station that is neither. */
#define OWN "02 e1 15 a0 00 00 "
#define PEER "02 e1 15 a0 00 01 "
#define OTHER "02 e1 15 a0 00 77 "
#define ALL "ff ff ff ff ff ff "
#define ETHERNET PEER OWN

/* 10.0.0.5 and .6 are the guard's, 10.0.0.1 somebody else's. */
#define IP4(source) "45 00 00 20 00 01 00 00 40 11 00 00 " source "0a 00 00 01 "
#define UDP "12 34 56 78 00 0c 00 00 "
#define MINE "0a 00 00 05 "
#define MINE_TOO "0a 00 00 06 "
#define VICTIM "0a 00 00 01 "
#define NONE "00 00 00 00 "
#define ARP(operation, mac, ip, target) \
	"08 06 00 01 08 00 06 04 00 " operation mac ip "00 00 00 00 00 00 " target

/* 2001:db8::5 is the guard's, fe80::e1:15ff:fea0:0 the port's own, 2001:db8::1 somebody else's. */
#define MINE6 "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 05 "
#define LOCAL6 "fe 80 00 00 00 00 00 00 00 e1 15 ff fe a0 00 00 "
#define VICTIM6 "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 "
#define OTHER_LOCAL6 "fe 80 00 00 00 00 00 00 00 e1 15 ff fe a0 00 01 "
#define NONE6 "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
#define IP6_LONG(length, next, source) "86 dd 60 00 00 00 00 " length next "ff " source VICTIM6
#define IP6(next, source) IP6_LONG("20 ", next, source)
#define ICMP(type) type "00 12 34 00 00 00 00 "
#define FRAGMENT(next, offset) next "00 " offset "00 00 00 01 "
#define OPTIONS(next) next "00 01 04 00 00 00 00 "

struct expectation {
	const char *frame;
	bool passes;
};

static struct frame frame;

static uint32_t from_hex(const char *text, uint8_t *bytes)
{
	uint32_t nb = 0;

	while (*text) {
		unsigned int value;

		assert_int_equal(sscanf(text, "%2x", &value), 1);
		bytes[nb++] = value;
		for (text += 2; *text == ' '; text++)
			;
	}
	return nb;
}

/* Does the frame reach guest 1, unchanged? Else it must be counted as spoofed, and as nothing else. */
static bool passes(struct world *world, const char *text)
{
	struct guest *guest = &world->guests[0];
	uint8_t *bytes = guest->memory + (guest_tx_gva(guest, 0) - guest->gva);
	uint64_t before = world_stats(world, guest).tx_drops[ELISA_DROP_SOURCE_GUARD];
	uint32_t length = from_hex(text, bytes);
	uint64_t dropped;
	bool passed;

	guest->tx[0].addr = guest_tx_gva(guest, 0);
	guest->tx[0].word = length;
	assert_int_equal(guest_send(world, guest, 1), 1);
	passed = guest_receive(&world->guests[1], &frame);
	if (passed) {
		assert_int_equal(frame.length, length);
		assert_memory_equal(frame.bytes, bytes, length);
	}
	dropped = world_stats(world, guest).tx_drops[ELISA_DROP_SOURCE_GUARD] - before;
	assert_int_equal(dropped, !passed);
	return passed;
}

static void expect(struct world *world, const struct expectation *list, uint32_t nb)
{
	for (uint32_t i = 0; i < nb; i++)
		if (passes(world, list[i].frame) != list[i].passes)
			fail_msg("%s: %s", list[i].passes ? "dropped" : "let through",
				 list[i].frame);
}

#define EXPECT(world, ...)                                              \
	do {                                                            \
		static const struct expectation list[] = {__VA_ARGS__}; \
		expect(world, list, sizeof(list) / sizeof(list[0]));    \
	} while (0)

static void guard(struct world *world, uint32_t flags, uint32_t nb_vlans, uint16_t vlan)
{
	struct elisa_port_policy policy = {
		.flags = flags, .nb_vlans = nb_vlans, .vlans = {vlan, 300, 4094}};

	policy.learning_limit = ELISA_LEARNING_DEFAULT;
	if (flags & ELISA_POLICY_GUARD_IPV4) {
		policy.nb_ipv4 = 2;
		from_hex(MINE MINE_TOO, policy.ipv4[0]);
	}
	if (flags & ELISA_POLICY_GUARD_IPV6) {
		policy.nb_ipv6 = 1;
		from_hex(MINE6, policy.ipv6[0]);
	}
	assert_int_equal(elisa_switch_port_set_policy(world->sw, 0, &policy, TSC_HZ), 0);
}

static int setup(void **state)
{
	return world_setup(state, 2, 64, 2048);
}

static void test_mac(void **state)
{
	struct world *world = *state;

	guard(world, ELISA_POLICY_GUARD_MAC, 0, 0);
	EXPECT(world, {ETHERNET "12 34 ", true}, {PEER OTHER "12 34 ", false},
	       {ETHERNET "08 00 " IP4(VICTIM) UDP, true},
	       {PEER OTHER "08 00 " IP4(MINE) UDP, false},
	       {ETHERNET "81 00 00 05 08 00 " IP4(MINE) UDP, true},
	       /* Zero and multicast sources are nobody's own. */
	       {PEER "00 00 00 00 00 00 12 34 ", false}, {PEER "01 00 5e 00 00 01 12 34 ", false},
	       {ALL OWN ARP("01 ", OWN, VICTIM, MINE), true},
	       /* Whoever is asked believes what ARP says of MACs. */
	       {ALL OWN ARP("01 ", OTHER, VICTIM, MINE), false},
	       {ETHERNET ARP("02 ", OTHER, MINE, VICTIM), false},
	       {ETHERNET "81 00 00 05 " ARP("02 ", OTHER, MINE, VICTIM), false});
	/* Nothing was learned from what was dropped. */
	assert_int_equal(world_stats(world, &world->guests[0]).learned, 0);
}

static void test_ipv4(void **state)
{
	struct world *world = *state;

	guard(world, ELISA_POLICY_GUARD_IPV4, 0, 0);
	EXPECT(world, {ETHERNET "08 00 " IP4(MINE) UDP, true},
	       {ETHERNET "08 00 " IP4(MINE_TOO) UDP, true},
	       {ETHERNET "08 00 " IP4(VICTIM) UDP, false}, {ETHERNET "08 00 " IP4(NONE) UDP, false},
	       {ETHERNET "08 00 " IP4("0a 00 00 07 ") UDP, false},
	       {ETHERNET "81 00 00 05 08 00 " IP4(MINE) UDP, true},
	       {ETHERNET "81 00 00 05 08 00 " IP4(VICTIM) UDP, false},
	       {ETHERNET "88 a8 00 05 81 00 00 06 08 00 " IP4(MINE) UDP, true},
	       {ETHERNET "88 a8 00 05 81 00 00 06 08 00 " IP4(VICTIM) UDP, false},
	       /* A third tag could hide anything; so could another version, and half a header. */
	       {ETHERNET "81 00 00 05 81 00 00 06 81 00 00 07 08 00 " IP4(MINE) UDP, false},
	       {ETHERNET "08 00 65 00 00 20 00 01 00 00 40 11 00 00 " MINE VICTIM, false},
	       {ETHERNET "08 00 44 00 00 20 00 01 00 00 40 11 00 00 " MINE VICTIM, false},
	       {ETHERNET "08 00 45 00 00 20 00 01 00 00 40 11 00 00 0a 00 00 05 0a 00 00 ", false},
	       {ETHERNET "08 00 ", false}, {ETHERNET "81 00 00 ", false},
	       {ETHERNET "81 00 ", false},
	       /* What is neither IP nor ARP; IPv6 has no guard. */
	       {ETHERNET "12 34 ", false}, {ETHERNET "00 04 42 42 03 00 ", false},
	       {ETHERNET "80 35 00 01 08 00 06 04 00 03 ", false},
	       {ETHERNET IP6("11 ", VICTIM6) UDP, true});
}

/* First, middle and last fragment: all have the source. */
static void test_ipv4_fragments(void **state)
{
	struct world *world = *state;

#define PART(offset, source) \
	ETHERNET "08 00 45 00 00 20 00 01 " offset "40 11 00 00 " source VICTIM UDP
	guard(world, ELISA_POLICY_GUARD_IPV4, 0, 0);
	EXPECT(world, {PART("20 00 ", MINE), true}, {PART("20 03 ", MINE), true},
	       {PART("00 03 ", MINE), true}, {PART("20 00 ", VICTIM), false},
	       {PART("20 03 ", VICTIM), false}, {PART("00 03 ", VICTIM), false});
}

static void test_dhcp(void **state)
{
	struct world *world = *state;

#define DISCOVER(offset, protocol, source, to, ports)                                     \
	ALL OWN "08 00 45 00 00 1c 00 01 " offset "40 " protocol "00 00 " source to ports \
		"00 08 00 00 "
	guard(world, ELISA_POLICY_GUARD_IPV4, 0, 0);
	EXPECT(world, {DISCOVER("00 00 ", "11 ", NONE, "ff ff ff ff ", "00 44 00 43 "), true},
	       {DISCOVER("00 00 ", "11 ", NONE, "ff ff ff ff ", "00 44 00 44 "), false},
	       {DISCOVER("00 00 ", "11 ", NONE, "ff ff ff ff ", "00 43 00 43 "), false},
	       {DISCOVER("00 00 ", "06 ", NONE, "ff ff ff ff ", "00 44 00 43 "), false},
	       {DISCOVER("00 03 ", "11 ", NONE, "ff ff ff ff ", "00 44 00 43 "), false},
	       {DISCOVER("20 00 ", "11 ", NONE, "ff ff ff ff ", "00 44 00 43 "), false},
	       {DISCOVER("00 00 ", "11 ", NONE, VICTIM, "00 44 00 43 "), false},
	       {DISCOVER("00 00 ", "11 ", VICTIM, "ff ff ff ff ", "00 44 00 43 "), false},
	       /* The ports are not all there. */
	       {ALL OWN "08 00 45 00 00 17 00 01 00 00 40 11 00 00 " NONE "ff ff ff ff 00 44 00 ",
		false});
}

static void test_arp(void **state)
{
	struct world *world = *state;

	guard(world, ELISA_POLICY_GUARD_IPV4, 0, 0);
	EXPECT(world, {ALL OWN ARP("01 ", OWN, MINE, VICTIM), true},
	       {ETHERNET ARP("02 ", OWN, MINE_TOO, VICTIM), true},
	       /* "Mine is the victim's address": by reply, by request, to everybody, tagged. */
	       {ETHERNET ARP("02 ", OWN, VICTIM, MINE), false},
	       {ALL OWN ARP("01 ", OWN, VICTIM, MINE), false},
	       {ALL OWN ARP("01 ", OWN, VICTIM, VICTIM), false},
	       {ETHERNET "81 00 00 05 " ARP("02 ", OWN, VICTIM, MINE), false},
	       {ETHERNET "88 a8 00 05 81 00 00 06 " ARP("02 ", OWN, VICTIM, MINE), false},
	       /* "My address is at somebody else's MAC." */
	       {ETHERNET ARP("02 ", OTHER, MINE, VICTIM), false},
	       /* Probes for one's own; a probe for the victim's would take it from it. */
	       {ALL OWN ARP("01 ", OWN, NONE, MINE), true},
	       {ALL OWN ARP("01 ", OWN, NONE, VICTIM), false},
	       {ALL OWN ARP("02 ", OWN, NONE, MINE), false},
	       /* Other kinds of ARP, and one that is cut short. */
	       {ALL OWN "08 06 00 06 08 00 06 04 00 01 " OWN MINE OWN VICTIM, false},
	       {ALL OWN "08 06 00 01 86 dd 06 04 00 01 " OWN MINE OWN VICTIM, false},
	       {ALL OWN "08 06 00 01 08 00 06 08 00 01 " OWN MINE OWN VICTIM, false},
	       {ALL OWN "08 06 00 01 08 00 06 04 00 01 " OWN MINE OWN "0a 00 00 ", false},
	       {ALL OWN "08 06 ", false});
}

static void test_ipv6(void **state)
{
	struct world *world = *state;

	guard(world, ELISA_POLICY_GUARD_IPV6, 0, 0);
	EXPECT(world, {ETHERNET IP6("11 ", MINE6) UDP, true},
	       {ETHERNET IP6("11 ", LOCAL6) UDP, true}, {ETHERNET IP6("11 ", VICTIM6) UDP, false},
	       {ETHERNET IP6("11 ", OTHER_LOCAL6) UDP, false},
	       {ETHERNET IP6("11 ", NONE6) UDP, false},
	       /* Half of an address is not it. */
	       {ETHERNET IP6("11 ", "20 01 0d b8 00 00 00 00 00 e1 15 ff fe a0 00 00 ") UDP, false},
	       {ETHERNET IP6("11 ", "fe 80 00 00 00 00 00 01 00 e1 15 ff fe a0 00 00 ") UDP, false},
	       {ETHERNET "81 00 00 05 81 00 00 06 " IP6("11 ", MINE6) UDP, true},
	       {ETHERNET "81 00 00 05 81 00 00 06 " IP6("11 ", VICTIM6) UDP, false},
	       /* Cut short, another version, a third tag. */
	       {ETHERNET "86 dd 60 00 00 00 00 00 11 ff " MINE6 "20 01 0d b8 ", false},
	       {ETHERNET "86 dd 45 00 00 00 00 20 11 ff " MINE6 VICTIM6, false},
	       {ETHERNET "81 00 00 05 81 00 00 06 81 00 00 07 " IP6("11 ", MINE6) UDP, false},
	       /* Fragments, and extension headers. */
	       {ETHERNET IP6("2c ", MINE6) FRAGMENT("11 ", "00 01 ") UDP, true},
	       {ETHERNET IP6("2c ", MINE6) FRAGMENT("11 ", "00 09 ") UDP, true},
	       {ETHERNET IP6("2c ", VICTIM6) FRAGMENT("11 ", "00 09 ") UDP, false},
	       {ETHERNET IP6("00 ", MINE6) OPTIONS("11 ") UDP, true},
	       {ETHERNET IP6("00 ", VICTIM6) OPTIONS("11 ") UDP, false}, {ETHERNET "12 34 ", false},
	       {ETHERNET "08 00 " IP4(VICTIM) UDP, true},
	       {ALL OWN ARP("01 ", OTHER, VICTIM, MINE), true});
}

static void test_neighbour_discovery(void **state)
{
	struct world *world = *state;

	guard(world, ELISA_POLICY_GUARD_IPV6, 0, 0);
	EXPECT(world, {ETHERNET IP6("3a ", MINE6) ICMP("80 "), true},
	       /* Advertisements: what is announced counts, not only who announces. */
	       {ETHERNET IP6("3a ", MINE6) ICMP("88 ") MINE6, true},
	       {ETHERNET IP6("3a ", MINE6) ICMP("88 ") LOCAL6, true},
	       {ETHERNET IP6("3a ", MINE6) ICMP("88 ") VICTIM6, false},
	       {ETHERNET IP6("3a ", LOCAL6) ICMP("88 ") VICTIM6, false},
	       {ETHERNET "81 00 00 05 88 a8 00 06 " IP6("3a ", MINE6) ICMP("88 ") VICTIM6, false},
	       {ETHERNET IP6("3a ", VICTIM6) ICMP("88 ") VICTIM6, false},
	       {ETHERNET IP6("3a ", NONE6) ICMP("88 ") MINE6, false},
	       {ETHERNET IP6("3a ", MINE6) ICMP("88 ") "20 01 0d b8 ", false},
	       {ETHERNET IP6("3a ", MINE6) ICMP("87 ") VICTIM6, true},
	       /* From nobody: is mine in use? */
	       {ETHERNET IP6("3a ", NONE6) ICMP("87 ") MINE6, true},
	       {ETHERNET IP6("3a ", NONE6) ICMP("87 ") LOCAL6, true},
	       {ETHERNET IP6("3a ", NONE6) ICMP("87 ") VICTIM6, false},
	       {ETHERNET IP6("3a ", NONE6) ICMP("85 "), true},
	       {ETHERNET IP6("3a ", NONE6) ICMP("8f "), true},
	       {ETHERNET IP6("00 ", NONE6) OPTIONS("3a ") ICMP("8f "), true},
	       {ETHERNET IP6("3a ", NONE6) ICMP("80 "), false},
	       /* It is no router. */
	       {ETHERNET IP6("3a ", LOCAL6) ICMP("86 "), false},
	       {ETHERNET IP6("3a ", LOCAL6) ICMP("89 ") MINE6 MINE6, false});
}

/* A message behind headers that the receiver looks through, and the guard must too. */
static void test_hidden_messages(void **state)
{
	struct world *world = *state;

#define HIDE(next, headers)       \
	ETHERNET IP6(next, MINE6) \
	headers
	guard(world, ELISA_POLICY_GUARD_IPV6, 0, 0);
	EXPECT(world, {HIDE("00 ", OPTIONS("3a ") ICMP("88 ") MINE6), true},
	       {HIDE("00 ", OPTIONS("3a ") ICMP("88 ") VICTIM6), false},
	       {HIDE("3c ", OPTIONS("3c ") OPTIONS("3a ") ICMP("86 ")), false},
	       {HIDE("2b ", OPTIONS("3a ") ICMP("86 ")), false},
	       /* In a fragment that is all there is of the packet, or the first one. */
	       {HIDE("2c ", FRAGMENT("3a ", "00 00 ") ICMP("88 ") MINE6), false},
	       {HIDE("2c ", FRAGMENT("3a ", "00 01 ") ICMP("87 ") MINE6), false},
	       {HIDE("2c ", FRAGMENT("3a ", "00 01 ") ICMP("85 ")), false},
	       {HIDE("2c ", FRAGMENT("3c ", "00 01 ") OPTIONS("3a ") ICMP("86 ")), false},
	       {HIDE("2c ", FRAGMENT("3a ", "00 01 ") ICMP("80 ")), true},
	       {HIDE("2c ", FRAGMENT("3a ", "00 08 ") ICMP("86 ")), true},
	       /* What cannot be seen: not there, or behind too much. */
	       {HIDE("2c ", FRAGMENT("3a ", "00 01 ")), false}, {HIDE("3a ", ""), false},
	       {HIDE("00 ", "3a 00 01 04 "), false}, {HIDE("00 ", ""), false},
	       /* What follows the payload is no message: that is in the next fragment. */
	       {ETHERNET IP6_LONG("10 ", "2c ", MINE6) FRAGMENT("3c ", "00 01 ") OPTIONS("3a ")
			ICMP("80 "),
		false},
	       {ETHERNET IP6_LONG("08 ", "2c ", MINE6) FRAGMENT("3c ", "00 01 ") OPTIONS("3a ")
			ICMP("80 "),
		false},
	       {ETHERNET IP6_LONG("00 ", "3a ", MINE6) ICMP("80 "), false},
	       {HIDE("00 ",
		     "3a 05 01 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
		     "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
		     "00 " ICMP("86 ")),
		false},
	       {HIDE("3c ", OPTIONS("3c ") OPTIONS("3c ") OPTIONS("3c ") OPTIONS("3c ")
				    OPTIONS("3a ") ICMP("80 ")),
		false});
}

static void test_vlan(void **state)
{
	struct world *world = *state;

	guard(world, ELISA_POLICY_GUARD_VLAN, 3, 10);
	EXPECT(world, {ETHERNET "81 00 00 0a 12 34 ", true}, {ETHERNET "81 00 e0 0a 12 34 ", true},
	       {ETHERNET "81 00 0f fe 12 34 ", true},
	       {ETHERNET "88 a8 01 2c 81 00 00 63 12 34 ", true},
	       {ETHERNET "81 00 00 0b 12 34 ", false}, {ETHERNET "12 34 ", false},
	       {ETHERNET "81 00 00 00 12 34 ", false}, {ETHERNET "81 00 0f ff 12 34 ", false},
	       {ETHERNET "81 00 00 63 81 00 00 0a 12 34 ", false},
	       /* A tag without a VLAN: the next one is what a receiver sees. */
	       {ETHERNET "81 00 e0 00 81 00 00 0a 12 34 ", true},
	       {ETHERNET "81 00 e0 00 81 00 00 0b 12 34 ", false},
	       {ETHERNET "81 00 00 0a 81 00 00 0b 81 00 00 0c 12 34 ", false},
	       {ETHERNET "81 00 00 0a ", false}, {ETHERNET "81 00 ", false});
	/* No tag at all, or none that says anything. */
	guard(world, ELISA_POLICY_GUARD_VLAN, 1, 0);
	EXPECT(world, {ETHERNET "12 34 ", true}, {ETHERNET "08 00 " IP4(VICTIM) UDP, true},
	       {ETHERNET "81 00 a0 00 12 34 ", true}, {ETHERNET "81 00 00 0a 12 34 ", false},
	       {ETHERNET "88 a8 00 0a 12 34 ", false},
	       {ETHERNET "81 00 00 00 81 00 00 0a 12 34 ", false});
}

/* All guards at once: each still bites. Then none: all passes. */
static void test_all(void **state)
{
	struct world *world = *state;

	guard(world, ELISA_POLICY_GUARDS, 1, 0);
	EXPECT(world, {ETHERNET "08 00 " IP4(MINE) UDP, true},
	       {ETHERNET IP6("11 ", MINE6) UDP, true}, {PEER OTHER "08 00 " IP4(MINE) UDP, false},
	       {ETHERNET "08 00 " IP4(VICTIM) UDP, false},
	       {ETHERNET IP6("11 ", VICTIM6) UDP, false},
	       {ETHERNET "81 00 00 05 08 00 " IP4(MINE) UDP, false});
	guard(world, 0, 0, 0);
	EXPECT(world, {PEER OTHER "08 00 " IP4(VICTIM) UDP, true},
	       {ETHERNET "81 00 00 05 81 00 00 05 81 00 00 05 12 34 ", true},
	       {ETHERNET ARP("02 ", OTHER, VICTIM, MINE), true}, {ETHERNET "12 34 ", true});
}

/* One bad packet in a burst costs itself only. */
static void test_burst(void **state)
{
	struct world *world = *state;
	struct guest *guest = &world->guests[0];
	uint64_t mac = guest->mac;

	guard(world, ELISA_POLICY_GUARD_MAC, 0, 0);
	for (uint32_t i = 0; i < 40; i++) {
		guest->mac = i % 3 == 1 ? 0x020000000077 : mac;
		guest_fill(guest, i, world->guests[1].mac, 64, i);
	}
	guest->mac = mac;
	assert_int_equal(guest_send(world, guest, 40), 40);
	for (uint32_t i = 0; i < 40; i++) {
		if (i % 3 == 1)
			continue;
		assert_true(guest_receive(&world->guests[1], &frame));
		assert_frame(&frame, guest, world->guests[1].mac, 64, i);
	}
	assert_false(guest_receive(&world->guests[1], &frame));
	assert_drops(world, guest, NULL, ELISA_DROP_SOURCE_GUARD, 13);
	assert_int_equal(world_stats(world, guest).tx_packets, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)
		TEST(test_mac),
		TEST(test_ipv4),
		TEST(test_ipv4_fragments),
		TEST(test_dhcp),
		TEST(test_arp),
		TEST(test_ipv6),
		TEST(test_neighbour_discovery),
		TEST(test_hidden_messages),
		TEST(test_vlan),
		TEST(test_all),
		TEST(test_burst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
