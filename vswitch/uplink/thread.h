/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * thread.h - what the drivers' code finds at %fs: a constant thread block in RODATA, with
 * rte_lcore_id() = LCORE_ID_ANY and the stack protector's value.
 *
 * The guest's FS base is kept at ELISA_OFFSET_KEPT_FS_BASE meanwhile: whoever throws the vCPU out
 * gives it back. Only for a vCPU whose guest has switched the instructions on (CR4.FSGSBASE):
 * ELISA_IDENTITY_FSGSBASE says so, as of the vCPU's last entry. A guest that switches them off
 * behind the module's back, or RDTSC, hurts only itself: it is thrown out here, with nothing in its
 * hands, for which one enters before a queue is taken. Not to be nested.
 */
#ifndef ELISA_UPLINK_THREAD_H
#define ELISA_UPLINK_THREAD_H

void elisa_thread_enter(void);
void elisa_thread_leave(void);

#endif
