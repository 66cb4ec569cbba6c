/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * layout.h - the address map of the contexts, and the pages in it that two parties share.
 *
 * One window, seen twice:
 *
 *   guest-virtual  ELISA_WINDOW_GVA + offset      constant, below
 *   guest-physical W + offset                     W = top of the physical address space minus
 *                                                 ELISA_WINDOW_SIZE, the module chooses it
 *
 * The trusted page table maps the first onto the second linearly and never changes. What exists at
 * an offset, and with which rights, is decided by the EPT of each context.
 *
 *   offset      default context     gate context         trusted context        written by
 *   CALL_STUB   the guest's stub    -                    -                      guest
 *   GATE        - (never fetched)   gate code, x         entry/exit code, x     constant
 *   LIST        the return stub     EPTP list, rw        EPTP list, rw          module, gate
 *   TABLE       -                   EPTP table, r        -                      module
 *   IDENTITY    -                   -                    struct elisa_identity, r  module
 *   STACK       -                   -                    per-vCPU stack, rw     datapath
 *   TABLES      -                   page tables, r *     page tables, r *       module
 *   ...up to 1 GiB: the part that differs between vCPUs; from here on one part for the domain...
 *   TEXT        -                   -                    datapath code, x       daemon, at load
 *   RODATA      -                   -                    constants, r           daemon, at load
 *   SWITCH      -                   -                    struct elisa_switch, rw   daemon, datapath
 *   PORT_MAPS   -                   -                    struct elisa_port_map[], r  module
 *   CAPTURE     -                   -                    struct elisa_capture, rw     datapath, daemon
 *   UPLINK_*    -                   -                    NICs' registers and memory, rw   see below
 *   MEMORY      -                   -                    registered guest memory, rw
 *
 *   * guest-physical only: no virtual address leads there.
 *
 * The window is in a part of the user half that Linux, DPDK (base-virtaddr) and the address
 * sanitizers leave alone. It needs nothing but 4-level paging.
 */
#ifndef ELISA_LAYOUT_H
#define ELISA_LAYOUT_H

#include "types.h"

#define ELISA_PAGE_SIZE 0x1000ull
#define ELISA_HUGE_PAGE_SIZE 0x200000ull

#define ELISA_WINDOW_GVA 0x480000000000ull
#define ELISA_WINDOW_SIZE 0x1000000000ull /* 64 GiB */

/* The part that differs between vCPUs: the first GiB. */
#define ELISA_OFFSET_CALL_STUB 0x0f000ull
#define ELISA_OFFSET_GATE 0x10000ull
#define ELISA_OFFSET_LIST 0x11000ull
#define ELISA_OFFSET_TABLE 0x12000ull
#define ELISA_OFFSET_IDENTITY 0x13000ull
#define ELISA_OFFSET_STACK 0x15000ull /* a guard page before and after: nothing is mapped there */
#define ELISA_STACK_SIZE 0x8000ull
#define ELISA_OFFSET_TABLES 0x1000000ull

/* The part that all vCPUs of a domain share: from 1 GiB on. */
#define ELISA_OFFSET_SHARED 0x40000000ull
#define ELISA_OFFSET_TEXT ELISA_OFFSET_SHARED
#define ELISA_TEXT_MAX 0x200000ull
#define ELISA_OFFSET_RODATA (ELISA_OFFSET_TEXT + ELISA_TEXT_MAX)
#define ELISA_RODATA_MAX 0x200000ull
#define ELISA_OFFSET_SWITCH (ELISA_OFFSET_RODATA + ELISA_RODATA_MAX)
#define ELISA_SWITCH_MAX 0x10000000ull /* 256 MiB */
#define ELISA_OFFSET_PORT_MAPS 0x80000000ull
#define ELISA_OFFSET_CAPTURE 0x88000000ull
#define ELISA_CAPTURE_MAX 0x8000000ull /* 128 MiB */

/*
 * Uplinks. The daemon's DPDK has its memory at the same addresses as the trusted context sees it at:
 * ELISA_GVA(offset). So pointers in a NIC driver's queues mean the same on both sides.
 *	DEVICES	register BARs, uncached		MEMORY	the daemon's hugepages: queues, descriptor
 *	rings, mbufs; and struct rte_eth_dev of each port, in STATE
 */
#define ELISA_OFFSET_UPLINK_DEVICES 0x90000000ull
#define ELISA_UPLINK_DEVICES_MAX 0x10000000ull /* 256 MiB */
#define ELISA_OFFSET_UPLINK_MEMORY 0xa0000000ull
#define ELISA_UPLINK_MEMORY_MAX 0x40000000ull /* 1 GiB */
#define ELISA_OFFSET_UPLINK_STATE 0xe0000000ull
#define ELISA_UPLINK_STATE_MAX 0x200000ull /* 2 MiB */

#define ELISA_OFFSET_MEMORY 0x100000000ull /* to the window's end */

#define ELISA_GVA(offset) (ELISA_WINDOW_GVA + (offset))

/*
 * EPTP list slots (SDM 26.5.6.3). From the default context only DEFAULT and GATE hold an EPTP; the
 * gate fills TRUSTED just before its VMFUNC, the entry code empties it first thing.
 */
#define ELISA_SLOT_DEFAULT 0u
#define ELISA_SLOT_GATE 1u
#define ELISA_SLOT_TRUSTED 2u

/* Limits of one domain (one switch). */
#define ELISA_MAX_PORTS 64u
#define ELISA_MAX_VCPUS 256u
#define ELISA_MAX_QUEUES 8u    /* queue pairs of a port */
#define ELISA_MAX_REGIONS 128u /* registered memory regions of a port */

/*
 * The identity page: who the vCPU is. Written by the module, read-only in the trusted context, one
 * page for each vCPU. A port bit is cleared before the port goes away.
 */
#define ELISA_IDENTITY_MAGIC 0x454c4953u

struct elisa_identity {
	uint32_t magic;
	uint32_t abi;        /* ELISA_IMAGE_ABI */
	uint32_t vcpu;       /* index in the domain, 0..ELISA_MAX_VCPUS-1, unique while attached */
	uint32_t features;   /* ELISA_IDENTITY_*, as of the vCPU's last entry */
	uint64_t ports;      /* bit p: this vCPU may use port p */
	uint64_t tsc_offset; /* its TSC - the host's, modulo 2^64, as of its last entry */
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_identity) == 32, "identity page");

#define ELISA_IDENTITY_FSGSBASE 1u /* CR4.FSGSBASE is set: uplinks need it */
#define ELISA_IDENTITY_TSC 2u      /* its TSC runs at the host's rate: tsc_offset is valid */

/*
 * A piece of guest memory that a port registered. Written by the module; an entry with length 0 is
 * empty. Filled in the order gva, window, flags, length (store-release); emptied by length = 0,
 * then a grace period, before anything else of it changes. So a reader that saw a length may use
 * the rest of the entry until it leaves the trusted context.
 */
struct elisa_region {
	uint64_t gva;    /* first byte, in the address space of the guest process */
	uint64_t window; /* first byte, as the datapath addresses it */
	uint32_t flags;  /* ELISA_REGION_* */
	uint32_t reserved;
	uint64_t length; /* bytes, a multiple of the page size; 0 = empty */
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_region) == 32, "region");

#define ELISA_REGION_WRITE 1u /* the switch may write: receive buffers and rings */

/*
 * A queue pair. Written by the module. size fields are written last (store-release) at set-up and
 * first (0) at release, which is followed by a grace period. epoch changes with each set-up, so
 * that the datapath starts its own indices afresh.
 */
struct elisa_queue_map {
	uint64_t tx_window; /* struct elisa_desc[tx_size], as the datapath addresses it */
	uint64_t rx_ring;   /* struct elisa_desc[rx_size], likewise */
	uint32_t tx_size;   /* descriptors, 1..ELISA_MAX_RING, a power of two; 0 = not set up */
	uint32_t rx_size;
	uint32_t epoch;
	uint32_t reserved;
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_queue_map) == 32, "queue map");

/* A vCPU's journal keeps the epoch of what it has in flight modulo this. */
#define ELISA_RUN_EPOCHS 0x1000u

/*
 * Which receive queue a packet goes to: Toeplitz hash of the addresses and, for TCP and UDP, the
 * ports; entry hash % reta_size of reta. reta_size 0 = off: a sender's queue q fills queue q, or 0
 * if that is not set up. Written by the module (RSS_SET); a packet that meets a change in the
 * middle goes to one of the port's queues or to queue 0, nothing worse.
 */
#define ELISA_RSS_KEY_SIZE 40u
#define ELISA_RSS_RETA_MAX 128u /* a power of two */

struct elisa_rss {
	uint32_t types;                  /* ELISA_RSS_* */
	uint32_t reta_size;              /* 0, or a power of two, 1..ELISA_RSS_RETA_MAX */
	uint8_t key[ELISA_RSS_KEY_SIZE]; /* as DPDK and NICs have it: first byte first */
	uint8_t reta[ELISA_RSS_RETA_MAX];
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_rss) == 176, "rss");

#define ELISA_RSS_IPV4 1u /* addresses only, also of fragments and of what is not TCP or UDP */
#define ELISA_RSS_IPV4_TCP 2u
#define ELISA_RSS_IPV4_UDP 4u
#define ELISA_RSS_IPV6 8u
#define ELISA_RSS_IPV6_TCP 16u
#define ELISA_RSS_IPV6_UDP 32u
#define ELISA_RSS_SYMMETRIC 64u /* the lower of two addresses, and of two ports, counts as source */
#define ELISA_RSS_ALL 127u

/* What the module tells the datapath of a port. One for each port, at PORT_MAPS. */
struct elisa_port_map {
	uint32_t flags; /* ELISA_PORT_* */
	uint32_t mtu;   /* bytes of payload that the guest set; frames are up to 22 bytes longer */
	uint32_t nb_regions; /* entries in use or emptied; only grows while the port lives */
	uint32_t nb_queues;
	struct elisa_queue_map queues[ELISA_MAX_QUEUES];
	struct elisa_region regions[ELISA_MAX_REGIONS];
	struct elisa_rss rss;
	uint8_t pad[8192 - 16 - 32 * ELISA_MAX_QUEUES - 32 * ELISA_MAX_REGIONS - 176];
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_port_map) == 8192, "port map: two pages");

#define ELISA_PORT_STARTED 1u     /* the guest's driver started the port: deliver to it */
#define ELISA_PORT_PROMISCUOUS 2u /* deliver unicast frames to any address, not only its own */
#define ELISA_PORT_ALLMULTICAST 4u
#define ELISA_PORT_RX_CSUM \
	8u /* takes packets whose L4 checksum is not filled in (ELISA_DESC_CSUM) */
#define ELISA_PORT_RX_TSO \
	16u /* takes TCP packets longer than its MTU (ELISA_DESC_TSO); with RX_CSUM */
#define ELISA_PORT_FLAGS 31u

/* Bytes around the MTU: Ethernet header, one VLAN tag, and room for a second (QinQ). */
#define ELISA_FRAME_OVERHEAD 22u

/*
 * Uplink calls use the FS base: the guest's is kept here, at the top of the vCPU's trusted stack,
 * while another is in place; 0 otherwise. Whoever throws a vCPU out gives it back.
 */
#define ELISA_OFFSET_KEPT_FS_BASE (ELISA_OFFSET_STACK + ELISA_STACK_SIZE - 8)

#endif
