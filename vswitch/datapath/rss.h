/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rss.h - which of a port's receive queues a packet goes to (struct elisa_rss, elisa/layout.h).
 */
#ifndef ELISA_VSWITCH_DATAPATH_RSS_H
#define ELISA_VSWITCH_DATAPATH_RSS_H

#include "vswitch/datapath/packet.h"

/*
 * The Toeplitz hash of the packet's addresses and ports, most significant bit first as NICs and
 * DPDK's rte_softrss() compute it; 0 for packets of no type that `rss` has.
 */
uint32_t elisa_rss_hash(const struct elisa_rss *rss, const struct elisa_packet *packet);

/* A queue number below ELISA_MAX_QUEUES. `reta_size` is not 0. */
uint32_t elisa_rss_queue(const struct elisa_rss *rss, uint32_t reta_size,
			 const struct elisa_packet *packet);

#endif
