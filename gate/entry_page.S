/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * entry_page.S - into the trusted context and out of it: 4096 constant bytes, at the same address
 * as the gate page.
 *
 * Who can get here: only VMFUNC(0, 2) makes the trusted context current, slot 2 is filled only
 * between the gate page's store and its VMFUNC, and while a vCPU is between those it executes the
 * gate page and nothing else. So there is one way in: the gate's VMFUNC at ELISA_GATE_PAGE_VMFUNC,
 * whose next fetch is ELISA_ENTRY_PAGE_START of this page. Guest code that executes VMFUNC(0, 2)
 * itself, in the default context, at whatever address, finds slot 2 empty and exits.
 * CR3 is an admitted one: the gate page was fetched through it.
 * Inside, no branch's target comes from the guest, and only the return of the call below leads back here.
 * So this page need not withstand a start at any byte with any registers, and could not: a push stores
 * wherever RSP points.
 *
 * What the guest decides on arrival: every register but RAX (0) and RCX (2), RFLAGS, the segment
 * bases, MXCSR, debug and vector registers. So nothing here is addressed through a register before
 * it is loaded here, and nothing is believed.
 *
 *   1 Empty slot 2, before anything else: from now on the default context cannot come back.
 *   2 Keep the guest's RSP at the top of this vCPU's own stack and take that stack. From here a
 *     push works. The store needs no register: the address is fixed.
 *   3 Keep the registers that a callee keeps (System V): the guest's compiler counts on them.
 *   4 RFLAGS: DF clear as compiled code expects; AC, NT and TF clear. IF stays as the guest has it,
 *     which matters only if its IOPL lets it change IF: it would return with interrupts off.
 *   5 Call the image at TEXT with the guest's RDI, RSI and RDX, stack aligned to 16 at the call.
 *     It is built for general registers and SSE2 only, uses no FS or GS, no floating point.
 *   6 Result to RDX: RAX and RCX must be 0 for the VMFUNC.
 *   7 Give the guest its registers back, its RSP last.
 *   8 Clear all that the image may have left: the registers that a callee need not keep. The upper
 *     parts of the vector registers are the guest's own still: SSE2 does not touch them. A
 *     PXOR of each would have the bytes of IN and OUT in it.
 *   9 VMFUNC(0, 0) as the page's last three bytes: the next fetch is at LIST's address in the
 *     default context, where the guest keeps its return stub (mov %rdx,%rax; xor %edx,%edx; ret).
 *     With slot 0 empty, because the host has an event for the guest, it exits and the host
 *     finishes the switch.
 *
 * An exception anywhere here finds no handler and ends as a VM exit that the host recovers.
 *
 * test_pages_decode.c follows all paths from every byte: there is one VMFUNC and no system instruction.
 * test_pages_run.c runs it from the entry with any registers, and from every byte with those that do not point
 * at the list, into which nothing comes then.
 */
#include "page_offsets.h"

	.section .rodata, "a", @progbits
	.balign 4096
	.globl elisa_entry_page
	.type elisa_entry_page, @object
elisa_entry_page:
.Lpage:
	.set .Lslot, .Lpage + ELISA_FROM_GATE_LIST + 8 * ELISA_PAGE_OFFSETS_SLOT_TRUSTED
	.set .Lstack, .Lpage + ELISA_FROM_GATE_STACK_TOP
	.set .Ltext, .Lpage + ELISA_FROM_GATE_TEXT

	.fill ELISA_ENTRY_PAGE_START, 1, 0xcc
.Lstart:
	movq $0, .Lslot(%rip)		/* 1 */
	mov %rsp, .Lstack - 16(%rip)	/* 2 */
	lea .Lstack - 16(%rip), %rsp
	push %rbx			/* 3 */
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	pushfq				/* 4 */
	andl $0x200, (%rsp)
	popfq
	.byte 0xe8			/* 5: call .Ltext */
	.long .Ltext - (. + 4)
	mov %rax, %rdx			/* 6 */
	pop %r15			/* 7 */
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	mov (%rsp), %rsp
	xor %eax, %eax			/* 8 */
	xor %ecx, %ecx
	xor %esi, %esi
	xor %edi, %edi
	xor %r8d, %r8d
	xor %r9d, %r9d
	xor %r10d, %r10d
	xor %r11d, %r11d
	xorps %xmm0, %xmm0
	.irp number, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movaps %xmm0, %xmm\number
	.endr
	.byte 0xe9			/* jmp .Lvmfunc, in its long form */
	.long .Lvmfunc - (. + 4)
.Lend:
	.fill ELISA_ENTRY_PAGE_VMFUNC - (.Lend - .Lpage), 1, 0xcc
.Lvmfunc:
	.byte 0x0f, 0x01, 0xd4		/* 9: vmfunc */
	.size elisa_entry_page, . - elisa_entry_page

	.if .Lstart - .Lpage - ELISA_ENTRY_PAGE_START
	.error "the entry code does not start where page_offsets.h says"
	.endif
	.if . - .Lpage - 4096
	.error "the entry page is not a page"
	.endif

#ifndef __KERNEL__
	.section .note.GNU-stack, "", @progbits
#endif
