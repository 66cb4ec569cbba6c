/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * image.S - a trusted image for the tests, instead of the switch: RDI chooses what it does, RSI is
 * its argument, RAX the result. One page, mapped at ELISA_OFFSET_TEXT.
 */
#include "image.h"

	.macro vectors
	movabs $IMAGE_SECRET, %rax
	movq %rax, %xmm0
	movq %rax, %xmm7
	movq %rax, %xmm15
	.endm

	/* No register is left to address with. */
	.set .Lmemory, image_begin + IMAGE_TO_SWITCH
	.macro secrets
	vectors
	mov %rax, %rbx
	mov %rax, %rcx
	mov %rax, %rdx
	mov %rax, %rsi
	mov %rax, %rdi
	mov %rax, %rbp
	mov %rax, %r8
	mov %rax, %r9
	mov %rax, %r10
	mov %rax, %r11
	mov %rax, %r12
	mov %rax, %r13
	mov %rax, %r14
	mov %rax, %r15
	.endm

	.section .rodata, "a", @progbits
	.balign 4096
	.globl image_begin, image_end
image_begin:
	cmp $IMAGE_SUM, %rdi
	je .Lsum
	cmp $IMAGE_LOAD, %rdi
	je .Lload
	cmp $IMAGE_STORE, %rdi
	je .Lstore
	cmp $IMAGE_SPIN, %rdi
	je .Lspin
	cmp $IMAGE_UD2, %rdi
	je .Lud2
	cmp $IMAGE_CPUID, %rdi
	je .Lcpuid
	cmp $IMAGE_VMCALL, %rdi
	je .Lvmcall
	cmp $IMAGE_VMFUNC, %rdi
	je .Lvmfunc
	cmp $IMAGE_DIVIDE, %rdi
	je .Ldivide
	cmp $IMAGE_WAIT, %rdi
	je .Lwait
	cmp $IMAGE_PAUSE, %rdi
	je .Lpause
	cmp $IMAGE_SECRETS, %rdi
	je .Lsecrets
	cmp $IMAGE_KEEP_FS, %rdi
	je .Lkeepfs
	cmp $IMAGE_FLAGS, %rdi
	je .Lflags
	cmp $IMAGE_SECRETS_WAIT, %rdi
	je .Lsecretswait
	cmp $IMAGE_VECTORS_WAIT, %rdi
	je .Lvectorswait
	xor %eax, %eax
	ret
.Lsum:
	lea (%rsi, %rdx), %rax
	movq %rsi, %xmm0		/* for the exit code to clear */
	movq %rsi, %xmm15
	mov %rsi, %r8
	mov %rsi, %r11
	ret
.Lload:
	mov (%rsi), %rax
	ret
.Lstore:
	mov %rdx, (%rsi)
	xor %eax, %eax
	ret
.Lspin:
	dec %rsi
	jnz .Lspin
	xor %eax, %eax
	ret
.Lud2:
	ud2
.Lcpuid:
	xor %eax, %eax
	cpuid
	ret
.Lvmcall:
	vmcall
	ret
.Lvmfunc:
	xor %eax, %eax
	mov %esi, %ecx
	.byte 0x0f, 0x01, 0xd4
	ret
.Ldivide:
	xor %edx, %edx
	xor %ecx, %ecx
	div %ecx
	ret
.Lvectorswait:
	vectors
.Lwait:					/* say "inside" to the VMM, wait for its answer */
	movq $1, (%rsi)
1:	cmpq $0, 8(%rsi)
	je 1b
	mov 8(%rsi), %rax
	ret
.Lpause:
	pause
	dec %rsi
	jnz .Lpause
	xor %eax, %eax
	ret
.Lkeepfs:
	rdfsbase %rax
	movabs %rax, IMAGE_KEPT_FS_BASE
	movabs $IMAGE_FS_BASE, %rcx
	wrfsbase %rcx
	test %rsi, %rsi
	jnz .Lwait
	ud2
.Lflags:
	std
	pushfq
	orl $0x40000, (%rsp)
	popfq
	ud2
.Lsecrets:
	secrets
	push %rax
	ud2
.Lsecretswait:
	secrets
	movq $1, .Lmemory(%rip)
1:	cmpq $0, .Lmemory + 8(%rip)
	je 1b
	ud2
	.balign 4096
image_end:

	.section .note.GNU-stack, "", @progbits
