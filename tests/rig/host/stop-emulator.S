/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ends the emulated machine: XCHG BX, BX is Bochs's magic breakpoint, after which the emulator's
 * command file says quit. Runs once, at the end of host/start. On a real CPU it does nothing.
 */
	.text
	.global	_start
_start:
	xchgw	%bx, %bx
	movl	$60, %eax		/* exit(0) */
	xorl	%edi, %edi
	syscall

	.section .note.GNU-stack, "", @progbits
