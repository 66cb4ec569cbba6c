/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * call.c - who calls, what for, and is it allowed.
 *
 * In the trusted image, called by its entry (image.c), and by vswitch/local/ and unit tests.
 */
#include "vswitch/datapath/call.h"
#include "vswitch/datapath/errors.h"
#include "vswitch/datapath/journal.h"
#include "vswitch/datapath/region.h"
#include "vswitch/datapath/tx.h"

static int64_t call_transmit(struct elisa_switch *sw, const struct elisa_identity *identity,
			     const struct elisa_port_map *maps, uint64_t first, uint64_t count)
{
	uint32_t vcpu = elisa_load(&identity->vcpu);
	uint64_t port = first & 0xffff;
	uint64_t queue = first >> 16;

	if (elisa_load(&sw->magic) != ELISA_SWITCH_MAGIC ||
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
	if (elisa_unlikely(elisa_load(&sw->journals[vcpu].word)))
		elisa_journal_finish_own(sw, vcpu, maps);
	return elisa_transmit(sw, maps, vcpu, port, queue, count);
}

int64_t elisa_datapath_call(struct elisa_switch *sw, const struct elisa_identity *identity,
			    const struct elisa_port_map *maps, uint64_t operation, uint64_t first,
			    uint64_t second)
{
	if (operation == ELISA_CALL_TX)
		return call_transmit(sw, identity, maps, first, second);
	if (operation == ELISA_CALL_NOP)
		return 0;
	return -ELISA_EINVAL;
}
