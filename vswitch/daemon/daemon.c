// SPDX-License-Identifier: BSD-3-Clause
/* daemon.c - see daemon.h. */
#include "daemon.h"

int elisa_daemon_open(struct elisa_daemon *daemon, const struct elisa_options *options,
		      const char *proc, struct elisa_failure *failure)
{
	int result;

	*daemon = (struct elisa_daemon){
		.options = *options,
		.vms = {.proc = proc, .accept_side_channels = options->accept_side_channels},
	};
	clock_gettime(CLOCK_MONOTONIC, &daemon->started);
	result = elisa_domain_open(&daemon->domain, options, failure);
	if (result)
		return result;
	pthread_mutex_init(&daemon->lock, NULL);
	return 0;
}

void elisa_daemon_close(struct elisa_daemon *daemon)
{
	elisa_captures_close(&daemon->captures, &daemon->domain);
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		struct elisa_port *port = &daemon->ports.ports[i];

		if (port->present)
			elisa_ports_remove(&daemon->ports, &daemon->domain, port);
	}
	elisa_domain_close(&daemon->domain);
	pthread_mutex_destroy(&daemon->lock);
}
