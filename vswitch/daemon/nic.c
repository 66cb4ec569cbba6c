// SPDX-License-Identifier: BSD-3-Clause
/* nic.c - see nic.h: a NIC from DPDK taking it to giving it back. */
#include "nic.h"

#include "nic_memory.h"
#include "nic_pool.h"
#include "nic_setup.h"

#include <rte_build_config.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_version.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* By DPDK's port: its bus wants the device back. Set by a thread of DPDK. */
static bool wanted_back[RTE_MAX_ETHPORTS];

static void on_device_event(const char *device, enum rte_dev_event_type event, void *argument)
{
	(void)device;
	if (event == RTE_DEV_EVENT_REMOVE)
		__atomic_store_n((bool *)argument, true, __ATOMIC_RELAXED);
}

/* The driver's code in the image and the one here work on the same structures. */
static int check_version(struct elisa_failure *failure)
{
	if (rte_version_year() == RTE_VER_YEAR && rte_version_month() == RTE_VER_MONTH &&
	    rte_version_minor() == RTE_VER_MINOR)
		return 0;
	return elisa_fail(failure, -EPROTO,
			  "elisa-switchd and the trusted image were built with DPDK %d.%02d.%d and "
			  "this host has %s; build them again with the DPDK of this host",
			  RTE_VER_YEAR, RTE_VER_MONTH, RTE_VER_MINOR, rte_version());
}

static int probe(const char *pci, struct elisa_failure *failure)
{
	int result = rte_eal_hotplug_add("pci", pci, "");

	if (!result)
		return 0;
	if (result == -ENOTSUP)
		return elisa_fail(failure, result,
				  "DPDK has no driver for NIC %s, or its driver's package is not "
				  "installed (Debian: librte-net-*)",
				  pci);
	return elisa_fail(
		failure, result,
		"DPDK cannot take NIC %s: %s; its own lines above say why. On a host with "
		"an IOMMU bind the NIC to vfio-pci",
		pci, strerror(-result));
}

int elisa_nic_open(const struct elisa_nic_request *request, struct elisa_nic *nic,
		   struct elisa_failure *failure)
{
	int result = check_version(failure);

	*nic = (struct elisa_nic){0};
	if (!result)
		result = probe(request->pci, failure);
	if (result)
		return result;
	result = rte_eth_dev_get_port_by_name(request->pci, &nic->id);
	if (result) {
		elisa_fail(failure, result, "DPDK took %s, but not as a NIC; give another device",
			   request->pci);
		goto unplug;
	}
	wanted_back[nic->id] = false;
	result = elisa_nic_setup(request, nic, failure);
	if (result)
		goto unplug;
	snprintf(nic->pci, sizeof(nic->pci), "%s", request->pci);
	rte_dev_event_callback_register(nic->pci, on_device_event, &wanted_back[nic->id]);
	return 0;

unplug:
	rte_eal_hotplug_remove("pci", request->pci);
	return result;
}

void elisa_nic_close(struct elisa_nic *nic)
{
	rte_dev_event_callback_unregister(nic->pci, on_device_event, &wanted_back[nic->id]);
	elisa_nic_undo(nic);
	rte_eal_hotplug_remove("pci", nic->pci);
}

int elisa_nic_restart(struct elisa_nic *nic, struct elisa_failure *failure)
{
	struct rte_eth_stats stats;
	int result;

	/* The NIC forgets its counters now: the driver adds them to its own when it is asked. */
	rte_eth_stats_get(nic->id, &stats);
	result = rte_eth_dev_stop(nic->id);
	for (uint32_t i = 0; i < nic->nb_queues && !result; i++)
		elisa_nic_pool_refill((struct rte_mempool *)(uintptr_t)nic->queues[i].pool);
	if (!result)
		result = rte_eth_dev_start(nic->id);
	if (!result)
		return 0;
	return elisa_fail(failure, result,
			  "NIC %s cannot be started again: %s; remove the uplink and add it again",
			  nic->pci, strerror(-result));
}

int elisa_nic_link(const struct elisa_nic *nic, struct elisa_nic_link *link)
{
	struct rte_eth_link now = {0};
	char path[64];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", nic->pci);
	if (__atomic_load_n(&wanted_back[nic->id], __ATOMIC_RELAXED) || access(path, F_OK))
		return -ENODEV;
	if (rte_eth_link_get_nowait(nic->id, &now))
		now = (struct rte_eth_link){0};
	link->up = now.link_status == RTE_ETH_LINK_UP;
	link->speed = now.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : now.link_speed;
	return 0;
}

void elisa_nic_stats(const struct elisa_nic *nic, struct elisa_nic_stats *stats)
{
	struct rte_eth_stats now = {0};

	rte_eth_stats_get(nic->id, &now);
	*stats = (struct elisa_nic_stats){
		.ipackets = now.ipackets,
		.ibytes = now.ibytes,
		.opackets = now.opackets,
		.obytes = now.obytes,
		.imissed = now.imissed,
		.ierrors = now.ierrors,
		.oerrors = now.oerrors,
		.no_mbuf = elisa_nic_memory_no_mbuf(nic->id),
	};
}
