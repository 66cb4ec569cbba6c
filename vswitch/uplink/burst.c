// SPDX-License-Identifier: BSD-3-Clause
/*
 * burst.c - which driver: direct calls, no function pointer. Only in the trusted image.
 */
#include "burst.h"

#include "drivers.h"

/* Of drivers/net/e1000/e1000_ethdev.h, which DPDK does not install. */
uint16_t eth_em_recv_pkts(void *queue, struct rte_mbuf **mbufs, uint16_t nb);
uint16_t eth_em_xmit_pkts(void *queue, struct rte_mbuf **mbufs, uint16_t nb);

uint16_t elisa_burst_receive(uint32_t driver, const struct elisa_uplink_queue *queue,
			     struct rte_mbuf **mbufs, uint16_t nb)
{
	switch (driver) {
	case ELISA_UPLINK_E1000_EM:
		return eth_em_recv_pkts((void *)(uintptr_t)queue->receive, mbufs, nb);
	default:
		return 0;
	}
}

uint16_t elisa_burst_transmit(uint32_t driver, const struct elisa_uplink_queue *queue,
			      struct rte_mbuf **mbufs, uint16_t nb)
{
	switch (driver) {
	case ELISA_UPLINK_E1000_EM:
		return eth_em_xmit_pkts((void *)(uintptr_t)queue->transmit, mbufs, nb);
	default:
		return 0;
	}
}
