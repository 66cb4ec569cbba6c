// SPDX-License-Identifier: GPL-2.0-only
/*
 * objects.c - the daemon's memory and registers in the trusted context: mapped and taken back; and
 * the daemon's reach into a receive ring.
 *
 * Called by domain.c. What guests register is regions.c's.
 */
#include <linux/nospec.h>
#include <linux/uaccess.h>
#include <elisa/version.h>

#include "domain.h"
#include "grace.h"
#include "memory.h"
#include "objects.h"
#include "port.h"

#define BIT_OF(access) (1u << (access))

/* The parts of the layout that are the daemon's, and what each may be mapped for. */
static const struct part {
	u64 offset;
	u64 size;
	u32 accesses;  /* BIT_OF(ELISA_MAP_*) */
	bool any_time; /* also while VMs are attached, and taken back */
} parts[] = {
	{ELISA_OFFSET_TEXT, ELISA_TEXT_MAX, BIT_OF(ELISA_MAP_EXECUTE), false},
	{ELISA_OFFSET_RODATA, ELISA_RODATA_MAX, BIT_OF(ELISA_MAP_READ), false},
	{ELISA_OFFSET_SWITCH, ELISA_SWITCH_MAX, BIT_OF(ELISA_MAP_READ) | BIT_OF(ELISA_MAP_WRITE),
	 false},
	{ELISA_OFFSET_CAPTURE, ELISA_CAPTURE_MAX, BIT_OF(ELISA_MAP_WRITE), true},
	{ELISA_OFFSET_UPLINK_DEVICES, ELISA_UPLINK_DEVICES_MAX, BIT_OF(ELISA_MAP_DEVICE), true},
	{ELISA_OFFSET_UPLINK_MEMORY, ELISA_UPLINK_MEMORY_MAX, BIT_OF(ELISA_MAP_WRITE), true},
	{ELISA_OFFSET_UPLINK_STATE, ELISA_UPLINK_STATE_MAX, BIT_OF(ELISA_MAP_READ), true},
};

/* The part that all of [offset, offset + length) is in; NULL: there is none, or not whole pages. */
static const struct part *part_of(u64 offset, u64 length)
{
	u32 i;

	if (((offset | length) & ~PAGE_MASK) || !length)
		return NULL;
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		if (offset >= parts[i].offset && length <= parts[i].size &&
		    offset - parts[i].offset <= parts[i].size - length)
			return &parts[i];
	}
	return NULL;
}

static bool is_access(u32 access)
{
	return access == ELISA_MAP_READ || access == ELISA_MAP_WRITE ||
	       access == ELISA_MAP_EXECUTE || access == ELISA_MAP_DEVICE;
}

static int take_memory(const struct elisa_domain_map *argument, struct elisa_memory **out)
{
	unsigned long nb_pages = argument->length >> PAGE_SHIFT;

	if (argument->access == ELISA_MAP_DEVICE)
		return elisa_memory_of_device(argument->address, nb_pages, out);
	return elisa_memory_pin_process(argument->address, nb_pages,
					argument->access == ELISA_MAP_WRITE, out);
}

long elisa_object_map(struct elisa_domain *domain, void __user *user)
{
	struct elisa_domain_map argument;
	struct elisa_memory *memory;
	const struct part *part;
	int error;

	if (copy_from_user(&argument, user, sizeof(argument)))
		return -EFAULT;
	if (argument.version != ELISA_UAPI_VERSION || !is_access(argument.access) ||
	    (argument.address & ~PAGE_MASK))
		return -EINVAL;
	part = part_of(argument.offset, argument.length);
	if (!part)
		return -ERANGE;
	if (!(part->accesses & BIT_OF(argument.access)))
		return -EINVAL;
	error = take_memory(&argument, &memory);
	if (error)
		return error;
	if (domain->vmcall_gate && argument.offset == ELISA_OFFSET_SWITCH)
		error = elisa_memory_map_host(memory);
	if (error) {
		elisa_memory_release(memory);
		return error;
	}
	mutex_lock(&domain->lock);
	error = -ENODEV;
	if (!domain->closed)
		error = part->any_time || list_empty(&domain->vms) ? 0 : -EBUSY;
	/* ELISA_MAP_* are ELISA_EPT_*. */
	if (!error)
		error = elisa_memory_map(memory, domain->tables, argument.offset, argument.access);
	if (!error)
		list_add_tail(&memory->link, &domain->objects);
	mutex_unlock(&domain->lock);
	if (error)
		elisa_memory_release(memory);
	return error;
}

/* Moves what the argument names from the domain's objects to `taken`. */
static void take_objects(struct elisa_domain *domain, const struct elisa_domain_unmap *argument,
			 struct list_head *taken)
{
	bool all = argument->flags & ELISA_UNMAP_ALL;
	struct elisa_memory *memory, *next;

	list_for_each_entry_safe(memory, next, &domain->objects, link) {
		u64 length = memory->nb_pages * ELISA_PAGE_SIZE;
		u64 where = memory->offset - argument->offset;
		bool inside = where < argument->length && length <= argument->length - where;

		if (inside && (all || length == argument->length))
			list_move_tail(&memory->link, taken);
	}
}

/* The daemon has hidden them: who is inside now may still use them. */
static void unmap_objects(struct elisa_domain *domain, struct list_head *taken)
{
	struct elisa_memory *memory;

	if (list_empty(taken))
		return;
	elisa_grace_wait(domain);
	list_for_each_entry(memory, taken, link)
		elisa_memory_unmap(memory, domain->tables);
	elisa_domain_invalidate(domain);
}

long elisa_object_unmap(struct elisa_domain *domain, void __user *user)
{
	struct elisa_domain_unmap argument;
	struct elisa_memory *memory, *next;
	const struct part *part;
	LIST_HEAD(taken);
	bool found;

	if (copy_from_user(&argument, user, sizeof(argument)))
		return -EFAULT;
	if (argument.version != ELISA_UAPI_VERSION || (argument.flags & ~ELISA_UNMAP_ALL))
		return -EINVAL;
	part = part_of(argument.offset, argument.length);
	if (!part || !part->any_time)
		return -ERANGE;
	mutex_lock(&domain->lock);
	take_objects(domain, &argument, &taken);
	unmap_objects(domain, &taken);
	mutex_unlock(&domain->lock);
	found = !list_empty(&taken);
	list_for_each_entry_safe(memory, next, &taken, link)
		elisa_memory_release(memory);
	return found || (argument.flags & ELISA_UNMAP_ALL) ? 0 : -ENOENT;
}

void elisa_objects_release(struct elisa_domain *domain)
{
	struct elisa_memory *memory, *next;

	list_for_each_entry_safe(memory, next, &domain->objects, link) {
		list_del(&memory->link);
		elisa_memory_unmap(memory, domain->tables);
		elisa_memory_release(memory);
	}
}

static bool has_word(const struct elisa_memory *memory, u64 offset)
{
	return memory && memory->writable && offset >= memory->offset &&
	       offset - memory->offset < memory->nb_pages * ELISA_PAGE_SIZE;
}

static struct elisa_memory *find_region(const struct elisa_port *port, u64 offset)
{
	u32 i;

	for (i = 0; i < ELISA_MAX_REGIONS; i++) {
		if (has_word(port->regions[i], offset))
			return port->regions[i];
	}
	return NULL;
}

/* Under domain->finish_lock, which set-up and release of a queue take too. */
static int exchange(const struct elisa_domain *domain, struct elisa_domain_cmpxchg64 *argument)
{
	u32 queue = array_index_nospec(argument->queue, ELISA_MAX_QUEUES);
	u32 number = array_index_nospec(argument->port, ELISA_MAX_PORTS);
	const struct elisa_port *port = domain->ports[number];
	struct elisa_memory *memory;

	if (!port ||
	    !elisa_queue_has_word(port, queue, argument->epoch, ELISA_GVA(argument->offset)))
		return -ESTALE;
	memory = find_region(port, argument->offset);
	if (!memory)
		return -ENXIO;
	argument->seen = elisa_memory_cmpxchg64(memory, argument->offset - memory->offset,
						argument->expected, argument->desired);
	return 0;
}

long elisa_object_cmpxchg64(struct elisa_domain *domain, void __user *user)
{
	struct elisa_domain_cmpxchg64 argument;
	int error;

	if (copy_from_user(&argument, user, sizeof(argument)))
		return -EFAULT;
	if (argument.version != ELISA_UAPI_VERSION || argument.flags || argument.reserved)
		return -EINVAL;
	if (argument.offset % sizeof(u64) || argument.offset >= ELISA_WINDOW_SIZE ||
	    argument.port >= ELISA_MAX_PORTS || argument.queue >= ELISA_MAX_QUEUES)
		return -ERANGE;
	mutex_lock(&domain->finish_lock);
	error = exchange(domain, &argument);
	mutex_unlock(&domain->finish_lock);
	if (error)
		return error;
	return copy_to_user(user, &argument, sizeof(argument)) ? -EFAULT : 0;
}
