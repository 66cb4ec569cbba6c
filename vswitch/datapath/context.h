/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * context.h - what one call works on.
 */
#ifndef ELISA_VSWITCH_DATAPATH_CONTEXT_H
#define ELISA_VSWITCH_DATAPATH_CONTEXT_H

#include "vswitch/datapath/packet.h"

struct elisa_context {
	struct elisa_switch *sw;
	const struct elisa_identity *identity; /* the calling vCPU's */
	const struct elisa_port_map *maps;     /* struct elisa_port_map[ELISA_MAX_PORTS] */
	struct elisa_capture *capture;         /* NULL: none is mapped, no port captures */
	struct elisa_workspace *workspace;     /* the calling vCPU's */
	bool in_host; /* gate=vmcall: it never stops half-way, and the addresses are the kernel's */
};

/* Can the calling vCPU use uplinks? Their code has an FS base of its own (vswitch/uplink/thread.h). */
static inline bool elisa_context_may_use_uplinks(const struct elisa_context *context)
{
	return elisa_load(&context->identity->features) & ELISA_IDENTITY_FSGSBASE;
}

/*
 * A sender without queue or counters yet: what a transmit call and a poll begin with. Reads the clock
 * if the port's policy needs one (clock.h says when that may be).
 */
void elisa_sender_begin(struct elisa_sender *sender, const struct elisa_context *context,
			uint32_t port, uint32_t queue);

#endif
