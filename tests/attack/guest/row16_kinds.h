/* SPDX-License-Identifier: BSD-3-Clause */
/* row16_kinds.h - the floods of row16_floods.c, for it and for its VMM (row16.c). */
#ifndef ELISA_TEST_ATTACK_ROW16_KINDS_H
#define ELISA_TEST_ATTACK_ROW16_KINDS_H

/* What the port may send when it is guarded: 192.0.2.7, 2001:db8::7 in VLAN 7. */
#define ROW16_ADDRESS 7
#define ROW16_VLAN 7

enum row16_kind {
	ROW16_ALLOWED_IPV4, /* by the guard: what is spoofed below, with nothing wrong */
	ROW16_ALLOWED_IPV6,
	ROW16_ALLOWED_ARP,
	ROW16_SPOOFED_MAC,
	ROW16_SPOOFED_IPV4,
	ROW16_SPOOFED_IPV6,
	ROW16_SPOOFED_ARP,     /* another's IPv4 address is announced */
	ROW16_SPOOFED_ARP_MAC, /* its own, at another's MAC address */
	ROW16_SPOOFED_VLAN,
	ROW16_MAC_FLOOD,  /* each from another address */
	ROW16_STOLEN_MAC, /* from the address of another VM's port */
	ROW16_UNKNOWN,    /* to addresses that nobody has */
	ROW16_MULTICAST,
	ROW16_BROADCAST,
	ROW16_UNICAST, /* to the VM's second port */
};

#endif
