/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control_fdb.c - what the daemon does with the MAC table while vCPUs learn into it.
 *
 * Not in the trusted image. Every change is a compare-and-swap of one entry.
 */
#include <errno.h>

#include "vswitch/datapath/control_fdb.h"
#include "vswitch/datapath/fdb.h"

static uint32_t nb_entries(const struct elisa_switch *sw)
{
	return sw->fdb_buckets * ELISA_FDB_WAYS;
}

/* An entry of the address's two buckets, 0..15. */
static uint64_t *nth_entry(struct elisa_switch *sw, uint64_t mac, unsigned int n)
{
	return elisa_fdb_bucket(sw, mac, n / ELISA_FDB_WAYS) + n % ELISA_FDB_WAYS;
}

/* Remove a learned entry. False: lost against a vCPU that has just seen the station. */
static bool forget(struct elisa_switch *sw, uint64_t *slot, uint64_t entry)
{
	if (!elisa_replace(slot, entry, 0))
		return false;
	elisa_fdb_count_out(sw, elisa_fdb_entry_port(entry));
	return true;
}

/* Learned copies of a fixed address, which vCPUs may have stored while it was being added. */
static void remove_learned(struct elisa_switch *sw, uint64_t mac)
{
	for (unsigned int n = 0; n < 2 * ELISA_FDB_WAYS; n++) {
		uint64_t *slot = nth_entry(sw, mac, n);
		uint64_t entry = elisa_load(slot);

		if (entry && elisa_fdb_entry_mac(entry) == mac && !(entry & ELISA_FDB_FIXED))
			forget(sw, slot, entry);
	}
}

/*
 * The place for a new fixed entry: one that has the address, else a free one, else a learned one.
 * -1: all are fixed.
 */
static int choose_place(struct elisa_switch *sw, uint64_t mac, uint64_t *entry)
{
	int place = -1;
	int rank = 0;

	for (unsigned int n = 0; n < 2 * ELISA_FDB_WAYS; n++) {
		uint64_t seen = elisa_load(nth_entry(sw, mac, n));
		int here = seen & ELISA_FDB_FIXED ? 0 : 1;

		if (!seen)
			here = 2;
		if (seen && elisa_fdb_entry_mac(seen) == mac)
			here = 3;
		if (here > rank) {
			rank = here;
			place = n;
			*entry = seen;
		}
	}
	return place;
}

int elisa_fdb_add_fixed(struct elisa_switch *sw, uint64_t mac, unsigned int port)
{
	uint64_t fixed = elisa_fdb_entry(mac, port, 0, ELISA_FDB_FIXED);
	uint64_t entry = 0;
	int place;

	do {
		place = choose_place(sw, mac, &entry);
		if (place < 0)
			return -ENOSPC;
		if (entry & ELISA_FDB_FIXED)
			return -EADDRINUSE;
	} while (!elisa_replace(nth_entry(sw, mac, place), entry, fixed));
	if (entry)
		elisa_fdb_count_out(sw, elisa_fdb_entry_port(entry));
	remove_learned(sw, mac);
	return 0;
}

void elisa_fdb_remove_fixed(struct elisa_switch *sw, uint64_t mac)
{
	for (unsigned int n = 0; n < 2 * ELISA_FDB_WAYS; n++) {
		uint64_t *slot = nth_entry(sw, mac, n);
		uint64_t entry = elisa_load(slot);

		/* Nobody else changes a fixed entry. */
		if (entry & ELISA_FDB_FIXED && elisa_fdb_entry_mac(entry) == mac)
			elisa_store(slot, 0);
	}
}

/*
 * What vCPUs that were lost while they learned have left wrong. A port whose count changes meanwhile
 * keeps it until the next time. An entry that is counted and not yet there is missed: until then the
 * port may pass its limit by one for each vCPU that is at that point.
 */
static void recount(struct elisa_switch *sw)
{
	uint64_t counted[ELISA_MAX_PORTS];
	uint64_t found[ELISA_MAX_PORTS] = {0};

	for (unsigned int port = 0; port < ELISA_MAX_PORTS; port++)
		counted[port] = elisa_load(&sw->limits[port].learned);
	for (uint32_t i = 0; i < nb_entries(sw); i++) {
		uint64_t entry = elisa_load(&sw->fdb[i]);

		if (entry && !(entry & ELISA_FDB_FIXED))
			found[elisa_fdb_entry_port(entry)]++;
	}
	for (unsigned int port = 0; port < ELISA_MAX_PORTS; port++)
		if (found[port] != counted[port])
			elisa_replace(&sw->limits[port].learned, counted[port], found[port]);
}

uint64_t elisa_fdb_remove_strays(struct elisa_switch *sw, uint64_t keep)
{
	uint64_t ports = 0;

	for (uint32_t i = 0; i < nb_entries(sw); i++) {
		uint64_t entry = elisa_load(&sw->fdb[i]);
		unsigned int port = elisa_fdb_entry_port(entry);

		if (!entry)
			continue;
		if (keep >> port & 1 &&
		    (!(entry & ELISA_FDB_FIXED) ||
		     elisa_fdb_entry_mac(entry) == elisa_load(&sw->config[port].mac)))
			continue;
		if (entry & ELISA_FDB_FIXED)
			elisa_store(&sw->fdb[i], 0);
		else
			forget(sw, &sw->fdb[i], entry);
		ports |= 1ull << port;
	}
	return ports;
}

unsigned int elisa_switch_fdb_age(struct elisa_switch *sw)
{
	uint64_t tick = __atomic_add_fetch(&sw->fdb_tick, 1, __ATOMIC_RELAXED);
	unsigned int nb_removed = 0;

	for (uint32_t i = 0; i < nb_entries(sw); i++) {
		uint64_t entry = elisa_load(&sw->fdb[i]);

		if (!entry || entry & ELISA_FDB_FIXED ||
		    elisa_fdb_entry_age(entry, tick) < sw->fdb_age_ticks)
			continue;
		nb_removed += forget(sw, &sw->fdb[i], entry);
	}
	recount(sw);
	for (unsigned int port = 0; port < ELISA_MAX_PORTS; port++)
		if (elisa_load(&sw->config[port].present))
			remove_learned(sw, elisa_load(&sw->config[port].mac));
	return nb_removed;
}

unsigned int elisa_switch_fdb_flush(struct elisa_switch *sw, unsigned int port)
{
	unsigned int nb_removed = 0;

	for (uint32_t i = 0; i < nb_entries(sw); i++) {
		uint64_t entry = elisa_load(&sw->fdb[i]);

		if (!entry || entry & ELISA_FDB_FIXED ||
		    (port < ELISA_MAX_PORTS && elisa_fdb_entry_port(entry) != port))
			continue;
		nb_removed += forget(sw, &sw->fdb[i], entry);
	}
	return nb_removed;
}

unsigned int elisa_switch_fdb_dump(const struct elisa_switch *sw, struct elisa_fdb_record *records,
				   unsigned int max)
{
	uint64_t tick = elisa_load(&sw->fdb_tick);
	unsigned int nb = 0;

	for (uint32_t i = 0; i < nb_entries(sw); i++) {
		uint64_t entry = elisa_load(&sw->fdb[i]);

		if (!entry)
			continue;
		if (nb < max) {
			bool fixed = entry & ELISA_FDB_FIXED;

			elisa_mac_from_number(elisa_fdb_entry_mac(entry), records[nb].mac);
			records[nb].port = elisa_fdb_entry_port(entry);
			records[nb].fixed = fixed;
			records[nb].age_ticks = fixed ? 0 : elisa_fdb_entry_age(entry, tick);
		}
		nb++;
	}
	return nb;
}
