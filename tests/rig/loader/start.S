/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entry of the emulated host's loader: a multiboot 1 kernel that isolinux's mboot.c32 starts in
 * 32-bit protected mode, paging off, EAX = multiboot magic, EBX = multiboot information.
 * It hands over to load() in loader.c and jumps where that says, with EBX = hvm_start_info, the
 * state that Linux's PVH entry wants (xen/include/public/arch-x86/hvm/start_info.h).
 */
	.set MB_MAGIC, 0x1BADB002
	.set MB_FLAGS, 3			/* modules page aligned, memory map wanted */

	.section .multiboot, "a"
	.align	4
	.long	MB_MAGIC, MB_FLAGS, -(MB_MAGIC + MB_FLAGS)

	.text
	.global	_start
_start:
	cli
	cld
	movl	$stack_top, %esp
	pushl	$start_info_address
	pushl	%ebx
	pushl	%eax
	call	load
	movl	start_info_address, %ebx
	jmp	*%eax

	.bss
	.align	16
	.skip	8192
stack_top:
start_info_address:
	.skip	4

	.section .note.GNU-stack, "", @progbits
