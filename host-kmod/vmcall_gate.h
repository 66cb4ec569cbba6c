/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmcall_gate.h - gate=vmcall: gate calls that come as VMCALL, for which the host runs the datapath.
 *
 * A baseline to measure the VMFUNC gate against, off unless the module is loaded with vmcall_gate=1:
 * all VMs' memory is then mapped in the kernel, and nothing is isolated from it. Captures and uplinks
 * are not there. Both gates may be used on one switch at once.
 */
#ifndef ELISA_KMOD_VMCALL_GATE_H
#define ELISA_KMOD_VMCALL_GATE_H

#include <linux/types.h>

struct elisa_domain;
struct elisa_vcpu;
struct elisa_vmcall_gate;
struct elisa_workspace;

/* A domain's; NULL when the gate is off. -ENOMEM. May sleep. */
int elisa_vmcall_gate_create(struct elisa_vmcall_gate **gate);
void elisa_vmcall_gate_destroy(struct elisa_vmcall_gate *gate);

/* A vCPU's, to be freed with kvfree(); NULL when the gate is off. -ENOMEM. May sleep. */
int elisa_vmcall_gate_workspace(struct elisa_workspace **workspace);

/*
 * Bring the gate's own port maps up to date with the domain's: after a change that shows something,
 * and after one that hides something, before the grace period. Under domain->lock.
 */
void elisa_vmcall_gate_sync(struct elisa_domain *domain);

/*
 * One gate call (elisa/ring.h) of the process with CR3 `root`. In handle_exit, without locks.
 *	-ENOSYS	the gate is off
 */
s64 elisa_vmcall_gate_call(struct elisa_vcpu *vcpu, u64 root, u64 operation, u64 first, u64 second);

#endif
