/* SPDX-License-Identifier: GPL-2.0-only */
/* hypercall.h - what guest processes ask for with VMCALL. */
#ifndef ELISA_KMOD_HYPERCALL_H
#define ELISA_KMOD_HYPERCALL_H

#include <linux/types.h>

struct elisa_vcpu;

/* Is the VMCALL that the vCPU exited with one of ours? In handle_exit. */
bool elisa_hypercall_is_ours(struct elisa_vcpu *vcpu);

/* Answer it, in handle_exit: RAX is the result. Returns what handle_exit returns. May sleep. */
int elisa_hypercall(struct elisa_vcpu *vcpu);

#endif
