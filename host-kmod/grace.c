// SPDX-License-Identifier: GPL-2.0-only
/*
 * grace.c - waiting until vCPUs have left the trusted context, or making one leave.
 *
 * Called by port.c, vm.c, objects.c and domain.c.
 *
 * Crossings are invisible to the host, so a running vCPU is made to exit; one that turns out to be
 * inside is let on with a return trap (vcpu.c), so that its leaving is seen.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kvm_host.h>
#include <linux/sched/signal.h>

#include "domain.h"
#include "gate/contexts.h"
#include "grace.h"
#include "vcpu.h"
#include "vmcall_gate.h"

/* Longer than the host keeps a thread that may run off its CPUs. */
#define PATIENCE HZ

static bool has_left(struct elisa_vcpu *vcpu)
{
	int state = atomic_read_acquire(&vcpu->state);

	return state == ELISA_VCPU_QUIET || state == ELISA_VCPU_CONDEMNED ||
	       state == ELISA_VCPU_EVICTED || READ_ONCE(vcpu->grace_seen) == vcpu->grace_wanted;
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

	elisa_vmcall_gate_sync(domain);
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

/* What elisa_grace_evict() has seen of the vCPU. */
struct eviction {
	u64 wanted; /* number of its own grace period */
	unsigned long deadline;
	unsigned long entries;
	unsigned long still_since; /* jiffies: not entered since */
};

static void begin_eviction(struct elisa_domain *domain, struct elisa_vcpu *vcpu,
			   struct eviction *eviction)
{
	eviction->wanted = ++domain->grace_number;
	eviction->deadline = jiffies + PATIENCE;
	eviction->entries = READ_ONCE(vcpu->entries);
	eviction->still_since = jiffies;
	WRITE_ONCE(vcpu->grace_wanted, eviction->wanted);
	/* As in elisa_grace_wait(). */
	smp_mb();
}

static bool is_out(struct elisa_vcpu *vcpu, const struct eviction *eviction)
{
	int state = atomic_read_acquire(&vcpu->state);

	return state == ELISA_VCPU_QUIET || state == ELISA_VCPU_EVICTED ||
	       (state == ELISA_VCPU_PARKED && READ_ONCE(vcpu->context) == ELISA_CONTEXT_GATE) ||
	       READ_ONCE(vcpu->grace_seen) >= eviction->wanted;
}

/* -EAGAIN: look again. */
static int look_at(struct elisa_vcpu *vcpu, struct eviction *eviction)
{
	unsigned long entries = READ_ONCE(vcpu->entries);
	bool runs = entries != eviction->entries || atomic_read(&vcpu->state) == ELISA_VCPU_RUNNING;

	if (is_out(vcpu, eviction))
		return 0;
	if (runs) {
		eviction->entries = entries;
		eviction->still_since = jiffies;
		if (time_after(jiffies, eviction->deadline))
			return -ETIMEDOUT;
	} else if (time_after(jiffies, eviction->still_since + PATIENCE) &&
		   elisa_vcpu_evict(vcpu, ELISA_HELD_EVICTED)) {
		return 0;
	}
	hurry(vcpu);
	return -EAGAIN;
}

int elisa_grace_evict(struct elisa_domain *domain, u32 number)
{
	struct elisa_vcpu *vcpu;
	struct eviction eviction;
	int result;

	mutex_lock(&domain->lock);
	vcpu = domain->vcpus[number];
	if (vcpu)
		begin_eviction(domain, vcpu, &eviction);
	for (;;) {
		result = vcpu ? look_at(vcpu, &eviction) : -ENOENT;
		/* The others' hypercalls need not wait. */
		mutex_unlock(&domain->lock);
		if (result != -EAGAIN)
			return result;
		if (fatal_signal_pending(current))
			return -EINTR;
		usleep_range(50, 200);
		mutex_lock(&domain->lock);
		vcpu = domain->vcpus[number];
	}
}
