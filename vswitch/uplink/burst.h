/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * burst.h - a DPDK driver's burst functions. The caller owns the queue (owner.h) and has put its
 * thread block in place (thread.h). Unit tests answer in burst.c's place.
 */
#ifndef ELISA_UPLINK_BURST_H
#define ELISA_UPLINK_BURST_H

#include <rte_config.h>
#include <rte_mbuf_core.h>

#include "vswitch/datapath/switch.h"

/* As rte_eth_rx_burst() and rte_eth_tx_burst(). 0 for a driver that is not there. */
uint16_t elisa_burst_receive(uint32_t driver, const struct elisa_uplink_queue *queue,
			     struct rte_mbuf **mbufs, uint16_t nb);
uint16_t elisa_burst_transmit(uint32_t driver, const struct elisa_uplink_queue *queue,
			      struct rte_mbuf **mbufs, uint16_t nb);

#endif
