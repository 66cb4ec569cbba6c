// SPDX-License-Identifier: GPL-2.0-only
/*
 * features.c - what the CPU must have, and has not: SDM appendix A.
 *
 * Called by main.c at load, attach.c for the answer.
 */
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/vmx.h>
#include <elisa/uapi.h>

#include "features.h"

#define EPT_REQUIRED (VMX_EPT_PAGE_WALK_4_BIT | VMX_EPTP_WB_BIT | VMX_EPT_2MB_PAGE_BIT)
#define INVEPT_REQUIRED (VMX_EPT_INVEPT_BIT | VMX_EPT_EXTENT_CONTEXT_BIT)
#define VMFUNC_EPTP_SWITCHING BIT_ULL(0)

/*
 * With these a guest can sample what stayed in caches and buffers. Where the kernel clears them, it is
 * at a VM entry: at a VMFUNC nobody does.
 */
static const u16 leaks[] = {X86_BUG_L1TF, X86_BUG_MDS, X86_BUG_TAA, X86_BUG_MMIO_STALE_DATA,
			    X86_BUG_RFDS, X86_BUG_GDS};

static u32 missing = ELISA_MISSING_VMX;

u32 elisa_features_missing(void)
{
	return missing;
}

/* 0 where the CPU has no such register. */
static u64 capability(u32 msr)
{
	u64 value;

	return rdmsrl_safe(msr, &value) ? 0 : value;
}

static bool secondary_control(u32 control)
{
	return (capability(MSR_IA32_VMX_PROCBASED_CTLS2) >> 32) & control;
}

static bool cpu_leaks(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(leaks); i++)
		if (boot_cpu_has_bug(leaks[i]))
			return true;
	return false;
}

void elisa_features_init(bool kvm_intel)
{
	u64 ept;

	missing = 0;
	if (!kvm_intel || !boot_cpu_has(X86_FEATURE_VMX)) {
		missing = ELISA_MISSING_VMX;
		return;
	}
	ept = capability(MSR_IA32_VMX_EPT_VPID_CAP);
	if (!secondary_control(SECONDARY_EXEC_ENABLE_EPT) || (ept & EPT_REQUIRED) != EPT_REQUIRED ||
	    !secondary_control(SECONDARY_EXEC_DESC))
		missing |= ELISA_MISSING_EPT;
	if (!(ept & VMX_EPT_EXECUTE_ONLY_BIT))
		missing |= ELISA_MISSING_EXECUTE_ONLY;
	if ((ept & INVEPT_REQUIRED) != INVEPT_REQUIRED)
		missing |= ELISA_MISSING_INVEPT;
	if (!secondary_control(SECONDARY_EXEC_ENABLE_VMFUNC) ||
	    !(capability(MSR_IA32_VMX_VMFUNC) & VMFUNC_EPTP_SWITCHING))
		missing |= ELISA_MISSING_VMFUNC;
	if (cpu_leaks())
		missing |= ELISA_MISSING_IMMUNITY;
}
