/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rig.h - what the driver's tests share: DPDK without hugepages, two ports on one local switch.
 *
 * Used by tests/unit/pmd/ only. Functions assert: a failure ends the running test.
 */
#ifndef TESTS_PMD_RIG_H
#define TESTS_PMD_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#define RIG_POOL_SIZE 4095u
#define RIG_DATA_ROOM (2048u + RTE_PKTMBUF_HEADROOM)

struct rig_options {
	uint16_t rx_size; /* 0 = the driver's default */
	uint16_t tx_size;
	uint64_t rx_offloads;
	uint64_t tx_offloads;
	uint16_t mtu; /* 0 = DPDK's default */
};

/* Two started ports on one switch: a sends, b receives, unless a test says otherwise. */
struct rig {
	uint16_t a;
	uint16_t b;
	struct rte_mempool *tx_pool;
	struct rte_mempool *rx_pool;
};

/* Once for a program. options: EAL's, beyond those that all tests want; they say which memory. */
void rig_init_eal(const char *const *options, int count);

/* Probes a device; 0 and *port, or what DPDK answered. */
int rig_probe(const char *device, const char *arguments, uint16_t *port);
void rig_remove(const char *device);

void rig_up(struct rig *rig, const struct rig_options *options);
/* Asserts that every mbuf of both pools is back. */
void rig_down(struct rig *rig);

/* Configures and sets up one queue pair; returns the first error of DPDK's. */
int rig_configure(uint16_t port, const struct rig_options *options, struct rte_mempool *pool);

/*
 * A packet from -> to of `length` bytes in segments of `segment` bytes. Each byte after the header
 * depends on seed and its place.
 */
struct rte_mbuf *rig_packet(const struct rig *rig, uint16_t from, uint16_t to, uint32_t length,
			    uint32_t segment, uint32_t seed);
/* Every byte of it, lengths of segments included. */
void rig_assert_packet(const struct rte_mbuf *packet, uint16_t from, uint16_t to, uint32_t length,
		       uint32_t seed);

uint64_t rig_xstat(uint16_t port, const char *name);

/* The lines that DPDK logs between begin and end; end returns how many have `text`. */
void rig_log_begin(void);
unsigned int rig_log_end(const char *text);

/* What happens when the port's ring is full: the local switch's way of on-full=backpressure. */
void rig_backpressure(uint16_t port);

/* In the place of the host: answers -EBUSY to every wish to unregister memory, one port at a time. */
void rig_refuse_unregister(uint16_t port, bool refuse);

/* In the place of the switch: returns a posted slot of the first lap with length and ELISA_DESC_*. */
void rig_return_slot(uint16_t port, uint32_t slot, uint16_t length, uint16_t flags);
/* Sends one packet past ethdev, which would not let it through while the port is stopped. */
uint16_t rig_send_while_stopped(uint16_t port, struct rte_mbuf *packet);

/* Groups of tests, one in each file. Return the number of failures. */
int test_attach(void);
int test_features(void);
int test_limits(void);
int test_memory(void);
int test_settings(void);
int test_traffic(void);

#endif
