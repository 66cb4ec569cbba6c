/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bridge.h - a worker: one queue of a port, one queue of an interface, packets both ways.
 *
 * A worker is one thread; it alone uses its queues and writes its counters. The main thread starts
 * the workers, reads the counters while they run, and stops them.
 */
#ifndef NETD_BRIDGE_H
#define NETD_BRIDGE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "idle.h"

#define NETD_BURST 32u
/* Buffers for the longest packet from the kernel: ELISA_MAX_FRAME in four. */
#define NETD_TAP_ROOM 16448u
#define NETD_TAP_SEGMENTS 4u

enum netd_counter {
	NETD_TO_SWITCH_FRAMES,
	NETD_TO_SWITCH_BYTES,
	NETD_TO_SWITCH_CHECKSUMS, /* frames whose checksum is left to others */
	NETD_TO_SWITCH_LONG,      /* of them: to be cut into segments */
	NETD_TO_SWITCH_NOT_TAKEN, /* dropped: the switch took nothing for too long */
	NETD_TO_SWITCH_MALFORMED, /* dropped: offloads that do not fit the headers */
	NETD_TO_SWITCH_NO_MEMORY, /* dropped: no mbuf */
	NETD_TO_KERNEL_FRAMES,
	NETD_TO_KERNEL_BYTES,
	NETD_TO_KERNEL_CHECKSUMS,
	NETD_TO_KERNEL_LONG,
	NETD_TO_KERNEL_DOWN,      /* dropped: the interface is not up */
	NETD_TO_KERNEL_FULL,      /* dropped: the interface takes no more now */
	NETD_TO_KERNEL_MALFORMED, /* dropped: as above, or the kernel said so */
	NETD_TO_KERNEL_NO_MEMORY, /* dropped: the kernel has none */
	NETD_SLEEPS,
	NETD_COUNTERS
};

struct netd_worker {
	uint16_t port;
	uint16_t queue;
	int tap;
	const bool *stop;
	struct rte_mempool
		*tap_pool; /* buffers of NETD_TAP_ROOM bytes, for what the kernel sends */
	struct rte_mbuf *spare[NETD_TAP_SEGMENTS]; /* where the next read goes */
	struct rte_mbuf *held[NETD_BURST];         /* what the switch has still to take */
	uint32_t nb_held;
	uint64_t held_until; /* TSC: then they are dropped */
	struct netd_idle idle;
	uint64_t counters[NETD_COUNTERS];
};

static inline void netd_count(struct netd_worker *worker, enum netd_counter counter, uint64_t n)
{
	__atomic_store_n(&worker->counters[counter], worker->counters[counter] + n,
			 __ATOMIC_RELAXED);
}

/* A thread's body: runs until *worker->stop. Takes a struct netd_worker, returns 0. */
int netd_bridge_run(void *worker);

/* One step each: up to NETD_BURST packets. True if there was anything to do. */
bool netd_to_switch(struct netd_worker *worker); /* to_switch.c */
bool netd_to_kernel(struct netd_worker *worker); /* to_kernel.c */

/* -ENOMEM. What netd_to_switch() needs; freed by the other. */
int netd_to_switch_open(struct netd_worker *worker);
void netd_to_switch_close(struct netd_worker *worker);

#endif
