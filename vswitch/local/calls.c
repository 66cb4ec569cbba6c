/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * calls.c - elisa/hypercall.h for gate=local: fills the port maps as the host module would.
 *
 * The window is the process itself: region.window = region.gva. Nothing is pinned, and whether
 * memory is writable is not checked: there is no isolation here to keep.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "vswitch/datapath/atomic.h"
#include "vswitch/local/switches.h"

static bool has_hello(const struct elisa_local *local)
{
	return local->sw->ports[local->port].claimed_by == local;
}

/* A name the caller gave: empty, or it must be `is`. */
static bool name_fits(const char *given, const char *is)
{
	return !given[0] || !strncmp(given, is, ELISA_NAME_SIZE);
}

static int hello(struct elisa_local *local, struct elisa_hc_hello *hello)
{
	struct local_port *port = &local->sw->ports[local->port];
	struct elisa_hc_hello out = {
		.abi = ELISA_GUEST_ABI,
		.window_gva = ELISA_WINDOW_GVA,
		.port = local->port,
		.max_mtu = ELISA_MAX_MTU,
		.max_queues = ELISA_MAX_QUEUES,
		.max_ring = ELISA_MAX_RING,
	};

	if (hello->reserved)
		return -EINVAL;
	if (hello->abi != ELISA_GUEST_ABI)
		return -EPROTO;
	if (!name_fits(hello->port_name, port->name) ||
	    !name_fits(hello->switch_name, local->sw->name))
		return -ENOENT;
	if (port->claimed_by)
		return -EBUSY;
	memcpy(out.port_name, port->name, sizeof(out.port_name));
	memcpy(out.switch_name, local->sw->name, sizeof(out.switch_name));
	elisa_mac_from_number(elisa_load(&local->sw->memory->config[local->port].mac), out.mac);
	elisa_local_map(local)->mtu = 1500;
	elisa_store_release(&port->claimed_by, local);
	*hello = out;
	return 0;
}

static bool is_mapped(uint64_t gva, uint64_t length)
{
	const uint64_t step = 1ull << 30;
	unsigned char *pages = malloc(step / ELISA_PAGE_SIZE);
	bool mapped = pages;

	for (uint64_t done = 0; mapped && done < length; done += step) {
		uint64_t n = length - done < step ? length - done : step;

		mapped = !mincore((void *)(uintptr_t)(gva + done), n, pages);
	}
	free(pages);
	return mapped;
}

static int register_region(struct elisa_local *local, const struct elisa_hc_region *call)
{
	struct elisa_port_map *map = elisa_local_map(local);
	uint32_t place = ELISA_MAX_REGIONS;
	struct elisa_region *region;

	if (call->flags & ~ELISA_REGION_WRITE || !call->length ||
	    (call->gva | call->length) & (ELISA_PAGE_SIZE - 1) ||
	    call->gva + call->length < call->gva)
		return -EINVAL;
	for (uint32_t i = ELISA_MAX_REGIONS; i-- > 0;) {
		region = &map->regions[i];
		if (!region->length)
			place = i;
		else if (call->gva < region->gva + region->length &&
			 region->gva < call->gva + call->length)
			return -EEXIST;
	}
	if (place == ELISA_MAX_REGIONS)
		return -ENOSPC;
	if (!is_mapped(call->gva, call->length))
		return -EFAULT;
	region = &map->regions[place];
	elisa_store(&region->gva, call->gva);
	elisa_store(&region->window, call->gva);
	elisa_store(&region->flags, call->flags);
	elisa_store_release(&region->length, call->length);
	if (map->nb_regions <= place)
		elisa_store_release(&map->nb_regions, place + 1);
	return 0;
}

static bool lies_in(uint64_t gva, uint64_t length, const struct elisa_region *region)
{
	return region->length && gva >= region->gva && length <= region->length &&
	       gva - region->gva <= region->length - length;
}

static uint64_t ring_bytes(uint32_t size)
{
	return size * sizeof(struct elisa_desc);
}

static int unregister_region(struct elisa_local *local, const struct elisa_hc_region *call)
{
	struct elisa_port_map *map = elisa_local_map(local);
	struct elisa_region *region = NULL;

	if (call->flags)
		return -EINVAL;
	for (uint32_t i = 0; i < map->nb_regions && !region; i++)
		if (call->length && map->regions[i].length == call->length &&
		    map->regions[i].gva == call->gva)
			region = &map->regions[i];
	if (!region)
		return -ENOENT;
	for (uint32_t i = 0; i < map->nb_queues; i++) {
		const struct elisa_queue_map *queue = &map->queues[i];

		if (queue->tx_size &&
		    (lies_in(queue->tx_window, ring_bytes(queue->tx_size), region) ||
		     lies_in(queue->rx_ring, ring_bytes(queue->rx_size), region)))
			return -EBUSY;
	}
	elisa_store_release(&region->length, 0);
	elisa_local_grace_period(local->sw);
	return 0;
}

static bool is_ring_size(uint32_t size)
{
	return size >= ELISA_MIN_RING && size <= ELISA_MAX_RING && !(size & (size - 1));
}

static bool is_ring_place(const struct elisa_port_map *map, uint64_t gva, uint32_t size,
			  uint32_t flags)
{
	if (gva & (sizeof(struct elisa_desc) - 1))
		return false;
	for (uint32_t i = 0; i < map->nb_regions; i++)
		if ((map->regions[i].flags & flags) == flags &&
		    lies_in(gva, ring_bytes(size), &map->regions[i]))
			return true;
	return false;
}

static int queue_setup(struct elisa_local *local, const struct elisa_hc_queue *call)
{
	struct elisa_port_map *map = elisa_local_map(local);
	struct elisa_queue_map *queue;

	if (call->queue >= ELISA_MAX_QUEUES)
		return -EINVAL;
	queue = &map->queues[call->queue];
	if (map->flags & ELISA_PORT_STARTED || queue->rx_size)
		return -EBUSY;
	if (!is_ring_size(call->tx_size) || !is_ring_size(call->rx_size))
		return -ERANGE;
	if (!is_ring_place(map, call->tx_window, call->tx_size, 0) ||
	    !is_ring_place(map, call->rx_ring, call->rx_size, ELISA_REGION_WRITE))
		return -EFAULT;
	elisa_store(&queue->tx_window, call->tx_window);
	elisa_store(&queue->rx_ring, call->rx_ring);
	elisa_store(&queue->epoch, ++local->sw->ports[local->port].epoch);
	elisa_store_release(&queue->tx_size, call->tx_size);
	elisa_store_release(&queue->rx_size, call->rx_size);
	if (map->nb_queues <= call->queue)
		elisa_store_release(&map->nb_queues, call->queue + 1);
	return 0;
}

static int queue_release(struct elisa_local *local, const struct elisa_hc_queue *call)
{
	struct elisa_port_map *map = elisa_local_map(local);
	struct elisa_queue_map *queue;

	if (call->queue >= ELISA_MAX_QUEUES || call->tx_window || call->rx_ring || call->tx_size ||
	    call->rx_size)
		return -EINVAL;
	queue = &map->queues[call->queue];
	if (!queue->rx_size)
		return -ENOENT;
	if (map->flags & ELISA_PORT_STARTED)
		return -EBUSY;
	elisa_store_release(&queue->tx_size, 0);
	elisa_store_release(&queue->rx_size, 0);
	elisa_local_grace_period(local->sw);
	return 0;
}

static int port_set(struct elisa_local *local, const struct elisa_hc_port *call)
{
	struct elisa_port_map *map = elisa_local_map(local);
	bool stops = map->flags & ELISA_PORT_STARTED && !(call->flags & ELISA_PORT_STARTED);

	if (call->reserved || call->flags & ~ELISA_PORT_FLAGS ||
	    (call->flags & ELISA_PORT_RX_TSO && !(call->flags & ELISA_PORT_RX_CSUM)))
		return -EINVAL;
	if (call->mtu < ELISA_MIN_MTU || call->mtu > ELISA_MAX_MTU)
		return -ERANGE;
	if (call->flags & ELISA_PORT_STARTED && !map->queues[0].rx_size)
		return -ENOENT;
	elisa_store(&map->mtu, call->mtu);
	elisa_store_release(&map->flags, call->flags);
	if (stops)
		elisa_local_grace_period(local->sw);
	return 0;
}

/* A packet that meets the change sees an entry of one table or the other (elisa/layout.h). */
static int rss_set(struct elisa_local *local, const struct elisa_hc_rss *call)
{
	struct elisa_rss *rss = &elisa_local_map(local)->rss;
	uint32_t size = call->rss.reta_size;

	if (call->reserved || call->rss.types & ~ELISA_RSS_ALL || size > ELISA_RSS_RETA_MAX ||
	    size & (size - 1))
		return -EINVAL;
	for (uint32_t i = 0; i < size; i++)
		if (call->rss.reta[i] >= ELISA_MAX_QUEUES)
			return -ERANGE;
	for (uint32_t i = 0; i < ELISA_RSS_KEY_SIZE; i++)
		elisa_store(&rss->key[i], call->rss.key[i]);
	for (uint32_t i = 0; i < ELISA_RSS_RETA_MAX; i++)
		elisa_store(&rss->reta[i], i < size ? call->rss.reta[i] : 0);
	elisa_store(&rss->types, call->rss.types);
	elisa_store_release(&rss->reta_size, size);
	return 0;
}

void elisa_local_bye(struct elisa_local *local)
{
	struct elisa_port_map *map = elisa_local_map(local);

	if (!has_hello(local))
		return;
	elisa_store_release(&map->flags, 0);
	elisa_store(&map->rss.reta_size, 0);
	for (uint32_t i = 0; i < ELISA_MAX_QUEUES; i++) {
		elisa_store_release(&map->queues[i].tx_size, 0);
		elisa_store_release(&map->queues[i].rx_size, 0);
	}
	for (uint32_t i = 0; i < map->nb_regions; i++)
		elisa_store_release(&map->regions[i].length, 0);
	elisa_store_release(&local->sw->ports[local->port].claimed_by, NULL);
	elisa_local_grace_period(local->sw);
}

static int bye(struct elisa_local *local, const struct elisa_hc_port *call)
{
	if (call->flags || call->mtu || call->reserved)
		return -EINVAL;
	elisa_local_bye(local);
	return 0;
}

static uint32_t argument_size(uint32_t number)
{
	switch (number) {
	case ELISA_HC_HELLO:
		return sizeof(struct elisa_hc_hello);
	case ELISA_HC_REGISTER:
	case ELISA_HC_UNREGISTER:
		return sizeof(struct elisa_hc_region);
	case ELISA_HC_QUEUE_SETUP:
	case ELISA_HC_QUEUE_RELEASE:
		return sizeof(struct elisa_hc_queue);
	case ELISA_HC_PORT_SET:
	case ELISA_HC_BYE:
		return sizeof(struct elisa_hc_port);
	case ELISA_HC_RSS_SET:
		return sizeof(struct elisa_hc_rss);
	}
	return 0;
}

/* All but HELLO: the argument begins with the port, which must be the caller's. */
static int call_with_port(struct elisa_local *local, uint32_t number, const void *argument)
{
	if (*(const uint32_t *)argument != local->port || !has_hello(local))
		return -EACCES;
	switch (number) {
	case ELISA_HC_REGISTER:
		return register_region(local, argument);
	case ELISA_HC_UNREGISTER:
		return unregister_region(local, argument);
	case ELISA_HC_QUEUE_SETUP:
		return queue_setup(local, argument);
	case ELISA_HC_QUEUE_RELEASE:
		return queue_release(local, argument);
	case ELISA_HC_PORT_SET:
		return port_set(local, argument);
	case ELISA_HC_RSS_SET:
		return rss_set(local, argument);
	default:
		return bye(local, argument);
	}
}

int64_t elisa_local_hypercall(struct elisa_local *local, uint32_t number, void *argument,
			      uint32_t size)
{
	uint32_t expected = argument_size(number);
	int64_t result;

	if (!expected)
		return -ENOSYS;
	if (size != expected)
		return -EINVAL;
	if (!argument)
		return -EFAULT;
	pthread_mutex_lock(&elisa_local_lock);
	if (number == ELISA_HC_HELLO)
		result = hello(local, argument);
	else
		result = call_with_port(local, number, argument);
	pthread_mutex_unlock(&elisa_local_lock);
	return result;
}
