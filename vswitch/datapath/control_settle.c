/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control_settle.c - the daemon's side of a switch: what a daemon that was killed left half done.
 *
 * Not in the trusted image. Touches struct elisa_switch only, while vCPUs use it.
 */
#include "vswitch/datapath/atomic.h"
#include "vswitch/datapath/control_fdb.h"
#include "vswitch/datapath/switch.h"

/* As elisa_switch_port_del(), which knows ports that are present only; but for the MAC table. */
static bool clear_port(struct elisa_switch *sw, unsigned int port)
{
	uint64_t before = __atomic_fetch_and(&sw->ports, ~(1ull << port), __ATOMIC_RELEASE);
	bool left = before >> port & 1 || elisa_load(&sw->config[port].present);

	elisa_store_release(&sw->config[port].present, 0);
	elisa_store(&sw->config[port].capture, 0);
	elisa_store(&sw->config[port].uplink, 0);
	return left;
}

uint64_t elisa_switch_settle(struct elisa_switch *sw, uint64_t keep)
{
	uint64_t left = 0;

	for (unsigned int port = 0; port < ELISA_MAX_PORTS; port++) {
		if (keep >> port & 1)
			elisa_switch_port_set_capture(sw, port, 0);
		else if (clear_port(sw, port))
			left |= 1ull << port;
	}
	return left | elisa_fdb_remove_strays(sw, keep);
}
