/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * gate_page.S - the code of the gate context: 4096 constant bytes, the same for every vCPU.
 *
 * A guest reaches it with VMFUNC(EAX=0, ECX=1) as the last instruction of its stub page. The CPU
 * then fetches the next instruction, byte 0 of the next page, in the gate context: here.
 * A hostile guest can put its VMFUNC anywhere, so it can start at any of the 4096 bytes, with any
 * registers. It can touch nothing here but by executing these bytes: in the gate context this page
 * is execute-only, the EPTP list is the only writable page, the table is read-only, and an
 * exception finds no handler (it ends as a VM exit; the host recovers the vCPU and writes the
 * whole list anew). It has three ways out:
 *
 *   VMFUNC(0, 2)  trusted context. Its next fetch is ELISA_ENTRY_PAGE_START in the entry page.
 *   VMFUNC(0, 0)  back to the default context, with slot 2 still empty.
 *   any exit      recovered. That includes VMFUNC with another index (slot empty), another EAX,
 *                 and ECX=1, which leads to this page's padding.
 *
 * What must hold: a VMFUNC that succeeds finds slot 2 empty or equal to the table's entry, and
 * every other slot as the host wrote it.
 *
 * Steps; RAX, RCX and the flags change, RDI, RSI and RDX pass through:
 *
 *   1 RAX = the trusted EPTP, from the table (0 if the gate is closed).
 *   2 Slot 2 = RAX. Who jumps in just before this with an RAX of its own stores that ...
 *   3 ... but RAX must equal the table,
 *   4 and slot 2 must equal RAX, or the page traps. Both compare with memory at fixed addresses:
 *     no register says where. Two threads of the guest cannot race here: list and table belong to
 *     one vCPU, and no other context of a guest maps them writable.
 *   5 EAX = 0, ECX = 2, VMFUNC.
 *
 * Why it is shaped so oddly: a 32-bit displacement ends in 00 00, which is a store (add %al,(%rax))
 * to whoever starts there, and it could change the list *after* a check. Hence
 *
 *   - Each access is followed by seven NOPs. Started in the tail of a displacement, decoding ends
 *     within them at the latest, so it cannot swallow a check or the branch behind it.
 *   - A store hidden in the tail of step 3 or 4 is followed by that step's own branch, which passes
 *     only if the byte stored is zero: slot 2 was empty at the start, so it still is.
 *   - The code starts at 0x143, not 0: there the displacements' second bytes are 0x1e and 0x0e,
 *     which are not instructions in 64-bit mode. (From 0 on, one would be 0f 00 00, a store by
 *     SLDT.)
 *     First bytes: b6 and b8 load an immediate, 9a is not an instruction. The branches' own
 *     displacements, 1e and 0e, are none either.
 *   - `xor %eax,%eax` ends in c0, which with the bytes behind it is a rotate of memory; it swallows
 *     the VMFUNC and ends in the padding.
 *   - In the tail of step 1 a store may hit another slot of the list with RAX = the address stored
 *     to, which step 3 refuses: no EPTP is near such an address (the prover's invariant 6).
 *
 * From step 1 on RAX holds a host-physical address: whoever recovers a vCPU here scrubs it.
 *
 * tests/unit/gate/test_pages_decode.c decodes the page from every byte. test_pages_run.c runs it
 * from every byte with hostile registers, and shows that it falls without a compare or the NOPs.
 */
#include "page_offsets.h"

	.section .rodata, "a", @progbits
	.balign 4096
	.globl elisa_gate_page
	.type elisa_gate_page, @object
elisa_gate_page:
.Lpage:
	.set .Lslot, .Lpage + ELISA_FROM_GATE_LIST + 8 * ELISA_PAGE_OFFSETS_SLOT_TRUSTED
	.set .Ltable, .Lpage + ELISA_FROM_GATE_TABLE

	.byte 0xe9			/* jmp .Lstart, in its long form */
	.long .Lstart - (. + 4)
	.fill 0x143 - 5, 1, 0xcc
.Lstart:
	mov .Ltable(%rip), %rax		/* 1 */
	.fill 7, 1, 0x90
	mov %rax, .Lslot(%rip)		/* 2 */
	.fill 7, 1, 0x90
	cmp .Ltable(%rip), %rax		/* 3 */
	.fill 7, 1, 0x90
	.byte 0x75			/* jne .Ltrap */
	.byte .Ltrap - (. + 1)
	cmp .Lslot(%rip), %rax		/* 4 */
	.fill 7, 1, 0x90
	.byte 0x75			/* jne .Ltrap */
	.byte .Ltrap - (. + 1)
	xor %eax, %eax			/* 5 */
	lea 2(%rax), %ecx
.Lvmfunc:
	.byte 0x0f, 0x01, 0xd4		/* vmfunc */
	.fill 6, 1, 0xcc		/* VMFUNC(0, 1) leads here: trap */
.Ltrap:
	.fill 4096 - (ELISA_GATE_PAGE_VMFUNC + 9), 1, 0xcc
	.size elisa_gate_page, . - elisa_gate_page

	.if .Lvmfunc - .Lpage - ELISA_GATE_PAGE_VMFUNC
	.error "the gate page's VMFUNC is not where page_offsets.h says"
	.endif
	.if . - .Lpage - 4096
	.error "the gate page is not a page"
	.endif

#ifndef __KERNEL__
	.section .note.GNU-stack, "", @progbits
#endif
