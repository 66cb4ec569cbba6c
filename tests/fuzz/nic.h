/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nic.h - the NICs of a world: burst functions that hand out whatever a fuzzer put on the wire.
 *
 * Instead of vswitch/uplink/'s burst.c and thread.c. Each mbuf's buffer is a block of its own, of the
 * very size that the uplink has room for.
 */
#ifndef ELISA_FUZZ_NIC_H
#define ELISA_FUZZ_NIC_H

#include "world.h"

#define NIC_QUEUES 2u
#define NIC_ROOM 2048u

/* As the daemon: uplinks 0 and 1 on the ports after the guests', up. There is one set of NICs. */
void nics_make(struct world *world);

/* No mbuf is lost, no queue still taken, the thread block left. Frees everything. */
void nics_free(struct world *world);

/* The NIC receives a frame, or what the driver takes for one: mbuf fields are the fuzzer's. */
void nic_receive(struct input *input);

/* Settings of an uplink, and frames that its NIC still takes. */
void nic_set(struct world *world, struct input *input);

#endif
