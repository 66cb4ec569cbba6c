/* SPDX-License-Identifier: BSD-3-Clause */
/* nic_setup.h - from a device that DPDK has taken to a NIC that works; for nic.c. */
#ifndef ELISA_DAEMON_NIC_SETUP_H
#define ELISA_DAEMON_NIC_SETUP_H

#include "nic.h"

/*
 * nic->id is DPDK's port. Refuses what the trusted image cannot drive, sets up queues and starts.
 * All or nothing: elisa_nic_undo() undoes it.
 */
int elisa_nic_setup(const struct elisa_nic_request *request, struct elisa_nic *nic,
		    struct elisa_failure *failure);
void elisa_nic_undo(struct elisa_nic *nic);

#endif
