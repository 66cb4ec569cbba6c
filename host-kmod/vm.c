// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm.c - a virtual machine of KVM's joined to a domain: its file, its end, and the guest processes
 * admitted in it.
 *
 * Called by attach.c, port.c, hypercall.c, domain.c and the vCPU hooks.
 */
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <elisa/version.h>

#include "compat.h"
#include "domain.h"
#include "grace.h"
#include "port.h"
#include "vcpu.h"
#include "vm.h"

static atomic_t vms_attached = ATOMIC_INIT(0);

u32 elisa_vms_attached(void)
{
	return atomic_read(&vms_attached);
}

void elisa_vms_count(int change)
{
	atomic_add(change, &vms_attached);
}

static void vm_free(struct kref *references)
{
	struct elisa_vm *vm = container_of(references, struct elisa_vm, references);

	elisa_domain_put(vm->domain);
	kfree(vm);
}

void elisa_vm_get(struct elisa_vm *vm)
{
	kref_get(&vm->references);
}

void elisa_vm_put(struct elisa_vm *vm)
{
	kref_put(&vm->references, vm_free);
}

struct elisa_events *elisa_vm_events(struct elisa_vm *vm)
{
	return &vm->domain->events;
}

struct elisa_vm *elisa_vm_create(struct elisa_domain *domain)
{
	struct elisa_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);

	if (!vm)
		return NULL;
	kref_init(&vm->references);
	INIT_LIST_HEAD(&vm->link);
	INIT_LIST_HEAD(&vm->vcpus);
	mutex_init(&vm->register_lock);
	elisa_domain_get(domain);
	vm->domain = domain;
	return vm;
}

static void forget_vcpu(struct elisa_vcpu *vcpu)
{
	unsigned long flags;

	spin_lock_irqsave(&vcpu->lock, flags);
	vcpu->vm = NULL;
	spin_unlock_irqrestore(&vcpu->lock, flags);
}

static void remove_vcpu(struct elisa_vm *vm, struct elisa_vcpu *vcpu)
{
	mutex_lock(&vm->domain->finish_lock);
	vm->domain->vcpus[vcpu->number] = NULL;
	list_del_init(&vcpu->link);
	mutex_unlock(&vm->domain->finish_lock);
}

/* The vCPUs have been outside since their gates were closed; KVM may be running them. */
static void detach_vcpus(struct elisa_vm *vm)
{
	struct elisa_vcpu *vcpu, *next;

	list_for_each_entry(vcpu, &vm->vcpus, link) {
		vcpu->retiring = vcpu->contexts;
		WRITE_ONCE(vcpu->contexts, NULL);
	}
	list_for_each_entry(vcpu, &vm->vcpus, link)
		elisa_grace_quiesce(vcpu);
	synchronize_rcu();
	list_for_each_entry_safe(vcpu, next, &vm->vcpus, link) {
		forget_vcpu(vcpu);
		remove_vcpu(vm, vcpu);
		elisa_contexts_destroy(vcpu->retiring);
		vcpu->retiring = NULL;
		elisa_vm_put(vm);
	}
}

void elisa_vm_retire(struct elisa_vm *vm)
{
	struct elisa_vcpu *vcpu;

	if (vm->retired)
		return;
	vm->retired = true;
	list_for_each_entry(vcpu, &vm->vcpus, link)
		WRITE_ONCE(vcpu->closing, true);
	elisa_ports_release(vm->domain, vm->ports, ELISA_PORT_EVICT);
	detach_vcpus(vm);
	list_del_init(&vm->link);
	elisa_vms_count(-1);
}

void elisa_vm_vcpu_lost(struct elisa_vcpu *vcpu)
{
	struct elisa_vm *vm = elisa_vcpu_vm_get(vcpu);

	if (!vm)
		return;
	mutex_lock(&vm->domain->lock);
	if (vcpu->vm) {
		remove_vcpu(vm, vcpu);
		elisa_vcpu_event(vcpu, ELISA_EVENT_VCPU_LOST, 0);
	}
	mutex_unlock(&vm->domain->lock);
	elisa_vm_put(vm);
}

void elisa_vm_vcpu_freed(struct elisa_vcpu *vcpu)
{
	struct elisa_vm *vm = elisa_vcpu_vm_get(vcpu);

	if (!vm)
		return;
	mutex_lock(&vm->domain->lock);
	forget_vcpu(vcpu);
	elisa_contexts_destroy(vcpu->contexts);
	vcpu->contexts = NULL;
	if (list_empty(&vm->vcpus) && !vm->retired) {
		elisa_vm_retire(vm);
		elisa_events_post(elisa_vm_events(vm), ELISA_EVENT_VM_GONE, ELISA_EVENT_NONE,
				  vcpu->number, 0);
	}
	elisa_domain_unlock(vm->domain);
	elisa_vm_put(vm); /* the vCPU's */
	elisa_vm_put(vm);
}

static struct elisa_admission *find_admission(struct elisa_vm *vm, u64 root)
{
	u32 i;

	for (i = 0; i < ELISA_MAX_ROOTS; i++) {
		if (vm->admissions[i].used && vm->admissions[i].root == root)
			return &vm->admissions[i];
	}
	return NULL;
}

/* Those of all its vCPUs, in vm->contexts; how many. */
static u32 gather_contexts(struct elisa_vm *vm)
{
	struct elisa_vcpu *vcpu;
	u32 count = 0;

	list_for_each_entry(vcpu, &vm->vcpus, link)
		vm->contexts[count++] = vcpu->contexts;
	return count;
}

static void end_admission(struct elisa_vm *vm, struct elisa_admission *admission)
{
	elisa_contexts_evict(vm->contexts, gather_contexts(vm), elisa_gpa(admission->root));
	admission->used = false;
}

/* A place for one more process, if need be that of one which has no port. */
static struct elisa_admission *free_admission(struct elisa_vm *vm)
{
	u32 i;

	for (i = 0; i < ELISA_MAX_ROOTS; i++) {
		if (!vm->admissions[i].used)
			return &vm->admissions[i];
	}
	for (i = 0; i < ELISA_MAX_ROOTS; i++) {
		if (!vm->admissions[i].ports) {
			end_admission(vm, &vm->admissions[i]);
			return &vm->admissions[i];
		}
	}
	return NULL;
}

static int begin_admission(struct elisa_vm *vm, u64 root)
{
	struct elisa_admission *admission = free_admission(vm);
	int error;

	if (!admission)
		return -ENOSPC;
	error = elisa_contexts_admit(vm->contexts, gather_contexts(vm), elisa_gpa(root));
	if (!error)
		*admission = (struct elisa_admission){.root = root, .used = true};
	return error;
}

int elisa_vm_admit(struct elisa_vm *vm, u64 root, u32 port)
{
	int error = find_admission(vm, root) ? 0 : begin_admission(vm, root);

	if (!error)
		find_admission(vm, root)->ports |= BIT_ULL(port);
	return error;
}

void elisa_vm_orphan(struct elisa_vm *vm, u64 root, u32 port)
{
	struct elisa_admission *admission = find_admission(vm, root);

	if (admission)
		admission->ports &= ~BIT_ULL(port);
}

bool elisa_vm_has_orphan(struct elisa_vm *vm, u64 root)
{
	struct elisa_admission *admission = find_admission(vm, root);

	return admission && !admission->ports;
}

bool elisa_vm_evict_orphan(struct elisa_vm *vm, u64 root)
{
	if (!elisa_vm_has_orphan(vm, root))
		return false;
	end_admission(vm, find_admission(vm, root));
	return true;
}

void elisa_vm_evict(struct elisa_vm *vm, u64 root, u32 port)
{
	elisa_vm_orphan(vm, root, port);
	elisa_vm_evict_orphan(vm, root);
}

void elisa_vm_process_failed(struct elisa_vm *vm, u64 root)
{
	struct elisa_admission *admission;

	mutex_lock(&vm->domain->lock);
	admission = vm->retired ? NULL : find_admission(vm, root);
	if (admission && admission->ports)
		elisa_ports_release(vm->domain, admission->ports, ELISA_PORT_EVICT);
	else if (admission)
		end_admission(vm, admission);
	elisa_domain_unlock(vm->domain);
}

void elisa_vm_show_ports(struct elisa_vm *vm)
{
	struct elisa_vcpu *vcpu;

	list_for_each_entry(vcpu, &vm->vcpus, link)
		elisa_contexts_set_ports(vcpu->contexts, vm->claimed);
}

static long vcpu_stats(struct elisa_vm *vm, void __user *user)
{
	struct elisa_vcpu_stats stats;
	struct elisa_vcpu *vcpu;
	u32 wanted;
	u32 held;

	if (copy_from_user(&stats, user, sizeof(stats)))
		return -EFAULT;
	if (stats.version != ELISA_UAPI_VERSION)
		return -EINVAL;
	wanted = stats.vcpu;
	mutex_lock(&vm->domain->finish_lock);
	list_for_each_entry(vcpu, &vm->vcpus, link) {
		if (vcpu->kvm_vcpu->vcpu_idx == wanted)
			break;
	}
	if (list_entry_is_head(vcpu, &vm->vcpus, link)) {
		mutex_unlock(&vm->domain->finish_lock);
		return -ENOENT;
	}
	stats = vcpu->stats;
	stats.tsc_scaled = elisa_kvm_tsc_scaled(vcpu->kvm_vcpu);
	stats.tsc_offset = stats.tsc_scaled ? 0 : elisa_kvm_tsc_offset(vcpu->kvm_vcpu);
	held = READ_ONCE(vcpu->held);
	mutex_unlock(&vm->domain->finish_lock);
	stats.version = ELISA_UAPI_VERSION;
	stats.vcpu = wanted;
	stats.held = held;
	return copy_to_user(user, &stats, sizeof(stats)) ? -EFAULT : 0;
}

static void revoke(struct elisa_vm *vm)
{
	mutex_lock(&vm->domain->lock);
	elisa_vm_retire(vm);
	WRITE_ONCE(vm->revoked, true);
	elisa_domain_unlock(vm->domain);
}

static long vm_revoke(struct elisa_vm *vm, void __user *user)
{
	int error = elisa_revoke_check(user);

	if (!error)
		revoke(vm);
	return error;
}

static long vm_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct elisa_vm *vm = file->private_data;

	if (!elisa_domain_is_owner(vm->domain))
		return -EPERM;
	if (READ_ONCE(vm->revoked))
		return -ENODEV;
	switch (command) {
	case ELISA_IOC_PORT_ADD:
		return elisa_port_add(vm, (void __user *)argument);
	case ELISA_IOC_VM_VCPU_STATS:
		return vcpu_stats(vm, (void __user *)argument);
	case ELISA_IOC_REVOKE:
		return vm_revoke(vm, (void __user *)argument);
	default:
		return -ENOTTY;
	}
}

static int vm_release(struct inode *inode, struct file *file)
{
	struct elisa_vm *vm = file->private_data;

	revoke(vm);
	elisa_vm_put(vm);
	return 0;
}

static const struct file_operations vm_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vm_ioctl,
	.release = vm_release,
	.llseek = noop_llseek,
};

struct file *elisa_vm_file(struct elisa_vm *vm)
{
	return anon_inode_getfile("[elisa-vm]", &vm_operations, vm, O_RDWR);
}
