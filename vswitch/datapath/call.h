/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * call.h - the one door into the datapath.
 */
#ifndef ELISA_VSWITCH_DATAPATH_CALL_H
#define ELISA_VSWITCH_DATAPATH_CALL_H

#include "vswitch/datapath/switch.h"

/*
 * A gate call (elisa/ring.h) by the vCPU that `identity` names. operation, first and second are the
 * guest's, unchecked. `maps` is struct elisa_port_map[ELISA_MAX_PORTS].
 *
 * Any number of vCPUs at once, each with its own identity, and one call at a time for each queue of
 * a port. Never blocks, never allocates; less than 8 KiB of stack.
 */
int64_t elisa_datapath_call(struct elisa_switch *sw, const struct elisa_identity *identity,
			    const struct elisa_port_map *maps, uint64_t operation, uint64_t first,
			    uint64_t second);

#endif
