/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stubs.S - the two ends of a gate call that run in the guest's own context.
 *
 * Not run from here: gate_vmfunc.c copies them to fixed addresses (elisa/layout.h), because the
 * instruction after a VMFUNC is fetched from the next page in the new context.
 *
 *   CALL_STUB page    ... | elisa_call_stub: VMFUNC(GATE) are the page's last bytes
 *   GATE page               the gate's entry (gate context), the exit (trusted context)
 *   LIST page               elisa_return_stub at its first byte, reached after VMFUNC(DEFAULT)
 *
 * In:  RDI, RSI, RDX the gate call's arguments, the return address on the stack.
 * Out: RDX the result (RAX and RCX select the VMFUNC, SDM 26.5.6.3), RSP and callee-saved
 *      registers as they were.
 */

	.section .rodata.elisa_stubs, "a", @progbits

	.globl	elisa_call_stub, elisa_call_stub_end
	.hidden	elisa_call_stub, elisa_call_stub_end
elisa_call_stub:
	xorl	%eax, %eax
	movl	$1, %ecx		/* ELISA_SLOT_GATE: gate_vmfunc.c asserts it */
	.byte	0x0f, 0x01, 0xd4	/* vmfunc */
elisa_call_stub_end:

	.globl	elisa_return_stub, elisa_return_stub_end
	.hidden	elisa_return_stub, elisa_return_stub_end
elisa_return_stub:
	movq	%rdx, %rax
	xorl	%edx, %edx
	ret
elisa_return_stub_end:

	.section .note.GNU-stack, "", @progbits
