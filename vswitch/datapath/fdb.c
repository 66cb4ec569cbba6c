/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fdb.c - lookup and learning, on every vCPU at once.
 *
 * In the trusted image. What the daemon does with the table is in control_fdb.c.
 */
#include "vswitch/datapath/fdb.h"

/* Lost races for one entry before learning is left to the next packet. */
#define LEARN_TRIES 4

/* Lost races for a port's count. */
#define COUNT_TRIES 64

static uint64_t *find_in_bucket(uint64_t *bucket, uint64_t mac, uint64_t *entry)
{
	for (unsigned int way = 0; way < ELISA_FDB_WAYS; way++) {
		uint64_t value = elisa_load(&bucket[way]);

		if (elisa_fdb_entry_mac(value) == mac && value) {
			*entry = value;
			return &bucket[way];
		}
	}
	return NULL;
}

static uint64_t *find_free(const struct elisa_switch *sw, uint64_t mac)
{
	for (unsigned int which = 0; which < 2; which++) {
		uint64_t *bucket = elisa_fdb_bucket(sw, mac, which);

		for (unsigned int way = 0; way < ELISA_FDB_WAYS; way++)
			if (!elisa_load(&bucket[way]))
				return &bucket[way];
	}
	return NULL;
}

uint64_t *elisa_fdb_find(const struct elisa_switch *sw, uint64_t mac, uint64_t *entry)
{
	uint64_t *slot = find_in_bucket(elisa_fdb_bucket(sw, mac, 0), mac, entry);

	return slot ? slot : find_in_bucket(elisa_fdb_bucket(sw, mac, 1), mac, entry);
}

uint32_t elisa_fdb_lookup(const struct elisa_switch *sw, uint64_t mac)
{
	uint64_t entry;

	if (!elisa_fdb_find(sw, mac, &entry))
		return ELISA_FDB_NONE;
	return elisa_fdb_entry_port(entry);
}

/* One more entry for a port: false if that is one too many. */
static bool count_in(struct elisa_switch *sw, uint32_t port)
{
	uint64_t *learned = &sw->limits[port].learned;
	uint32_t limit = elisa_load(&sw->config[port].learning_limit);

	for (unsigned int try = 0; try < COUNT_TRIES; try++) {
		uint64_t nb = elisa_load(learned);

		if (nb >= limit)
			return false;
		if (elisa_replace(learned, nb, nb + 1))
			return true;
	}
	return false;
}

void elisa_fdb_count_out(struct elisa_switch *sw, uint32_t port)
{
	uint64_t *learned = &sw->limits[port].learned;

	for (unsigned int try = 0; try < COUNT_TRIES; try++) {
		uint64_t nb = elisa_load(learned);

		/* None: it was counted again meanwhile. */
		if (!nb || elisa_replace(learned, nb, nb - 1))
			return;
	}
}

/* Replace `old`, another port's or none, by `fresh`. False: a race was lost, *learned tells if not. */
static bool take_over(struct elisa_switch *sw, uint64_t *slot, uint64_t old, uint64_t fresh,
		      bool *learned)
{
	uint32_t port = elisa_fdb_entry_port(fresh);

	*learned = count_in(sw, port);
	if (!*learned)
		return true;
	if (!elisa_replace(slot, old, fresh)) {
		elisa_fdb_count_out(sw, port);
		return false;
	}
	if (old) {
		elisa_fdb_count_out(sw, elisa_fdb_entry_port(old));
		elisa_count(&sw->fdb_moves, 1);
	}
	return true;
}

bool elisa_fdb_learn(struct elisa_switch *sw, uint64_t mac, uint32_t port)
{
	uint64_t fresh = elisa_fdb_entry(mac, port, elisa_load(&sw->fdb_tick), 0);
	bool learned = true;

	for (unsigned int try = 0; try < LEARN_TRIES; try++) {
		uint64_t old = 0;
		uint64_t *slot = elisa_fdb_find(sw, mac, &old);

		if (slot && (old == fresh || old & ELISA_FDB_FIXED))
			return true;
		if (!slot)
			slot = find_free(sw, mac);
		if (!slot) {
			elisa_count(&sw->fdb_full, 1);
			return true;
		}
		if (old && elisa_fdb_entry_port(old) == port
			    ? elisa_replace(slot, old, fresh)
			    : take_over(sw, slot, old, fresh, &learned))
			return learned;
	}
	return true;
}
