/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vm.h - a virtual machine of KVM's joined to a domain, and the guest processes admitted in it.
 *
 * References: the vm's file, each of its vCPUs, each port. The domain's lock covers all of it but
 * register_lock; vcpus changes under its finish_lock too.
 * It holds no reference to KVM's VM, which lives as long as its VMM wants.
 */
#ifndef ELISA_KMOD_VM_H
#define ELISA_KMOD_VM_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <elisa/layout.h>
#include <elisa/uapi.h>

#include "gate/contexts.h"

struct elisa_domain;
struct elisa_events;
struct elisa_vcpu;
struct file;

/*
 * A guest process that may use the gate. With no port left (its port was deleted, it has not said
 * bye) it stays admitted, so that its calls get an error and not a #GP, until its place is needed.
 */
struct elisa_admission {
	u64 root;  /* CR3, bits 51:12 */
	u64 ports; /* that it has claimed */
	bool used;
};

struct elisa_vm {
	struct kref references;
	struct elisa_domain *domain; /* a reference */
	struct mutex register_lock;  /* one REGISTER at a time pins memory; before domain->lock */
	struct list_head link;       /* domain->vms */
	struct list_head vcpus;
	bool retired; /* detached, or KVM's VM is gone: never used again */
	bool revoked; /* by the daemon; retired too */
	u64 ports;    /* numbers of its ports that exist */
	u64 claimed;  /* of them, claimed */
	struct elisa_admission admissions[ELISA_MAX_ROOTS];
	struct elisa_contexts *contexts[ELISA_MAX_VCPUS]; /* room for gather_contexts() */
};

void elisa_vm_get(struct elisa_vm *vm);
void elisa_vm_put(struct elisa_vm *vm);
struct elisa_events *elisa_vm_events(struct elisa_vm *vm);

/* A new vm without vCPUs. Takes a reference to the domain. NULL: no memory. */
struct elisa_vm *elisa_vm_create(struct elisa_domain *domain);

/* Its file, which takes the caller's reference when it succeeds: closing it retires the vm. */
struct file *elisa_vm_file(struct elisa_vm *vm);

/* All below: under domain->lock. */

/* Take the vm out of service: ports released, gates closed, contexts freed. Again: nothing. */
void elisa_vm_retire(struct elisa_vm *vm);

/* Add a claimed port to a process's admission. -ENOSPC, -ERANGE (root in the window), -ENOMEM. */
int elisa_vm_admit(struct elisa_vm *vm, u64 root, u32 port);

/* The process gives the port back; without another it is not admitted any more. */
void elisa_vm_evict(struct elisa_vm *vm, u64 root, u32 port);

/* The port is deleted: the process stays admitted. */
void elisa_vm_orphan(struct elisa_vm *vm, u64 root, u32 port);

/* Is there an admission without ports for this root? */
bool elisa_vm_has_orphan(struct elisa_vm *vm, u64 root);

/* The same, and then it ends. */
bool elisa_vm_evict_orphan(struct elisa_vm *vm, u64 root);

/* A process was thrown out: it loses its ports and its admission. Takes domain->lock itself. */
void elisa_vm_process_failed(struct elisa_vm *vm, u64 root);

/* vCPU hooks. Take domain->lock themselves. */
void elisa_vm_vcpu_lost(struct elisa_vcpu *vcpu);  /* before KVM clears its VMCS */
void elisa_vm_vcpu_freed(struct elisa_vcpu *vcpu); /* after */

/* Write the identity pages of all its vCPUs. */
void elisa_vm_show_ports(struct elisa_vm *vm);

/* VMs attached now, all domains. */
u32 elisa_vms_attached(void);
void elisa_vms_count(int change);

#endif
