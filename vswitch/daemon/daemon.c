// SPDX-License-Identifier: BSD-3-Clause
/* daemon.c - see daemon.h. */
#include "daemon.h"

#include "adopt.h"
#include "uplink_owners.h"

#include <errno.h>

int elisa_daemon_open(struct elisa_daemon *daemon, const struct elisa_options *options,
		      const char *proc, struct elisa_kept *kept, struct elisa_failure *failure)
{
	struct elisa_kept_thing domain;
	int result;

	*daemon = (struct elisa_daemon){
		.options = *options,
		.vms = {.proc = proc, .accept_side_channels = options->accept_side_channels},
		.uplinks = {.sysfs = "/sys"},
	};
	clock_gettime(CLOCK_MONOTONIC, &daemon->started);
	daemon->clock_at_start = elisa_clock_read();
	result = -ESTALE;
	if (elisa_kept_take(kept, ELISA_KEPT_DOMAIN, 0, &domain)) {
		result = elisa_domain_adopt(&daemon->domain, &daemon->options, &domain, failure);
		daemon->adopted = !result;
		if (result == -ESTALE)
			elisa_store_drop(ELISA_KEPT_DOMAIN, 0);
	}
	if (result == -ESTALE)
		result = elisa_domain_open(&daemon->domain, options, failure);
	if (result)
		return result;
	if (daemon->adopted)
		elisa_adopt(daemon, kept);
	pthread_mutex_init(&daemon->lock, NULL);
	return 0;
}

void elisa_daemon_close(struct elisa_daemon *daemon)
{
	elisa_captures_close(&daemon->captures, &daemon->domain);
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		struct elisa_port *port = &daemon->ports.ports[i];

		if (port->present)
			elisa_daemon_remove_port(daemon, port);
	}
	elisa_uplinks_close(&daemon->uplinks, &daemon->domain);
	elisa_domain_close(&daemon->domain);
	pthread_mutex_destroy(&daemon->lock);
}

void elisa_daemon_leave(struct elisa_daemon *daemon)
{
	elisa_captures_close(&daemon->captures, &daemon->domain);
	elisa_uplinks_leave(&daemon->uplinks, &daemon->domain);
	elisa_ports_leave(&daemon->ports);
	elisa_vms_leave(&daemon->vms);
	elisa_domain_leave(&daemon->domain);
	pthread_mutex_destroy(&daemon->lock);
}

void elisa_daemon_remove_port(struct elisa_daemon *daemon, struct elisa_port *port)
{
	const struct elisa_vm *vm = port->vm;

	elisa_ports_remove(&daemon->ports, &daemon->domain, port);
	for (uint32_t i = 0; !vm->attached && i < vm->nb_vcpus; i++)
		elisa_uplinks_vcpu_out(&daemon->uplinks, &daemon->domain, vm->first_vcpu + i);
}

const char *elisa_daemon_port_name(struct elisa_daemon *daemon, unsigned int number)
{
	const struct elisa_uplink_port *uplink;

	if (number >= ELISA_MAX_PORTS)
		return NULL;
	if (daemon->ports.ports[number].present)
		return daemon->ports.ports[number].name;
	uplink = elisa_uplinks_with_number(&daemon->uplinks, number);
	return uplink ? uplink->name : NULL;
}

int elisa_daemon_port_number(struct elisa_daemon *daemon, const char *name)
{
	const struct elisa_port *port = elisa_ports_find(&daemon->ports, name);
	const struct elisa_uplink_port *uplink = elisa_uplinks_find(&daemon->uplinks, name);

	if (port)
		return (int)elisa_port_number(&daemon->ports, port);
	return uplink ? (int)uplink->number : -ENOENT;
}
