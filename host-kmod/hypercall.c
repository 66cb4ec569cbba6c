// SPDX-License-Identifier: GPL-2.0-only
/*
 * hypercall.c - what guest processes ask for with VMCALL: the argument is read once, checked, and
 * handed to the port that the caller has claimed.
 *
 * Called by kvm_hooks.c, in the vCPU's thread, which holds kvm->srcu.
 */
#include <linux/kvm_host.h>
#include <linux/nospec.h>
#include <elisa/hypercall.h>
#include <elisa/version.h>

#include "compat.h"
#include "domain.h"
#include "gate/address.h"
#include "hypercall.h"
#include "memory.h"
#include "port.h"
#include "processes.h"
#include "vcpu.h"
#include "vm.h"
#include "vmcall_gate.h"

#define CS_LONG_MODE 0x2000 /* GUEST_CS_AR_BYTES, bit L */

union argument {
	struct elisa_hc_hello hello;
	struct elisa_hc_region region;
	struct elisa_hc_queue queue;
	struct elisa_hc_port port;
	struct elisa_hc_rss rss;
	u32 port_number; /* the first field of all but hello */
};

struct caller {
	struct elisa_vcpu *vcpu;
	struct elisa_vm *vm;
	u64 root;    /* CR3, bits 51:12 */
	u64 address; /* of the argument */
};

bool elisa_hypercall_is_ours(struct elisa_vcpu *vcpu)
{
	u64 rax = *elisa_kvm_register(vcpu->kvm_vcpu, VCPU_REGS_RAX);

	return rax >> 16 == ELISA_HYPERCALL_MAGIC &&
	       (elisa_vmread(GUEST_CS_AR_BYTES) & CS_LONG_MODE);
}

/* Page by page, with the caller's rights. */
static int guest_copy(struct kvm_vcpu *vcpu, u64 address, void *data, u32 size, bool write)
{
	u32 part;
	gpa_t gpa;
	int error;

	for (; size; address += part, data += part, size -= part) {
		part = min_t(u32, size, PAGE_SIZE - offset_in_page(address));
		gpa = elisa_kvm_translate(vcpu, address, write);
		if (gpa == INVALID_GPA)
			return -EFAULT;
		error = write ? kvm_vcpu_write_guest(vcpu, gpa, data, part)
			      : kvm_vcpu_read_guest(vcpu, gpa, data, part);
		if (error)
			return -EFAULT;
	}
	return 0;
}

static bool name_is_valid(const char *name)
{
	return strnlen(name, ELISA_NAME_SIZE) < ELISA_NAME_SIZE;
}

/* Ports of the VM that have this name, or any, and are free or not; the last of them in *out. */
static u32 count_ports(struct caller *caller, const char *name, bool claimed,
		       struct elisa_port **out)
{
	struct elisa_port *port;
	u32 i, count = 0;

	for (i = 0; i < ELISA_MAX_PORTS; i++) {
		if (!(caller->vm->ports & BIT_ULL(i)))
			continue;
		port = caller->vm->domain->ports[i];
		if (port->claimed != claimed || (name && strcmp(name, port->name)))
			continue;
		if (claimed && !name && port->root != caller->root)
			continue;
		*out = port;
		count++;
	}
	return count;
}

/* The port of that name; without one, the only port that is free, or the caller's own. */
static int choose_port(struct caller *caller, const char *name, struct elisa_port **out)
{
	u32 count;

	if (!name[0])
		name = NULL;
	count = count_ports(caller, name, false, out);
	if (!count)
		count = count_ports(caller, name, true, out);
	if (count > 1)
		return -ENOTUNIQ;
	if (!count)
		return name ? -ENOENT : -EBUSY;
	return 0;
}

static void fill_hello(const struct elisa_port *port, struct elisa_hc_hello *hello)
{
	memcpy(hello->port_name, port->name, sizeof(hello->port_name));
	memcpy(hello->switch_name, port->vm->domain->name, sizeof(hello->switch_name));
	hello->window_gva = ELISA_WINDOW_GVA;
	hello->port = port->number;
	hello->max_mtu = port->max_mtu;
	hello->max_queues = port->max_queues;
	hello->max_ring = port->max_ring;
	memcpy(hello->mac, port->mac, sizeof(hello->mac));
	hello->pad[0] = 0;
	hello->pad[1] = 0;
}

/*
 * A process that says hello for a port that its own CR3 has claimed is either the same one again,
 * or a later one whose page table took the place of a dead one's: the old claim ends.
 */
static int hello(struct caller *caller, struct elisa_hc_hello *call)
{
	struct elisa_domain *domain = caller->vm->domain;
	struct elisa_port *port;
	int error;

	if (call->reserved || !name_is_valid(call->port_name) || !name_is_valid(call->switch_name))
		return -EINVAL;
	if (call->abi != ELISA_GUEST_ABI)
		return -EPROTO;
	if (call->switch_name[0] && strcmp(call->switch_name, domain->name))
		return -ENOENT;
	elisa_processes_reap(caller->vm, caller->vcpu->kvm_vcpu);
	error = choose_port(caller, call->port_name, &port);
	if (error)
		return error;
	if (port->claimed && port->root != caller->root)
		return -EBUSY;
	if (!elisa_vcpu_mode_fits(caller->vcpu))
		return -EOPNOTSUPP;
	if (port->claimed)
		elisa_ports_release(domain, BIT_ULL(port->number), ELISA_PORT_EVICT);
	error = elisa_port_claim(port, caller->root);
	if (error)
		return error == -ERANGE || error == -EINVAL ? -EOPNOTSUPP : error;
	fill_hello(port, call);
	error = guest_copy(caller->vcpu->kvm_vcpu, caller->address, call, sizeof(*call), true);
	if (error)
		elisa_ports_release(domain, BIT_ULL(port->number), ELISA_PORT_EVICT);
	return error;
}

static int bye(struct elisa_port *port, const struct elisa_hc_port *call)
{
	if (call->flags || call->mtu || call->reserved)
		return -EINVAL;
	elisa_ports_release(port->vm->domain, BIT_ULL(port->number), ELISA_PORT_EVICT);
	return 0;
}

/* NULL: the caller has claimed no such port. */
static struct elisa_port *find_port(struct caller *caller, const union argument *argument)
{
	u32 wanted = array_index_nospec(argument->port_number, ELISA_MAX_PORTS);
	struct elisa_vm *vm = caller->vm;
	struct elisa_port *port = NULL;

	if (argument->port_number < ELISA_MAX_PORTS &&
	    (vm->claimed & BIT_ULL(argument->port_number)))
		port = vm->domain->ports[wanted];
	if (!port || port->root != caller->root)
		return NULL;
	return port;
}

/*
 * Nobody waits for the lock while memory is looked up and pinned: page by page, as much as the VM
 * has. Meanwhile the port may have gone, been claimed anew or got other regions, so both are looked at
 * again.
 */
static int register_region(struct caller *caller, const union argument *argument)
{
	const struct elisa_hc_region *call = &argument->region;
	struct elisa_domain *domain = caller->vm->domain;
	struct kvm_vcpu *kvm_vcpu = caller->vcpu->kvm_vcpu;
	struct elisa_memory *memory;
	struct elisa_port *port;
	int error;

	elisa_domain_unlock(domain);
	mutex_lock(&caller->vm->register_lock);
	error = elisa_region_pin(domain, kvm_vcpu, call, &memory);
	mutex_lock(&domain->lock);
	mutex_unlock(&caller->vm->register_lock);
	if (error)
		return error;
	port = find_port(caller, argument);
	error = port ? elisa_region_register(port, kvm_vcpu, call, memory) : -EACCES;
	if (error)
		list_add_tail(&memory->link, &domain->unpinned);
	return error;
}

static int port_call(struct caller *caller, u32 number, const union argument *argument)
{
	struct elisa_port *port = find_port(caller, argument);
	int error;

	if (!port) {
		/* Its port was deleted: with the bye, the admission that was kept ends. */
		if (number == ELISA_HC_BYE && elisa_vm_evict_orphan(caller->vm, caller->root))
			return 0;
		return -EACCES;
	}
	switch (number) {
	case ELISA_HC_REGISTER:
		error = elisa_region_check(port, caller->vcpu->kvm_vcpu, &argument->region);
		return error ? error : register_region(caller, argument);
	case ELISA_HC_UNREGISTER:
		return elisa_region_unregister(port, &argument->region);
	case ELISA_HC_QUEUE_SETUP:
		return elisa_queue_setup(port, &argument->queue);
	case ELISA_HC_QUEUE_RELEASE:
		return elisa_queue_release(port, &argument->queue);
	case ELISA_HC_PORT_SET:
		return elisa_port_set(port, &argument->port);
	case ELISA_HC_RSS_SET:
		return elisa_rss_set(port, &argument->rss);
	default:
		return bye(port, &argument->port);
	}
}

/* 0: no such number. */
static u32 argument_size(u32 number)
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
	default:
		return 0;
	}
}

/* Under domain->lock, which REGISTER gives up meanwhile. */
static int dispatch(struct caller *caller, u32 number, u64 size)
{
	union argument argument;
	int error;

	if (caller->vm->retired ||
	    (!caller->vm->ports && !elisa_vm_has_orphan(caller->vm, caller->root)))
		return -EPERM;
	if (!argument_size(number))
		return -ENOSYS;
	if (size != argument_size(number))
		return -EINVAL;
	error = guest_copy(caller->vcpu->kvm_vcpu, caller->address, &argument, size, false);
	if (error)
		return error;
	if (number == ELISA_HC_HELLO)
		return hello(caller, &argument.hello);
	return port_call(caller, number, &argument);
}

/* ELISA_HC_GATE_CALL: no argument structure, no lock. */
static int gate_call(struct elisa_vcpu *vcpu)
{
	struct kvm_vcpu *kvm_vcpu = vcpu->kvm_vcpu;

	*elisa_kvm_register(kvm_vcpu, VCPU_REGS_RAX) =
		elisa_vmcall_gate_call(vcpu, elisa_vmread(GUEST_CR3) & ELISA_FRAME_MASK,
				       *elisa_kvm_register(kvm_vcpu, VCPU_REGS_RDI),
				       *elisa_kvm_register(kvm_vcpu, VCPU_REGS_RSI),
				       *elisa_kvm_register(kvm_vcpu, VCPU_REGS_RDX));
	return kvm_skip_emulated_instruction(kvm_vcpu);
}

static int call(struct elisa_vcpu *vcpu, u32 number)
{
	struct kvm_vcpu *kvm_vcpu = vcpu->kvm_vcpu;
	struct caller caller = {
		.vcpu = vcpu,
		.vm = elisa_vcpu_vm_get(vcpu),
		.root = elisa_vmread(GUEST_CR3) & ELISA_FRAME_MASK,
		.address = *elisa_kvm_register(kvm_vcpu, VCPU_REGS_RDI),
	};
	u64 size = *elisa_kvm_register(kvm_vcpu, VCPU_REGS_RSI);
	long result = -EPERM;

	vcpu->stats.hypercalls++;
	if (caller.vm) {
		mutex_lock(&caller.vm->domain->lock);
		result = dispatch(&caller, number, size);
		elisa_vmcall_gate_sync(caller.vm->domain);
		elisa_domain_unlock(caller.vm->domain);
		elisa_vm_put(caller.vm);
	}
	*elisa_kvm_register(kvm_vcpu, VCPU_REGS_RAX) = result;
	return kvm_skip_emulated_instruction(kvm_vcpu);
}

int elisa_hypercall(struct elisa_vcpu *vcpu)
{
	u32 number = *elisa_kvm_register(vcpu->kvm_vcpu, VCPU_REGS_RAX) & 0xffff;

	return number == ELISA_HC_GATE_CALL ? gate_call(vcpu) : call(vcpu, number);
}
