/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * main.c - elisa-netd's tests that need nothing of the machine: no hugepages, no privileges, no TAP.
 */
#include "packets.h"

#include <stdio.h>
#include <unistd.h>

#include <rte_eal.h>

int main(void)
{
	char prefix[64];
	char *arguments[] = {(char *)"netd",
			     (char *)"--no-pci",
			     (char *)"--no-telemetry",
			     (char *)"--lcores=0",
			     (char *)"--no-huge",
			     (char *)"-m",
			     (char *)"64",
			     prefix};
	struct rte_mempool *pool;

	snprintf(prefix, sizeof(prefix), "--file-prefix=elisa-netd-%d", (int)getpid());
	if (rte_eal_init(RTE_DIM(arguments), arguments) < 0)
		return 1;
	pool = rte_pktmbuf_pool_create("packets", 255, 0, 0, 2048 + RTE_PKTMBUF_HEADROOM, 0);
	if (!pool)
		return 1;
	return test_options() + test_idle() + test_offload(pool) + test_bridge(pool) + test_watch()
		       ? 1
		       : 0;
}
