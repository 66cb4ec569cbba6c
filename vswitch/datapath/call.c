/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * call.c - who calls, what for, and is it allowed.
 *
 * In the trusted image, called by its entry (image.c), and by vswitch/local/, the module's VMCALL gate
 * and unit tests.
 */
#include "vswitch/datapath/call.h"
#include "vswitch/datapath/errors.h"
#include "vswitch/datapath/journal.h"
#include "vswitch/datapath/mask.h"
#include "vswitch/datapath/tx.h"
#include "vswitch/datapath/uplink.h"

static int64_t poll(const struct elisa_context *context, uint32_t port, uint32_t queue,
		    uint64_t budget)
{
	uint64_t present = elisa_load(&context->sw->uplinks_present);
	uint32_t taken = 0;

	if (!elisa_load_acquire(&context->maps[port].queues[queue].rx_size) ||
	    !elisa_load(&context->sw->config[port].present))
		return -ELISA_ENODEV;
	if (!budget || budget > ELISA_MAX_BURST)
		return -ELISA_EINVAL;
	/* The host's kernel drives no NIC (gate=vmcall). */
	if (!present || context->in_host || !elisa_context_may_use_uplinks(context))
		return -ELISA_ENOENT;
	for (uint32_t i = 0; i < ELISA_MAX_UPLINKS && taken < budget; i++)
		if (present >> i & 1)
			taken += elisa_uplink_poll(context, i, budget - taken);
	return taken;
}

/* The two operations that work for a port. `first` is port | queue << 16. */
static int64_t call_port(const struct elisa_context *context, uint64_t operation, uint64_t first,
			 uint64_t second)
{
	const struct elisa_identity *identity = context->identity;
	uint32_t vcpu = elisa_load(&identity->vcpu);
	uint64_t port = first & 0xffff;
	uint64_t queue = first >> 16;

	if (elisa_load(&context->sw->magic) != ELISA_SWITCH_MAGIC ||
	    elisa_load(&identity->magic) != ELISA_IDENTITY_MAGIC || vcpu >= ELISA_MAX_VCPUS)
		return -ELISA_ENODEV;
	if (port >= ELISA_MAX_PORTS)
		return -ELISA_EPERM;
	port &= elisa_below_mask(port, ELISA_MAX_PORTS);
	if (!(elisa_load(&identity->ports) >> port & 1))
		return -ELISA_EPERM;
	if (queue >= ELISA_MAX_QUEUES)
		return -ELISA_ENODEV;
	queue &= elisa_below_mask(queue, ELISA_MAX_QUEUES);
	/* What this vCPU left half-way when it was last thrown out of here. */
	if (elisa_unlikely(elisa_load(&context->sw->journals[vcpu].word)))
		elisa_journal_finish_own(context->sw, vcpu, context->maps);
	if (operation == ELISA_CALL_TX)
		return elisa_transmit(context, port, queue, second);
	return poll(context, port, queue, second);
}

int64_t elisa_datapath_call(const struct elisa_context *context, uint64_t operation, uint64_t first,
			    uint64_t second)
{
	if (operation == ELISA_CALL_TX || operation == ELISA_CALL_POLL)
		return call_port(context, operation, first, second);
	if (operation == ELISA_CALL_NOP)
		return 0;
	return -ELISA_EINVAL;
}
