/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fdb.h - the MAC table: which port an address is behind. No locks.
 *
 * An entry is one 64-bit word, 0 = free, replaced whole by compare-and-swap:
 *
 *	mac:48 | used:1 | fixed:1 | port:6 | tick:8
 *
 * An address may be in one of two buckets of 8 entries (a cache line each). Two vCPUs that learn
 * one address at the same instant may store it twice: lookups take the first, the other ages.
 * `fixed` entries are the ports' own addresses: the datapath never changes them. An entry that is
 * not expired is never evicted, so a flood of addresses cannot push out stations that talk.
 */
#ifndef ELISA_VSWITCH_DATAPATH_FDB_H
#define ELISA_VSWITCH_DATAPATH_FDB_H

#include "vswitch/datapath/atomic.h"
#include "vswitch/datapath/switch.h"

#define ELISA_FDB_WAYS 8u
#define ELISA_FDB_USED (1ull << 15)
#define ELISA_FDB_FIXED (1ull << 14)
#define ELISA_FDB_NONE ELISA_MAX_PORTS /* "no port": the address is not known */

#define ELISA_MAC_BROADCAST 0xffffffffffffull
#define ELISA_MAC_MULTICAST_BIT (1ull << 40)

static inline uint64_t elisa_fdb_entry(uint64_t mac, uint32_t port, uint64_t tick, uint64_t fixed)
{
	return mac << 16 | ELISA_FDB_USED | fixed | (uint64_t)port << 8 | (tick & 0xff);
}

static inline uint64_t elisa_fdb_entry_mac(uint64_t entry)
{
	return entry >> 16;
}

static inline uint32_t elisa_fdb_entry_port(uint64_t entry)
{
	return entry >> 8 & (ELISA_MAX_PORTS - 1);
}

/* Ticks since the entry was last seen. */
static inline uint32_t elisa_fdb_entry_age(uint64_t entry, uint64_t tick)
{
	return (tick - entry) & 0xff;
}

/* The first entry of the bucket that an address may be in: which = 0 or 1. */
static inline uint64_t *elisa_fdb_bucket(const struct elisa_switch *sw, uint64_t mac,
					 unsigned int which)
{
	uint64_t hash = mac * sw->fdb_seed;
	uint64_t index;

	hash = (hash ^ hash >> 32) * 0x9e3779b97f4a7c15ull;
	index = (which ? hash >> 24 : hash >> 44) & (sw->fdb_buckets - 1);
	return (uint64_t *)&sw->fdb[index * ELISA_FDB_WAYS];
}

/* The entry of an address, copied to *entry; NULL = not there. */
uint64_t *elisa_fdb_find(const struct elisa_switch *sw, uint64_t mac, uint64_t *entry);

/* The port that an address is behind, or ELISA_FDB_NONE. */
uint32_t elisa_fdb_lookup(const struct elisa_switch *sw, uint64_t mac);

/*
 * A unicast source address was seen on a port. False: it is not learned, for the port has as many as
 * its learning limit lets it; one that another port had stays there until it ages.
 */
bool elisa_fdb_learn(struct elisa_switch *sw, uint64_t mac, uint32_t port);

/*
 * An entry of a port's that was not fixed is gone or another port's now. limits[port].learned counts
 * them: up before an entry is written, down after it is gone, so that two vCPUs together cannot pass
 * the limit. One that is lost in between leaves it a little too high until the daemon's next
 * elisa_switch_fdb_age() counts again.
 */
void elisa_fdb_count_out(struct elisa_switch *sw, uint32_t port);

#endif
