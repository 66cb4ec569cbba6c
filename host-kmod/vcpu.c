// SPDX-License-Identifier: GPL-2.0-only
/*
 * vcpu.c - the vCPU at each entry and exit: which EPTP and EPTP list the CPU gets, what context the
 * vCPU came out of, and what is put back so that KVM never sees a context of ours.
 *
 * Called by kvm_hooks.c (enter, leave, find, free) and attach.c (obtain). Touches the VMCS and the
 * contexts' list page; knows nothing of ports.
 */
#include <linux/gfp.h>
#include <linux/hash.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "compat.h"
#include "events.h"
#include "gate/contexts.h"
#include "recover.h"
#include "vcpu.h"
#include "vm.h"
#include "vmcall_gate.h"

#define WINDOW_EXITS (CPU_BASED_INTR_WINDOW_EXITING | CPU_BASED_NMI_WINDOW_EXITING)
#define SECONDARY_WANTED (SECONDARY_EXEC_ENABLE_VMFUNC | SECONDARY_EXEC_DESC)
#define EPTP_SWITCHING 1ull /* VM_FUNCTION_CONTROL bit 0 */

static DEFINE_HASHTABLE(vcpus, 6);
static DEFINE_SPINLOCK(vcpus_lock);
static void *empty_list;

int elisa_vcpus_init(void)
{
	empty_list = (void *)get_zeroed_page(GFP_KERNEL);
	return empty_list ? 0 : -ENOMEM;
}

void elisa_vcpus_exit(void)
{
	free_page((unsigned long)empty_list);
}

struct elisa_vcpu *elisa_vcpu_find(struct kvm_vcpu *kvm_vcpu)
{
	struct elisa_vcpu *vcpu;

	rcu_read_lock();
	hash_for_each_possible_rcu(vcpus, vcpu, node, (unsigned long)kvm_vcpu) {
		if (vcpu->kvm_vcpu == kvm_vcpu)
			break;
	}
	rcu_read_unlock();
	return vcpu;
}

struct elisa_vcpu *elisa_vcpu_obtain(struct kvm_vcpu *kvm_vcpu)
{
	struct elisa_vcpu *vcpu = elisa_vcpu_find(kvm_vcpu);

	if (vcpu)
		return vcpu;
	vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);
	if (!vcpu)
		return NULL;
	if (elisa_vmcall_gate_workspace(&vcpu->workspace)) {
		kfree(vcpu);
		return NULL;
	}
	vcpu->kvm_vcpu = kvm_vcpu;
	spin_lock_init(&vcpu->lock);
	INIT_LIST_HEAD(&vcpu->link);
	atomic_set(&vcpu->state, ELISA_VCPU_QUIET);
	__module_get(THIS_MODULE);
	spin_lock(&vcpus_lock);
	hash_add_rcu(vcpus, &vcpu->node, (unsigned long)kvm_vcpu);
	spin_unlock(&vcpus_lock);
	return vcpu;
}

void elisa_vcpu_free(struct elisa_vcpu *vcpu)
{
	spin_lock(&vcpus_lock);
	hash_del_rcu(&vcpu->node);
	spin_unlock(&vcpus_lock);
	kvfree(vcpu->workspace);
	kfree_rcu(vcpu, rcu);
	module_put(THIS_MODULE);
}

struct elisa_vm *elisa_vcpu_vm_get(struct elisa_vcpu *vcpu)
{
	struct elisa_vm *vm;
	unsigned long flags;

	spin_lock_irqsave(&vcpu->lock, flags);
	vm = vcpu->vm;
	if (vm)
		elisa_vm_get(vm);
	spin_unlock_irqrestore(&vcpu->lock, flags);
	return vm;
}

void elisa_vcpu_event(struct elisa_vcpu *vcpu, u32 type, u32 reason)
{
	unsigned long flags;

	spin_lock_irqsave(&vcpu->lock, flags);
	if (vcpu->vm)
		elisa_events_post(elisa_vm_events(vcpu->vm), type, ELISA_EVENT_NONE, vcpu->number,
				  reason);
	spin_unlock_irqrestore(&vcpu->lock, flags);
}

static bool overlaps_window(u64 base, u64 limit)
{
	return base < ELISA_WINDOW_GVA + ELISA_WINDOW_SIZE && base + limit >= ELISA_WINDOW_GVA;
}

bool elisa_vcpu_mode_fits(struct elisa_vcpu *vcpu)
{
	if (!(elisa_vmread(VM_ENTRY_CONTROLS) & VM_ENTRY_IA32E_MODE))
		return false;
	if (elisa_vmread(GUEST_CR4) & X86_CR4_LA57)
		return false;
	/* The guest's processor trace would be written through the trusted EPT, where it likes. */
	if (elisa_vmread(SECONDARY_VM_EXEC_CONTROL) & SECONDARY_EXEC_PT_USE_GPA)
		return false;
	return !overlaps_window(elisa_vmread(GUEST_IDTR_BASE), elisa_vmread(GUEST_IDTR_LIMIT)) &&
	       !overlaps_window(elisa_vmread(GUEST_GDTR_BASE), elisa_vmread(GUEST_GDTR_LIMIT)) &&
	       !overlaps_window(elisa_vmread(GUEST_LDTR_BASE), elisa_vmread(GUEST_LDTR_LIMIT)) &&
	       !overlaps_window(elisa_vmread(GUEST_TR_BASE), elisa_vmread(GUEST_TR_LIMIT));
}

static struct elisa_parked whereabouts(struct elisa_vcpu *vcpu)
{
	return (struct elisa_parked){
		.rip = elisa_kvm_rip(vcpu->kvm_vcpu),
		.rsp = elisa_kvm_rsp(vcpu->kvm_vcpu),
		.cr3 = elisa_vmread(GUEST_CR3),
		.cs = elisa_vmread(GUEST_CS_SELECTOR),
		.cs_rights = elisa_vmread(GUEST_CS_AR_BYTES),
		.fs_base = elisa_vmread(GUEST_FS_BASE),
	};
}

void elisa_vcpu_park(struct elisa_vcpu *vcpu)
{
	vcpu->parked = whereabouts(vcpu);
}

/*
 * Was anything done to a parked vCPU that it cannot have done itself? An event that KVM is about to
 * inject counts: the hooks keep KVM from queueing one, so user space did.
 */
static bool parked_vcpu_changed(struct elisa_vcpu *vcpu)
{
	struct elisa_parked now = whereabouts(vcpu);

	return memcmp(&now, &vcpu->parked, sizeof(now)) ||
	       (elisa_vmread(VM_ENTRY_INTR_INFO_FIELD) & INTR_INFO_VALID_MASK);
}

static void set_controls(struct elisa_vcpu *vcpu, u64 list)
{
	u32 secondary = elisa_vmread(SECONDARY_VM_EXEC_CONTROL);

	/* KVM writes its own idea of this field when that changes: look each time. */
	if ((secondary & SECONDARY_WANTED) != SECONDARY_WANTED)
		elisa_vmwrite(SECONDARY_VM_EXEC_CONTROL, secondary | SECONDARY_WANTED);
	if (vcpu->list != list) {
		elisa_vmwrite(EPTP_LIST_ADDRESS, list);
		elisa_vmwrite(VM_FUNCTION_CONTROL, EPTP_SWITCHING);
		vcpu->list = list;
	}
}

/* The vCPU goes on inside: give it its context, and no event until it has returned. */
static void resume_inside(struct elisa_vcpu *vcpu, struct elisa_contexts *contexts)
{
	u32 controls = elisa_vmread(CPU_BASED_VM_EXEC_CONTROL);

	vcpu->masked = controls & WINDOW_EXITS;
	if (vcpu->masked)
		elisa_vmwrite(CPU_BASED_VM_EXEC_CONTROL, controls & ~vcpu->masked);
	vcpu->trap = vcpu->masked || elisa_kvm_smi_pending(vcpu->kvm_vcpu) ||
		     READ_ONCE(vcpu->init_waits) ||
		     READ_ONCE(vcpu->grace_wanted) != vcpu->grace_seen;
	elisa_vmwrite(EPT_POINTER, elisa_contexts_eptp(contexts, vcpu->context));
}

static void set_gate(struct elisa_vcpu *vcpu, struct elisa_contexts *contexts, bool open)
{
	if (open == vcpu->open)
		return;
	if (open)
		elisa_contexts_open(contexts);
	else
		elisa_contexts_close(contexts);
	vcpu->open = open;
}

/*
 * CR4.FSGSBASE may be the guest's own to change: no exit tells of it. Its TSC it can set, and that
 * exits: so here the offset is the one that it runs with until it comes out again.
 */
static void set_features(struct elisa_vcpu *vcpu, struct elisa_contexts *contexts)
{
	u32 features = 0;

	if (elisa_vmread(GUEST_CR4) & X86_CR4_FSGSBASE)
		features |= ELISA_IDENTITY_FSGSBASE;
	if (!elisa_kvm_tsc_scaled(vcpu->kvm_vcpu))
		features |= ELISA_IDENTITY_TSC;
	elisa_contexts_set_tsc_offset(contexts, elisa_kvm_tsc_offset(vcpu->kvm_vcpu));
	elisa_contexts_set_features(contexts, features);
}

bool elisa_vcpu_evict(struct elisa_vcpu *vcpu, enum elisa_held held)
{
	unsigned long flags;
	bool evicted;

	spin_lock_irqsave(&vcpu->lock, flags);
	evicted = atomic_cmpxchg(&vcpu->state, ELISA_VCPU_PARKED, ELISA_VCPU_EVICTED) ==
			  ELISA_VCPU_PARKED ||
		  atomic_cmpxchg(&vcpu->state, ELISA_VCPU_CONDEMNED, ELISA_VCPU_EVICTED) ==
			  ELISA_VCPU_CONDEMNED;
	if (evicted)
		WRITE_ONCE(vcpu->held, held);
	spin_unlock_irqrestore(&vcpu->lock, flags);
	if (evicted)
		elisa_vcpu_event(vcpu, ELISA_EVENT_VCPU_RECOVERED, ELISA_AT_ENTRY);
	return evicted;
}

/* Who finds itself EVICTED finds itself held too: the lock covers both. */
static void wait_for_eviction(struct elisa_vcpu *vcpu)
{
	spin_lock(&vcpu->lock);
	spin_unlock(&vcpu->lock);
}

void elisa_vcpu_enter(struct elisa_vcpu *vcpu)
{
	struct elisa_contexts *contexts;
	bool fits;
	int state;

	/* Before contexts is read: elisa_grace_quiesce() would take this entry for the next one. */
	WRITE_ONCE(vcpu->entries, vcpu->entries + 1);
	/* A full barrier: pairs with elisa_grace_wait() and elisa_grace_quiesce(). */
	state = atomic_xchg(&vcpu->state, ELISA_VCPU_RUNNING);
	if (state == ELISA_VCPU_EVICTED)
		wait_for_eviction(vcpu);
	/* Pairs with the store in join(). */
	contexts = smp_load_acquire(&vcpu->contexts);
	vcpu->entered = contexts;
	vcpu->masked = 0;
	vcpu->trap = false;
	vcpu->kvm_eptp = elisa_vmread(EPT_POINTER);
	if (!contexts) {
		if (vcpu->context)
			elisa_recover_before_entry(vcpu, state == ELISA_VCPU_EVICTED);
		vcpu->open = false;
		set_controls(vcpu, __pa(empty_list));
		return;
	}

	set_features(vcpu, contexts);
	fits = elisa_vcpu_mode_fits(vcpu);
	if (vcpu->context && (state == ELISA_VCPU_CONDEMNED || state == ELISA_VCPU_EVICTED ||
			      !fits || parked_vcpu_changed(vcpu)))
		elisa_recover_before_entry(vcpu, state == ELISA_VCPU_EVICTED);
	if (vcpu->context)
		resume_inside(vcpu, contexts);
	else
		set_gate(vcpu, contexts,
			 fits && !READ_ONCE(vcpu->closing) && !READ_ONCE(vcpu->held));
	elisa_contexts_set_default(contexts, vcpu->trap ? 0 : vcpu->kvm_eptp);
	if (vcpu->reset_wanted) {
		elisa_recover_fs_base(vcpu);
		elisa_contexts_reset(contexts);
		vcpu->reset_wanted = false;
	}
	set_controls(vcpu, elisa_contexts_list_hpa(contexts).value);
}

void elisa_vcpu_leave(struct elisa_vcpu *vcpu)
{
	u64 eptp = elisa_vmread(EPT_POINTER);

	if (vcpu->masked)
		elisa_vmwrite(CPU_BASED_VM_EXEC_CONTROL,
			      elisa_vmread(CPU_BASED_VM_EXEC_CONTROL) | vcpu->masked);
	if (eptp == vcpu->kvm_eptp || !vcpu->entered) {
		/* On its way out the entry page has written them all. */
		if (vcpu->vectors_saved)
			elisa_kvm_forget_saved_vectors(vcpu->kvm_vcpu);
		elisa_vcpu_outside(vcpu);
		return;
	}
	vcpu->context = elisa_contexts_which(vcpu->entered, eptp);
	if (vcpu->context == ELISA_CONTEXT_TRUSTED)
		vcpu->vectors_saved = true;
	WARN_ONCE(!vcpu->context, "elisa: vCPU left with an unknown EPTP %#llx\n", eptp);
	elisa_vmwrite(EPT_POINTER, vcpu->kvm_eptp);
	elisa_vcpu_park(vcpu);
	/* Now: the contexts may be freed before it is wanted. */
	vcpu->kept_fs_base = elisa_contexts_kept_fs_base(vcpu->entered);
	atomic_set_release(&vcpu->state, ELISA_VCPU_PARKED);
}

struct elisa_contexts *elisa_vcpu_begin_in_host(struct elisa_vcpu *vcpu)
{
	struct elisa_contexts *contexts;

	/* Both as in elisa_vcpu_enter(). */
	atomic_xchg(&vcpu->state, ELISA_VCPU_RUNNING);
	/* Pairs with the store in join(). */
	contexts = smp_load_acquire(&vcpu->contexts);
	if (!contexts)
		elisa_vcpu_outside(vcpu);
	return contexts;
}

void elisa_vcpu_outside(struct elisa_vcpu *vcpu)
{
	vcpu->context = ELISA_CONTEXT_DEFAULT;
	vcpu->vectors_saved = false;
	WRITE_ONCE(vcpu->init_waits, false);
	WRITE_ONCE(vcpu->grace_seen, READ_ONCE(vcpu->grace_wanted));
	atomic_set_release(&vcpu->state, ELISA_VCPU_QUIET);
}
