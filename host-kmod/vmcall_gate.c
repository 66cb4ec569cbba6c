// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmcall_gate.c - gate=vmcall: the datapath in the host's kernel, on port maps whose addresses are
 * the kernel's.
 *
 * Called by hypercall.c, grace.c, domain.c and vcpu.c. The datapath's sources are built into the
 * module; a vCPU that is in it counts as one that runs inside, so grace periods wait for it.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

#include "domain.h"
#include "gate/contexts.h"
#include "memory.h"
#include "port.h"
#include "vcpu.h"
#include "vm.h"
#include "vmcall_gate.h"
#include "vswitch/datapath/call.h"

struct elisa_vmcall_gate {
	struct elisa_switch *sw; /* NULL until the daemon has mapped it */
	struct elisa_port_map maps[ELISA_MAX_PORTS];
};

static bool vmcall_gate;
module_param(vmcall_gate, bool, 0444);
MODULE_PARM_DESC(vmcall_gate,
		 "Offer gate=vmcall, a baseline without isolation, to measure against");

int elisa_vmcall_gate_create(struct elisa_vmcall_gate **gate)
{
	if (!vmcall_gate)
		return 0;
	*gate = vzalloc(sizeof(**gate));
	return *gate ? 0 : -ENOMEM;
}

void elisa_vmcall_gate_destroy(struct elisa_vmcall_gate *gate)
{
	vfree(gate);
}

int elisa_vmcall_gate_workspace(struct elisa_workspace **workspace)
{
	if (!vmcall_gate)
		return 0;
	*workspace = kvmalloc(sizeof(**workspace), GFP_KERNEL_ACCOUNT);
	return *workspace ? 0 : -ENOMEM;
}

/* Where the kernel has what the window has at `address`: in a region of the port. */
static u64 host_address(const struct elisa_port *port, u64 address)
{
	const struct elisa_region *region = port->map->regions;
	u32 i;

	for (i = 0; i < ELISA_MAX_REGIONS; i++, region++) {
		if (port->regions[i] && address - region->window < region->length)
			return (uintptr_t)port->regions[i]->host + (address - region->window);
	}
	return 0;
}

/* An entry is emptied, and a grace period passes, before it is used for another region. */
static void sync_regions(const struct elisa_port *port, struct elisa_port_map *to)
{
	const struct elisa_region *from = port->map->regions;
	u32 i;

	for (i = 0; i < ELISA_MAX_REGIONS; i++, from++) {
		struct elisa_region *region = &to->regions[i];

		if (from->length && !region->length) {
			WRITE_ONCE(region->gva, from->gva);
			WRITE_ONCE(region->window, (uintptr_t)port->regions[i]->host);
			WRITE_ONCE(region->flags, from->flags);
		}
		/* Last: a region with a length is whole. */
		smp_store_release(&region->length, from->length);
	}
	/* Then the count that leads to it. */
	smp_store_release(&to->nb_regions, port->map->nb_regions);
}

static void sync_queues(const struct elisa_port *port, struct elisa_port_map *to)
{
	const struct elisa_queue_map *from = port->map->queues;
	u32 i;

	for (i = 0; i < ELISA_MAX_QUEUES; i++, from++) {
		struct elisa_queue_map *queue = &to->queues[i];

		if (from->tx_size && !queue->tx_size) {
			WRITE_ONCE(queue->tx_window, host_address(port, from->tx_window));
			WRITE_ONCE(queue->rx_ring, host_address(port, from->rx_ring));
			WRITE_ONCE(queue->epoch, from->epoch);
		}
		/* Sizes last: a queue that the datapath finds is whole. */
		smp_store_release(&queue->rx_size, from->rx_size);
		/* As in queues.c. */
		smp_store_release(&queue->tx_size, from->tx_size);
	}
	WRITE_ONCE(to->nb_queues, port->map->nb_queues);
}

static struct elisa_switch *find_switch(struct elisa_domain *domain)
{
	struct elisa_memory *memory;

	list_for_each_entry(memory, &domain->objects, link) {
		if (memory->offset == ELISA_OFFSET_SWITCH && memory->writable &&
		    memory->nb_pages * ELISA_PAGE_SIZE >= sizeof(struct elisa_switch))
			return memory->host;
	}
	return NULL;
}

void elisa_vmcall_gate_sync(struct elisa_domain *domain)
{
	struct elisa_vmcall_gate *gate = domain->vmcall_gate;
	u32 i;

	if (!gate)
		return;
	for (i = 0; i < ELISA_MAX_PORTS; i++) {
		const struct elisa_port *port = domain->ports[i];
		struct elisa_port_map *to = &gate->maps[i];

		if (!port)
			continue;
		sync_regions(port, to);
		sync_queues(port, to);
		elisa_rss_write(&to->rss, &port->map->rss);
		WRITE_ONCE(to->mtu, port->map->mtu);
		/* A port that is started has its MTU. */
		smp_store_release(&to->flags, port->map->flags);
	}
	/* The switch is mapped before the first VM is attached, and stays until the last is gone. */
	WRITE_ONCE(gate->sw, find_switch(domain));
}

static s64 serve(struct elisa_vcpu *vcpu, struct elisa_contexts *contexts, u64 root, u64 operation,
		 u64 first, u64 second)
{
	struct elisa_vmcall_gate *gate = vcpu->vm->domain->vmcall_gate;
	struct elisa_context context = {
		.sw = READ_ONCE(gate->sw),
		.identity = elisa_contexts_identity(contexts),
		.maps = gate->maps,
		.workspace = vcpu->workspace,
		.in_host = true,
	};

	/* As for the other gate: a process that said no hello has no way in, and it may be closed. */
	if (!elisa_contexts_admitted(contexts, elisa_gpa(root)))
		return -EPERM;
	if (READ_ONCE(vcpu->closing) || READ_ONCE(vcpu->held) || !context.sw)
		return -ENODEV;
	vcpu->stats.gate_calls++;
	return elisa_datapath_call(&context, operation, first, second);
}

s64 elisa_vmcall_gate_call(struct elisa_vcpu *vcpu, u64 root, u64 operation, u64 first, u64 second)
{
	struct elisa_contexts *contexts;
	s64 result;

	if (!vmcall_gate)
		return -ENOSYS;
	contexts = elisa_vcpu_begin_in_host(vcpu);
	if (!contexts)
		return -ENODEV;
	result = serve(vcpu, contexts, root, operation, first, second);
	elisa_vcpu_outside(vcpu);
	return result;
}
