/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fake_nic.h - a double of DPDK's NICs behind vswitch/daemon/nic.h, for unit tests only.
 *
 * It fails the test where the daemon gives a NIC back that vCPUs still reach, or leaves one open.
 */
#ifndef ELISA_TESTS_FAKE_NIC_H
#define ELISA_TESTS_FAKE_NIC_H

#include "vswitch/daemon/nic.h"

struct fake_nic {
	/* What the next calls answer: 0, or -errno. */
	int memory_error, open_error, restart_error, link_error;
	bool link_up;
	struct elisa_nic_stats stats;

	/* What happened. */
	unsigned int opened, restarts;
	bool has_memory;
	struct elisa_nic_request last;
};

extern struct fake_nic fake_nic;

void fake_nic_reset(void);

/* The process that had NICs and memory has ended. */
void fake_nic_killed(void);

/* Where the queue of a NIC is, by the order in which NICs were opened, from 0. */
uint64_t fake_nic_queue(unsigned int nic, unsigned int queue);

#endif
