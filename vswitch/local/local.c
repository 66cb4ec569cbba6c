/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * local.c - opening and closing: which switches and ports this process has. And the call itself.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "vswitch/datapath/atomic.h"
#include "vswitch/datapath/call.h"
#include "vswitch/local/switches.h"

#define MAPS_SIZE (ELISA_MAX_PORTS * sizeof(struct elisa_port_map))

pthread_mutex_t elisa_local_lock = PTHREAD_MUTEX_INITIALIZER;
static struct local_switch *switches;
static uint64_t last_switch_id;

struct local_switch *elisa_local_switch_by_id(uint64_t id)
{
	struct local_switch *sw = switches;

	while (sw && sw->id != id)
		sw = sw->next;
	return sw;
}

static void *map_zeroes(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int make_memory(struct local_switch *sw)
{
	struct elisa_switch_params params = {
		.fdb_capacity = ELISA_FDB_DEFAULT_CAPACITY,
		.age_ticks = ELISA_FDB_DEFAULT_AGE_TICKS,
	};
	uint64_t size = elisa_switch_size(params.fdb_capacity);

	/* Nobody else is in this process: without entropy the table works as well. */
	if (getrandom(&params.seed, sizeof(params.seed), GRND_NONBLOCK) < 0)
		params.seed = (uintptr_t)sw;
	sw->memory = map_zeroes(size);
	if (!sw->memory)
		return -ENOMEM;
	sw->maps = map_zeroes(MAPS_SIZE);
	if (!sw->maps)
		goto unmap_memory;
	return elisa_switch_init(sw->memory, size, &params);
unmap_memory:
	munmap(sw->memory, size);
	return -ENOMEM;
}

static struct local_switch *find_switch(const char *name)
{
	struct local_switch *sw = switches;

	while (sw && strcmp(sw->name, name))
		sw = sw->next;
	return sw;
}

static struct local_switch *make_switch(const char *name)
{
	struct local_switch *sw;

	if (posix_memalign((void **)&sw, ELISA_CACHE_LINE, sizeof(*sw)))
		return NULL;
	memset(sw, 0, sizeof(*sw));
	strcpy(sw->name, name);
	if (make_memory(sw)) {
		free(sw);
		return NULL;
	}
	sw->id = ++last_switch_id;
	sw->next = switches;
	switches = sw;
	return sw;
}

static void free_switch_if_empty(struct local_switch *sw)
{
	struct local_switch **link = &switches;

	for (unsigned int port = 0; port < ELISA_MAX_PORTS; port++)
		if (sw->ports[port].nb_handles)
			return;
	while (*link != sw)
		link = &(*link)->next;
	*link = sw->next;
	munmap(sw->maps, MAPS_SIZE);
	munmap(sw->memory, sw->memory->size);
	free(sw);
}

/* The number of the port with that name, which is made if need be. */
static int join_port(struct local_switch *sw, const char *name)
{
	struct elisa_port_params params = {.mac = {0x02, 0xe1, 0x15, 0xa0, 0x00, 0x00}};
	int free_port = -ENOSPC;
	int error;

	for (int port = ELISA_MAX_PORTS - 1; port >= 0; port--) {
		if (!sw->ports[port].nb_handles)
			free_port = port;
		else if (!strcmp(sw->ports[port].name, name))
			return port;
	}
	if (free_port < 0)
		return free_port;
	params.mac[ELISA_MAC_SIZE - 1] = free_port;
	error = elisa_switch_port_add(sw->memory, free_port, &params);
	if (error)
		return error;
	memset(&sw->maps[free_port], 0, sizeof(sw->maps[free_port]));
	strcpy(sw->ports[free_port].name, name);
	return free_port;
}

static bool is_name(const char *name)
{
	size_t length = name ? strnlen(name, ELISA_NAME_SIZE) : 0;

	return length >= 1 && length < ELISA_NAME_SIZE;
}

int elisa_local_open(const char *switch_name, const char *port_name, struct elisa_local **local)
{
	struct elisa_local *made;
	struct local_switch *sw;
	int port = -ENOMEM;

	if (!is_name(switch_name) || !is_name(port_name))
		return -EINVAL;
	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	pthread_mutex_lock(&elisa_local_lock);
	sw = find_switch(switch_name);
	if (!sw)
		sw = make_switch(switch_name);
	if (!sw)
		goto unlock;
	port = join_port(sw, port_name);
	if (port < 0) {
		free_switch_if_empty(sw);
		goto unlock;
	}
	sw->ports[port].nb_handles++;
	made->sw = sw;
	made->port = port;
	pthread_mutex_unlock(&elisa_local_lock);
	*local = made;
	return 0;
unlock:
	pthread_mutex_unlock(&elisa_local_lock);
	free(made);
	return port;
}

void elisa_local_close(struct elisa_local *local)
{
	struct local_switch *sw;

	if (!local)
		return;
	sw = local->sw;
	pthread_mutex_lock(&elisa_local_lock);
	elisa_local_bye(local);
	if (!--sw->ports[local->port].nb_handles) {
		elisa_switch_port_del(sw->memory, local->port);
		/* Others may still be looking at what it was. */
		elisa_local_grace_period(sw);
		memset(&sw->ports[local->port], 0, sizeof(sw->ports[local->port]));
		free_switch_if_empty(sw);
	}
	pthread_mutex_unlock(&elisa_local_lock);
	free(local);
}

void elisa_local_set_backpressure(struct elisa_local *local, bool backpressure)
{
	elisa_switch_port_set_backpressure(local->sw->memory, local->port, backpressure);
}

int64_t elisa_local_call(struct elisa_local *local, uint64_t operation, uint64_t first,
			 uint64_t second)
{
	struct local_switch *sw = local->sw;
	int vcpu = elisa_local_thread_vcpu(sw);
	struct elisa_identity identity = {
		.magic = ELISA_IDENTITY_MAGIC,
		.abi = ELISA_IMAGE_ABI,
		.features = ELISA_IDENTITY_TSC,
		.ports = 1ull << local->port,
	};
	struct elisa_workspace workspace;
	struct elisa_context context = {
		.sw = sw->memory, .identity = &identity, .maps = sw->maps, .workspace = &workspace};
	uint64_t *sequence;
	int64_t result;

	if (vcpu < 0)
		return vcpu;
	if (elisa_load(&sw->ports[local->port].claimed_by) != local)
		identity.ports = 0;
	identity.vcpu = vcpu;
	sequence = &sw->threads[vcpu].sequence;
	/* Sequentially consistent: pairs with the fence of elisa_local_grace_period(). */
	__atomic_store_n(sequence, *sequence + 1, __ATOMIC_SEQ_CST);
	result = elisa_datapath_call(&context, operation, first, second);
	elisa_store_release(sequence, *sequence + 1);
	return result;
}
