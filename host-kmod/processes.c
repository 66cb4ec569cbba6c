// SPDX-License-Identifier: GPL-2.0-only
/*
 * processes.c - guest processes that ended without a bye, so that the switch stops writing into
 * pages that their kernel gives to others, and the next process can have the port.
 *
 * Called by hypercall.c (hello) and kvm_hooks.c. Reads the guest's page tables: only that VM can be
 * fooled by what stands there.
 */
#include <linux/jiffies.h>
#include <linux/kvm_host.h>

#include "domain.h"
#include "port.h"
#include "processes.h"
#include "vcpu.h"
#include "vm.h"

#define ENTRY_PRESENT 1ull
#define ENTRY_LARGE 0x80ull
#define ENTRY_FRAME 0x000ffffffffff000ull
#define LEVELS 4

/*
 * A process that uses the gate has its call stub mapped. A kernel that ends a process unmaps all of
 * it before it frees the root of its page tables, and what then becomes of the root does not lead
 * to a stub. A page that is only not present now (NUMA balancing, compaction) has an entry that is
 * not zero.
 */
static bool is_there(struct kvm_vcpu *kvm_vcpu, u64 root)
{
	u64 table = root, entry;
	int level;

	for (level = LEVELS - 1; level >= 0; level--) {
		u64 index = ELISA_GVA(ELISA_OFFSET_CALL_STUB) >> (PAGE_SHIFT + 9 * level) & 511;

		if (kvm_vcpu_read_guest(kvm_vcpu, table + index * sizeof(entry), &entry,
					sizeof(entry)) ||
		    !(level ? entry & ENTRY_PRESENT : entry))
			return false;
		if (entry & ENTRY_LARGE)
			break;
		table = entry & ENTRY_FRAME;
	}
	return true;
}

void elisa_processes_reap(struct elisa_vm *vm, struct kvm_vcpu *kvm_vcpu)
{
	u64 ports = 0;
	int i;

	for (i = 0; i < ELISA_MAX_ROOTS; i++) {
		struct elisa_admission *admission = &vm->admissions[i];

		if (admission->used && admission->ports && !is_there(kvm_vcpu, admission->root))
			ports |= admission->ports;
	}
	if (ports)
		elisa_ports_release(vm->domain, ports, ELISA_PORT_EVICT);
}

void elisa_processes_check(struct elisa_vcpu *vcpu)
{
	struct elisa_vm *vm;

	if (time_before(jiffies, vcpu->next_check))
		return;
	vcpu->next_check = jiffies + HZ;
	vm = elisa_vcpu_vm_get(vcpu);
	if (!vm)
		return;
	/* No vCPU waits here for what another VM asked for. */
	if (!mutex_trylock(&vm->domain->lock)) {
		vcpu->next_check = jiffies + 1;
		goto put;
	}
	if (!vm->retired)
		elisa_processes_reap(vm, vcpu->kvm_vcpu);
	elisa_domain_unlock(vm->domain);
put:
	elisa_vm_put(vm);
}
