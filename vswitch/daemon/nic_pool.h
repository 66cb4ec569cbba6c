/* SPDX-License-Identifier: BSD-3-Clause */
/* nic_pool.h - the mbufs of one queue: a mempool of DPDK over vswitch/uplink/pool.h, for nic_*.c. */
#ifndef ELISA_DAEMON_NIC_POOL_H
#define ELISA_DAEMON_NIC_POOL_H

#include <rte_mempool.h>

/* `socket` is the heap of nic_memory.h; `room` bytes of data. NULL with rte_errno. rte_mempool_free(). */
struct rte_mempool *elisa_nic_pool(uint16_t nic, uint32_t queue, uint32_t nb_mbufs, uint32_t room,
				   int socket);

/* All mbufs are free again and as new, whoever had them. */
void elisa_nic_pool_refill(struct rte_mempool *pool);

#endif
