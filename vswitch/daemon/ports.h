/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ports.h - the ports of the switch: each is an object of the module and an entry of the datapath.
 *
 * Main thread, under the daemon's lock when it changes something.
 */
#ifndef ELISA_DAEMON_PORTS_H
#define ELISA_DAEMON_PORTS_H

#include "domain.h"
#include "failure.h"
#include "vms.h"

struct elisa_port {
	bool present;
	int fd; /* the module's object */
	struct elisa_vm *vm;
	char name[ELISA_NAME_SIZE];
	uint8_t mac[ELISA_MAC_SIZE];
	bool backpressure;
	uint32_t max_mtu;
	uint32_t max_queues;
};

struct elisa_ports {
	struct elisa_port ports[ELISA_MAX_PORTS]; /* by port number */
};

/* What a person asks for; everything is checked already but whether it is free. */
struct elisa_port_request {
	const char *name; /* ELISA_NAME_RULE */
	const char *vm;   /* vm_find.h */
	uint8_t mac[ELISA_MAC_SIZE];
	bool backpressure;
	uint32_t max_mtu;    /* bytes, ELISA_MIN_MTU..ELISA_MAX_MTU */
	uint32_t max_queues; /* 1..ELISA_MAX_QUEUES */
	struct elisa_port_policy policy;
	uint64_t tsc_hz; /* tsc.h; only if the policy has a rate */
};

/* All or nothing. *port is valid until the port is removed. */
int elisa_ports_add(struct elisa_ports *ports, struct elisa_vms *vms, struct elisa_domain *domain,
		    const struct elisa_port_request *request, struct elisa_port **port,
		    struct elisa_failure *failure);

/*
 * Replaces the port's policy: all or nothing. -EOPNOTSUPP: a rate, and the VM's time-stamp counter is
 * none to measure it with.
 */
int elisa_ports_set_policy(struct elisa_ports *ports, struct elisa_domain *domain,
			   struct elisa_port *port, const struct elisa_port_policy *policy,
			   uint64_t tsc_hz, struct elisa_failure *failure);

static inline bool elisa_policy_has_rate(const struct elisa_port_policy *policy)
{
	return policy->packets.per_second || policy->bytes.per_second || policy->storm.per_second;
}

/* Revokes the port: returns when nobody can send from it or to it any more. */
void elisa_ports_remove(struct elisa_ports *ports, struct elisa_domain *domain,
			struct elisa_port *port);

/*
 * Takes over a port that is whole, as number `number`, of a VM that was adopted. Takes `thing` over.
 * False: it was half made, half removed or is of another version, and is revoked; the datapath has to be
 * told (elisa_switch_settle()).
 */
bool elisa_ports_adopt(struct elisa_ports *ports, struct elisa_vms *vms,
		       struct elisa_domain *domain, unsigned int number,
		       const struct elisa_kept_thing *thing);

/* Lets go of all: they go on for as long as they are kept (store.h). */
void elisa_ports_leave(struct elisa_ports *ports);

struct elisa_port *elisa_ports_find(struct elisa_ports *ports, const char *name);

static inline unsigned int elisa_port_number(const struct elisa_ports *ports,
					     const struct elisa_port *port)
{
	return (unsigned int)(port - ports->ports);
}

#endif
