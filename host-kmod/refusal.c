// SPDX-License-Identifier: GPL-2.0-only
/* refusal.c - what of a VM speaks against attaching it. Called by attach.c. */
#include <linux/kvm_host.h>
#include <linux/sizes.h>
#include <elisa/layout.h>

#include "compat.h"
#include "kvm_hooks.h"
#include "refusal.h"

#define PERF_CAP_LBR_FORMAT 0x3full /* of IA32_PERF_CAPABILITIES */

static bool slot_speaks_against(const struct kvm_memory_slot *slot, u64 window,
				enum elisa_refusal *refusal)
{
	u64 first = slot->base_gfn << PAGE_SHIFT;
	u64 end = first + (slot->npages << PAGE_SHIFT);

	if (first < window + ELISA_WINDOW_SIZE && end > window)
		*refusal = ELISA_REFUSED_WINDOW;
	/* A migration logs main memory; a display logs its frame buffer all the time. */
	else if ((slot->flags & KVM_MEM_LOG_DIRTY_PAGES) && first <= SZ_1M && end > SZ_1M)
		*refusal = ELISA_REFUSED_DIRTY_LOG;
	else
		return false;
	return true;
}

static enum elisa_refusal refusal_by_slots(struct kvm *kvm, u64 window)
{
	enum elisa_refusal refusal = ELISA_REFUSED_NOT;
	struct kvm_memory_slot *slot;
	int index, bucket;

	index = srcu_read_lock(&kvm->srcu);
	kvm_for_each_memslot(slot, bucket, kvm_memslots(kvm)) {
		if (slot_speaks_against(slot, window, &refusal))
			break;
	}
	srcu_read_unlock(&kvm->srcu, index);
	return refusal;
}

/* LBR would show branches inside, PEBS write from there. Without a PMU the capabilities mean nothing. */
static bool records_branches_or_loads(struct kvm_vcpu *kvm_vcpu)
{
	return kvm_vcpu->arch.pmu.version &&
	       kvm_vcpu->arch.perf_capabilities & (PERF_CAP_PEBS_FORMAT | PERF_CAP_LBR_FORMAT);
}

static enum elisa_refusal refusal_by_vcpus(struct kvm *kvm)
{
	struct kvm_vcpu *kvm_vcpu;
	unsigned long i;

	kvm_for_each_vcpu(i, kvm_vcpu, kvm) {
		if (elisa_kvm_nested(kvm_vcpu))
			return ELISA_REFUSED_NESTED;
		if (elisa_kvm_in_smm(kvm_vcpu))
			return ELISA_REFUSED_SMM;
		if (records_branches_or_loads(kvm_vcpu))
			return ELISA_REFUSED_VPMU;
	}
	return ELISA_REFUSED_NOT;
}

enum elisa_refusal elisa_kvm_refusal(struct kvm *kvm, u64 window)
{
	enum elisa_refusal refusal;

	if (!atomic_read(&kvm->online_vcpus))
		return ELISA_REFUSED_NO_VCPU;
	if (!elisa_kvm_has_ept())
		return ELISA_REFUSED_SHADOW;
	refusal = refusal_by_slots(kvm, window);
	if (!refusal)
		refusal = refusal_by_vcpus(kvm);
	if (refusal)
		return refusal;
	/* With APICv the CPU would deliver an interrupt inside, unasked. */
	if (kvm_apicv_activated(kvm))
		kvm_set_apicv_inhibit(kvm, APICV_INHIBIT_REASON_ABSENT);
	return kvm_apicv_activated(kvm) ? ELISA_REFUSED_APICV : ELISA_REFUSED_NOT;
}
