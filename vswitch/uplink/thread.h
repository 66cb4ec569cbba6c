/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * thread.h - what the drivers' code finds at %fs: a constant thread block in RODATA, with
 * rte_lcore_id() = LCORE_ID_ANY and the stack protector's value.
 *
 * The guest's FS base is kept at ELISA_OFFSET_KEPT_FS_BASE meanwhile: whoever throws the vCPU out
 * gives it back. Enter before a queue is taken, because a guest may have switched the instructions
 * off (CR4.FSGSBASE), or RDTSC: it is then thrown out here, with nothing in its hands. Not to be nested.
 */
#ifndef ELISA_UPLINK_THREAD_H
#define ELISA_UPLINK_THREAD_H

void elisa_thread_enter(void);
void elisa_thread_leave(void);

#endif
