/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ends the emulated machine: Bochs quits when it reads "Shutdown" from port 0x8900. Runs once, at the
 * end of host/start.
 */
	.set	PORT, 0x8900
	.set	SYS_IOPL, 172
	.set	SYS_EXIT, 60

	.text
	.global	_start
_start:
	movl	$SYS_IOPL, %eax
	movl	$3, %edi
	syscall
	leaq	word(%rip), %rsi
	movl	$(word_end - word), %ecx
	movl	$PORT, %edx
	rep outsb
	movl	$SYS_EXIT, %eax
	xorl	%edi, %edi
	syscall

	.section .rodata
word:	.ascii	"Shutdown"
word_end:

	.section .note.GNU-stack, "", @progbits
