// SPDX-License-Identifier: BSD-3-Clause
/* watch.c - see watch.h. */
#include "watch.h"

#include "log.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>

#include <rte_ethdev.h>

#define PATIENCE 5u /* looks: a vCPU that was thrown out of the switch comes back in less */

/* False: the interface is not in this network namespace. */
static bool read_setting(const struct netd_tap *tap, const char *name, const char *format,
			 unsigned int *value)
{
	char path[64];
	FILE *file;
	bool found;

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", tap->name, name);
	file = fopen(path, "re");
	if (!file)
		return false;
	found = fscanf(file, format, value) == 1;
	fclose(file);
	return found;
}

static void follow_mtu(struct netd_watch *watch, const struct netd_port *port,
		       const struct netd_tap *tap)
{
	unsigned int mtu;

	if (!read_setting(tap, "mtu", "%u", &mtu) || mtu == watch->mtu)
		return;
	if (mtu <= UINT16_MAX && !rte_eth_dev_set_mtu(port->id, (uint16_t)mtu)) {
		watch->mtu = mtu;
		return;
	}
	netd_error("%s: the port does not take MTU %u, it is set back to %u", tap->name, mtu,
		   watch->mtu);
	netd_tap_set_mtu(tap, watch->mtu);
}

/* As a bridge or tcpdump asks for. */
static void follow_promiscuous(struct netd_watch *watch, const struct netd_port *port,
			       const struct netd_tap *tap)
{
	unsigned int flags;
	bool wanted;

	if (!read_setting(tap, "flags", "%x", &flags))
		return;
	wanted = flags & IFF_PROMISC;
	if (wanted != watch->promiscuous && !(wanted ? rte_eth_promiscuous_enable(port->id)
						     : rte_eth_promiscuous_disable(port->id)))
		watch->promiscuous = wanted;
}

static int follow_link(struct netd_watch *watch, const struct netd_port *port,
		       const struct netd_tap *tap)
{
	struct rte_eth_link link = {0};

	if (!rte_eth_link_get_nowait(port->id, &link) && link.link_status == RTE_ETH_LINK_UP) {
		if (watch->down)
			netd_tap_set_carrier(tap, true);
		watch->down = 0;
		return 0;
	}
	if (!watch->down++)
		netd_tap_set_carrier(tap, false);
	if (watch->down < PATIENCE)
		return 0;
	netd_error("%s: the switch is gone, or the port is: start elisa-netd again when "
		   "`elisactl port list` on the host shows it",
		   tap->name);
	return -ENODEV;
}

int netd_watch(struct netd_watch *watch, const struct netd_port *port, const struct netd_tap *tap)
{
	if (netd_tap_is_gone(tap)) {
		netd_error("%s was removed, or the network namespace it was in: "
			   "start elisa-netd again",
			   tap->name);
		return -ENODEV;
	}
	follow_mtu(watch, port, tap);
	follow_promiscuous(watch, port, tap);
	return follow_link(watch, port, tap);
}
