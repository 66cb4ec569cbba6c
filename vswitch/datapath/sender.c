/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sender.c - who a call sends for, and what the time is.
 *
 * In the trusted image. Called by tx.c and vswitch/uplink/receive.c.
 */
#include "vswitch/datapath/bucket.h"
#include "vswitch/datapath/clock.h"
#include "vswitch/datapath/context.h"

/* How often the offset may change while it is used: each time the vCPU was out, and it had to be set. */
#define OFFSET_TRIES 8

/* The host's TSC, which no guest can set. False: this vCPU cannot know (no ELISA_IDENTITY_TSC). */
static bool read_host_tsc(const struct elisa_context *context, uint64_t *tsc)
{
	const struct elisa_identity *identity = context->identity;

	if (context->in_host) {
		*tsc = elisa_clock_rdtsc();
		return true;
	}
	for (unsigned int try = 0; try < OFFSET_TRIES; try++) {
		uint64_t offset = elisa_load_acquire(&identity->tsc_offset);

		*tsc = elisa_clock_rdtsc() - offset;
		if (!(elisa_load(&identity->features) & ELISA_IDENTITY_TSC))
			return false;
		/* An entry, which is where it changes, did not come between. */
		if (elisa_load(&identity->tsc_offset) == offset)
			return true;
	}
	return false;
}

static void read_clock(struct elisa_sender *sender, const struct elisa_context *context)
{
	uint64_t tsc;

	sender->has_clock = read_host_tsc(context, &tsc);
	sender->now = tsc << ELISA_BUCKET_TICK_BITS;
}

void elisa_sender_begin(struct elisa_sender *sender, const struct elisa_context *context,
			uint32_t port, uint32_t queue)
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
	/* Pairs with the store-release of who set the policy: what these rules need is there. */
	sender->rules = elisa_load_acquire(&context->sw->config[port].rules);
	if (elisa_unlikely(sender->rules & (ELISA_RULE_RATE | ELISA_RULE_STORM)))
		read_clock(sender, context);
}
