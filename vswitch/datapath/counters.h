/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * counters.h - a call counts privately, and adds to the port's counters once at its end.
 */
#ifndef ELISA_VSWITCH_DATAPATH_COUNTERS_H
#define ELISA_VSWITCH_DATAPATH_COUNTERS_H

#include "vswitch/datapath/atomic.h"
#include "vswitch/datapath/switch.h"

static inline void elisa_send_counters_clear(struct elisa_send_counters *counters)
{
	counters->packets = 0;
	counters->bytes = 0;
	counters->calls = 0;
	counters->flooded = 0;
	counters->backpressure = 0;
	counters->claim_retries = 0;
	counters->segments = 0;
	counters->unlearned = 0;
	for (unsigned int i = 0; i < ELISA_DROP_REASONS; i++)
		counters->drops[i] = 0;
}

static inline void elisa_send_counters_add(struct elisa_send_counters *to,
					   const struct elisa_send_counters *from)
{
	elisa_count(&to->packets, from->packets);
	elisa_count(&to->bytes, from->bytes);
	elisa_count(&to->calls, 1);
	elisa_count(&to->flooded, from->flooded);
	elisa_count(&to->backpressure, from->backpressure);
	elisa_count(&to->claim_retries, from->claim_retries);
	elisa_count(&to->segments, from->segments);
	elisa_count(&to->unlearned, from->unlearned);
	for (unsigned int i = 0; i < ELISA_DROP_REASONS; i++)
		elisa_count(&to->drops[i], from->drops[i]);
}

#endif
