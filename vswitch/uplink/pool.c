// SPDX-License-Identifier: BSD-3-Clause
/*
 * pool.c - see pool.h. In the trusted image and in the daemon.
 */
#include "pool.h"

#include <errno.h>

int elisa_pool_enqueue(struct rte_mempool *mempool, void *const *objects, unsigned int nb)
{
	struct elisa_pool *pool = mempool->pool_data;

	if (pool->nb > pool->capacity || nb > pool->capacity - pool->nb)
		return -ENOBUFS;
	for (unsigned int i = 0; i < nb; i++)
		pool->objects[pool->nb + i] = objects[i];
	pool->nb += nb;
	return 0;
}

int elisa_pool_dequeue(struct rte_mempool *mempool, void **objects, unsigned int nb)
{
	struct elisa_pool *pool = mempool->pool_data;

	if (pool->nb > pool->capacity || nb > pool->nb)
		return -ENOBUFS;
	for (unsigned int i = 0; i < nb; i++)
		objects[i] = pool->objects[pool->nb - 1 - i];
	pool->nb -= nb;
	return 0;
}

unsigned int elisa_pool_count(const struct rte_mempool *mempool)
{
	const struct elisa_pool *pool = mempool->pool_data;

	return pool->nb;
}
