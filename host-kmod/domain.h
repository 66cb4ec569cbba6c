/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * domain.h - a domain: one switch, one trusted page table.
 *
 * References: the domain's file, each vm and each port. Lock order: domains_lock (domain.c),
 * vm->register_lock, domain->lock, kvm->lock, domain->finish_lock; mmap_lock.
 */
#ifndef ELISA_KMOD_DOMAIN_H
#define ELISA_KMOD_DOMAIN_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <elisa/layout.h>
#include <elisa/uapi.h>

#include "events.h"
#include "window.h"

struct elisa_domain_tables;
struct elisa_port;
struct elisa_vcpu;
struct elisa_vmcall_gate;

struct elisa_domain {
	struct kref references;
	struct list_head link;   /* all domains */
	struct mm_struct *owner; /* held; changes with elisa_domain_adopt(), under lock */
	char name[ELISA_NAME_SIZE];
	struct elisa_events events;            /* has its own lock */
	struct elisa_vmcall_gate *vmcall_gate; /* NULL: the module was loaded without */

	struct mutex lock; /* all below, and vms, ports and vCPUs of the domain */
	bool closed;       /* revoked, or its file is gone */
	struct elisa_domain_tables *tables;
	struct list_head objects;  /* struct elisa_memory of the daemon, see objects.c */
	struct list_head unpinned; /* struct elisa_memory: what elisa_domain_unlock() releases */
	struct elisa_window window;
	struct list_head vms;
	struct elisa_vcpu *vcpus[ELISA_MAX_VCPUS];
	struct elisa_port *ports[ELISA_MAX_PORTS];
	struct elisa_port_map *port_maps[ELISA_MAX_PORTS]; /* two pages each */
	u64 grace_number;

	/*
	 * Held for a few stores: vcpus, ports, and the ports' regions and receive rings change under
	 * both locks. So the daemon looks after a lost vCPU under this one, however long a guest makes
	 * a holder of the other wait.
	 */
	struct mutex finish_lock;
};

/* The domain's next vCPU from number *i on, or NULL. */
static inline struct elisa_vcpu *elisa_domain_next_vcpu(struct elisa_domain *domain, u32 *i)
{
	for (; *i < ELISA_MAX_VCPUS; (*i)++) {
		if (domain->vcpus[*i])
			return domain->vcpus[*i];
	}
	return NULL;
}

#define elisa_domain_for_each_vcpu(domain, i, vcpu) \
	for ((i) = 0; ((vcpu) = elisa_domain_next_vcpu(domain, &(i))) != NULL; (i)++)

/* Makes a domain, returns its file descriptor. `name` is NUL-terminated. */
int elisa_domain_open(const char *name);

/*
 * DOMAIN_ADOPT of the domain behind the caller's descriptor `fd`: the calling process owns it from now
 * on. -EBADF, -EBUSY, -ENODEV.
 */
int elisa_domain_adopt(int fd);

/* REVOKE's argument: 0, -EFAULT, -EINVAL. */
int elisa_revoke_check(void __user *user);

/*
 * Gives domain->lock back, then releases what was unpinned under it: that takes long for a guest's
 * GiBs. Wherever the ports' regions can have been taken back.
 */
void elisa_domain_unlock(struct elisa_domain *domain);

void elisa_domain_get(struct elisa_domain *domain);
void elisa_domain_put(struct elisa_domain *domain);

/* Whether the calling process owns the domain: the only one whose calls are answered. */
static inline bool elisa_domain_is_owner(const struct elisa_domain *domain)
{
	return current->mm == READ_ONCE(domain->owner);
}

/* INVEPT of every vCPU's trusted context, after something was unmapped. Under domain->lock. */
void elisa_domain_invalidate(struct elisa_domain *domain);

/* W. */
u64 elisa_window_gpa(void);

#endif
