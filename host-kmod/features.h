/* SPDX-License-Identifier: GPL-2.0-only */
/* features.h - what the CPU must have, and has not. */
#ifndef ELISA_KMOD_FEATURES_H
#define ELISA_KMOD_FEATURES_H

#include <linux/types.h>

/* Look once, at load. `kvm_intel`: is stock KVM for VMX loaded and hooked? */
void elisa_features_init(bool kvm_intel);

/* ELISA_MISSING_* */
u32 elisa_features_missing(void);

#endif
