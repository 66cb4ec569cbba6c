/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * switch.h - the state of one switch, and what the daemon does with it.
 *
 * The public header of the datapath. struct elisa_switch is all the state there is: it lives at
 * ELISA_OFFSET_SWITCH of the trusted context, and the daemon maps the same memory, at any address:
 * nothing in it points into itself. Whoever carries traffic is outside this header (call.h).
 *
 * Who writes what: the daemon writes what its functions below write, the datapath on every vCPU
 * writes the rest at the same time. All words that two of them share are accessed with atomics.
 */
#ifndef ELISA_VSWITCH_DATAPATH_SWITCH_H
#define ELISA_VSWITCH_DATAPATH_SWITCH_H

#include <elisa/layout.h>
#include <elisa/ring.h>
#include <elisa/version.h>

#define ELISA_SWITCH_MAGIC 0x48435449575345ull /* "ESWITCH" */
#define ELISA_SWITCH_LAYOUT 3u                 /* changes with struct elisa_switch */

#define ELISA_CACHE_LINE 64u

/* Entries of the MAC table: a power of two. */
#define ELISA_FDB_MIN_CAPACITY 64u
#define ELISA_FDB_MAX_CAPACITY (1u << 20)
#define ELISA_FDB_DEFAULT_CAPACITY 16384u

/* Ageing: the daemon calls elisa_switch_fdb_age() once each tick. 30 ticks of 10 s: 300 s. */
#define ELISA_FDB_TICK_SECONDS 10u
#define ELISA_FDB_DEFAULT_AGE_TICKS 30u
#define ELISA_FDB_MAX_AGE_TICKS 127u

/* What the daemon decided about a port. `mac` as a number, see elisa_mac_to_number(). */
struct elisa_port_config {
	_Alignas(ELISA_CACHE_LINE) uint32_t present; /* 1 between port_add and port_del */
	uint32_t backpressure; /* 1: a full receive ring stops its unicast senders; 0: drops */
	uint64_t mac;
	uint32_t uplink;  /* 0: a guest's port; else the port is uplinks[uplink - 1] */
	uint32_t capture; /* bytes of each packet to capture, both directions; 0: nobody captures */
	uint32_t rules;   /* ELISA_RULE_*: what of the port's policy there is to look at */
	uint32_t learning_limit; /* struct elisa_port_policy */
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_port_config) == 64, "port config: one cache line");

/*
 * A port's policy: what it may send, set by elisa_switch_port_set_policy() while traffic flows. All of
 * it is about packets that the port gives to the switch, and decided on the bytes that are delivered.
 * What is not allowed is dropped and counted: SOURCE_GUARD, RATE_LIMIT, STORM_LIMIT, PRIVATE_PORT.
 */
#define ELISA_POLICY_PRIVATE 1u    /* its packets go to uplinks and to ports that are not private */
#define ELISA_POLICY_GUARD_MAC 2u  /* Ethernet source, and ARP sender: the port's own address */
#define ELISA_POLICY_GUARD_IPV4 4u /* IPv4 source and ARP sender: one of `ipv4` */
#define ELISA_POLICY_GUARD_IPV6 8u /* IPv6 source: one of `ipv6`, or link-local of its own MAC */
#define ELISA_POLICY_GUARD_VLAN 16u /* outermost VLAN: one of `vlans` */
#define ELISA_POLICY_GUARDS                                                           \
	(ELISA_POLICY_GUARD_MAC | ELISA_POLICY_GUARD_IPV4 | ELISA_POLICY_GUARD_IPV6 | \
	 ELISA_POLICY_GUARD_VLAN)
#define ELISA_POLICY_FLAGS (ELISA_POLICY_PRIVATE | ELISA_POLICY_GUARDS)

#define ELISA_POLICY_ADDRESSES 8u /* in each list */
#define ELISA_LEARNING_DEFAULT 1024u
#define ELISA_LEARNING_UNLIMITED 0xffffffffu /* an uplink's default */

/*
 * A token bucket: per_second tokens come in each second, at most `burst` are kept, and a packet that
 * finds one left passes and takes what it costs, also more than there is. So in any time t no more
 * than per_second * t + burst, and the last packet, pass; and on top once what a call gave back that
 * back-pressure cut short.
 */
struct elisa_rate {
	uint64_t per_second; /* 0: no limit; else up to ELISA_RATE_MAX */
	uint64_t burst;      /* 0: a hundredth of a second's, and at least ELISA_BURST_MIN_* */
};

#define ELISA_RATE_MAX 100000000000ull
#define ELISA_RATE_MIN_BYTES 1000u    /* bytes per second; of packets it is 1 */
#define ELISA_BURST_MAX_SECONDS 1000u /* a burst is at most what comes in in these */
#define ELISA_BURST_MIN_PACKETS 256u
#define ELISA_BURST_MIN_BYTES 65536u

/*
 * A packet that TSO sends counts as the packets it is cut into, with their headers; bytes are those of
 * frames, without preamble and FCS.
 *
 * Time is the host's TSC. A vCPU whose TSC runs at another rate (no ELISA_IDENTITY_TSC: QEMU's
 * tsc-frequency, a migrated VM) has no clock: from it a port with a rate or storm limit sends nothing
 * that the limit is about. Do not set one on such a VM (VM_VCPU_STATS: tsc_scaled).
 *
 * Guards. Only what can be read is let through: a packet whose headers are cut short, or behind more
 * than two VLAN tags or more extension headers than fit in its first 96 bytes, is dropped.
 *	IPV4 or IPV6	of the Ethernet types, IPv4, ARP and IPv6 pass, nothing else; the family that has
 *		no guard passes as it is.
 *	IPV4	0.0.0.0 may ask for an address by DHCP, and by ARP whether one of `ipv4` is in use.
 *	IPV6	:: may ask whether an allowed address is in use, for routers, and report multicast
 *		groups. A neighbour advertisement must be about an allowed address. Router
 *		advertisements and redirects are dropped, neighbour discovery in fragments too.
 *	VLAN	0 in the list stands for packets without a tag, or with tags that name no VLAN (0).
 */
struct elisa_port_policy {
	uint32_t flags;            /* ELISA_POLICY_* */
	uint32_t learning_limit;   /* addresses it may have in the MAC table beside its own */
	struct elisa_rate packets; /* packets it sends */
	struct elisa_rate bytes;   /* bytes it sends */
	struct elisa_rate storm; /* packets it has flooded: broadcast, multicast, unknown unicast */
	uint32_t nb_ipv4;
	uint32_t nb_ipv6;
	uint32_t nb_vlans;
	uint8_t ipv4[ELISA_POLICY_ADDRESSES][4];
	uint8_t ipv6[ELISA_POLICY_ADDRESSES][16];
	uint16_t vlans[ELISA_POLICY_ADDRESSES]; /* 0..4094 */
};

/* What the datapath looks at in config[].rules, before it looks at a policy at all. */
#define ELISA_RULE_PRIVATE 1u
#define ELISA_RULE_GUARD 2u
#define ELISA_RULE_RATE 4u
#define ELISA_RULE_STORM 8u

/* struct elisa_rate as the datapath counts with it: bucket.h. */
struct elisa_bucket_rate {
	uint64_t per_second; /* 0: no limit */
	uint64_t burst;
	uint64_t cost;      /* of a packet or byte, in 2^-ELISA_BUCKET_COST_BITS ticks of the TSC */
	uint64_t tolerance; /* of the burst, in 2^-ELISA_BUCKET_TICK_BITS ticks */
};

/* struct elisa_port_policy in aligned words, addresses as they lie in packets. */
struct elisa_port_rules {
	uint32_t flags;
	uint32_t nb_ipv4;
	uint32_t nb_ipv6;
	uint32_t nb_vlans;
	struct elisa_bucket_rate packets;
	struct elisa_bucket_rate bytes;
	struct elisa_bucket_rate storm;
	uint64_t ipv6[ELISA_POLICY_ADDRESSES][2];
	uint32_t ipv4[ELISA_POLICY_ADDRESSES];
	uint32_t vlans[ELISA_POLICY_ADDRESSES];
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_port_rules) == 304, "rules: whole words, no padding");

/*
 * A port's policy and what it counts. The rules in force are rules[version & 1]; the daemon writes the
 * others and then counts version up. Who finds the version unchanged after a decision has decided on
 * one policy.
 */
struct elisa_port_limits {
	_Alignas(ELISA_CACHE_LINE) uint64_t version;
	_Alignas(ELISA_CACHE_LINE) uint64_t packets; /* buckets, one word each: bucket.h */
	uint64_t bytes;
	uint64_t storm;
	uint64_t learned; /* entries of the MAC table with this port, not fixed: fdb.h */
	_Alignas(ELISA_CACHE_LINE) struct elisa_port_rules rules[2];
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_port_limits) == 768, "limits: 12 cache lines");

/* Packets a port gave to the switch. Written by all vCPUs that send from the port. */
struct elisa_send_counters {
	_Alignas(ELISA_CACHE_LINE) uint64_t packets; /* taken: delivered, flooded or dropped */
	uint64_t bytes;        /* of them; 0 for a packet whose descriptors are bad */
	uint64_t calls;        /* gate calls to transmit */
	uint64_t flooded;      /* packets sent to more than the one port that has the address */
	uint64_t backpressure; /* calls cut short by a full receiver */
	uint64_t claim_retries;
	uint64_t segments;  /* made of TSO packets by cutting, less one for each such packet */
	uint64_t unlearned; /* packets whose source was not learned: learning limit */
	uint64_t drops[ELISA_DROP_REASONS]; /* a flooded packet: one for each copy not delivered */
};

/* Packets the switch gave to a port. Written by all vCPUs that send to it. */
struct elisa_receive_counters {
	_Alignas(ELISA_CACHE_LINE) uint64_t packets;
	uint64_t bytes;
	uint64_t drops[ELISA_DROP_REASONS]; /* SENDER_LOST counts slots, the others packets */
};

/*
 * A receive ring as the switch sees it: journal.h tells what the words mean.
 * ring and size are valid for the epoch in word.
 */
struct elisa_receive_queue {
	_Alignas(ELISA_CACHE_LINE) uint64_t word;
	uint64_t ring; /* struct elisa_desc[size], as the datapath addresses it */
	uint32_t size;
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_receive_queue) == 64, "receive queue: one cache line");

/* What one vCPU has in flight: journal.h. */
struct elisa_journal {
	_Alignas(ELISA_CACHE_LINE) uint64_t word;
	uint64_t sender; /* port that the run in word is sent from */
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_journal) == 64, "journal: one cache line");

/*
 * A queue pair of a NIC. One vCPU at a time uses it, whole: receive, transmit and mbuf pool.
 * owner is taken by compare-and-swap and never waited for. A vCPU that is lost or thrown out while
 * it has the queue leaves it to the daemon, which sets the NIC up again and clears owner.
 */
struct elisa_uplink_queue {
	_Alignas(ELISA_CACHE_LINE) uint64_t owner; /* times taken:48 | vCPU + 1:16, 0 = free */
	uint64_t receive;  /* the driver's receive queue, at the same address on both sides */
	uint64_t transmit; /* the driver's transmit queue, likewise */
	uint64_t pool;     /* struct rte_mempool, likewise */
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_uplink_queue) == 64, "uplink queue: one cache line");

#define ELISA_MAX_UPLINKS 4u
#define ELISA_UPLINK_QUEUES 8u /* a vCPU v uses queue v % nb_queues */

enum elisa_uplink_state {
	ELISA_UPLINK_NONE = 0,
	ELISA_UPLINK_DOWN, /* being set up or taken away: no vCPU begins to use it */
	ELISA_UPLINK_UP,
};

/* Written by the daemon; the queues' owners by the vCPUs too. */
struct elisa_uplink {
	_Alignas(ELISA_CACHE_LINE) uint32_t state; /* enum elisa_uplink_state */
	uint32_t link;                             /* 1: the NIC has a link */
	uint32_t driver;    /* which burst functions: vswitch/uplink/drivers.h */
	uint32_t port;      /* its port number */
	uint32_t mtu;       /* bytes */
	uint32_t nb_queues; /* 1..ELISA_UPLINK_QUEUES */
	uint32_t room;      /* bytes of data that one mbuf of the pool has room for */
	uint32_t reserved;
	struct elisa_uplink_queue queues[ELISA_UPLINK_QUEUES];
};

struct elisa_switch {
	uint64_t magic; /* written last by elisa_switch_init() */
	uint32_t abi;   /* ELISA_IMAGE_ABI */
	uint32_t layout;
	uint64_t size;          /* bytes, table included */
	uint64_t fdb_seed;      /* odd */
	uint32_t fdb_buckets;   /* a power of two */
	uint32_t fdb_age_ticks; /* 1..ELISA_FDB_MAX_AGE_TICKS */
	uint64_t fdb_tick;
	uint64_t fdb_full;        /* source addresses not learned: no room */
	uint64_t fdb_moves;       /* addresses that changed port */
	uint64_t ports;           /* bit p: port p is present */
	uint64_t uplinks_present; /* bit u: uplinks[u] is there */

	struct elisa_port_config config[ELISA_MAX_PORTS];
	struct elisa_send_counters sent[ELISA_MAX_PORTS];
	struct elisa_receive_counters received[ELISA_MAX_PORTS];
	struct elisa_receive_queue queues[ELISA_MAX_PORTS][ELISA_MAX_QUEUES];
	struct elisa_journal journals[ELISA_MAX_VCPUS];
	struct elisa_uplink uplinks[ELISA_MAX_UPLINKS];
	struct elisa_port_limits limits[ELISA_MAX_PORTS];

	_Alignas(ELISA_CACHE_LINE) uint64_t fdb[]; /* buckets of 8 entries: fdb.h */
};

/*
 * The trusted image begins its read-only part, at ELISA_OFFSET_RODATA, with this: the first bytes
 * of the second PT_LOAD of elisa-image.elf. A loader refuses another magic, abi or layout.
 */
#define ELISA_IMAGE_MAGIC 0x4547414d49415345ull

struct elisa_image_header {
	uint64_t magic;       /* ELISA_IMAGE_MAGIC */
	uint32_t abi;         /* ELISA_IMAGE_ABI */
	uint32_t layout;      /* ELISA_SWITCH_LAYOUT */
	uint64_t switch_size; /* sizeof(struct elisa_switch), without the table */
	char version[ELISA_NAME_SIZE];
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_image_header) == 56, "image header");

struct elisa_switch_params {
	uint32_t fdb_capacity; /* entries, a power of two, ELISA_FDB_MIN.._MAX_CAPACITY */
	uint32_t age_ticks;    /* 1..ELISA_FDB_MAX_AGE_TICKS */
	uint64_t seed;         /* random, so that a guest cannot choose addresses that collide */
};

struct elisa_port_params {
	uint8_t mac[ELISA_MAC_SIZE]; /* unicast, not zero */
	bool backpressure;
};

struct elisa_port_stats {
	uint64_t tx_packets; /* as struct elisa_send_counters */
	uint64_t tx_bytes;
	uint64_t tx_calls;
	uint64_t tx_flooded;
	uint64_t tx_backpressure;
	uint64_t tx_claim_retries;
	uint64_t tx_segments;
	uint64_t tx_unlearned;
	uint64_t learned; /* addresses it has in the MAC table now, beside its own */
	uint64_t tx_drops[ELISA_DROP_REASONS];
	uint64_t rx_packets; /* as struct elisa_receive_counters */
	uint64_t rx_bytes;
	uint64_t rx_drops[ELISA_DROP_REASONS];
};

struct elisa_fdb_record {
	uint8_t mac[ELISA_MAC_SIZE];
	uint8_t port;
	bool fixed;         /* the port's own address: does not age, does not move */
	uint32_t age_ticks; /* since the address was last seen; 0 when fixed */
};

/*
 * The functions below are the daemon's. One thread at a time for each switch; traffic may flow.
 * Functions with `port` answer -ENODEV when it is not present, and -ERANGE beyond the limit.
 */

/* Bytes that a switch with such a table needs, whole pages; 0 when the capacity is not valid. */
uint64_t elisa_switch_size(uint32_t fdb_capacity);

/*
 * Make an empty switch in `memory`, `size` bytes of zeroes, page-aligned, that no vCPU uses yet.
 *	-EINVAL	a parameter	-ENOSPC	size is less than elisa_switch_size() says
 */
int elisa_switch_init(struct elisa_switch *memory, uint64_t size,
		      const struct elisa_switch_params *params);

/* Is this a switch of this layout, whole in `size` bytes? For adopting one that runs. -EPROTO. */
int elisa_switch_check(const struct elisa_switch *sw, uint64_t size);

/*
 * Of a switch that is adopted: ports that are not in `keep` (bit p: port p) go, however far adding or
 * removing them had come, and nothing is captured. No vCPU sends from them or to them any more, and
 * there is no uplink. Returns the ports of which something was left.
 */
uint64_t elisa_switch_settle(struct elisa_switch *sw, uint64_t keep);

/*
 * Add a port: counters from zero, its MAC in the table for as long as the port is there.
 *	-EEXIST	the port is there	-EADDRINUSE another port has the MAC	-EINVAL	the MAC
 *	-ENOSPC	the table has no room for the MAC
 * Call it before the module offers the port to a guest (PORT_ADD).
 */
int elisa_switch_port_add(struct elisa_switch *sw, unsigned int port,
			  const struct elisa_port_params *params);

/*
 * Remove a port and all its addresses. Senders on it get -ENODEV from now on.
 * Close the module's port first: that stops it and waits for the vCPUs inside.
 */
int elisa_switch_port_del(struct elisa_switch *sw, unsigned int port);

int elisa_switch_port_set_backpressure(struct elisa_switch *sw, unsigned int port,
				       bool backpressure);

/*
 * Replace the port's policy; calls that have begun may end with the one before. A port begins with no
 * limit but ELISA_LEARNING_DEFAULT; an uplink has none, and keeps to that. `tsc_hz`: ticks of the host's
 * TSC per second, 10^6..10^10; only looked at if there is a rate.
 *	-EINVAL	a flag, count, VLAN or rate out of its range; a list without its guard, or GUARD_VLAN
 *		without a list; tsc_hz; the port is an uplink's
 * A lower learning limit leaves what was learned to age. A rate or burst that changes begins with a
 * whole burst; one that stays goes on.
 */
int elisa_switch_port_set_policy(struct elisa_switch *sw, unsigned int port,
				 const struct elisa_port_policy *policy, uint64_t tsc_hz);

/* The policy in force, with the bursts as they are. */
int elisa_switch_port_policy(const struct elisa_switch *sw, unsigned int port,
			     struct elisa_port_policy *policy);

/*
 * Capture the first `bytes` of each packet from now on; 0: of none. struct elisa_capture has to be
 * mapped as long as a vCPU may have seen another value than 0 (capture.h). A port that is removed
 * is not captured any more.
 */
int elisa_switch_port_set_capture(struct elisa_switch *sw, unsigned int port, uint32_t bytes);

/* Counters since the port was added. Each is exact; together they are no snapshot in traffic. */
int elisa_switch_port_stats(const struct elisa_switch *sw, unsigned int port,
			    struct elisa_port_stats *stats);

/* One tick passed: forget what was not seen for the switch's age_ticks. Returns how many. */
unsigned int elisa_switch_fdb_age(struct elisa_switch *sw);

/* Forget the learned addresses of a port; ELISA_MAX_PORTS = of all. Returns how many. */
unsigned int elisa_switch_fdb_flush(struct elisa_switch *sw, unsigned int port);

/* Write up to `max` entries, in no order. Returns how many the table has: maybe more than max. */
unsigned int elisa_switch_fdb_dump(const struct elisa_switch *sw, struct elisa_fdb_record *records,
				   unsigned int max);

/* An aligned word of a receive ring, and which ring it has to be of still. */
struct elisa_ring_word {
	uint64_t address; /* as the datapath addresses it: less ELISA_WINDOW_GVA, an offset */
	uint32_t port;
	uint32_t queue;
	uint32_t epoch; /* modulo ELISA_RUN_EPOCHS */
};

/*
 * How elisa_switch_vcpu_finish() reaches a guest's receive ring, as DOMAIN_CMPXCHG64 does: replace
 * the word by `desired` if it is `expected`; `seen` = what was there. In one step with the look at
 * the port's map: a ring that was set up since has the same words, and nobody claimed them.
 * 0, or -errno: it is another ring by now, or nothing is mapped there.
 */
typedef int (*elisa_cmpxchg64)(void *context, const struct elisa_ring_word *word, uint64_t expected,
			       uint64_t desired, uint64_t *seen);

/*
 * Finish what a lost vCPU left: its claimed receive slots go back to the receiver, dropped.
 * The vCPU must be out of the trusted context and unable to enter while this runs: gone for good
 * (ELISA_EVENT_VCPU_LOST). One that may enter again finishes by itself when it does.
 * Can be repeated, also by the next daemon when this one dies in the middle.
 * Returns the number of slots handed back (0: nothing was in flight), or -ERANGE.
 */
int elisa_switch_vcpu_finish(struct elisa_switch *sw, unsigned int vcpu, elisa_cmpxchg64 cmpxchg,
			     void *context);

/*
 * Is all of this state, mapped with `size` bytes, as the daemon and the datapath leave it at any instant
 * of traffic: ports, their addresses and counts in the table, receive queues, journals, uplinks?
 * -EUCLEAN: it is not, something has written here that must not; `sentence` says where. Changes nothing;
 * never wrong about a sound switch, but what a writer could have put there as well is not found.
 */
#define ELISA_AUDIT_SENTENCE 160u
int elisa_switch_audit(const struct elisa_switch *sw, uint64_t size,
		       char sentence[ELISA_AUDIT_SENTENCE]);

/* A name for a drop reason, for people and telemetry: "receiver-full". "?" beyond the list. */
const char *elisa_drop_reason_name(unsigned int reason);

/*
 * Uplinks. One is added to a port number that is free, DOWN; its port has no fixed address. The NIC
 * has to be set up, and its memory mapped, before ELISA_UPLINK_UP.
 */
struct elisa_uplink_params {
	uint32_t port;
	uint32_t driver; /* vswitch/uplink/drivers.h */
	uint32_t mtu;
	uint32_t room;
	uint32_t nb_queues; /* 1..ELISA_UPLINK_QUEUES */
	bool backpressure;
};

/* -EEXIST the uplink or the port is there	-EINVAL a parameter	-ERANGE	a limit */
int elisa_switch_uplink_add(struct elisa_switch *sw, unsigned int uplink,
			    const struct elisa_uplink_params *params);

/* DOWN and with all queues free. Its learned addresses go too. -EBUSY, -ENODEV, -ERANGE. */
int elisa_switch_uplink_del(struct elisa_switch *sw, unsigned int uplink);

/* DOWN: no vCPU begins to use a queue from now on; those that have one are its owners. */
int elisa_switch_uplink_set_state(struct elisa_switch *sw, unsigned int uplink,
				  enum elisa_uplink_state state);
int elisa_switch_uplink_set_link(struct elisa_switch *sw, unsigned int uplink, bool link);

/* While DOWN and the queue is free: where the driver has it (struct elisa_uplink_queue). */
int elisa_switch_uplink_set_queue(struct elisa_switch *sw, unsigned int uplink, unsigned int queue,
				  uint64_t receive, uint64_t transmit, uint64_t pool);

/* The queue's owner word; its vCPU, or -1: it is free. 0 where there is no such queue. */
uint64_t elisa_switch_uplink_owner(const struct elisa_switch *sw, unsigned int uplink,
				   unsigned int queue);
static inline int elisa_uplink_owner_vcpu(uint64_t owner)
{
	return (int)(owner & 0xffff) - 1;
}

/* Free a queue whose owner is out of the trusted context and cannot enter. */
void elisa_switch_uplink_free(struct elisa_switch *sw, unsigned int uplink, unsigned int queue);

/* Bytes of a MAC address as one number, first byte most significant, and back. */
uint64_t elisa_mac_to_number(const uint8_t mac[ELISA_MAC_SIZE]);
void elisa_mac_from_number(uint64_t number, uint8_t mac[ELISA_MAC_SIZE]);

#endif
