/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest.h - addresses in the bare guest, for its assembly and for the VMM that fills it.
 *
 * Guest-physical = guest-virtual below GUEST_MEMORY, user pages all; the second half of it is also
 * mapped with 4 KiB pages at GUEST_SMALL_PAGES.
 */
#ifndef ELISA_TEST_GUEST_H
#define ELISA_TEST_GUEST_H

#define GUEST_MEMORY 0x800000
#define GUEST_GDT 0x1000
#define GUEST_IDT 0x2000
#define GUEST_TSS 0x3000
#define GUEST_MAILBOX 0x4000
#define GUEST_DUMP 0x5000
#define GUEST_ARGUMENT 0x6000
#define GUEST_TABLES 0x10000     /* the admitted root */
#define GUEST_OTHER_ROOT 0x20000 /* the same page table under another root */
#define GUEST_STUB_PAGES 0x30000 /* CALL_STUB's, then LIST's */
#define GUEST_KERNEL_STACK 0x80000
#define GUEST_USER_STACK 0x90000
#define GUEST_STACK_SIZE 0x4000 /* below each of these, one for each vCPU */
#define GUEST_CODE 0x100000
#define GUEST_PROGRAM 0x110000       /* a program of tests/attack/guest, to GUEST_REGION */
#define GUEST_REGION 0x200000        /* to be registered: 2 MiB */
#define GUEST_SMALL_PAGES 0x40000000 /* maps 0x400000.. with 4 KiB pages: 2 MiB */
#define GUEST_SMALL_PHYSICAL 0x400000
#define GUEST_APIC 0xfee00000

#define GUEST_CALL_STUB 0x48000000fff6 /* ELISA_GVA(ELISA_OFFSET_GATE) - size of the stub */

#define GUEST_GATE_CALL 0xe115a5771c4c0009 /* ELISA_HYPERCALL(ELISA_HC_GATE_CALL) */

#define GUEST_PORT_RETURNED 0xf4
#define GUEST_PORT_FAULT 0xf5
#define GUEST_TIMER_VECTOR 0x40
#define GUEST_EXCEPTION_SIZE 16

/* In the mailbox. */
#define GUEST_FAULT_VECTOR 0x00
#define GUEST_FAULT_ERROR 0x08
#define GUEST_FAULT_RIP 0x10
#define GUEST_FAULT_RSP 0x18
#define GUEST_FAULT_RAX 0x20
#define GUEST_INTERRUPTS 0x28
#define GUEST_INTERRUPTED_RIP 0x30
#define GUEST_NMIS 0x38

#endif
