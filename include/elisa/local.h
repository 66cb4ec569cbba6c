/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * local.h - the switch in one process (gate=local): the same datapath, no context, no isolation.
 *
 * For development on any machine, unit tests and measuring the datapath. Implemented by
 * vswitch/local/, used by the driver. The two functions that matter take what the hypercalls and
 * the gate call take, so that a driver is the same behind either gate.
 */
#ifndef ELISA_LOCAL_H
#define ELISA_LOCAL_H

#include "types.h"

struct elisa_local; /* one guest's worth of attachment: it may say hello for one port */

/*
 * Join (or make) the switch `switch_name` of this process, with the port `port_name` on it, which
 * is made if it is not there. MAC 02:e1:15:a0:00:NN, NN = port number; on-full=drop.
 * Names are 1..ELISA_NAME_SIZE-1 bytes. Any thread. Free with elisa_local_close().
 *	-EINVAL a name	-ENOSPC no port left	-ENOMEM
 */
int elisa_local_open(const char *switch_name, const char *port_name, struct elisa_local **local);

/* Says bye if need be, removes the port, and the switch with its last port. NULL is allowed. */
void elisa_local_close(struct elisa_local *local);

/* What happens when the port's receive ring is full. Default false: drop. Any thread. */
void elisa_local_set_backpressure(struct elisa_local *local, bool backpressure);

/* As in hypercall.h: number is an enum elisa_hypercall_number, argument and size as there. */
int64_t elisa_local_hypercall(struct elisa_local *local, uint32_t number, void *argument,
			      uint32_t size);

/* As in ring.h. One thread for each queue at a time; any number of threads at once otherwise. */
int64_t elisa_local_call(struct elisa_local *local, uint64_t operation, uint64_t first,
			 uint64_t second);

#endif
