// SPDX-License-Identifier: GPL-2.0-only
/*
 * domain.c - a domain's file: made, asked, adopted, and taken down; its vCPUs as the daemon sees them.
 *
 * Called by main.c and through the file.
 */
#include <linux/anon_inodes.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/uaccess.h>
#include <elisa/version.h>

#include "attach.h"
#include "compat.h"
#include "domain.h"
#include "gate/contexts.h"
#include "gate/domain_tables.h"
#include "gate/prove.h"
#include "grace.h"
#include "memory.h"
#include "objects.h"
#include "vcpu.h"
#include "vm.h"
#include "vmcall_gate.h"

#define PORT_MAP_PAGES (sizeof(struct elisa_port_map) / ELISA_PAGE_SIZE)
#define PROOF_ATTEMPTS 10

static LIST_HEAD(domains);
static DEFINE_MUTEX(domains_lock);

u64 elisa_window_gpa(void)
{
	return (1ull << min_t(u32, boot_cpu_data.x86_phys_bits, 48)) - ELISA_WINDOW_SIZE;
}

void elisa_domain_get(struct elisa_domain *domain)
{
	kref_get(&domain->references);
}

void elisa_domain_unlock(struct elisa_domain *domain)
{
	struct elisa_memory *memory, *next;
	LIST_HEAD(unpinned);

	list_splice_init(&domain->unpinned, &unpinned);
	mutex_unlock(&domain->lock);
	list_for_each_entry_safe(memory, next, &unpinned, link)
		elisa_memory_release(memory);
}

static void free_port_maps(struct elisa_domain *domain)
{
	u32 i;

	for (i = 0; i < ELISA_MAX_PORTS; i++) {
		if (domain->port_maps[i])
			free_pages_exact(domain->port_maps[i], sizeof(struct elisa_port_map));
	}
}

static void domain_free(struct kref *references)
{
	struct elisa_domain *domain = container_of(references, struct elisa_domain, references);

	elisa_vmcall_gate_destroy(domain->vmcall_gate);
	elisa_domain_tables_destroy(domain->tables);
	free_port_maps(domain);
	mmdrop(domain->owner);
	kfree(domain);
}

void elisa_domain_put(struct elisa_domain *domain)
{
	kref_put(&domain->references, domain_free);
}

static int map_port_maps(struct elisa_domain *domain)
{
	u32 i, page;
	int error;

	error = elisa_domain_tables_prepare(domain->tables, ELISA_OFFSET_PORT_MAPS,
					    ELISA_MAX_PORTS * sizeof(struct elisa_port_map),
					    ELISA_PAGE_SIZE);
	if (error)
		return error;
	for (i = 0; i < ELISA_MAX_PORTS; i++) {
		domain->port_maps[i] = alloc_pages_exact(sizeof(struct elisa_port_map),
							 GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!domain->port_maps[i])
			return -ENOMEM;
		for (page = 0; page < PORT_MAP_PAGES; page++)
			elisa_domain_tables_commit(
				domain->tables,
				ELISA_OFFSET_PORT_MAPS +
					(i * PORT_MAP_PAGES + page) * ELISA_PAGE_SIZE,
				elisa_hpa(__pa(domain->port_maps[i]) + page * ELISA_PAGE_SIZE),
				ELISA_PAGE_SIZE, ELISA_EPT_READ);
	}
	return 0;
}

static struct elisa_domain *domain_create(const char *name, int *error)
{
	struct elisa_domain *domain = kzalloc(sizeof(*domain), GFP_KERNEL_ACCOUNT);

	*error = -ENOMEM;
	if (!domain)
		return NULL;
	kref_init(&domain->references);
	mutex_init(&domain->lock);
	mutex_init(&domain->finish_lock);
	INIT_LIST_HEAD(&domain->objects);
	INIT_LIST_HEAD(&domain->unpinned);
	INIT_LIST_HEAD(&domain->vms);
	elisa_events_init(&domain->events);
	elisa_window_init(&domain->window);
	strscpy(domain->name, name, sizeof(domain->name));
	domain->owner = current->mm;
	mmgrab(domain->owner);
	*error = elisa_domain_tables_create(elisa_gpa(elisa_window_gpa()), &domain->tables);
	if (!*error)
		*error = map_port_maps(domain);
	if (!*error)
		*error = elisa_vmcall_gate_create(&domain->vmcall_gate);
	if (!*error)
		return domain;
	elisa_domain_put(domain);
	return NULL;
}

static void invalidate_here(void *argument)
{
	struct elisa_domain *domain = argument;
	struct elisa_vcpu *vcpu;
	u32 i;

	elisa_domain_for_each_vcpu(domain, i, vcpu)
		elisa_invept_single(elisa_contexts_eptp(vcpu->contexts, ELISA_CONTEXT_TRUSTED));
}

/* One interrupt to each CPU, however many vCPUs: guests decide how often this is called. */
void elisa_domain_invalidate(struct elisa_domain *domain)
{
	on_each_cpu(invalidate_here, domain, 1);
}

static long domain_vcpu_reopen(struct elisa_domain *domain, void __user *user)
{
	struct elisa_domain_vcpu_reopen argument;
	struct elisa_vcpu *vcpu = NULL;

	if (copy_from_user(&argument, user, sizeof(argument)))
		return -EFAULT;
	if (argument.version != ELISA_UAPI_VERSION || argument.flags || argument.reserved)
		return -EINVAL;
	mutex_lock(&domain->finish_lock);
	if (argument.vcpu < ELISA_MAX_VCPUS)
		vcpu = domain->vcpus[array_index_nospec(argument.vcpu, ELISA_MAX_VCPUS)];
	if (vcpu) {
		WRITE_ONCE(vcpu->held, ELISA_HELD_NOT);
		/* A gate that was closed opens at an entry. */
		kvm_vcpu_kick(vcpu->kvm_vcpu);
	}
	mutex_unlock(&domain->finish_lock);
	return vcpu ? 0 : -ENOENT;
}

static long domain_vcpu_evict(struct elisa_domain *domain, void __user *user)
{
	struct elisa_domain_vcpu_evict argument;

	if (copy_from_user(&argument, user, sizeof(argument)))
		return -EFAULT;
	if (argument.version != ELISA_UAPI_VERSION || argument.flags || argument.reserved)
		return -EINVAL;
	if (argument.vcpu >= ELISA_MAX_VCPUS)
		return -ENOENT;
	return elisa_grace_evict(domain, array_index_nospec(argument.vcpu, ELISA_MAX_VCPUS));
}

/*
 * A vCPU that runs may have its list's slot 2 filled for the few instructions of the gate page, or
 * be parked there. So a finding about a vCPU that was not QUIET all the time counts only when it is
 * there at every attempt.
 */
static int prove_vcpu(struct elisa_domain *domain, struct elisa_vcpu *vcpu,
		      struct elisa_proof *proof)
{
	unsigned long entry;
	u64 entries = 0;
	int attempt, found;
	bool quiet;

	for (attempt = 0; attempt < PROOF_ATTEMPTS; attempt++) {
		entry = READ_ONCE(vcpu->entries);
		quiet = atomic_read_acquire(&vcpu->state) == ELISA_VCPU_QUIET;
		found = elisa_prove(domain->tables, vcpu->contexts, proof);
		entries += proof->entries;
		if (found <= 0 || (quiet && READ_ONCE(vcpu->entries) == entry))
			break;
		usleep_range(1000, 2000);
	}
	proof->entries = entries;
	return found;
}

static int prove(struct elisa_domain *domain, struct elisa_domain_prove *argument)
{
	struct elisa_vcpu *vcpu;
	int found = 0;
	u32 i;

	elisa_domain_for_each_vcpu(domain, i, vcpu) {
		struct elisa_proof proof = {0};

		found = prove_vcpu(domain, vcpu, &proof);
		argument->entries += proof.entries;
		if (found > 0) {
			argument->invariant = found;
			argument->vcpu = i;
			pr_err("elisa: invariant %d of vCPU %u of switch %s: %s (at %#llx)\n",
			       found, i, domain->name, proof.text, proof.address);
			return -EUCLEAN;
		}
		if (found)
			return found;
	}
	return 0;
}

static long domain_prove(struct elisa_domain *domain, void __user *user)
{
	struct elisa_domain_prove argument;
	int error;

	if (copy_from_user(&argument, user, sizeof(argument)))
		return -EFAULT;
	if (argument.version != ELISA_UAPI_VERSION || argument.flags)
		return -EINVAL;
	argument.invariant = 0;
	argument.vcpu = 0;
	argument.entries = 0;
	mutex_lock(&domain->lock);
	error = prove(domain, &argument);
	mutex_unlock(&domain->lock);
	if (copy_to_user(user, &argument, sizeof(argument)))
		return -EFAULT;
	return error;
}

static long domain_attach(struct elisa_domain *domain, void __user *user)
{
	struct elisa_vm_attach argument;
	int result;

	if (copy_from_user(&argument, user, sizeof(argument)))
		return -EFAULT;
	if (argument.version != ELISA_UAPI_VERSION ||
	    (argument.flags & ~ELISA_ATTACH_ACCEPT_SIDE_CHANNELS))
		return -EINVAL;
	argument.refusal = ELISA_REFUSED_NOT;
	result = elisa_attach(domain, &argument);
	/* A descriptor whose number cannot be told is the caller's loss: its page went away. */
	if (copy_to_user(user, &argument, sizeof(argument)) && result < 0)
		return -EFAULT;
	return result;
}

/* No context of the domain is used any more when its memory goes. Again: nothing. */
static void close_domain(struct elisa_domain *domain)
{
	struct elisa_vm *vm, *next;

	WRITE_ONCE(domain->closed, true);
	list_for_each_entry_safe(vm, next, &domain->vms, link)
		elisa_vm_retire(vm);
	elisa_objects_release(domain);
}

static void revoke(struct elisa_domain *domain)
{
	mutex_lock(&domains_lock);
	list_del_init(&domain->link);
	mutex_unlock(&domains_lock);
	mutex_lock(&domain->lock);
	close_domain(domain);
	elisa_domain_unlock(domain);
}

int elisa_revoke_check(void __user *user)
{
	struct elisa_revoke argument;

	if (copy_from_user(&argument, user, sizeof(argument)))
		return -EFAULT;
	return argument.version == ELISA_UAPI_VERSION && !argument.flags ? 0 : -EINVAL;
}

static long domain_revoke(struct elisa_domain *domain, void __user *user)
{
	int error = elisa_revoke_check(user);

	if (!error)
		revoke(domain);
	return error;
}

static long domain_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct elisa_domain *domain = file->private_data;
	void __user *user = (void __user *)argument;

	if (!elisa_domain_is_owner(domain))
		return -EPERM;
	if (READ_ONCE(domain->closed))
		return -ENODEV;
	switch (command) {
	case ELISA_IOC_DOMAIN_MAP:
		return elisa_object_map(domain, user);
	case ELISA_IOC_DOMAIN_UNMAP:
		return elisa_object_unmap(domain, user);
	case ELISA_IOC_DOMAIN_CMPXCHG64:
		return elisa_object_cmpxchg64(domain, user);
	case ELISA_IOC_DOMAIN_VCPU_REOPEN:
		return domain_vcpu_reopen(domain, user);
	case ELISA_IOC_DOMAIN_VCPU_EVICT:
		return domain_vcpu_evict(domain, user);
	case ELISA_IOC_DOMAIN_PROVE:
		return domain_prove(domain, user);
	case ELISA_IOC_VM_ATTACH:
		return domain_attach(domain, user);
	case ELISA_IOC_REVOKE:
		return domain_revoke(domain, user);
	default:
		return -ENOTTY;
	}
}

static ssize_t domain_read(struct file *file, char __user *buffer, size_t size, loff_t *position)
{
	struct elisa_domain *domain = file->private_data;

	if (!elisa_domain_is_owner(domain))
		return -EPERM;
	return elisa_events_read(&domain->events, file, buffer, size);
}

static __poll_t domain_poll(struct file *file, poll_table *table)
{
	struct elisa_domain *domain = file->private_data;

	return elisa_events_poll(&domain->events, file, table);
}

static int domain_release(struct inode *inode, struct file *file)
{
	struct elisa_domain *domain = file->private_data;

	revoke(domain);
	elisa_domain_put(domain);
	return 0;
}

static const struct file_operations domain_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = domain_ioctl,
	.read = domain_read,
	.poll = domain_poll,
	.release = domain_release,
	.llseek = noop_llseek,
};

static bool name_in_use(const char *name)
{
	struct elisa_domain *domain;

	list_for_each_entry(domain, &domains, link) {
		if (!strcmp(domain->name, name))
			return true;
	}
	return false;
}

int elisa_domain_open(const char *name)
{
	struct elisa_domain *domain;
	int result;

	domain = domain_create(name, &result);
	if (!domain)
		return result;
	mutex_lock(&domains_lock);
	if (name_in_use(name)) {
		result = -EEXIST;
		goto put;
	}
	list_add(&domain->link, &domains);
	result = anon_inode_getfd("[elisa-domain]", &domain_operations, domain, O_RDWR | O_CLOEXEC);
	if (result < 0) {
		list_del(&domain->link);
		goto put;
	}
	mutex_unlock(&domains_lock);
	return result;

put:
	mutex_unlock(&domains_lock);
	elisa_domain_put(domain);
	return result;
}

/*
 * Under domain->lock. mm_users is 0 for ever once the process is out of its memory: no thread of it can
 * make a call any more.
 */
static int take_over(struct elisa_domain *domain)
{
	struct mm_struct *before = domain->owner;

	if (domain->closed)
		return -ENODEV;
	if (before == current->mm)
		return 0;
	if (atomic_read(&before->mm_users))
		return -EBUSY;
	mmgrab(current->mm);
	WRITE_ONCE(domain->owner, current->mm);
	mmdrop(before);
	return 0;
}

int elisa_domain_adopt(int fd)
{
	struct file *file = fget(fd);
	struct elisa_domain *domain;
	int result = -EBADF;

	if (!file)
		return -EBADF;
	if (file->f_op == &domain_operations) {
		domain = file->private_data;
		mutex_lock(&domain->lock);
		result = take_over(domain);
		mutex_unlock(&domain->lock);
	}
	fput(file);
	return result;
}
