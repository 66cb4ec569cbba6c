// SPDX-License-Identifier: GPL-2.0-only
/*
 * grace.c - waiting until vCPUs have left the trusted context. Called by port.c and vm.c.
 *
 * Crossings are invisible to the host, so a running vCPU is made to exit; one that turns out to be
 * inside is let on with a return trap (vcpu.c), so that its leaving is seen.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kvm_host.h>

#include "domain.h"
#include "grace.h"
#include "vcpu.h"

/* Longer than the host keeps a thread that may run off its CPUs. */
#define PATIENCE HZ

static bool has_left(struct elisa_vcpu *vcpu)
{
	int state = atomic_read_acquire(&vcpu->state);

	return state == ELISA_VCPU_QUIET || state == ELISA_VCPU_CONDEMNED ||
	       READ_ONCE(vcpu->grace_seen) == vcpu->grace_wanted;
}

static void hurry(struct elisa_vcpu *vcpu)
{
	if (atomic_read(&vcpu->state) == ELISA_VCPU_RUNNING)
		kvm_vcpu_kick(vcpu->kvm_vcpu);
}

static void wait_for(struct elisa_vcpu *vcpu, unsigned long deadline)
{
	while (!has_left(vcpu)) {
		if (time_after(jiffies, deadline))
			atomic_cmpxchg(&vcpu->state, ELISA_VCPU_PARKED, ELISA_VCPU_CONDEMNED);
		hurry(vcpu);
		usleep_range(50, 200);
	}
}

void elisa_grace_wait(struct elisa_domain *domain)
{
	unsigned long deadline = jiffies + PATIENCE;
	struct elisa_vcpu *vcpu;
	u32 i;

	domain->grace_number++;
	elisa_domain_for_each_vcpu(domain, i, vcpu)
		WRITE_ONCE(vcpu->grace_wanted, domain->grace_number);
	/* Before any state is read; pairs with the exchange in elisa_vcpu_enter(). */
	smp_mb();
	elisa_domain_for_each_vcpu(domain, i, vcpu)
		hurry(vcpu);
	elisa_domain_for_each_vcpu(domain, i, vcpu)
		wait_for(vcpu, deadline);
}

void elisa_grace_quiesce(struct elisa_vcpu *vcpu)
{
	unsigned long entries;

	/* The caller's stores before the vCPU's state; pairs with elisa_vcpu_enter(). */
	smp_mb();
	entries = READ_ONCE(vcpu->entries);
	while (atomic_read_acquire(&vcpu->state) == ELISA_VCPU_RUNNING &&
	       READ_ONCE(vcpu->entries) == entries) {
		hurry(vcpu);
		usleep_range(50, 200);
	}
}
