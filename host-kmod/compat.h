/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compat.h - the VMCS of the running vCPU, the fields of struct kvm_vcpu that this module reads and
 * writes, and what is called otherwise in another kernel. With kvm_hooks.c and refusal.c, the
 * only place that knows KVM's insides or a kernel's version.
 *
 * VMCS accessors: the vCPU is loaded on this CPU (between vcpu_load() and vcpu_put(), so in every
 * hook but vcpu_free). Field names are those of <asm/vmx.h>, SDM appendix B.
 */
#ifndef ELISA_KMOD_COMPAT_H
#define ELISA_KMOD_COMPAT_H

#include <linux/bug.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <asm/asm.h>
#include <asm/vmx.h>

/* An access outside VMX operation (a reboot turns VMX off under us) faults: 0 then. */
static __always_inline u64 elisa_vmread(unsigned long field)
{
	unsigned long value = 0;

	asm volatile("1:	vmread	%[field], %[value]\n"
		     "2:\n" _ASM_EXTABLE(1b, 2b)
		     : [value] "+r"(value)
		     : [field] "r"(field)
		     : "cc");
	return value;
}

static __always_inline void elisa_vmwrite(unsigned long field, u64 value)
{
	u8 failed = 0;

	asm volatile("1:	vmwrite	%[value], %[field]\n"
		     "	setna	%[failed]\n"
		     "2:\n" _ASM_EXTABLE(1b, 2b)
		     : [failed] "+qm"(failed)
		     : [field] "r"(field), [value] "r"((unsigned long)value)
		     : "cc");
	WARN_ONCE(failed, "elisa: VMWRITE of field %#lx failed\n", field);
}

/* INVEPT of one EPTP, or nothing on a CPU that is not in VMX operation (it holds no mapping). */
static __always_inline void elisa_invept_single(u64 eptp)
{
	struct {
		u64 eptp;
		u64 reserved;
	} descriptor = {eptp, 0};

	asm volatile("1:	invept	%[descriptor], %[type]\n"
		     "2:\n" _ASM_EXTABLE(1b, 2b)
		     :
		     : [descriptor] "m"(descriptor), [type] "r"((u64)VMX_EPT_EXTENT_CONTEXT)
		     : "cc", "memory");
}

/*
 * General registers. In handle_exit and before vcpu_run KVM's copy is the truth for all of them but
 * RSP and RIP, which it reads from the VMCS when asked and writes back when dirty.
 */
static inline unsigned long *elisa_kvm_register(struct kvm_vcpu *vcpu, int number)
{
	return &vcpu->arch.regs[number];
}

static inline unsigned long elisa_kvm_lazy_register(struct kvm_vcpu *vcpu, int number,
						    unsigned long field)
{
	if (vcpu->arch.regs_dirty & (1u << number))
		return vcpu->arch.regs[number];
	return elisa_vmread(field);
}

static inline unsigned long elisa_kvm_rip(struct kvm_vcpu *vcpu)
{
	return elisa_kvm_lazy_register(vcpu, VCPU_REGS_RIP, GUEST_RIP);
}

static inline unsigned long elisa_kvm_rsp(struct kvm_vcpu *vcpu)
{
	return elisa_kvm_lazy_register(vcpu, VCPU_REGS_RSP, GUEST_RSP);
}

static inline void elisa_kvm_set_lazy_register(struct kvm_vcpu *vcpu, int number,
					       unsigned long value)
{
	vcpu->arch.regs[number] = value;
	vcpu->arch.regs_avail |= 1u << number;
	vcpu->arch.regs_dirty |= 1u << number;
}

/* KVM keeps a copy of segment fields between two entries: it is not to use that. */
static inline void elisa_kvm_set_fs_base(struct kvm_vcpu *vcpu, u64 base)
{
	elisa_vmwrite(GUEST_FS_BASE, base);
	vcpu->arch.regs_avail &= ~(1u << VCPU_EXREG_SEGMENTS);
}

static inline bool elisa_kvm_nested(struct kvm_vcpu *vcpu)
{
	return vcpu->arch.hflags & HF_GUEST_MASK;
}

static inline bool elisa_kvm_in_smm(struct kvm_vcpu *vcpu)
{
#ifdef HF_SMM_MASK
	return vcpu->arch.hflags & HF_SMM_MASK;
#else
	return false;
#endif
}

static inline bool elisa_kvm_smi_pending(struct kvm_vcpu *vcpu)
{
#ifdef HF_SMM_MASK
	return vcpu->arch.smi_pending;
#else
	return false;
#endif
}

/*
 * Does the guest's TSC run at another rate than the host's: scaled by hardware (the ratio is that
 * of KVM's vendor module, 1 in units of 2^-48, or 1 where there is none), or pushed on by KVM?
 */
static inline bool elisa_kvm_tsc_scaled(const struct kvm_vcpu *vcpu)
{
	u64 ratio = READ_ONCE(vcpu->arch.l1_tsc_scaling_ratio);

	return (ratio != 1 && ratio != 1ull << 48) || vcpu->arch.tsc_always_catchup;
}

/* Guest TSC - host TSC. */
static inline u64 elisa_kvm_tsc_offset(const struct kvm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->arch.l1_tsc_offset);
}

/* An exception raised inside a context is not for the guest. Injected IRQs and NMIs stay. */
static inline void elisa_kvm_drop_exception(struct kvm_vcpu *vcpu)
{
	vcpu->arch.exception.pending = false;
	vcpu->arch.exception.injected = false;
}

/*
 * The copy of XMM0-15 that KVM keeps while the CPU has the guest's: dead, but not overwritten by a save
 * when they are all zero (XSAVE's init optimization), and KVM_GET_FPU shows it. In vcpu_run, or
 * with the guest's registers loaded; and only when they are zero, or were written since they were last
 * loaded: else a save may leave them out (XSAVE's modified optimization), and zeros are loaded next.
 */
static inline void elisa_kvm_forget_saved_vectors(struct kvm_vcpu *vcpu)
{
	struct fxregs_state *saved = &vcpu->arch.guest_fpu.fpstate->regs.fxsave;

	memset(saved->xmm_space, 0, sizeof(saved->xmm_space));
}

/*
 * Rights are those of the caller (its CPL); NULL: no page fault is to be prepared for the guest.
 * INVALID_GPA when the address is not mapped with these rights.
 */
static inline gpa_t elisa_kvm_translate(struct kvm_vcpu *vcpu, gva_t address, bool write)
{
	return write ? kvm_mmu_gva_to_gpa_write(vcpu, address, NULL)
		     : kvm_mmu_gva_to_gpa_read(vcpu, address, NULL);
}

/*
 * Where the VMM has the page, 0 if it is no RAM of the guest's: not in a memory slot, in one of
 * KVM's own (the APIC page), or read-only.
 */
static inline unsigned long elisa_kvm_page_address(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct kvm_memory_slot *slot = gfn_to_memslot(vcpu->kvm, gpa >> PAGE_SHIFT);
	unsigned long address;

	if (!slot || slot->id >= KVM_USER_MEM_SLOTS)
		return 0;
	address = gfn_to_hva_memslot(slot, gpa >> PAGE_SHIFT);
	return kvm_is_error_hva(address) ? 0 : address;
}

/* The page frame that a mapping of registers (VM_PFNMAP) has at `address`. Under mmap_lock. */
static inline int elisa_follow_frame(struct vm_area_struct *vma, unsigned long address,
				     unsigned long *frame)
{
#ifdef ELISA_FOLLOW_PFNMAP
	struct follow_pfnmap_args arguments = {.vma = vma, .address = address};
	int error = follow_pfnmap_start(&arguments);

	if (error)
		return error;
	*frame = arguments.pfn;
	follow_pfnmap_end(&arguments);
	return 0;
#else
	return follow_pfn(vma, address, frame);
#endif
}

#endif
