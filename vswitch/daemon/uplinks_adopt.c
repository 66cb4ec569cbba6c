// SPDX-License-Identifier: BSD-3-Clause
/* uplinks_adopt.c - the uplinks that a daemon left which has ended; see uplinks.h. */
#include "uplinks.h"

#include "log.h"
#include "module.h"
#include "uplink_owners.h"

#include <errno.h>
#include <string.h>

static void unmap(struct elisa_domain *domain, uint64_t offset, uint64_t length)
{
	int result = elisa_module_domain_unmap_all(domain->fd, offset, length);

	if (result)
		elisa_log(
			ELISA_LOG_ERROR,
			"the module does not take a NIC of the last elisa-switchd from the VMs: "
			"%s; look for its messages in the kernel's log (dmesg), and end the switch",
			strerror(-result));
}

static void drain(struct elisa_domain *domain, unsigned int index)
{
	uint32_t lost;
	int result = elisa_uplink_drain(domain, index, domain->sw->uplinks[index].nb_queues, &lost);

	/* It is waited for once more before the registers are unmapped. */
	if (result)
		elisa_log(
			ELISA_LOG_WARNING,
			"a vCPU does not leave a NIC of the last elisa-switchd: %s; its VM may be "
			"thrown out of it",
			strerror(-result));
}

/* In the order of elisa_uplinks_remove(): vCPUs, registers, and then what the NIC might write to. */
void elisa_uplinks_end_adopted(struct elisa_domain *domain)
{
	struct elisa_switch *sw = domain->sw;

	for (unsigned int i = 0; i < ELISA_MAX_UPLINKS; i++)
		elisa_switch_uplink_set_state(sw, i, ELISA_UPLINK_DOWN);
	for (unsigned int i = 0; i < ELISA_MAX_UPLINKS; i++)
		drain(domain, i);
	unmap(domain, ELISA_OFFSET_UPLINK_DEVICES, ELISA_UPLINK_DEVICES_MAX);
	for (unsigned int i = 0; i < ELISA_MAX_UPLINKS; i++) {
		for (unsigned int queue = 0; queue < ELISA_UPLINK_QUEUES; queue++)
			elisa_switch_uplink_free(sw, i, queue);
	}
	unmap(domain, ELISA_OFFSET_UPLINK_STATE, ELISA_UPLINK_STATE_MAX);
	unmap(domain, ELISA_OFFSET_UPLINK_MEMORY, ELISA_UPLINK_MEMORY_MAX);
	for (unsigned int i = 0; i < ELISA_MAX_UPLINKS; i++)
		elisa_switch_uplink_del(sw, i);
}
