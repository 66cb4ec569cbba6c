/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control_uplink.c - the daemon's side of uplinks, while vCPUs use them.
 *
 * Not in the trusted image.
 */
#include <errno.h>
#include <string.h>

#include "vswitch/datapath/control_policy.h"
#include "vswitch/datapath/atomic.h"
#include "vswitch/datapath/switch.h"

static int check_uplink(const struct elisa_switch *sw, unsigned int uplink)
{
	if (uplink >= ELISA_MAX_UPLINKS)
		return -ERANGE;
	return elisa_load(&sw->uplinks_present) >> uplink & 1 ? 0 : -ENODEV;
}

static int check_queue(const struct elisa_switch *sw, unsigned int uplink, unsigned int queue)
{
	int error = check_uplink(sw, uplink);

	if (error)
		return error;
	return queue < elisa_load(&sw->uplinks[uplink].nb_queues) ? 0 : -ERANGE;
}

static int check_params(const struct elisa_switch *sw, const struct elisa_uplink_params *params)
{
	if (params->port >= ELISA_MAX_PORTS)
		return -ERANGE;
	if (elisa_load(&sw->config[params->port].present))
		return -EEXIST;
	if (!params->nb_queues || params->nb_queues > ELISA_UPLINK_QUEUES || !params->driver)
		return -EINVAL;
	if (params->room < ELISA_FRAME_OVERHEAD ||
	    params->mtu > params->room - ELISA_FRAME_OVERHEAD)
		return -EINVAL;
	return 0;
}

int elisa_switch_uplink_add(struct elisa_switch *sw, unsigned int index,
			    const struct elisa_uplink_params *params)
{
	int error = check_uplink(sw, index);
	struct elisa_port_config *config;
	struct elisa_uplink *uplink;

	if (error != -ENODEV)
		return error ? error : -EEXIST;
	error = check_params(sw, params);
	if (error)
		return error;
	uplink = &sw->uplinks[index];
	memset(uplink, 0, sizeof(*uplink));
	uplink->driver = params->driver;
	uplink->port = params->port;
	uplink->mtu = params->mtu;
	uplink->room = params->room;
	uplink->nb_queues = params->nb_queues;
	elisa_store_release(&uplink->state, ELISA_UPLINK_DOWN);
	memset(&sw->sent[params->port], 0, sizeof(sw->sent[params->port]));
	memset(&sw->received[params->port], 0, sizeof(sw->received[params->port]));
	config = &sw->config[params->port];
	elisa_store(&config->mac, 0);
	elisa_store(&config->backpressure, params->backpressure);
	elisa_store(&config->uplink, index + 1);
	elisa_policy_begin(sw, params->port, ELISA_LEARNING_UNLIMITED);
	elisa_store_release(&config->present, 1);
	__atomic_fetch_or(&sw->uplinks_present, 1ull << index, __ATOMIC_RELEASE);
	__atomic_fetch_or(&sw->ports, 1ull << params->port, __ATOMIC_RELEASE);
	return 0;
}

int elisa_switch_uplink_del(struct elisa_switch *sw, unsigned int index)
{
	int error = check_uplink(sw, index);
	struct elisa_uplink *uplink;
	unsigned int port;

	if (error)
		return error;
	uplink = &sw->uplinks[index];
	if (elisa_load(&uplink->state) == ELISA_UPLINK_UP)
		return -EBUSY;
	for (unsigned int i = 0; i < uplink->nb_queues; i++)
		if (elisa_uplink_owner_vcpu(elisa_load(&uplink->queues[i].owner)) >= 0)
			return -EBUSY;
	port = uplink->port;
	__atomic_fetch_and(&sw->ports, ~(1ull << port), __ATOMIC_RELEASE);
	__atomic_fetch_and(&sw->uplinks_present, ~(1ull << index), __ATOMIC_RELEASE);
	elisa_store_release(&sw->config[port].present, 0);
	elisa_store(&sw->config[port].capture, 0);
	elisa_store(&sw->config[port].uplink, 0);
	elisa_store_release(&uplink->state, ELISA_UPLINK_NONE);
	elisa_switch_fdb_flush(sw, port);
	return 0;
}

int elisa_switch_uplink_set_state(struct elisa_switch *sw, unsigned int uplink,
				  enum elisa_uplink_state state)
{
	int error = check_uplink(sw, uplink);

	/* Before any look at an owner: vswitch/uplink/owner.c. */
	if (!error)
		__atomic_store_n(&sw->uplinks[uplink].state, state, __ATOMIC_SEQ_CST);
	return error;
}

int elisa_switch_uplink_set_link(struct elisa_switch *sw, unsigned int uplink, bool link)
{
	int error = check_uplink(sw, uplink);

	if (!error)
		elisa_store(&sw->uplinks[uplink].link, link);
	return error;
}

int elisa_switch_uplink_set_queue(struct elisa_switch *sw, unsigned int uplink, unsigned int index,
				  uint64_t receive, uint64_t transmit, uint64_t pool)
{
	int error = check_queue(sw, uplink, index);
	struct elisa_uplink_queue *queue;

	if (error)
		return error;
	queue = &sw->uplinks[uplink].queues[index];
	elisa_store(&queue->receive, receive);
	elisa_store(&queue->transmit, transmit);
	elisa_store(&queue->pool, pool);
	return 0;
}

uint64_t elisa_switch_uplink_owner(const struct elisa_switch *sw, unsigned int uplink,
				   unsigned int queue)
{
	if (check_queue(sw, uplink, queue))
		return 0;
	return __atomic_load_n(&sw->uplinks[uplink].queues[queue].owner, __ATOMIC_SEQ_CST);
}

void elisa_switch_uplink_free(struct elisa_switch *sw, unsigned int uplink, unsigned int queue)
{
	uint64_t *owner;

	if (check_queue(sw, uplink, queue))
		return;
	owner = &sw->uplinks[uplink].queues[queue].owner;
	__atomic_store_n(owner, elisa_load(owner) & ~0xffffull, __ATOMIC_SEQ_CST);
}
