/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool.h - the mbufs of one uplink queue: a stack of pointers behind DPDK's mempool interface.
 *
 * Used by whoever has the queue and by nobody else at the same time, so it needs no lock and no atomic.
 * It stands in the mempool's pool_data, in memory that both the daemon and the trusted context
 * have at one address. The daemon makes it and frees it.
 */
#ifndef ELISA_UPLINK_POOL_H
#define ELISA_UPLINK_POOL_H

#include <rte_mempool.h>

struct elisa_pool {
	uint32_t capacity;
	uint32_t nb; /* free ones, objects[0 .. nb - 1] */
	void *objects[];
};

/* As struct rte_mempool_ops has them. All or nothing: -ENOBUFS. */
int elisa_pool_enqueue(struct rte_mempool *mempool, void *const *objects, unsigned int nb);
int elisa_pool_dequeue(struct rte_mempool *mempool, void **objects, unsigned int nb);
unsigned int elisa_pool_count(const struct rte_mempool *mempool);

#endif
