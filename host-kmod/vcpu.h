/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vcpu.h - what the module keeps for each vCPU of an attached VM, from its first attachment until
 * KVM frees the vCPU. In between it may belong to no VM of ours (detached): then its gate is closed.
 *
 * Who writes what:
 *	the vCPU's own thread (hooks)	context, parked, the VMCS, the list page, statistics,
 *					held := THROWN_OUT
 *	whoever holds domain->lock	contexts, vm, number, closing, grace_wanted,
 *					held := EVICTED with that state
 *	whoever holds its finish_lock	held := NOT
 *	both				state, see enum elisa_vcpu_state
 */
#ifndef ELISA_KMOD_VCPU_H
#define ELISA_KMOD_VCPU_H

#include <linux/atomic.h>
#include <linux/kvm_host.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <elisa/uapi.h>

struct elisa_contexts;
struct elisa_vm;
struct elisa_workspace;

/*
 *	QUIET --enter--> RUNNING --exit--> QUIET (in the default context)
 *	                                   PARKED (in another) --enter--> RUNNING
 *	PARKED --grace period runs out--> CONDEMNED --enter--> thrown out, RUNNING
 *	PARKED, CONDEMNED --evict--> EVICTED --enter--> thrown out, RUNNING
 *
 * A vCPU that is QUIET, CONDEMNED or EVICTED executes nothing inside, and sees every store made
 * before its state was read when it enters next: enter exchanges the state, a full barrier. One
 * that is EVICTED is held, and the daemon knows; a CONDEMNED one will be when it is thrown out.
 */
enum elisa_vcpu_state {
	ELISA_VCPU_QUIET,
	ELISA_VCPU_RUNNING,
	ELISA_VCPU_PARKED,
	ELISA_VCPU_CONDEMNED,
	ELISA_VCPU_EVICTED,
};

/* Where a vCPU stood when it was parked inside a context. Changed by anybody: thrown out. */
struct elisa_parked {
	u64 rip;
	u64 rsp;
	u64 cr3;
	u64 cs;
	u64 cs_rights;
	u64 fs_base;
};

struct elisa_vcpu {
	struct hlist_node node; /* RCU */
	struct rcu_head rcu;
	struct kvm_vcpu *kvm_vcpu;
	struct list_head link; /* vm->vcpus */

	spinlock_t lock;                 /* vm, against a hook that wants to use it; EVICTED */
	struct elisa_vm *vm;             /* a reference; NULL: detached */
	struct elisa_contexts *contexts; /* NULL: detached */
	struct elisa_contexts *retiring; /* what contexts was, until it is freed */
	u32 number;                      /* in the domain */
	bool closing;                    /* no way in any more */
	u32 held; /* enum elisa_held: no way in until the daemon has finished its journal */

	atomic_t state;
	unsigned long entries; /* counted up with each entry */
	u64 grace_wanted;      /* number of the latest grace period */
	u64 grace_seen;        /* the latest in or before which the vCPU was seen outside */

	u32 context;       /* ELISA_CONTEXT_*; 0: the default one */
	u32 masked;        /* window exits held back during this entry */
	bool trap;         /* slot 0 is empty during this entry */
	bool init_waits;   /* an INIT, until it has returned; also set by other threads */
	bool open;         /* of the gate */
	bool reset_wanted; /* the contexts' pages, before the next entry */
	u64 kvm_eptp;      /* during this entry */
	u64 list;          /* host-physical address in the VMCS */
	struct elisa_contexts *entered; /* contexts of this entry */
	struct elisa_parked parked;
	bool vectors_saved; /* parked in the trusted context: KVM may have a copy of its XMM registers */
	u64 kept_fs_base; /* the guest's, as the contexts' stack had it when the vCPU was parked */

	unsigned long next_check; /* jiffies: of the VM's processes */
	bool process_failed;      /* its ports are to be taken back */
	u64 failed_root;

	struct elisa_workspace *workspace; /* of the VMCALL gate; NULL without it */
	struct elisa_vcpu_stats stats;
};

/* The page for vCPUs without contexts: an EPTP list with nothing in it. */
int elisa_vcpus_init(void);
void elisa_vcpus_exit(void);

/*
 * Find what belongs to KVM's vCPU, NULL if nothing does. Any hook of that vCPU; what is returned
 * stays until that vCPU's vcpu_free hook.
 */
struct elisa_vcpu *elisa_vcpu_find(struct kvm_vcpu *kvm_vcpu);

/* As elisa_vcpu_find(), made if it is not there. NULL: no memory. Holds a module reference. */
struct elisa_vcpu *elisa_vcpu_obtain(struct kvm_vcpu *kvm_vcpu);

/* From the vcpu_free hook, after KVM has freed the VMCS. */
void elisa_vcpu_free(struct elisa_vcpu *vcpu);

/* A reference to its VM, or NULL when detached. */
struct elisa_vm *elisa_vcpu_vm_get(struct elisa_vcpu *vcpu);

/* Post an event to the vCPU's domain, if it has one. Any context. */
void elisa_vcpu_event(struct elisa_vcpu *vcpu, u32 type, u32 reason);

/* The two halves of the vcpu_run hook. Interrupts off, VMCS current. */
void elisa_vcpu_enter(struct elisa_vcpu *vcpu);
void elisa_vcpu_leave(struct elisa_vcpu *vcpu);

/*
 * The host begins to do in a vCPU's thread what the vCPU would have done inside: until
 * elisa_vcpu_outside(), grace periods wait for it. Returns its contexts, which stay until then; NULL:
 * detached, it is outside. In handle_exit.
 */
struct elisa_contexts *elisa_vcpu_begin_in_host(struct elisa_vcpu *vcpu);

/* The vCPU, inside a context until now, is outside: finished by the module, not by VMFUNC. */
void elisa_vcpu_outside(struct elisa_vcpu *vcpu);

/*
 * Parked, or condemned: from now on it is out, held on that account, and the daemon is told. False: it
 * was not. Under domain->lock, or in the vCPU's thread.
 */
bool elisa_vcpu_evict(struct elisa_vcpu *vcpu, enum elisa_held held);

/* Remember where a vCPU stands that stays inside. VMCS current. */
void elisa_vcpu_park(struct elisa_vcpu *vcpu);

/*
 * May this vCPU, as it is now, use the gate: 64-bit mode, 4-level paging, descriptor tables outside
 * the window, no processor trace of the guest's own (kvm_intel.pt_mode=1)? VMCS current.
 */
bool elisa_vcpu_mode_fits(struct elisa_vcpu *vcpu);

#endif
