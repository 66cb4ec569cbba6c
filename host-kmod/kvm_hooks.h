/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kvm_hooks.h - wrapping stock KVM's static calls.
 */
#ifndef ELISA_KMOD_KVM_HOOKS_H
#define ELISA_KMOD_KVM_HOOKS_H

#include <linux/types.h>

/*
 * -ENODEV	kvm_intel is not loaded (nothing is hooked; remove is allowed)
 * -ENOENT	this KVM lacks a static call that the module wraps	-EBUSY
 */
int elisa_hooks_install(void);

/* On return no thread is in a hook, and none will be. */
void elisa_hooks_remove(void);

/* Whether KVM uses EPT. After elisa_hooks_install(). */
bool elisa_kvm_has_ept(void);

#endif
