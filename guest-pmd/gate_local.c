/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gate_local.c - the gate to a switch in this process: plain calls, no isolation.
 *
 * Called through struct elisa_gate. For development, tests and measuring (elisa/local.h).
 */
#include <errno.h>
#include <string.h>

#include <elisa/local.h>

#include "gate.h"
#include "net_elisa_log.h"

#define DEFAULT_SWITCH_NAME "local"

static int64_t local_call(const struct elisa_gate *gate, uint64_t operation, uint64_t first,
			  uint64_t second)
{
	return elisa_local_call(gate->state, operation, first, second);
}

static int64_t local_hypercall(const struct elisa_gate *gate, uint32_t number, void *argument,
			       uint32_t size)
{
	return elisa_local_hypercall(gate->state, number, argument, size);
}

static void local_close(struct elisa_gate *gate)
{
	elisa_local_close(gate->state);
	gate->state = NULL;
}

int elisa_gate_open_local(struct elisa_gate *gate, const char *device, const char *switch_name,
			  const char *port_name)
{
	struct elisa_local *local;
	int err;

	if (switch_name[0] == '\0')
		switch_name = DEFAULT_SWITCH_NAME;
	if (port_name[0] == '\0')
		port_name = device;
	if (strlen(port_name) >= ELISA_NAME_SIZE) {
		ELISA_LOG(ERR, device,
			  "the device's name is too long for a port's: give port=NAME");
		return -EINVAL;
	}

	err = elisa_local_open(switch_name, port_name, &local);
	if (err) {
		ELISA_LOG(ERR, device, "cannot make port %s on the local switch %s: %s", port_name,
			  switch_name,
			  err == -ENOSPC ? "the switch has no port left" : strerror(-err));
		return err;
	}

	*gate = (struct elisa_gate){
		.call = local_call,
		.hypercall = local_hypercall,
		.close = local_close,
		.state = local,
		.name = "local",
		.pins = false,
	};
	return 0;
}
