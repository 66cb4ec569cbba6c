/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * uplinks.h - the uplinks of the switch: each is a NIC (nic.h), memory of the daemon that is mapped
 * into the trusted context, and a port of the switch without a guest.
 *
 * Main thread, under the daemon's lock when it changes something.
 */
#ifndef ELISA_DAEMON_UPLINKS_H
#define ELISA_DAEMON_UPLINKS_H

#include "domain.h"
#include "failure.h"
#include "nic.h"

struct elisa_uplink_port {
	bool present;
	unsigned int number; /* as a port of the switch */
	char name[ELISA_NAME_SIZE];
	char kernel_driver[ELISA_KERNEL_DRIVER_SIZE];
	bool backpressure;
	bool broken;     /* DOWN until it can be set up again */
	bool removing;   /* DOWN for good, and mapped in part: elisa_uplinks_remove() failed */
	uint64_t resets; /* set up again because a vCPU was lost while it had a queue */
	struct elisa_nic_link link;
	struct elisa_nic nic;
};

struct elisa_uplinks {
	const char *sysfs; /* "/sys" */
	uint32_t memory;   /* MiB; 0: there can be no uplinks */
	struct elisa_uplink_port uplinks[ELISA_MAX_UPLINKS];
};

/* What a person asks for; everything is checked already but the device and what is free. */
struct elisa_uplink_request {
	const char *name; /* ELISA_NAME_RULE, no port has it */
	const char *pci;  /* pci.h: the long form */
	bool backpressure;
	uint32_t mtu;
	uint32_t nb_queues;
	const uint32_t *number; /* as a port of the switch; NULL: any that is free */
};

/* Takes the memory for uplinks, `memory` MiB; with 0 there can be none. */
int elisa_uplinks_open(struct elisa_uplinks *uplinks, uint32_t memory,
		       struct elisa_failure *failure);

/* Removes all. No VM is attached any more. */
void elisa_uplinks_close(struct elisa_uplinks *uplinks, struct elisa_domain *domain);

/* Gives all NICs back, as above, but for the record that the next daemon sets them up by. */
void elisa_uplinks_leave(struct elisa_uplinks *uplinks, struct elisa_domain *domain);

/*
 * Takes down all uplinks of a switch that is adopted: their NICs are driven by nobody any more. Only then
 * may NICs be opened again.
 */
void elisa_uplinks_end_adopted(struct elisa_domain *domain);

/*
 * All or nothing. *uplink is valid until it is removed. -EBUSY: another is `removing`, and what all
 * share may be unmapped.
 */
int elisa_uplinks_add(struct elisa_uplinks *uplinks, struct elisa_domain *domain,
		      const struct elisa_uplink_request *request, struct elisa_uplink_port **uplink,
		      struct elisa_failure *failure);

/*
 * When it returns 0, no vCPU reaches the NIC any more and the device is given back. Errors come with a
 * message. If vCPUs do not leave (-EBUSY, or what the module says), the uplink is as it was. If the
 * module does not unmap it, it is `removing`: it passes no packets any more, keeps its name, number
 * and NIC, and all that is left to do is this again, or the daemon's end.
 */
int elisa_uplinks_remove(struct elisa_uplinks *uplinks, struct elisa_domain *domain,
			 struct elisa_uplink_port *uplink, struct elisa_failure *failure);

struct elisa_uplink_port *elisa_uplinks_find(struct elisa_uplinks *uplinks, const char *name);

/* By number of the switch's port, or NULL. */
struct elisa_uplink_port *elisa_uplinks_with_number(struct elisa_uplinks *uplinks,
						    unsigned int number);

/* The datapath's number of it. */
static inline unsigned int elisa_uplink_index(const struct elisa_uplinks *uplinks,
					      const struct elisa_uplink_port *uplink)
{
	return (unsigned int)(uplink - uplinks->uplinks);
}

#endif
