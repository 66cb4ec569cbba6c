/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest.S - the whole guest: a few functions for ring 3 that the VMM calls one at a time, and the
 * handlers for interrupts and exceptions.
 *
 * Copied by vmm.c to GUEST_CODE; position-independent. A function that returns, or an exception,
 * ends in an OUT, which hands control to the VMM.
 */
#include "guest.h"

	.section .rodata, "a", @progbits
	.balign 16
	.globl guest_begin, guest_end
guest_begin:

	/* Where every function returns to: RAX is its result. */
	.globl guest_returned
guest_returned:
	out %al, $GUEST_PORT_RETURNED
	jmp guest_returned

	/* long hypercall(rax, argument, size) */
	.globl guest_hypercall
guest_hypercall:
	mov %rdi, %rax
	mov %rsi, %rdi
	mov %rdx, %rsi
	vmcall
	ret

	/* The gate call: RDI, RSI, RDX -> RAX. The stubs' pages are in the window. */
	.globl guest_gate
guest_gate:
	movabs $GUEST_CALL_STUB, %rax
	jmp *%rax

	/* The gate call (RDI, RSI) with RDX as the FS base. */
	.globl guest_gate_fs
guest_gate_fs:
	wrfsbase %rdx
	jmp guest_gate

	/* In ring 0: the bits RDX of CR4 change, an exit, the gate call (RDI, RSI). */
	.globl guest_gate_cr4
guest_gate_cr4:
	mov %cr4, %rax
	xor %rdx, %rax
	mov %rax, %cr4
	push %rbx
	xor %eax, %eax
	cpuid
	pop %rbx
	jmp guest_gate

	/* The gate call as VMCALL: RDI, RSI, RDX -> RAX. */
	.globl guest_gate_vmcall
guest_gate_vmcall:
	movabs $GUEST_GATE_CALL, %rax
	vmcall
	ret

	/* RDI of them, each to transmit one descriptor of port RSI; RAX = the sum of the results. */
	.globl guest_vmcall_loop
guest_vmcall_loop:
	mov %rdi, %r8
	mov %rsi, %r9
	xor %r10d, %r10d
1:	movabs $GUEST_GATE_CALL, %rax
	mov $1, %edi
	mov %r9, %rsi
	mov $1, %edx
	vmcall
	add %rax, %r10
	dec %r8
	jnz 1b
	mov %r10, %rax
	ret

	/* RAX = the time stamp counter. */
	.globl guest_rdtsc
guest_rdtsc:
	rdtsc
	shl $32, %rdx
	or %rdx, %rax
	ret

	/* Copied to the end of CALL_STUB's page. RCX and RAX are scratch. */
	.globl guest_call_stub, guest_call_stub_end
guest_call_stub:
	xor %eax, %eax
	mov $1, %ecx
	.byte 0x0f, 0x01, 0xd4		/* vmfunc */
guest_call_stub_end:

	/* Copied to the start of LIST's page. */
	.globl guest_return_stub, guest_return_stub_end
guest_return_stub:
	mov %rdx, %rax
	xor %edx, %edx
	ret
guest_return_stub_end:

	/* RDI calls of the image's function 0; result: calls that did not return 0. */
	.globl guest_gate_loop
guest_gate_loop:
	push %rbx
	push %rbp
	mov %rdi, %rbx
	xor %ebp, %ebp
1:	xor %edi, %edi
	call guest_gate
	test %rax, %rax
	setne %al
	movzbl %al, %eax
	add %rax, %rbp
	dec %rbx
	jnz 1b
	mov %rbp, %rax
	pop %rbp
	pop %rbx
	ret

	/* Every register a pattern, one gate call (RDI, RSI), every register to GUEST_DUMP. */
	.globl guest_gate_registers
guest_gate_registers:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov $0x1111, %ebx
	mov $0x2222, %ebp
	mov $0x3333, %r8d
	mov $0x3333, %r9d
	mov $0x3333, %r10d
	mov $0x3333, %r11d
	mov $0x4444, %r12d
	mov $0x5555, %r13d
	mov $0x6666, %r14d
	mov $0x7777, %r15d
	mov %rsp, GUEST_DUMP
	std
	call guest_gate
	mov %rax, GUEST_DUMP + 0x08
	mov %rbx, GUEST_DUMP + 0x10
	mov %rcx, GUEST_DUMP + 0x18
	mov %rdx, GUEST_DUMP + 0x20
	mov %rsi, GUEST_DUMP + 0x28
	mov %rdi, GUEST_DUMP + 0x30
	mov %rbp, GUEST_DUMP + 0x38
	mov %rsp, GUEST_DUMP + 0x40
	mov %r8, GUEST_DUMP + 0x48
	mov %r9, GUEST_DUMP + 0x50
	mov %r10, GUEST_DUMP + 0x58
	mov %r11, GUEST_DUMP + 0x60
	mov %r12, GUEST_DUMP + 0x68
	mov %r13, GUEST_DUMP + 0x70
	mov %r14, GUEST_DUMP + 0x78
	mov %r15, GUEST_DUMP + 0x80
	movdqu %xmm0, GUEST_DUMP + 0x90
	movdqu %xmm15, GUEST_DUMP + 0xa0
	cld
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

	/* VMFUNC(EDI, ESI) here, in this page; RAX = 0 if nothing happens. */
	.globl guest_vmfunc
guest_vmfunc:
	mov %edi, %eax
	mov %esi, %ecx
	.byte 0x0f, 0x01, 0xd4
	xor %eax, %eax
	ret

	/* Start the local APIC's timer (RDX ticks), then the gate call (RDI, RSI). */
	.globl guest_gate_timer
guest_gate_timer:
	mov $GUEST_APIC, %ecx
	movl $0x1ff, 0xf0(%rcx)
	movl $0, 0x80(%rcx)
	movl $0xb, 0x3e0(%rcx)
	movl $GUEST_TIMER_VECTOR, 0x320(%rcx)
	movl %edx, 0x380(%rcx)
	call guest_gate
	mov GUEST_MAILBOX + GUEST_INTERRUPTS, %rax
	ret

	/* To the vCPU with APIC ID RDI: what ESI says, as the interrupt command register has it. */
	.globl guest_send_ipi
guest_send_ipi:
	mov $GUEST_APIC, %ecx
	shl $24, %edi
	mov %edi, 0x310(%rcx)
	mov %esi, 0x300(%rcx)
	ret

	/* Load 8 bytes at RDI. */
	.globl guest_load
guest_load:
	mov (%rdi), %rax
	ret

	/*
	 * In ring 0: LIDT or LGDT from memory at RDI, LLDT or LTR of selector DI, and at once a gate call (0, 0,
	 * 0). Then GDTR, IDTR, LDTR and TR to GUEST_DUMP.
	 */
	.globl guest_lidt_gate, guest_lgdt_gate, guest_lldt_gate, guest_ltr_gate
guest_lidt_gate:
	lidt (%rdi)
	jmp gate_and_tables
guest_lgdt_gate:
	lgdt (%rdi)
	jmp gate_and_tables
guest_lldt_gate:
	lldt %di
	jmp gate_and_tables
guest_ltr_gate:
	ltr %di
gate_and_tables:
	xor %edi, %edi
	xor %esi, %esi
	xor %edx, %edx
	call guest_gate
	sgdt GUEST_DUMP
	sidt GUEST_DUMP + 0x10
	sldt GUEST_DUMP + 0x20
	str GUEST_DUMP + 0x28
	ret

	.globl guest_timer_handler
guest_timer_handler:
	push %rax
	mov 8(%rsp), %rax
	mov %rax, GUEST_MAILBOX + GUEST_INTERRUPTED_RIP
	incq GUEST_MAILBOX + GUEST_INTERRUPTS
	mov $GUEST_APIC, %eax
	movl $0, 0xb0(%rax)
	pop %rax
	iretq

	.globl guest_nmi_handler
guest_nmi_handler:
	push %rax
	mov 8(%rsp), %rax
	mov %rax, GUEST_MAILBOX + GUEST_INTERRUPTED_RIP
	incq GUEST_MAILBOX + GUEST_NMIS
	pop %rax
	iretq

	/* One of GUEST_EXCEPTION_SIZE bytes for each of 32 vectors. */
	.globl guest_exceptions
	.balign 16
guest_exceptions:
	.set vector, 0
	.rept 32
	.balign GUEST_EXCEPTION_SIZE
	.if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17)
	.else
	push $0
	.endif
	push $vector
	jmp guest_exception
	.set vector, vector + 1
	.endr
guest_exception:
	mov %rax, GUEST_MAILBOX + GUEST_FAULT_RAX
	pop %rax
	mov %rax, GUEST_MAILBOX + GUEST_FAULT_VECTOR
	pop %rax
	mov %rax, GUEST_MAILBOX + GUEST_FAULT_ERROR
	mov (%rsp), %rax
	mov %rax, GUEST_MAILBOX + GUEST_FAULT_RIP
	mov 24(%rsp), %rax
	mov %rax, GUEST_MAILBOX + GUEST_FAULT_RSP
1:	out %al, $GUEST_PORT_FAULT
	jmp 1b
guest_end:

	.section .note.GNU-stack, "", @progbits
