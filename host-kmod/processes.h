/* SPDX-License-Identifier: GPL-2.0-only */
/* processes.h - guest processes that ended without a bye: see processes.c. */
#ifndef ELISA_KMOD_PROCESSES_H
#define ELISA_KMOD_PROCESSES_H

struct elisa_vcpu;
struct elisa_vm;
struct kvm_vcpu;

/* Take back the ports of the VM's processes that are gone. In a vCPU's thread, domain->lock held. */
void elisa_processes_reap(struct elisa_vm *vm, struct kvm_vcpu *kvm_vcpu);

/* The same, at most once a second for each vCPU. From its handle_exit hook, outside the contexts. */
void elisa_processes_check(struct elisa_vcpu *vcpu);

#endif
