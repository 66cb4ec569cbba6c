/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packets.h - what elisa-netd's tests share: DPDK without hugepages, packets of any headers.
 */
#ifndef TESTS_NETD_PACKETS_H
#define TESTS_NETD_PACKETS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <rte_mbuf.h>

struct packet_kind {
	uint16_t nb_vlans;
	uint8_t ip;       /* 4 or 6 */
	uint8_t protocol; /* of IP */
	uint32_t payload; /* bytes after the L4 header */
};

/* Offset of the L3 and of the L4 header. */
uint32_t packet_l3(const struct packet_kind *kind);
uint32_t packet_l4(const struct packet_kind *kind);

/* One segment. The checksum field of TCP and UDP has the pseudo header's sum, as the kernel's has. */
struct rte_mbuf *packet_make(struct rte_mempool *pool, const struct packet_kind *kind);
/* The sum of the pseudo header, and the offset of the field. */
uint16_t packet_pseudo_sum(const struct rte_mbuf *packet, const struct packet_kind *kind);
uint32_t packet_field(const struct packet_kind *kind);
uint16_t *packet_at(const struct rte_mbuf *packet, uint32_t offset);

/* Does the checksum fit all of the packet, by DPDK's own function? */
int packet_is_right(const struct rte_mbuf *packet, const struct packet_kind *kind);

/* Groups of tests, one in each file. Return the number of failures. */
int test_offload(struct rte_mempool *pool);
int test_bridge(struct rte_mempool *pool);
int test_idle(void);
int test_options(void);
int test_watch(void);

#endif
