// SPDX-License-Identifier: GPL-2.0-only
/*
 * attach.c - joining a VM of KVM's to a domain: all of its vCPUs get contexts, or nothing happens.
 *
 * Called by domain.c.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm_host.h>
#include <linux/slab.h>

#include "attach.h"
#include "domain.h"
#include "features.h"
#include "gate/contexts.h"
#include "refusal.h"
#include "vcpu.h"
#include "vm.h"

/* What is made before anything of it is shown to anybody. */
struct preparation {
	u32 nb_vcpus;
	u32 first;
	struct elisa_vm *vm;
	struct elisa_vcpu *vcpus[ELISA_MAX_VCPUS];
	struct elisa_contexts *contexts[ELISA_MAX_VCPUS];
};

static int find_numbers(struct elisa_domain *domain, struct preparation *preparation)
{
	u32 i, run = 0;

	for (i = 0; i < ELISA_MAX_VCPUS; i++) {
		run = domain->vcpus[i] ? 0 : run + 1;
		if (run == preparation->nb_vcpus) {
			preparation->first = i + 1 - run;
			return 0;
		}
	}
	return -ENOSPC;
}

static int prepare(struct elisa_domain *domain, struct kvm *kvm, struct preparation *preparation)
{
	struct elisa_vm *attached;
	struct kvm_vcpu *kvm_vcpu;
	unsigned long i;
	int error;

	preparation->nb_vcpus = atomic_read(&kvm->online_vcpus);
	error = find_numbers(domain, preparation);
	if (error)
		return error;
	preparation->vm = elisa_vm_create(domain);
	if (!preparation->vm)
		return -ENOMEM;
	kvm_for_each_vcpu(i, kvm_vcpu, kvm) {
		preparation->vcpus[i] = elisa_vcpu_obtain(kvm_vcpu);
		if (!preparation->vcpus[i])
			return -ENOMEM;
		attached = elisa_vcpu_vm_get(preparation->vcpus[i]);
		if (attached) {
			elisa_vm_put(attached);
			return -EBUSY;
		}
		error = elisa_contexts_create(domain->tables, preparation->first + i,
					      &preparation->contexts[i]);
		if (error)
			return error;
	}
	return 0;
}

static void undo(struct preparation *preparation)
{
	u32 i;

	for (i = 0; i < ELISA_MAX_VCPUS; i++)
		elisa_contexts_destroy(preparation->contexts[i]);
	if (preparation->vm)
		elisa_vm_put(preparation->vm);
}

/* From its next entry on the vCPU has its contexts. */
static void join(struct elisa_domain *domain, struct preparation *preparation, u32 i)
{
	struct elisa_vcpu *vcpu = preparation->vcpus[i];
	unsigned long flags;

	vcpu->number = preparation->first + i;
	vcpu->closing = false;
	vcpu->held = ELISA_HELD_NOT;
	vcpu->next_check = jiffies + HZ;
	vcpu->open = false;
	vcpu->grace_wanted = domain->grace_number;
	vcpu->grace_seen = domain->grace_number;
	memset(&vcpu->stats, 0, sizeof(vcpu->stats));
	elisa_vm_get(preparation->vm);
	spin_lock_irqsave(&vcpu->lock, flags);
	vcpu->vm = preparation->vm;
	spin_unlock_irqrestore(&vcpu->lock, flags);
	mutex_lock(&domain->finish_lock);
	list_add_tail(&vcpu->link, &preparation->vm->vcpus);
	domain->vcpus[vcpu->number] = vcpu;
	mutex_unlock(&domain->finish_lock);
	/* All of the above before it; pairs with the load in elisa_vcpu_enter(). */
	smp_store_release(&vcpu->contexts, preparation->contexts[i]);
	kvm_vcpu_kick(vcpu->kvm_vcpu);
}

static void commit(struct elisa_domain *domain, struct preparation *preparation)
{
	u32 i;

	for (i = 0; i < preparation->nb_vcpus; i++)
		join(domain, preparation, i);
	list_add_tail(&preparation->vm->link, &domain->vms);
	elisa_vms_count(1);
}

/* The VM stays: the caller holds its file. Under domain->lock and kvm->lock. */
static int attach(struct elisa_domain *domain, struct kvm *kvm, struct preparation *preparation,
		  struct elisa_vm_attach *argument)
{
	struct file *file;
	int error, fd;

	if (domain->closed)
		return -ENODEV;
	argument->refusal = elisa_kvm_refusal(kvm, elisa_window_gpa());
	if (!argument->refusal && (elisa_features_missing() & ELISA_MISSING_IMMUNITY) &&
	    !(argument->flags & ELISA_ATTACH_ACCEPT_SIDE_CHANNELS))
		argument->refusal = ELISA_REFUSED_SIDE_CHANNEL;
	if (argument->refusal)
		return -EOPNOTSUPP;
	error = prepare(domain, kvm, preparation);
	if (error)
		goto undo;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		error = fd;
		goto undo;
	}
	file = elisa_vm_file(preparation->vm);
	if (IS_ERR(file)) {
		error = PTR_ERR(file);
		goto put_fd;
	}
	commit(domain, preparation);
	argument->nb_vcpus = preparation->nb_vcpus;
	argument->first_vcpu = preparation->first;
	fd_install(fd, file);
	return fd;

put_fd:
	put_unused_fd(fd);
undo:
	undo(preparation);
	return error;
}

int elisa_attach(struct elisa_domain *domain, struct elisa_vm_attach *argument)
{
	struct preparation *preparation;
	struct file *file;
	struct kvm *kvm;
	int result;

	file = fget(argument->kvm_fd);
	if (!file)
		return -EBADF;
	if (!file_is_kvm(file)) {
		fput(file);
		return -EBADF;
	}
	preparation = kvzalloc(sizeof(*preparation), GFP_KERNEL);
	if (!preparation) {
		fput(file);
		return -ENOMEM;
	}
	kvm = file->private_data;
	mutex_lock(&domain->lock);
	mutex_lock(&kvm->lock);
	result = attach(domain, kvm, preparation, argument);
	mutex_unlock(&kvm->lock);
	mutex_unlock(&domain->lock);
	kvfree(preparation);
	fput(file);
	return result;
}
