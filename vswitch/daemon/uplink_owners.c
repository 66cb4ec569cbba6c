// SPDX-License-Identifier: BSD-3-Clause
/* uplink_owners.c - see uplink_owners.h. */
#include "uplink_owners.h"

#include "log.h"
#include "module.h"

#include <errno.h>
#include <string.h>

/* Of a second each, when a vCPU does not leave (DOMAIN_VCPU_EVICT). */
#define TRIES 3

/*
 * A vCPU gives its queue back before it leaves, and the word counts how often the queue was taken. So
 * one that is out while its word is what it was before has left the queue behind.
 */
static int drain_queue(struct elisa_domain *domain, unsigned int index, unsigned int queue,
		       bool *lost)
{
	for (unsigned int i = 0; i < TRIES; i++) {
		uint64_t owner = elisa_switch_uplink_owner(domain->sw, index, queue);
		int vcpu = elisa_uplink_owner_vcpu(owner);
		int result;

		if (vcpu < 0)
			return 0;
		result = elisa_module_domain_vcpu_evict(domain->fd, (uint32_t)vcpu);
		if (result == -ETIMEDOUT)
			continue;
		if (result && result != -ENOENT)
			return result;
		if (elisa_switch_uplink_owner(domain->sw, index, queue) == owner) {
			*lost = true;
			return 0;
		}
	}
	return -EBUSY;
}

int elisa_uplink_drain(struct elisa_domain *domain, unsigned int index, uint32_t nb_queues,
		       uint32_t *lost)
{
	*lost = 0;
	for (uint32_t i = 0; i < nb_queues; i++) {
		bool left_behind = false;
		int result = drain_queue(domain, index, i, &left_behind);

		if (result)
			return result;
		*lost |= (uint32_t)left_behind << i;
	}
	return 0;
}

void elisa_uplink_free_lost(struct elisa_switch *sw, unsigned int index, uint32_t lost)
{
	for (; lost; lost &= lost - 1)
		elisa_switch_uplink_free(sw, index, (unsigned int)__builtin_ctz(lost));
}

void elisa_uplink_set_queues(struct elisa_switch *sw, unsigned int index,
			     const struct elisa_nic *nic)
{
	for (uint32_t i = 0; i < nic->nb_queues; i++)
		elisa_switch_uplink_set_queue(sw, index, i, nic->queues[i].receive,
					      nic->queues[i].transmit, nic->queues[i].pool);
}

/* Fills `failure` and leaves the uplink down, or sets its NIC up again if a queue was left behind. */
static int set_up_again(struct elisa_domain *domain, unsigned int index,
			struct elisa_uplink_port *uplink, struct elisa_failure *failure)
{
	uint32_t lost;
	int result;

	elisa_switch_uplink_set_state(domain->sw, index, ELISA_UPLINK_DOWN);
	result = elisa_uplink_drain(domain, index, uplink->nic.nb_queues, &lost);
	if (result)
		return elisa_fail(failure, result,
				  "another vCPU does not leave it: %s; it is tried "
				  "again each second",
				  strerror(-result));
	if (lost || uplink->broken) {
		result = elisa_nic_restart(&uplink->nic, failure);
		if (result)
			return result;
		uplink->resets++;
		elisa_log_limited(
			ELISA_LOG_WARNING,
			"uplink %s: a vCPU was lost while it used the NIC, which was set up "
			"again; what was in its rings is lost",
			uplink->name);
	}
	elisa_uplink_set_queues(domain->sw, index, &uplink->nic);
	elisa_uplink_free_lost(domain->sw, index, lost);
	elisa_switch_uplink_set_state(domain->sw, index, ELISA_UPLINK_UP);
	uplink->broken = false;
	return 0;
}

static void recover(struct elisa_uplinks *uplinks, struct elisa_domain *domain,
		    struct elisa_uplink_port *uplink)
{
	struct elisa_failure failure;
	int result = set_up_again(domain, elisa_uplink_index(uplinks, uplink), uplink, &failure);

	if (result && !uplink->broken)
		elisa_log(ELISA_LOG_ERROR,
			  "uplink %s is down: a vCPU was lost while it used it, and %s",
			  uplink->name, failure.message);
	uplink->broken = result != 0;
}

static bool has_queue(const struct elisa_switch *sw, unsigned int index, uint32_t nb_queues,
		      uint32_t vcpu)
{
	for (uint32_t i = 0; i < nb_queues; i++) {
		if (elisa_uplink_owner_vcpu(elisa_switch_uplink_owner(sw, index, i)) == (int)vcpu)
			return true;
	}
	return false;
}

bool elisa_uplinks_vcpu_out(struct elisa_uplinks *uplinks, struct elisa_domain *domain,
			    uint32_t vcpu)
{
	bool had_queue = false;

	for (unsigned int i = 0; i < ELISA_MAX_UPLINKS; i++) {
		struct elisa_uplink_port *uplink = &uplinks->uplinks[i];

		if (uplink->present && !uplink->removing &&
		    has_queue(domain->sw, i, uplink->nic.nb_queues, vcpu)) {
			recover(uplinks, domain, uplink);
			had_queue = true;
		}
	}
	return had_queue;
}

static void watch_link(struct elisa_domain *domain, unsigned int index,
		       struct elisa_uplink_port *uplink, const struct elisa_nic_link *now)
{
	if (now->up != uplink->link.up)
		elisa_log(ELISA_LOG_NOTICE, "uplink %s: link is %s", uplink->name,
			  now->up ? "up" : "down; packets for it are dropped and counted");
	uplink->link = *now;
	elisa_switch_uplink_set_link(domain->sw, index, now->up);
}

static void remove_gone(struct elisa_uplinks *uplinks, struct elisa_domain *domain,
			struct elisa_uplink_port *uplink)
{
	struct elisa_failure failure;

	if (!elisa_uplinks_remove(uplinks, domain, uplink, &failure))
		elisa_log(
			ELISA_LOG_WARNING,
			"uplink %s removed: its NIC %s is gone from the host, or its bus wants it "
			"back",
			uplink->name, uplink->nic.pci);
	else
		elisa_log_limited(ELISA_LOG_ERROR, "%s", failure.message);
}

void elisa_uplinks_watch(struct elisa_uplinks *uplinks, struct elisa_domain *domain)
{
	for (unsigned int i = 0; i < ELISA_MAX_UPLINKS; i++) {
		struct elisa_uplink_port *uplink = &uplinks->uplinks[i];
		struct elisa_nic_link now;

		if (!uplink->present)
			continue;
		if (elisa_nic_link(&uplink->nic, &now)) {
			remove_gone(uplinks, domain, uplink);
			continue;
		}
		watch_link(domain, i, uplink, &now);
		if (uplink->broken && !uplink->removing)
			recover(uplinks, domain, uplink);
	}
}
