/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nic.h - a NIC that guests' vCPUs drive: what DPDK in the daemon does for an uplink.
 *
 * The vCPUs run the driver's burst functions in the trusted context; all else of the driver runs here.
 * Both use the same structures at the same addresses, inside the window (include/elisa/layout.h).
 *
 * The seam to DPDK's devices: nothing above it knows them. Unit tests link a double instead of nic.c
 * and its helpers nic_*.c. Main thread. Errors are -errno with a message.
 */
#ifndef ELISA_DAEMON_NIC_H
#define ELISA_DAEMON_NIC_H

#include "failure.h"
#include "pci.h"
#include "vswitch/datapath/switch.h"

#define ELISA_NIC_DRIVER_SIZE 32

/* A piece of the daemon's memory, whole pages, as DOMAIN_MAP takes it. */
struct elisa_nic_range {
	uint64_t address;
	uint64_t length;
};

struct elisa_nic_request {
	const char *pci;    /* "0000:03:00.0", checked with pci.h */
	uint32_t mtu;       /* bytes */
	uint32_t nb_queues; /* queue pairs, 1..ELISA_UPLINK_QUEUES */
};

/* Addresses for elisa_switch_uplink_set_queue(). */
struct elisa_nic_queue {
	uint64_t receive, transmit, pool;
};

struct elisa_nic {
	char pci[ELISA_PCI_SIZE];
	uint16_t id;     /* DPDK's port */
	uint32_t driver; /* vswitch/uplink/drivers.h */
	char driver_name[ELISA_NIC_DRIVER_SIZE];
	uint8_t mac[ELISA_MAC_SIZE];
	uint32_t mtu;
	uint32_t room; /* bytes of data in one mbuf */
	uint32_t nb_queues;
	struct elisa_nic_range registers; /* inside UPLINK_DEVICES */
	struct elisa_nic_queue queues[ELISA_UPLINK_QUEUES];
};

struct elisa_nic_link {
	bool up;
	uint32_t speed; /* Mbit/s; 0 = not known */
};

/* Of the NIC and its driver, since it was opened. Which of them count is the driver's affair. */
struct elisa_nic_stats {
	uint64_t ipackets, ibytes; /* from the wire */
	uint64_t opackets, obytes; /* to the wire */
	uint64_t imissed;          /* no descriptor was free */
	uint64_t ierrors, oerrors;
	uint64_t no_mbuf; /* received, and no mbuf was free */
};

/*
 * Takes `mebibytes` of hugepages for all NICs, at UPLINK_MEMORY, once. After
 * elisa_environment_start().
 */
int elisa_nic_memory_open(uint32_t mebibytes, struct elisa_failure *failure);
void elisa_nic_memory_close(void);

/*
 * What the trusted context needs for any NIC: the memory, at its own address, to write; and
 * rte_eth_devices[] for UPLINK_STATE, to read.
 */
void elisa_nic_memory_ranges(struct elisa_nic_range *memory, struct elisa_nic_range *state);

/*
 * Has DPDK take the device, sets it up and starts it, promiscuous. All or nothing. The NIC works from
 * now on: it receives into its ring.
 */
int elisa_nic_open(const struct elisa_nic_request *request, struct elisa_nic *nic,
		   struct elisa_failure *failure);

/* Stops the NIC and gives the device back. No vCPU may reach it any more: DOMAIN_UNMAP first. */
void elisa_nic_close(struct elisa_nic *nic);

/*
 * Stops the NIC and starts it anew with whole pools, whatever a lost vCPU left. No vCPU may use it
 * meanwhile. Its queues keep their addresses. After an error it is stopped.
 */
int elisa_nic_restart(struct elisa_nic *nic, struct elisa_failure *failure);

/* Without waiting. -ENODEV: the device is gone from the host, or its bus wants it back. */
int elisa_nic_link(const struct elisa_nic *nic, struct elisa_nic_link *link);

void elisa_nic_stats(const struct elisa_nic *nic, struct elisa_nic_stats *stats);

#endif
