/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net_elisa_memory.c - which memory of this process the switch may reach.
 *
 * All of DPDK's: what is there when the port first starts, and what comes and goes after that; and
 * the receive pools' if that lies elsewhere. Each ring is a region of its own: the host keeps a
 * region while a queue's ring lies in it, and what is beside the ring must be free to go.
 *
 * Control path. Order of locks: DPDK's memory lock, which is held in its callbacks and walks, then
 * memory.lock. So nothing here asks DPDK for memory, and no walk begins under memory.lock.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_errno.h>
#include <rte_memory.h>
#include <rte_mempool.h>

#include "net_elisa.h"

static const char *registration_refusal(int err)
{
	switch (err) {
	case -ENOMEM:
		return "the host may not pin it: raise the VMM's limit of locked memory "
		       "(RLIMIT_MEMLOCK), or give the host more memory";
	case -ENOSPC:
		return "the port has no region left: start the application with -m or "
		       "--socket-mem, so that its memory is in few pieces";
	case -EFAULT:
		return "it is not RAM that this process may write";
	case -EPERM:
		return "the port is gone from the host";
	default:
		return "the host refused";
	}
}

static void log_refusal(const struct net_elisa_port *port, uint64_t start, uint64_t end, int err)
{
	ELISA_LOG(ERR, port->device,
		  "cannot register memory %#" PRIx64 "-%#" PRIx64 " (%" PRIu64 " KiB): %s (%s)",
		  start, end, (end - start) / 1024, registration_refusal(err), strerror(-err));
}

static bool in_hugepages(uint64_t address)
{
	const struct rte_memseg_list *list = rte_mem_virt2memseg_list((void *)(uintptr_t)address);

	return list && list->page_sz >= ELISA_HUGE_PAGE_SIZE;
}

/*
 * The host takes only pages that are mapped and writable now, and holds them where they are: each
 * is faulted in, and locked unless it is a hugepage, which Linux does not swap.
 */
static int make_present(const struct net_elisa_port *port, uint64_t start, uint64_t end)
{
	void *address = (void *)(uintptr_t)start;

	/* EINVAL: a kernel before 5.14. There mlock is what faults pages in. */
	if (madvise(address, end - start, MADV_POPULATE_WRITE) && errno != EINVAL)
		return errno == ENOMEM ? -ENOMEM : -EFAULT;
	if (in_hugepages(start))
		return 0;
	if (mlock(address, end - start)) {
		ELISA_LOG(ERR, port->device,
			  "cannot lock %" PRIu64
			  " KiB of memory: use hugepages, or raise ulimit -l",
			  (end - start) / 1024);
		return -EFAULT;
	}
	ELISA_LOG(WARNING, port->device,
		  "memory at %p is not in hugepages: the guest's kernel may move it and packets "
		  "be lost; see docs/guest-driver.md",
		  address);
	return 0;
}

static int hypercall_region(struct net_elisa_port *port, uint32_t number, uint64_t start,
			    uint64_t end)
{
	struct elisa_hc_region region = {
		.port = port->number,
		.flags = number == ELISA_HC_REGISTER ? ELISA_REGION_WRITE : 0,
		.gva = start,
		.length = end - start,
	};

	return (int)port->gate.hypercall(&port->gate, number, &region, sizeof(region));
}

static int add_region(struct net_elisa_port *port, uint64_t start, uint64_t end)
{
	struct net_elisa_memory *memory = &port->memory;
	int err = 0;

	if (memory->nb_regions == ELISA_MAX_REGIONS)
		return -ENOSPC;
	if (port->gate.pins)
		err = make_present(port, start, end);
	if (!err)
		err = hypercall_region(port, ELISA_HC_REGISTER, start, end);
	if (err)
		return err;
	memory->regions[memory->nb_regions++] = (struct net_elisa_region){start, end};
	ELISA_LOG(DEBUG, port->device, "registered %#" PRIx64 "-%#" PRIx64, start, end);
	return 0;
}

/* Takes a region back from the switch, which is out of it when this returns 0, and has it if not. */
static int remove_region(struct net_elisa_port *port, unsigned int index)
{
	struct net_elisa_memory *memory = &port->memory;
	const struct net_elisa_region region = memory->regions[index];
	int err = hypercall_region(port, ELISA_HC_UNREGISTER, region.start, region.end);

	if (err) {
		ELISA_LOG(ERR, port->device,
			  "cannot unregister memory %#" PRIx64 "-%#" PRIx64 ": %s", region.start,
			  region.end, strerror(-err));
		return err;
	}
	memory->regions[index] = memory->regions[--memory->nb_regions];
	return 0;
}

/* Registers what of [start, end) is not yet. Whole pages. Needs memory.lock. */
static int cover(struct net_elisa_port *port, uint64_t start, uint64_t end)
{
	const struct net_elisa_memory *memory = &port->memory;

	while (start < end) {
		uint64_t stop = end;
		unsigned int i;
		int err = 0;

		for (i = 0; i < memory->nb_regions; i++) {
			const struct net_elisa_region *region = &memory->regions[i];

			if (region->start <= start && start < region->end)
				break;
			if (region->start > start)
				stop = RTE_MIN(stop, region->start);
		}
		if (i < memory->nb_regions)
			stop = memory->regions[i].end;
		else
			err = add_region(port, start, stop);
		if (err) {
			log_refusal(port, start, stop, err);
			return err;
		}
		start = stop;
	}
	return 0;
}

/* Registers again what a region that was taken back has outside of [start, end). */
static int cover_rest(struct net_elisa_port *port, const struct net_elisa_region *region,
		      uint64_t start, uint64_t end)
{
	int err = 0;

	if (region->start < start)
		err = cover(port, region->start, start);
	if (end < region->end && !err)
		err = cover(port, end, region->end);
	return err;
}

/*
 * Takes [start, end) back, as much of it as the host gives. What a region has beyond it is
 * registered again: packets from or to there are dropped in between (EAL's --match-allocations
 * avoids this). Needs memory.lock.
 */
static int uncover(struct net_elisa_port *port, uint64_t start, uint64_t end)
{
	struct net_elisa_memory *memory = &port->memory;
	unsigned int i = 0;
	int err = 0;

	while (i < memory->nb_regions) {
		const struct net_elisa_region region = memory->regions[i];
		int failure;

		if (region.end <= start || end <= region.start) {
			i++;
			continue;
		}
		failure = remove_region(port, i);
		if (failure)
			i++;
		else
			failure = cover_rest(port, &region, start, end);
		if (failure)
			err = failure;
	}
	return err;
}

static int change(struct net_elisa_port *port, const void *address, size_t length,
		  int (*act)(struct net_elisa_port *, uint64_t, uint64_t))
{
	const uint64_t start = RTE_ALIGN_FLOOR((uint64_t)(uintptr_t)address, ELISA_PAGE_SIZE);
	const uint64_t end = RTE_ALIGN_CEIL((uint64_t)(uintptr_t)address + length, ELISA_PAGE_SIZE);
	int err;

	pthread_mutex_lock(&port->memory.lock);
	err = act(port, start, end);
	pthread_mutex_unlock(&port->memory.lock);
	return err;
}

int net_elisa_memory_map(struct net_elisa_port *port, void *address, size_t length)
{
	return change(port, address, length, cover);
}

int net_elisa_memory_unmap(struct net_elisa_port *port, void *address, size_t length)
{
	return change(port, address, length, uncover);
}

/* DPDK's memory grew or is about to shrink. A failure has had its line: nobody asks for more. */
static void on_memory_event(enum rte_mem_event event, const void *address, size_t length, void *arg)
{
	/* Before growth too: what could not be taken back when it shrank has other pages now. */
	change(arg, address, length, uncover);
	if (event == RTE_MEM_EVENT_ALLOC)
		change(arg, address, length, cover);
}

struct walk {
	struct net_elisa_port *port;
	int err;
};

static int walk_memory(const struct rte_memseg_list *list, const struct rte_memseg *segment,
		       size_t length, void *arg)
{
	struct walk *walk = arg;
	int err = change(walk->port, segment->addr, length, cover);

	/* An application's own memory may be a device's: the pools are checked for themselves. */
	if (!err || list->external)
		return 0;
	walk->err = err;
	return -1;
}

/* Takes all back, as much as the host gives. Needs memory.lock. */
static int forget_regions(struct net_elisa_port *port)
{
	unsigned int i = port->memory.nb_regions;
	int err = 0;

	while (i-- > 0) {
		int failure = remove_region(port, i);

		if (failure)
			err = failure;
	}
	return err;
}

static unsigned int nb_rings(const struct net_elisa_port *port)
{
	return 2u * port->data->nb_rx_queues;
}

/* The region that a ring must be, whole pages (net_elisa_queue.c). Two rings for each queue pair. */
static struct net_elisa_region ring_region(const struct net_elisa_port *port, unsigned int ring)
{
	const struct net_elisa_rx_queue *rx = port->data->rx_queues[ring / 2];
	const struct net_elisa_tx_queue *tx = port->data->tx_queues[ring / 2];
	const struct rte_memzone *zone = ring % 2 ? tx->zone : rx->zone;
	const uint64_t start = (uintptr_t)zone->addr;

	return (struct net_elisa_region){start, start + zone->len};
}

static bool same(const struct net_elisa_region *one, const struct net_elisa_region *other)
{
	return one->start == other->start && one->end == other->end;
}

static bool is_ring(const struct net_elisa_port *port, const struct net_elisa_region *region)
{
	unsigned int i;

	for (i = 0; i < nb_rings(port); i++) {
		const struct net_elisa_region ring = ring_region(port, i);

		if (same(region, &ring))
			return true;
	}
	return false;
}

/* True if each ring has its own region already. */
static bool rings_stand_alone(const struct net_elisa_port *port)
{
	unsigned int i, alone = 0;

	for (i = 0; i < port->memory.nb_regions; i++)
		alone += is_ring(port, &port->memory.regions[i]);
	return alone == nb_rings(port);
}

/*
 * True if memory that came piece by piece, or had a ring in between, could be one region: fewer
 * regions, no borders inside.
 */
static bool regions_touch(const struct net_elisa_port *port)
{
	const struct net_elisa_memory *memory = &port->memory;
	unsigned int i, j;

	for (i = 0; i < memory->nb_regions; i++) {
		for (j = 0; j < memory->nb_regions; j++) {
			if (memory->regions[i].end == memory->regions[j].start &&
			    !is_ring(port, &memory->regions[i]) &&
			    !is_ring(port, &memory->regions[j]))
				return true;
		}
	}
	return false;
}

/* Before the walk over all memory, which then registers what is around the rings. */
static int register_rings(struct net_elisa_port *port)
{
	unsigned int i;
	int err = 0;

	pthread_mutex_lock(&port->memory.lock);
	if (!rings_stand_alone(port) || regions_touch(port))
		err = forget_regions(port);
	for (i = 0; !err && i < nb_rings(port); i++) {
		const struct net_elisa_region ring = ring_region(port, i);

		err = cover(port, ring.start, ring.end);
	}
	pthread_mutex_unlock(&port->memory.lock);
	return err;
}

static void callback_name(const struct net_elisa_port *port, char name[static 32])
{
	snprintf(name, 32, "net_elisa_%u", port->data->port_id);
}

static int watch_memory(struct net_elisa_port *port)
{
	char name[32];

	if (port->memory.watching)
		return 0;
	callback_name(port, name);
	if (rte_mem_event_callback_register(name, on_memory_event, port)) {
		int error = rte_errno;

		/* DPDK's memory is fixed: --no-huge, --legacy-mem. */
		if (error == ENOTSUP)
			return 0;
		ELISA_LOG(ERR, port->device, "cannot watch DPDK's memory: %s", rte_strerror(error));
		return -error;
	}
	port->memory.watching = true;
	return 0;
}

void net_elisa_memory_init(struct net_elisa_port *port)
{
	pthread_mutex_init(&port->memory.lock, NULL);
}

/* Registers all of DPDK's memory. Only while the port is stopped, with its queues set up. */
int net_elisa_memory_register_all(struct net_elisa_port *port)
{
	struct walk walk = {.port = port};
	int err = watch_memory(port);

	if (!err)
		err = register_rings(port);
	if (err)
		return err;
	if (rte_memseg_contig_walk(walk_memory, &walk) < 0)
		return walk.err;
	return 0;
}

static void cover_chunk(struct rte_mempool *pool, void *arg, struct rte_mempool_memhdr *chunk,
			unsigned int index)
{
	struct walk *walk = arg;

	RTE_SET_USED(pool);
	RTE_SET_USED(index);
	if (!walk->err)
		walk->err = change(walk->port, chunk->addr, chunk->len, cover);
}

static void check_buffer(struct rte_mempool *pool, void *arg, void *object, unsigned int index)
{
	const struct rte_mbuf *mbuf = object;
	const uint64_t start = (uintptr_t)mbuf->buf_addr;
	struct walk *walk = arg;
	const struct net_elisa_memory *memory = &walk->port->memory;
	unsigned int i;

	RTE_SET_USED(pool);
	RTE_SET_USED(index);
	for (i = 0; i < memory->nb_regions; i++) {
		if (memory->regions[i].start <= start &&
		    start + mbuf->buf_len <= memory->regions[i].end)
			return;
	}
	walk->err = -EFAULT;
}

/* Registers a receive pool that is not in DPDK's memory, and checks that its buffers are reached. */
int net_elisa_memory_register_pool(struct net_elisa_port *port, struct rte_mempool *pool)
{
	struct walk walk = {.port = port};

	rte_mempool_mem_iter(pool, cover_chunk, &walk);
	if (walk.err)
		return walk.err;
	pthread_mutex_lock(&port->memory.lock);
	rte_mempool_obj_iter(pool, check_buffer, &walk);
	pthread_mutex_unlock(&port->memory.lock);
	if (walk.err)
		ELISA_LOG(
			ERR, port->device,
			"buffers of pool %s are in memory that the switch cannot reach: give it to "
			"rte_extmem_register() and rte_dev_dma_map() first",
			pool->name);
	return walk.err;
}

/* Ends the watching and takes everything back. The port is stopped; the host's bye gets the rest. */
void net_elisa_memory_forget(struct net_elisa_port *port)
{
	char name[32];

	if (port->memory.watching) {
		callback_name(port, name);
		rte_mem_event_callback_unregister(name, port);
		port->memory.watching = false;
	}
	pthread_mutex_lock(&port->memory.lock);
	forget_regions(port);
	pthread_mutex_unlock(&port->memory.lock);
}
