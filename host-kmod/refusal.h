/* SPDX-License-Identifier: GPL-2.0-only */
/* refusal.h - what of a VM speaks against attaching it. */
#ifndef ELISA_KMOD_REFUSAL_H
#define ELISA_KMOD_REFUSAL_H

#include <linux/kvm_host.h>
#include <elisa/uapi.h>

/*
 * Why this VM cannot be attached. Under kvm->lock. Inhibits APICv, for as long as the VM lives,
 * when it answers ELISA_REFUSED_NOT.
 */
enum elisa_refusal elisa_kvm_refusal(struct kvm *kvm, u64 window);

#endif
