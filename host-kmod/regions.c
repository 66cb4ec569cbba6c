// SPDX-License-Identifier: GPL-2.0-only
/*
 * regions.c - memory that a guest process registers for its port.
 *
 * Called by hypercall.c and port.c, but for elisa_region_pin() under domain->lock. Writes the regions
 * of the port's map in the order that layout.h gives.
 */
#include <linux/kvm_host.h>

#include "compat.h"
#include "domain.h"
#include "gate/ept.h"
#include "grace.h"
#include "memory.h"
#include "port.h"
#include "vm.h"

static bool is_page_range(u64 start, u64 length)
{
	return length && !((start | length) & (ELISA_PAGE_SIZE - 1)) &&
	       length <= ELISA_WINDOW_SIZE && start <= U64_MAX - length;
}

static bool overlaps(const struct elisa_port *port, u64 gva, u64 length)
{
	const struct elisa_region *region = port->map->regions;
	u32 i;

	for (i = 0; i < ELISA_MAX_REGIONS; i++, region++) {
		if (port->regions[i] && gva < region->gva + region->length &&
		    region->gva < gva + length)
			return true;
	}
	return false;
}

static int free_slot(const struct elisa_port *port)
{
	int i;

	for (i = 0; i < (int)ELISA_MAX_REGIONS; i++) {
		if (!port->regions[i])
			return i;
	}
	return -ENOSPC;
}

/* More than the VM has: the same pages again and again. */
static bool more_than_vm_has(const struct elisa_port *port, struct kvm_vcpu *kvm_vcpu, u64 nb_pages)
{
	u32 nb_regions;

	return elisa_regions_pages(port, &nb_regions) + nb_pages > kvm_vcpu->kvm->nr_memslot_pages;
}

static void show(struct elisa_port *port, u32 slot, const struct elisa_hc_region *call, u64 offset)
{
	struct elisa_region *region = &port->map->regions[slot];

	WRITE_ONCE(region->gva, call->gva);
	WRITE_ONCE(region->window, ELISA_GVA(offset));
	WRITE_ONCE(region->flags, call->flags);
	/* Last: a region with a length is whole. */
	smp_store_release(&region->length, call->length);
	if (slot >= port->map->nb_regions)
		/* Then the count that leads to it. */
		smp_store_release(&port->map->nb_regions, slot + 1);
}

int elisa_region_check(const struct elisa_port *port, struct kvm_vcpu *kvm_vcpu,
		       const struct elisa_hc_region *call)
{
	if ((call->flags & ~ELISA_REGION_WRITE) || !is_page_range(call->gva, call->length))
		return -EINVAL;
	if (overlaps(port, call->gva, call->length))
		return -EEXIST;
	if (free_slot(port) < 0)
		return -ENOSPC;
	if (more_than_vm_has(port, kvm_vcpu, call->length / ELISA_PAGE_SIZE))
		return -ENOMEM;
	return 0;
}

int elisa_region_pin(struct elisa_domain *domain, struct kvm_vcpu *kvm_vcpu,
		     const struct elisa_hc_region *call, struct elisa_memory **out)
{
	int error = elisa_memory_pin_guest(kvm_vcpu, call->gva, call->length / ELISA_PAGE_SIZE,
					   call->flags & ELISA_REGION_WRITE, out);

	if (error || !domain->vmcall_gate)
		return error;
	error = elisa_memory_map_host(*out);
	if (error)
		elisa_memory_release(*out);
	return error;
}

static int map(struct elisa_domain *domain, struct elisa_memory *memory, u64 like)
{
	bool write = memory->writable;
	u64 offset;
	int error = elisa_window_take(&domain->window, memory->nb_pages * ELISA_PAGE_SIZE, like,
				      &offset);

	if (error)
		return error;
	error = elisa_memory_map(memory, domain->tables, offset,
				 ELISA_EPT_READ | (write ? ELISA_EPT_WRITE : 0));
	if (error)
		elisa_window_give(&domain->window, offset);
	return error == -EEXIST || error == -ERANGE ? -ENOSPC : error;
}

static void set_region(struct elisa_port *port, u32 slot, struct elisa_memory *memory)
{
	struct elisa_domain *domain = port->vm->domain;

	mutex_lock(&domain->finish_lock);
	port->regions[slot] = memory;
	mutex_unlock(&domain->finish_lock);
}

int elisa_region_register(struct elisa_port *port, struct kvm_vcpu *kvm_vcpu,
			  const struct elisa_hc_region *call, struct elisa_memory *memory)
{
	int slot, error = elisa_region_check(port, kvm_vcpu, call);

	if (error)
		return error;
	error = map(port->vm->domain, memory, call->gva);
	if (error)
		return error;
	slot = free_slot(port);
	set_region(port, slot, memory);
	show(port, slot, call, memory->offset);
	return 0;
}

static void hide(struct elisa_port *port, u32 slot)
{
	WRITE_ONCE(port->map->regions[slot].length, 0);
}

static void unpin(struct elisa_port *port, u32 slot)
{
	struct elisa_domain *domain = port->vm->domain;
	struct elisa_memory *memory = port->regions[slot];

	set_region(port, slot, NULL);
	elisa_window_give(&domain->window, memory->offset);
	list_add_tail(&memory->link, &domain->unpinned);
}

int elisa_region_unregister(struct elisa_port *port, const struct elisa_hc_region *call)
{
	struct elisa_domain *domain = port->vm->domain;
	u32 i;

	if (call->flags || !is_page_range(call->gva, call->length))
		return -EINVAL;
	for (i = 0; i < ELISA_MAX_REGIONS; i++) {
		if (port->regions[i] && port->map->regions[i].gva == call->gva &&
		    port->map->regions[i].length == call->length)
			break;
	}
	if (i == ELISA_MAX_REGIONS)
		return -ENOENT;
	if (elisa_queues_use(port, i))
		return -EBUSY;
	hide(port, i);
	elisa_grace_wait(domain);
	elisa_memory_unmap(port->regions[i], domain->tables);
	elisa_domain_invalidate(domain);
	unpin(port, i);
	return 0;
}

void elisa_regions_hide(struct elisa_port *port)
{
	u32 i;

	for (i = 0; i < ELISA_MAX_REGIONS; i++)
		hide(port, i);
}

void elisa_regions_unmap(struct elisa_port *port)
{
	u32 i;

	for (i = 0; i < ELISA_MAX_REGIONS; i++) {
		if (port->regions[i])
			elisa_memory_unmap(port->regions[i], port->vm->domain->tables);
	}
}

void elisa_regions_unpin(struct elisa_port *port)
{
	u32 i;

	for (i = 0; i < ELISA_MAX_REGIONS; i++) {
		if (port->regions[i])
			unpin(port, i);
	}
	WRITE_ONCE(port->map->nb_regions, 0);
}

u64 elisa_regions_pages(const struct elisa_port *port, u32 *nb_regions)
{
	u64 pages = 0;
	u32 i;

	*nb_regions = 0;
	for (i = 0; i < ELISA_MAX_REGIONS; i++) {
		if (port->regions[i]) {
			pages += port->regions[i]->nb_pages;
			(*nb_regions)++;
		}
	}
	return pages;
}

int elisa_region_find(const struct elisa_port *port, u64 gva, u64 length)
{
	const struct elisa_region *region = port->map->regions;
	u32 i;

	for (i = 0; i < ELISA_MAX_REGIONS; i++, region++) {
		if (port->regions[i] && gva >= region->gva && length <= region->length &&
		    gva - region->gva <= region->length - length)
			return i;
	}
	return -1;
}
