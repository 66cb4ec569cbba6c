// SPDX-License-Identifier: BSD-3-Clause
/* stats.c - see stats.h. */
#include "stats.h"

#include <jansson.h>
#include <rte_ethdev.h>
#include <stdio.h>

#define MAX_XSTATS 256

enum part { TO_SWITCH, TO_KERNEL, WORKER };

static const struct {
	enum part part;
	bool drop;
	const char *name;
} names[NETD_COUNTERS] = {
	[NETD_TO_SWITCH_FRAMES] = {TO_SWITCH, false, "frames"},
	[NETD_TO_SWITCH_BYTES] = {TO_SWITCH, false, "bytes"},
	[NETD_TO_SWITCH_CHECKSUMS] = {TO_SWITCH, false, "checksum_offloads"},
	[NETD_TO_SWITCH_LONG] = {TO_SWITCH, false, "segmentation_offloads"},
	[NETD_TO_SWITCH_NOT_TAKEN] = {TO_SWITCH, true, "switch_full"},
	[NETD_TO_SWITCH_MALFORMED] = {TO_SWITCH, true, "malformed"},
	[NETD_TO_SWITCH_NO_MEMORY] = {TO_SWITCH, true, "no_memory"},
	[NETD_TO_KERNEL_FRAMES] = {TO_KERNEL, false, "frames"},
	[NETD_TO_KERNEL_BYTES] = {TO_KERNEL, false, "bytes"},
	[NETD_TO_KERNEL_CHECKSUMS] = {TO_KERNEL, false, "checksum_offloads"},
	[NETD_TO_KERNEL_LONG] = {TO_KERNEL, false, "segmentation_offloads"},
	[NETD_TO_KERNEL_DOWN] = {TO_KERNEL, true, "interface_down"},
	[NETD_TO_KERNEL_FULL] = {TO_KERNEL, true, "interface_full"},
	[NETD_TO_KERNEL_MALFORMED] = {TO_KERNEL, true, "malformed"},
	[NETD_TO_KERNEL_NO_MEMORY] = {TO_KERNEL, true, "no_memory"},
	[NETD_SLEEPS] = {WORKER, false, "sleeps"},
};

static uint64_t sum(const struct netd_link *link, unsigned int counter)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < link->nb_workers; i++)
		total += __atomic_load_n(&link->workers[i].counters[counter], __ATOMIC_RELAXED);
	return total;
}

static json_t *pack_part(const struct netd_link *link, enum part part)
{
	json_t *counts = json_object();
	json_t *drops = json_object();

	for (unsigned int i = 0; i < NETD_COUNTERS; i++)
		if (names[i].part == part)
			json_object_set_new(names[i].drop ? drops : counts, names[i].name,
					    json_integer((json_int_t)sum(link, i)));
	json_object_set_new(counts, "drops", drops);
	return counts;
}

/* The driver's extended statistics: gate calls, and what it counts that no worker can see. */
static json_t *pack_driver(const struct netd_link *link)
{
	static struct rte_eth_xstat_name driver_names[MAX_XSTATS];
	static struct rte_eth_xstat values[MAX_XSTATS];
	json_t *driver = json_object();
	int count = rte_eth_xstats_get_names(link->port.id, driver_names, MAX_XSTATS);

	if (count <= 0 || count > MAX_XSTATS ||
	    rte_eth_xstats_get(link->port.id, values, MAX_XSTATS) != count)
		return driver;
	for (int i = 0; i < count; i++)
		json_object_set_new(driver, driver_names[values[i].id].name,
				    json_integer((json_int_t)values[i].value));
	return driver;
}

void netd_stats_print(const struct netd_link *links, uint32_t nb_links)
{
	json_t *all = json_object();

	for (uint32_t i = 0; i < nb_links; i++) {
		const struct netd_link *link = &links[i];

		json_object_set_new(
			all, link->tap.name,
			json_pack("{s:o,s:o,s:I,s:o}", "to_switch", pack_part(link, TO_SWITCH),
				  "to_kernel", pack_part(link, TO_KERNEL), "sleeps",
				  (json_int_t)sum(link, NETD_SLEEPS), "driver", pack_driver(link)));
	}
	json_dumpf(all, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(all);
}
