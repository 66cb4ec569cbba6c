// SPDX-License-Identifier: BSD-3-Clause
/* link.c - see link.h. */
#include "eal.h"
#include "link.h"
#include "log.h"

#include <string.h>

#include <rte_launch.h>
#include <rte_lcore.h>

static int make_worker(struct netd_link *link, uint16_t queue, bool own_cpu)
{
	struct netd_worker *worker = &link->workers[queue];
	int err;

	worker->port = link->port.id;
	worker->queue = queue;
	worker->tap = link->tap.fds[queue];
	worker->stop = &link->stop;
	worker->tap_pool = link->port.tap_pools[queue];
	netd_idle_init(&worker->idle, own_cpu);
	err = netd_to_switch_open(worker);
	if (!err)
		link->nb_workers++;
	return err;
}

static int start(struct netd_link *link, const struct netd_options *options)
{
	int err = 0;

	for (uint16_t queue = 0; !err && queue < options->queues; queue++)
		err = make_worker(link, queue, netd_eal_has_cpu_for_each(options));
	if (!err)
		err = netd_port_start(&link->port);
	for (uint32_t i = 0; !err && i < link->nb_workers; i++)
		err = rte_eal_remote_launch(netd_bridge_run, &link->workers[i],
					    link->first_lcore + i);
	if (err)
		netd_error("%s cannot be started: %s", link->tap.name, strerror(-err));
	return err;
}

int netd_link_open(struct netd_link *link, const struct netd_options *options, uint32_t number)
{
	const struct netd_link_options *asked = &options->links[number];
	int err;

	memset(link, 0, sizeof(*link));
	link->first_lcore = 1 + number * options->queues; /* 0 is the main thread's */
	err = netd_port_open(&link->port, number, asked->port_args, options->queues, options->mtu);
	if (err)
		return err;
	err = netd_tap_open(&link->tap, asked->interface, options->queues, &link->port.mac,
			    link->port.mtu);
	if (!err)
		err = start(link, options);
	if (err) {
		netd_link_stop(link);
		netd_link_close(link);
		return err;
	}
	link->watch.mtu = link->port.mtu;
	netd_notice("%s: " RTE_ETHER_ADDR_PRT_FMT ", MTU %u, queues %u", link->tap.name,
		    RTE_ETHER_ADDR_BYTES(&link->port.mac), link->port.mtu, options->queues);
	return 0;
}

void netd_link_stop(struct netd_link *link)
{
	__atomic_store_n(&link->stop, true, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < link->nb_workers; i++)
		rte_eal_wait_lcore(link->first_lcore + i);
}

void netd_link_close(struct netd_link *link)
{
	for (uint32_t i = 0; i < link->nb_workers; i++)
		netd_to_switch_close(&link->workers[i]);
	netd_tap_close(&link->tap);
	netd_port_close(&link->port);
}
