// SPDX-License-Identifier: GPL-2.0-only
/*
 * queues.c - a port's queue pairs, flags, MTU and RSS, as the guest process sets them.
 *
 * Called by hypercall.c and port.c, under domain->lock. Writes the port's map in the order that
 * layout.h gives.
 */
#include <linux/log2.h>
#include <linux/nospec.h>
#include <elisa/ring.h>

#include "domain.h"
#include "grace.h"
#include "port.h"
#include "vm.h"

static bool is_set_up(const struct elisa_port *port, u32 queue)
{
	return port->map->queues[queue].tx_size;
}

static bool is_started(const struct elisa_port *port)
{
	return port->map->flags & ELISA_PORT_STARTED;
}

static bool size_fits(const struct elisa_port *port, u32 size)
{
	return is_power_of_2(size) && size >= ELISA_MIN_RING && size <= port->max_ring;
}

/* Where the datapath finds a ring that the guest process has at `gva`; 0 if it is no place for one. */
static u64 ring_window(const struct elisa_port *port, u64 gva, u32 size, u32 region_flags)
{
	u64 length = (u64)size * sizeof(struct elisa_desc);
	const struct elisa_region *region;
	int i = elisa_region_find(port, gva, length);

	if (i < 0 || gva % sizeof(struct elisa_desc))
		return 0;
	region = &port->map->regions[i];
	if ((region->flags & region_flags) != region_flags)
		return 0;
	return region->window + (gva - region->gva);
}

/* Queues the datapath looks at: up to the last that is set up. */
static void count_queues(struct elisa_port *port)
{
	u32 count = ELISA_MAX_QUEUES;

	while (count && !is_set_up(port, count - 1))
		count--;
	WRITE_ONCE(port->map->nb_queues, count);
}

int elisa_queue_setup(struct elisa_port *port, const struct elisa_hc_queue *call)
{
	u32 queue = array_index_nospec(call->queue, ELISA_MAX_QUEUES);
	struct elisa_queue_map *map;
	u64 tx_window, rx_ring;

	if (call->queue >= port->max_queues)
		return -EINVAL;
	if (is_started(port) || is_set_up(port, queue))
		return -EBUSY;
	if (!size_fits(port, call->tx_size) || !size_fits(port, call->rx_size))
		return -ERANGE;
	tx_window = ring_window(port, call->tx_window, call->tx_size, 0);
	rx_ring = ring_window(port, call->rx_ring, call->rx_size, ELISA_REGION_WRITE);
	if (!tx_window || !rx_ring)
		return -EFAULT;
	map = &port->map->queues[queue];
	mutex_lock(&port->vm->domain->finish_lock);
	WRITE_ONCE(map->tx_window, tx_window);
	WRITE_ONCE(map->rx_ring, rx_ring);
	WRITE_ONCE(map->epoch, map->epoch + 1);
	/* Sizes last: a queue that the datapath finds is whole. */
	smp_store_release(&map->rx_size, call->rx_size);
	/* tx_size is what says that the queue is set up. */
	smp_store_release(&map->tx_size, call->tx_size);
	mutex_unlock(&port->vm->domain->finish_lock);
	count_queues(port);
	return 0;
}

static void hide(struct elisa_port *port, u32 queue)
{
	struct elisa_queue_map *map = &port->map->queues[queue];

	mutex_lock(&port->vm->domain->finish_lock);
	WRITE_ONCE(map->tx_size, 0);
	WRITE_ONCE(map->rx_size, 0);
	mutex_unlock(&port->vm->domain->finish_lock);
}

int elisa_queue_release(struct elisa_port *port, const struct elisa_hc_queue *call)
{
	u32 queue = array_index_nospec(call->queue, ELISA_MAX_QUEUES);

	if (call->queue >= port->max_queues || call->tx_window || call->rx_ring || call->tx_size ||
	    call->rx_size)
		return -EINVAL;
	if (!is_set_up(port, queue))
		return -ENOENT;
	if (is_started(port))
		return -EBUSY;
	hide(port, queue);
	count_queues(port);
	elisa_grace_wait(port->vm->domain);
	return 0;
}

void elisa_queues_hide(struct elisa_port *port)
{
	u32 i;

	for (i = 0; i < ELISA_MAX_QUEUES; i++)
		hide(port, i);
	WRITE_ONCE(port->map->nb_queues, 0);
}

static bool lies_in(const struct elisa_region *region, u64 window)
{
	return window - region->window < region->length;
}

bool elisa_queues_use(const struct elisa_port *port, u32 region)
{
	const struct elisa_region *place = &port->map->regions[region];
	const struct elisa_queue_map *map = port->map->queues;
	u32 i;

	for (i = 0; i < ELISA_MAX_QUEUES; i++, map++) {
		if (is_set_up(port, i) &&
		    (lies_in(place, map->tx_window) || lies_in(place, map->rx_ring)))
			return true;
	}
	return false;
}

bool elisa_queue_has_word(const struct elisa_port *port, u32 queue, u32 epoch, u64 window)
{
	const struct elisa_queue_map *map = &port->map->queues[queue];

	return map->rx_size && map->epoch % ELISA_RUN_EPOCHS == epoch &&
	       window - map->rx_ring < map->rx_size * sizeof(struct elisa_desc);
}

int elisa_port_set(struct elisa_port *port, const struct elisa_hc_port *call)
{
	bool stops = is_started(port) && !(call->flags & ELISA_PORT_STARTED);

	if ((call->flags & ~ELISA_PORT_FLAGS) || call->reserved)
		return -EINVAL;
	if ((call->flags & ELISA_PORT_RX_TSO) && !(call->flags & ELISA_PORT_RX_CSUM))
		return -EINVAL;
	if (call->mtu < ELISA_MIN_MTU || call->mtu > port->max_mtu)
		return -ERANGE;
	if ((call->flags & ELISA_PORT_STARTED) && !is_set_up(port, 0))
		return -ENOENT;
	WRITE_ONCE(port->map->mtu, call->mtu);
	/* A port that is started has its MTU. */
	smp_store_release(&port->map->flags, call->flags);
	if (stops)
		elisa_grace_wait(port->vm->domain);
	return 0;
}

static int check_rss(const struct elisa_port *port, const struct elisa_rss *rss)
{
	u32 i;

	if ((rss->types & ~ELISA_RSS_ALL) || rss->reta_size > ELISA_RSS_RETA_MAX ||
	    (rss->reta_size && !is_power_of_2(rss->reta_size)))
		return -EINVAL;
	for (i = 0; i < rss->reta_size; i++) {
		if (rss->reta[i] >= port->max_queues)
			return -ERANGE;
	}
	return 0;
}

void elisa_rss_write(struct elisa_rss *to, const struct elisa_rss *from)
{
	u32 i;

	for (i = 0; i < ELISA_RSS_KEY_SIZE; i++)
		WRITE_ONCE(to->key[i], from->key[i]);
	for (i = 0; i < ELISA_RSS_RETA_MAX; i++)
		WRITE_ONCE(to->reta[i], i < from->reta_size ? from->reta[i] : 0);
	WRITE_ONCE(to->types, from->types);
	/* Last: who finds RSS on for the first time finds it whole. */
	smp_store_release(&to->reta_size, from->reta_size);
}

int elisa_rss_set(struct elisa_port *port, const struct elisa_hc_rss *call)
{
	int error;

	if (call->reserved)
		return -EINVAL;
	error = check_rss(port, &call->rss);
	if (!error)
		elisa_rss_write(&port->map->rss, &call->rss);
	return error;
}
