// SPDX-License-Identifier: BSD-3-Clause
/*
 * ops_table.c - DPDK's rte_mempool_ops_table as the drivers in the trusted image see it: constant, and
 * whatever number a mempool gives, the functions are those of pool.c.
 *
 * Only in the trusted image. The two calls through this table are the only indirect ones there.
 */
#include "pool.h"

/* DPDK declares the table as writable: here it has the name for the linker only. */
extern const struct rte_mempool_ops_table elisa_pool_ops_table __asm__("rte_mempool_ops_table");

const struct rte_mempool_ops_table elisa_pool_ops_table = {
	.num_ops = RTE_MEMPOOL_MAX_OPS_IDX,
	.ops = {[0 ... RTE_MEMPOOL_MAX_OPS_IDX - 1] = {.name = "elisa",
						       .enqueue = elisa_pool_enqueue,
						       .dequeue = elisa_pool_dequeue,
						       .get_count = elisa_pool_count}},
};
