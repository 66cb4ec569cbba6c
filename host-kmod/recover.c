// SPDX-License-Identifier: GPL-2.0-only
/*
 * recover.c - taking a vCPU out of a context by force: the guest process gets a #GP at its gate
 * call, its VM lives on.
 *
 * Called by kvm_hooks.c (an exit that has no place inside) and vcpu.c (before an entry).
 */
#include <asm/fpu/api.h>

#include "compat.h"
#include "gate/contexts.h"
#include "recover.h"
#include "vcpu.h"

#define VMFUNC_LENGTH 3
#define ENTRY_GP \
	(INTR_INFO_VALID_MASK | INTR_INFO_DELIVER_CODE_MASK | INTR_TYPE_HARD_EXCEPTION | GP_VECTOR)

/* RFLAGS that the code inside may have left; IF, IOPL and what the guest's kernel owns stay. */
#define FLAGS_SCRUBBED                                                                   \
	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | X86_EFLAGS_SF | \
	 X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_OF | X86_EFLAGS_NT | X86_EFLAGS_RF | \
	 X86_EFLAGS_AC)

static bool in_window(u64 address)
{
	return address - ELISA_WINDOW_GVA < ELISA_WINDOW_SIZE;
}

void elisa_recover_fs_base(struct elisa_vcpu *vcpu)
{
	u64 trusted = vcpu->parked.fs_base;

	/* A guest's FS base of 0 is kept as 0 too. */
	if (!vcpu->kept_fs_base && !in_window(trusted))
		return;
	if (elisa_vmread(GUEST_FS_BASE) == trusted)
		elisa_kvm_set_fs_base(vcpu->kvm_vcpu, vcpu->kept_fs_base);
	vcpu->kept_fs_base = 0;
	vcpu->parked.fs_base = 0;
}

/* The CPU's vector registers are the guest's, loaded: the caller sees to that. KVM's copy goes with them. */
static void scrub_loaded_vectors(struct kvm_vcpu *vcpu)
{
	if (boot_cpu_has(X86_FEATURE_AVX))
		asm volatile("vzeroall");
	else
		asm volatile(".irp number, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
			     "	pxor	%xmm\\number, %xmm\\number\n"
			     ".endr");
	if (boot_cpu_has(X86_FEATURE_AVX512F))
		asm volatile(".irp number, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
			     "	vpxorq	%zmm\\number, %zmm\\number, %zmm\\number\n"
			     ".endr");
	elisa_kvm_forget_saved_vectors(vcpu);
}

/* The thread's registers may be in memory after a context switch: load them, as KVM does. */
static void scrub_vectors(struct kvm_vcpu *vcpu)
{
	fpregs_lock();
	if (test_thread_flag(TIF_NEED_FPU_LOAD))
		switch_fpu_return();
	scrub_loaded_vectors(vcpu);
	fpregs_unlock();
}

/* A RIP inside becomes the caller's VMFUNC, where a fault belongs. */
static void scrub_registers(struct kvm_vcpu *vcpu)
{
	int number;

	for (number = VCPU_REGS_RAX; number <= VCPU_REGS_R15; number++) {
		if (number != VCPU_REGS_RSP)
			*elisa_kvm_register(vcpu, number) = 0;
	}
	if (in_window(elisa_kvm_rsp(vcpu)))
		elisa_kvm_set_lazy_register(vcpu, VCPU_REGS_RSP, 0);
	if (in_window(elisa_kvm_rip(vcpu)))
		elisa_kvm_set_lazy_register(vcpu, VCPU_REGS_RIP,
					    ELISA_GVA(ELISA_OFFSET_GATE) - VMFUNC_LENGTH);
	kvm_set_rflags(vcpu, kvm_get_rflags(vcpu) & ~(unsigned long)FLAGS_SCRUBBED);
}

/* `known`: the daemon was told before, and may have reopened the gate since. */
static void account(struct elisa_vcpu *vcpu, u32 reason, bool known)
{
	/* Only in the trusted context can it have had something in flight; detached, nobody reopens. */
	if (vcpu->context == ELISA_CONTEXT_TRUSTED && vcpu->entered && !known)
		WRITE_ONCE(vcpu->held, ELISA_HELD_THROWN_OUT);
	vcpu->context = ELISA_CONTEXT_DEFAULT;
	vcpu->vectors_saved = false;
	vcpu->reset_wanted = true;
	vcpu->failed_root = elisa_vmread(GUEST_CR3) & ELISA_FRAME_MASK;
	vcpu->process_failed = true;
	vcpu->stats.recoveries++;
	if (!known)
		elisa_vcpu_event(vcpu, ELISA_EVENT_VCPU_RECOVERED, reason);
	pr_warn_ratelimited(
		"elisa: vCPU %d of process %d thrown out of the switch with #GP: exit reason %d\n",
		vcpu->kvm_vcpu->vcpu_idx, vcpu->kvm_vcpu->kvm->userspace_pid, (int)reason);
}

void elisa_recover_at_exit(struct elisa_vcpu *vcpu, u32 reason)
{
	account(vcpu, reason, false);
	elisa_recover_fs_base(vcpu);
	elisa_kvm_drop_exception(vcpu->kvm_vcpu);
	scrub_vectors(vcpu->kvm_vcpu);
	scrub_registers(vcpu->kvm_vcpu);
	kvm_queue_exception_e(vcpu->kvm_vcpu, GP_VECTOR, 0);
	elisa_vcpu_outside(vcpu);
	/* What was held back while inside. */
	kvm_make_request(KVM_REQ_EVENT, vcpu->kvm_vcpu);
}

void elisa_recover_before_entry(struct elisa_vcpu *vcpu, bool evicted)
{
	account(vcpu, ELISA_AT_ENTRY, evicted);
	elisa_recover_fs_base(vcpu);
	/* KVM looks at what was held back at the next exit, the host's tick at the latest. */
	kvm_make_request(KVM_REQ_EVENT, vcpu->kvm_vcpu);
	/* User space, or INIT, gave it registers of its own: not ours to change. */
	if (elisa_kvm_rip(vcpu->kvm_vcpu) != vcpu->parked.rip) {
		/* But INIT, which ends 64-bit mode, leaves the vector registers as they were. */
		if (!(elisa_vmread(VM_ENTRY_CONTROLS) & VM_ENTRY_IA32E_MODE))
			scrub_loaded_vectors(vcpu->kvm_vcpu);
		return;
	}
	scrub_loaded_vectors(vcpu->kvm_vcpu);
	scrub_registers(vcpu->kvm_vcpu);
	/* KVM has decided already what this entry injects; nothing: then the #GP. */
	if (!(elisa_vmread(VM_ENTRY_INTR_INFO_FIELD) & INTR_INFO_VALID_MASK)) {
		elisa_vmwrite(VM_ENTRY_EXCEPTION_ERROR_CODE, 0);
		elisa_vmwrite(VM_ENTRY_INTR_INFO_FIELD, ENTRY_GP);
	}
}
