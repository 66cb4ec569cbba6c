// SPDX-License-Identifier: BSD-3-Clause
/*
 * nic_memory.c - see nic_memory.h and nic.h.
 *
 * How addresses come to be the same in the daemon and in the trusted context:
 *
 *	memory     is mapped at its address in the window here, and then given to DPDK
 *	registers  are mapped by DPDK behind the last memory it knows when it maps the first ones. A
 *		   page that nobody uses marks that place, and DPDK gets the memory, which lies
 *		   higher, only later.
 *
 * Whoever uses an address checks it: where DPDK put something elsewhere the uplink is refused.
 */
#include "nic_memory.h"

#include "nic.h"

#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include <ethdev_driver.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MAP_HUGE_2MB
#define MAP_HUGE_2MB (21 << 26)
#endif

#define HEAP "elisa-uplinks"
#define MEMORY ((void *)ELISA_GVA(ELISA_OFFSET_UPLINK_MEMORY))
#define MARK ((void *)(ELISA_GVA(ELISA_OFFSET_UPLINK_DEVICES) - ELISA_PAGE_SIZE))
#define STATE_SIZE (RTE_ALIGN_CEIL(RTE_MAX_ETHPORTS * sizeof(struct rte_eth_dev), ELISA_PAGE_SIZE))
_Static_assert(RTE_MAX_ETHPORTS * sizeof(struct rte_eth_dev) <= ELISA_UPLINK_STATE_MAX,
	       "rte_eth_devices does not fit");

static struct {
	uint64_t length;           /* of MEMORY, bytes; 0 = not open */
	struct rte_eth_dev *state; /* RTE_MAX_ETHPORTS, what the vCPUs take for rte_eth_devices */
	bool marked;
	int socket; /* of the heap, or -1: there is none yet */
} pool = {.socket = -1};

static int any_socket = SOCKET_ID_ANY;

/*
 * In the place of DPDK's own: drivers do not say where when they allocate a queue's structures, and
 * DPDK would take its first heap.
 */
void *rte_zmalloc(const char *type, size_t size, unsigned int align)
{
	return rte_zmalloc_socket(type, size, align, any_socket);
}

void elisa_nic_memory_begin(void)
{
	any_socket = pool.socket;
}

void elisa_nic_memory_end(void)
{
	any_socket = SOCKET_ID_ANY;
}

static int open_failed(int error, uint32_t mebibytes, struct elisa_failure *failure)
{
	if (error == -EEXIST)
		return elisa_fail(failure, error,
				  "something is at the address of the uplinks' memory (%p); start "
				  "elisa-switchd again",
				  MEMORY);
	return elisa_fail(
		failure, error,
		"no %u MiB in hugepages of 2 MiB for uplinks: %s; %u have to be free, and "
		"some for DPDK itself "
		"(/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages), or give a "
		"smaller --uplink-memory",
		mebibytes, strerror(-error), mebibytes / 2);
}

int elisa_nic_memory_open(uint32_t mebibytes, struct elisa_failure *failure)
{
	uint64_t length = (uint64_t)mebibytes << 20;
	void *memory = mmap(MEMORY, length, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_2MB | MAP_POPULATE |
				    MAP_FIXED_NOREPLACE,
			    -1, 0);
	int error = memory == MAP_FAILED ? -errno : 0;

	if (error)
		return open_failed(error, mebibytes, failure);
	pool.length = length;
	pool.state =
		mmap(NULL, STATE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pool.state == MAP_FAILED) {
		pool.state = NULL;
		elisa_nic_memory_close();
		return elisa_fail(failure, -ENOMEM, "no memory for the state of NICs; free some");
	}
	pool.marked = !rte_extmem_register(MARK, ELISA_PAGE_SIZE, NULL, 0, ELISA_PAGE_SIZE);
	if (!pool.marked) {
		error = -rte_errno;
		elisa_nic_memory_close();
		return elisa_fail(failure, error,
				  "DPDK does not take the place for NICs' registers: %s; look at "
				  "its own lines above",
				  strerror(-error));
	}
	return 0;
}

void elisa_nic_memory_close(void)
{
	if (pool.socket >= 0) {
		rte_malloc_heap_memory_remove(HEAP, MEMORY, pool.length);
		rte_malloc_heap_destroy(HEAP);
		pool.socket = -1;
	}
	if (pool.marked)
		rte_extmem_unregister(MARK, ELISA_PAGE_SIZE);
	pool.marked = false;
	if (pool.state)
		munmap(pool.state, STATE_SIZE);
	pool.state = NULL;
	if (pool.length)
		munmap(MEMORY, pool.length);
	pool.length = 0;
}

void elisa_nic_memory_ranges(struct elisa_nic_range *memory, struct elisa_nic_range *state)
{
	*memory = (struct elisa_nic_range){(uintptr_t)MEMORY, pool.length};
	*state = (struct elisa_nic_range){(uintptr_t)pool.state, STATE_SIZE};
}

bool elisa_nic_memory_has(const void *address, uint64_t length)
{
	uint64_t offset = (uintptr_t)address - (uintptr_t)MEMORY;

	return offset < pool.length && length <= pool.length - offset;
}

/* What a NIC calls the pages: physical addresses, or with an IOMMU these here. */
static rte_iova_t *page_addresses(uint32_t nb_pages)
{
	rte_iova_t *addresses = calloc(nb_pages, sizeof(*addresses));

	for (uint32_t i = 0; addresses && i < nb_pages; i++) {
		void *page = (uint8_t *)MEMORY + i * ELISA_HUGE_PAGE_SIZE;

		addresses[i] = rte_eal_iova_mode() == RTE_IOVA_PA ? rte_mem_virt2phy(page)
								  : (uintptr_t)page;
	}
	return addresses;
}

int elisa_nic_memory_heap(int *socket, struct elisa_failure *failure)
{
	uint32_t nb_pages = (uint32_t)(pool.length / ELISA_HUGE_PAGE_SIZE);
	rte_iova_t *addresses;
	int result;

	*socket = pool.socket;
	if (pool.socket >= 0)
		return 0;
	addresses = page_addresses(nb_pages);
	if (!addresses)
		return elisa_fail(failure, -ENOMEM, "no memory for a list of hugepages; free some");
	result = rte_malloc_heap_create(HEAP);
	if (!result)
		result = rte_malloc_heap_memory_add(HEAP, MEMORY, pool.length, addresses, nb_pages,
						    ELISA_HUGE_PAGE_SIZE);
	free(addresses);
	if (result) {
		result = -rte_errno;
		rte_malloc_heap_destroy(HEAP);
		return elisa_fail(failure, result,
				  "DPDK does not take the uplinks' memory: %s; look at its own "
				  "lines above",
				  strerror(-result));
	}
	*socket = pool.socket = rte_malloc_heap_get_socket(HEAP);
	return 0;
}

int elisa_nic_memory_show(uint16_t id)
{
	struct rte_eth_dev_data *data;

	if (id >= RTE_MAX_ETHPORTS)
		return -ERANGE;
	data = rte_zmalloc_socket("elisa NIC", sizeof(*data), RTE_CACHE_LINE_SIZE, pool.socket);
	if (!data)
		return -ENOMEM;
	data->port_id = id;
	pool.state[id].data = data;
	return 0;
}

void elisa_nic_memory_hide(uint16_t id)
{
	rte_free(pool.state[id].data);
	pool.state[id].data = NULL;
}

uint64_t elisa_nic_memory_no_mbuf(uint16_t id)
{
	return __atomic_load_n(&pool.state[id].data->rx_mbuf_alloc_failed, __ATOMIC_RELAXED);
}
