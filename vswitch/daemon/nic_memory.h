/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nic_memory.h - the memory of NICs, where the trusted context has it too: the rest of nic.h for
 * nic_*.c. A heap of DPDK in hugepages at ELISA_OFFSET_UPLINK_MEMORY.
 */
#ifndef ELISA_DAEMON_NIC_MEMORY_H
#define ELISA_DAEMON_NIC_MEMORY_H

#include "failure.h"

#include <elisa/types.h>

/*
 * Makes the heap, if there is none yet. After DPDK mapped the registers of a first NIC, not before:
 * nic_memory.c tells why. *socket is its number, for functions that take a NUMA socket.
 */
int elisa_nic_memory_heap(int *socket, struct elisa_failure *failure);

/* Between begin and end, what DPDK's drivers allocate "on any socket" is on this heap too. */
void elisa_nic_memory_begin(void);
void elisa_nic_memory_end(void);

/* Whether all of it is in memory that the trusted context has. */
bool elisa_nic_memory_has(const void *address, uint64_t length);

/* rte_eth_devices[id] for the vCPUs: all of it they use is .data, to count. -ENOMEM, -ERANGE. */
int elisa_nic_memory_show(uint16_t id);
void elisa_nic_memory_hide(uint16_t id);

/* Packets that found no mbuf, as the vCPUs counted them. */
uint64_t elisa_nic_memory_no_mbuf(uint16_t id);

#endif
