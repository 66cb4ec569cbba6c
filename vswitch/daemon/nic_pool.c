// SPDX-License-Identifier: BSD-3-Clause
/* nic_pool.c - see nic_pool.h. */
#include "nic_pool.h"

#include "vswitch/uplink/pool.h"

#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include <errno.h>
#include <stdio.h>

static int make_stack(struct rte_mempool *mempool)
{
	struct elisa_pool *pool =
		rte_zmalloc_socket("elisa pool", sizeof(*pool) + mempool->size * sizeof(void *),
				   RTE_CACHE_LINE_SIZE, mempool->socket_id);

	if (!pool)
		return -ENOMEM;
	pool->capacity = mempool->size;
	mempool->pool_data = pool;
	return 0;
}

static void free_stack(struct rte_mempool *mempool)
{
	rte_free(mempool->pool_data);
}

static const struct rte_mempool_ops elisa_pool_ops = {
	.name = "elisa",
	.alloc = make_stack,
	.free = free_stack,
	.enqueue = elisa_pool_enqueue,
	.dequeue = elisa_pool_dequeue,
	.get_count = elisa_pool_count,
};
RTE_MEMPOOL_REGISTER_OPS(elisa_pool_ops);

struct rte_mempool *elisa_nic_pool(uint16_t nic, uint32_t queue, uint32_t nb_mbufs, uint32_t room,
				   int socket)
{
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "elisa_%u_%u", nic, queue);
	/* No cache: it would be one for each core of the daemon, and vCPUs are none. */
	return rte_pktmbuf_pool_create_by_ops(name, nb_mbufs, 0, 0,
					      (uint16_t)(room + RTE_PKTMBUF_HEADROOM), socket,
					      elisa_pool_ops.name);
}

static void refill(struct rte_mempool *mempool, void *argument, void *object, unsigned int index)
{
	rte_pktmbuf_init(mempool, argument, object, index);
	elisa_pool_enqueue(mempool, &object, 1);
}

void elisa_nic_pool_refill(struct rte_mempool *mempool)
{
	struct elisa_pool *pool = mempool->pool_data;

	pool->nb = 0;
	rte_mempool_obj_iter(mempool, refill, NULL);
}
