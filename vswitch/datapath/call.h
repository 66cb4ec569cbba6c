/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * call.h - the one door into the datapath.
 */
#ifndef ELISA_VSWITCH_DATAPATH_CALL_H
#define ELISA_VSWITCH_DATAPATH_CALL_H

#include "vswitch/datapath/context.h"

/*
 * A gate call (elisa/ring.h) by the vCPU that the context's identity names. operation, first and
 * second are the guest's, unchecked.
 *
 * Any number of vCPUs at once, each with its own identity, and one call at a time for each queue of
 * a port. Never blocks, never allocates; less than 4 KiB of stack.
 */
int64_t elisa_datapath_call(const struct elisa_context *context, uint64_t operation, uint64_t first,
			    uint64_t second);

#endif
