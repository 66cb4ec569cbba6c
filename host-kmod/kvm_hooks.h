/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kvm_hooks.h - wrapping stock KVM's static calls, and what of a VM speaks against attaching it.
 */
#ifndef ELISA_KMOD_KVM_HOOKS_H
#define ELISA_KMOD_KVM_HOOKS_H

#include <linux/kvm_host.h>
#include <elisa/uapi.h>

/*
 * -ENODEV	kvm_intel is not loaded (nothing is hooked; remove is allowed)
 * -ENOENT	this KVM lacks a static call that the module wraps	-EBUSY
 */
int elisa_hooks_install(void);

/* On return no thread is in a hook, and none will be. */
void elisa_hooks_remove(void);

/*
 * Why this VM cannot be attached. Under kvm->lock. Inhibits APICv, for as long as the VM lives,
 * when it answers ELISA_REFUSED_NOT.
 */
enum elisa_refusal elisa_kvm_refusal(struct kvm *kvm, u64 window);

#endif
