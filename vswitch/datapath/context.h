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

/* A sender without queue or counters yet: what a transmit call and a poll begin with. */
static inline void elisa_sender_begin(struct elisa_sender *sender,
				      const struct elisa_context *context, uint32_t port,
				      uint32_t queue)
{
	sender->sw = context->sw;
	sender->maps = context->maps;
	sender->capture = context->capture;
	sender->workspace = context->workspace;
	sender->in_host = context->in_host;
	sender->may_use_uplinks = elisa_context_may_use_uplinks(context);
	sender->vcpu = elisa_load(&context->identity->vcpu);
	sender->port = port;
	sender->queue = queue;
	sender->window = NULL;
	sender->nb_descs = 0;
	sender->max_frame = 0;
	sender->view.length = 0;
	sender->waited = false;
	sender->last_source = ELISA_NO_MAC;
	sender->last_destination = ELISA_NO_MAC;
	sender->last_port = ELISA_MAX_PORTS;
	elisa_send_counters_clear(&sender->counters);
}

#endif
