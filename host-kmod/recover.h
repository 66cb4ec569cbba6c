/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * recover.h - taking a vCPU out of a context by force.
 *
 * After either function the vCPU is in the default context, its registers hold nothing of the
 * switch, a #GP is on its way to the caller of the gate, and the ports of the process that was
 * inside are to be taken back (elisa_vcpu.process_failed, at the next exit that may sleep).
 */
#ifndef ELISA_KMOD_RECOVER_H
#define ELISA_KMOD_RECOVER_H

#include <linux/types.h>

struct elisa_vcpu;

/*
 * The FS base that the vCPU had when it was parked is the guest's again, if trusted code had put
 * another in place and user space did not since. Part of both functions below. VMCS current.
 */
void elisa_recover_fs_base(struct elisa_vcpu *vcpu);

/* In handle_exit, for an exit that has no place inside. `reason` is the basic exit reason. */
void elisa_recover_at_exit(struct elisa_vcpu *vcpu, u32 reason);

/*
 * In vcpu_run, interrupts off: the vCPU must not go on where it was parked. `evicted`: by
 * elisa_vcpu_evict(), which has held it and told the daemon.
 */
void elisa_recover_before_entry(struct elisa_vcpu *vcpu, bool evicted);

#endif
