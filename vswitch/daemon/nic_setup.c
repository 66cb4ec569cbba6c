// SPDX-License-Identifier: BSD-3-Clause
/* nic_setup.c - see nic_setup.h. */
#include "nic_setup.h"

#include "nic_memory.h"
#include "nic_pool.h"
#include "vswitch/uplink/drivers.h"

#include <rte_errno.h>
#include <rte_ethdev.h>

#include <bus_pci_driver.h>
#include <ethdev_driver.h>

#include <errno.h>
#include <string.h>

#define DESCRIPTORS 1024u
#define REGISTER_BAR 0 /* of all drivers in ELISA_UPLINK_DRIVERS */
#define SMALLEST_ROOM 2048u
#define LARGEST_ROOM 16384u
/* In flight between the rings and the switch: one batch received, one sent. */
#define SPARE_MBUFS 64u

static int dpdk_failed(const struct elisa_nic_request *request, const char *what, int error,
		       struct elisa_failure *failure)
{
	return elisa_fail(failure, error, "NIC %s: DPDK cannot %s: %s; look at its own lines above",
			  request->pci, what, strerror(-error));
}

static int find_driver(const struct elisa_nic_request *request, const struct rte_eth_dev_info *info,
		       struct elisa_nic *nic, struct elisa_failure *failure)
{
	static const struct elisa_uplink_driver_entry drivers[] = ELISA_UPLINK_DRIVERS;

	for (unsigned int i = 0; i < RTE_DIM(drivers); i++) {
		if (strcmp(drivers[i].name, info->driver_name))
			continue;
		nic->driver = drivers[i].driver;
		snprintf(nic->driver_name, sizeof(nic->driver_name), "%s", info->driver_name);
		return 0;
	}
	return elisa_fail(failure, -ENOTSUP,
			  "NIC %s needs DPDK's driver %.32s, which was not checked for use inside "
			  "the switch. Those that were: " ELISA_UPLINK_DRIVER_NAMES
			  ". docs/uplink.md tells how one is checked; until then use another NIC",
			  request->pci, info->driver_name);
}

static int find_registers(const struct elisa_nic_request *request,
			  const struct rte_eth_dev_info *info, struct elisa_nic *nic,
			  struct elisa_failure *failure)
{
	const struct rte_pci_device *device = RTE_DEV_TO_PCI_CONST(info->device);
	const struct rte_mem_resource *bar = &device->mem_resource[REGISTER_BAR];
	uint64_t address = (uintptr_t)bar->addr;
	uint64_t offset = address - ELISA_GVA(ELISA_OFFSET_UPLINK_DEVICES);
	uint64_t length = RTE_ALIGN_CEIL(bar->len, ELISA_PAGE_SIZE);

	if (!address || address % ELISA_PAGE_SIZE || offset >= ELISA_UPLINK_DEVICES_MAX ||
	    length > ELISA_UPLINK_DEVICES_MAX - offset)
		return elisa_fail(failure, -ENOSPC,
				  "NIC %s: DPDK mapped its registers (%llu KiB) at 0x%llx, where "
				  "vCPUs cannot reach them; start elisa-switchd again, and add "
				  "uplinks first",
				  request->pci, (unsigned long long)bar->len / 1024,
				  (unsigned long long)address);
	nic->registers = (struct elisa_nic_range){address, length};
	return 0;
}

static int check_wishes(const struct elisa_nic_request *request,
			const struct rte_eth_dev_info *info, struct elisa_failure *failure)
{
	uint32_t most = RTE_MIN(info->max_rx_queues, info->max_tx_queues);

	if (!info->flow_type_rss_offloads)
		most = 1;
	if (request->nb_queues > most)
		return elisa_fail(failure, -ERANGE,
				  "NIC %s can spread what it receives over %u queues, not %u; give "
				  "--queues %u",
				  request->pci, most, request->nb_queues, most);
	if (request->mtu > info->max_mtu || request->mtu < info->min_mtu)
		return elisa_fail(failure, -ERANGE,
				  "NIC %s can have an MTU of %u to %u bytes, not %u; give another "
				  "--mtu",
				  request->pci, info->min_mtu, info->max_mtu, request->mtu);
	return 0;
}

static int configure(const struct elisa_nic_request *request, const struct rte_eth_dev_info *info,
		     struct elisa_nic *nic, struct elisa_failure *failure)
{
	struct rte_eth_conf conf = {.rxmode = {.mtu = request->mtu}};
	int result;

	if (request->nb_queues > 1) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf =
			info->flow_type_rss_offloads &
			(RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
	}
	result = rte_eth_dev_configure(nic->id, (uint16_t)request->nb_queues,
				       (uint16_t)request->nb_queues, &conf);
	if (result)
		return dpdk_failed(request, "configure it", result, failure);
	nic->mtu = request->mtu;
	nic->nb_queues = request->nb_queues;
	/* A power of two: what NICs can be told. Whole frames, each in one mbuf. */
	nic->room = rte_align32pow2(request->mtu + ELISA_FRAME_OVERHEAD);
	nic->room = RTE_MAX(nic->room, SMALLEST_ROOM);
	if (nic->room <= LARGEST_ROOM)
		return 0;
	return elisa_fail(failure, -ERANGE,
			  "NIC %s: an MTU of %u does not fit in one buffer; give "
			  "another --mtu",
			  request->pci, request->mtu);
}

static int set_up_queue(struct elisa_nic *nic, uint16_t queue, int socket)
{
	uint16_t receive = DESCRIPTORS, transmit = DESCRIPTORS;
	struct rte_mempool *pool;
	int result = rte_eth_dev_adjust_nb_rx_tx_desc(nic->id, &receive, &transmit);

	if (result)
		return result;
	pool = elisa_nic_pool(nic->id, queue, (uint32_t)receive + transmit + SPARE_MBUFS, nic->room,
			      socket);
	if (!pool)
		return -rte_errno;
	nic->queues[queue].pool = (uintptr_t)pool;
	result = rte_eth_rx_queue_setup(nic->id, queue, receive, (unsigned int)socket, NULL, pool);
	if (!result)
		result = rte_eth_tx_queue_setup(nic->id, queue, transmit, (unsigned int)socket,
						NULL);
	return result;
}

static int set_up_queues(const struct elisa_nic_request *request, struct elisa_nic *nic, int socket,
			 struct elisa_failure *failure)
{
	int result = 0;

	elisa_nic_memory_begin();
	for (uint16_t i = 0; i < nic->nb_queues && !result; i++)
		result = set_up_queue(nic, i, socket);
	elisa_nic_memory_end();
	if (result == -ENOMEM)
		return elisa_fail(failure, result,
				  "the memory for uplinks has no room for %u queues of NIC %s with "
				  "an MTU of %u; start elisa-switchd with more --uplink-memory",
				  nic->nb_queues, request->pci, nic->mtu);
	if (result)
		return dpdk_failed(request, "set up its queues", result, failure);
	return 0;
}

/* What the vCPUs will use has to be where they see it, and of the kind they know. */
static int check_result(const struct elisa_nic_request *request, struct elisa_nic *nic,
			struct elisa_failure *failure)
{
	const struct rte_eth_dev_data *data = rte_eth_devices[nic->id].data;

	if (data->scattered_rx || data->lro)
		return elisa_fail(failure, -ERANGE,
				  "NIC %s: DPDK's driver %s splits frames over several buffers at "
				  "an MTU of %u, which the switch does not take; give a smaller "
				  "--mtu (1500)",
				  request->pci, nic->driver_name, nic->mtu);
	for (uint32_t i = 0; i < nic->nb_queues; i++) {
		struct elisa_nic_queue *queue = &nic->queues[i];

		if (!elisa_nic_memory_has(data->rx_queues[i], 1) ||
		    !elisa_nic_memory_has(data->tx_queues[i], 1) ||
		    !elisa_nic_memory_has((void *)(uintptr_t)queue->pool, 1))
			return elisa_fail(failure, -EFAULT,
					  "NIC %s: DPDK did not put its queues into the memory for "
					  "uplinks; use the DPDK that elisa-switchd was built with",
					  request->pci);
		queue->receive = (uintptr_t)data->rx_queues[i];
		queue->transmit = (uintptr_t)data->tx_queues[i];
	}
	return 0;
}

static int start(const struct elisa_nic_request *request, struct elisa_nic *nic,
		 struct elisa_failure *failure)
{
	struct rte_ether_addr mac;
	int result = rte_eth_promiscuous_enable(nic->id);

	if (result && result != -ENOTSUP)
		return dpdk_failed(request, "make it promiscuous", result, failure);
	result = rte_eth_dev_start(nic->id);
	if (!result)
		result = rte_eth_macaddr_get(nic->id, &mac);
	if (result)
		return dpdk_failed(request, "start it", result, failure);
	memcpy(nic->mac, mac.addr_bytes, ELISA_MAC_SIZE);
	return check_result(request, nic, failure);
}

int elisa_nic_setup(const struct elisa_nic_request *request, struct elisa_nic *nic,
		    struct elisa_failure *failure)
{
	struct rte_eth_dev_info info;
	int socket, result = rte_eth_dev_info_get(nic->id, &info);

	if (result)
		return dpdk_failed(request, "tell about it", result, failure);
	result = find_driver(request, &info, nic, failure);
	if (!result)
		result = find_registers(request, &info, nic, failure);
	if (!result)
		result = check_wishes(request, &info, failure);
	if (!result)
		result = elisa_nic_memory_heap(&socket, failure);
	if (result)
		return result;
	result = elisa_nic_memory_show(nic->id);
	if (result)
		return dpdk_failed(request, "keep its state", result, failure);
	result = configure(request, &info, nic, failure);
	if (!result)
		result = set_up_queues(request, nic, socket, failure);
	if (!result)
		result = start(request, nic, failure);
	if (result)
		elisa_nic_undo(nic);
	return result;
}

/* The device goes before its pools: its rings have mbufs of them. */
void elisa_nic_undo(struct elisa_nic *nic)
{
	rte_eth_dev_stop(nic->id);
	rte_eth_dev_close(nic->id);
	for (uint32_t i = 0; i < nic->nb_queues; i++)
		rte_mempool_free((struct rte_mempool *)(uintptr_t)nic->queues[i].pool);
	elisa_nic_memory_hide(nic->id);
}
