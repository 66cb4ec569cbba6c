// SPDX-License-Identifier: BSD-3-Clause
/* host_check.c - see host_check.h. The sentences for what uapi.h gives as numbers. */
#include "host_check.h"

#include "log.h"
#include "module.h"

#include <elisa/version.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LEAKS "L1TF, MDS, TAA, MMIO stale data, RFDS and GDS"

static const struct {
	uint32_t bit;
	const char *text;
} missing_texts[] = {
	{ELISA_MISSING_VMX, "this CPU offers no VMX: enable VT-x in the firmware, or (in a virtual "
			    "machine) nested virtualization on its host"},
	{ELISA_MISSING_EPT, "extended page tables are off: use a CPU with EPT and load kvm-intel "
			    "with ept=1"},
	{ELISA_MISSING_EXECUTE_ONLY, "EPT has no execute-only pages: use a CPU (or an emulated CPU "
				     "model) that has them"},
	{ELISA_MISSING_VMFUNC, "VMFUNC with EPTP switching is missing: use an Intel CPU of the "
			       "Haswell generation or later; most hypervisors do not offer it to "
			       "their guests"},
	{ELISA_MISSING_INVEPT, "single-context INVEPT is missing: use a CPU that has it"},
	{ELISA_MISSING_IMMUNITY, "this CPU is not immune to all of " LEAKS ", so a guest could "
				 "read others' packets from its caches and buffers: use a newer "
				 "CPU, or accept that with --accept-side-channels"},
};

/* Each thing that is missing becomes a line of the log; the first one is the failure. */
static int report_missing(uint32_t missing, struct elisa_failure *failure)
{
	bool first = true;

	for (unsigned int i = 0; i < sizeof(missing_texts) / sizeof(missing_texts[0]); i++) {
		if (!(missing & missing_texts[i].bit))
			continue;
		missing &= ~missing_texts[i].bit;
		if (first)
			elisa_fail(failure, -ENODEV, "%s", missing_texts[i].text);
		else
			elisa_log(ELISA_LOG_ERROR, "%s", missing_texts[i].text);
		first = false;
	}
	if (missing && first)
		elisa_fail(failure, -ENODEV,
			   "the module misses something on this host that elisa-switchd does not "
			   "know (0x%x); install the same version of both",
			   missing);
	return -ENODEV;
}

static int open_failed(int error, struct elisa_failure *failure)
{
	switch (error) {
	case -ENOENT:
	case -ENXIO:
	case -ENODEV:
		return elisa_fail(failure, error,
				  "the host module is not loaded (no /dev/elisa); load it with "
				  "'modprobe elisa'");
	case -EACCES:
	case -EPERM:
		return elisa_fail(failure, error,
				  "not allowed to open /dev/elisa; run elisa-switchd as root");
	default:
		return elisa_fail(failure, error,
				  "cannot open /dev/elisa: %s; look for messages of the module in "
				  "the kernel's log (dmesg)",
				  strerror(-error));
	}
}

static int check_info(int module, bool accept_side_channels, struct elisa_info *info,
		      struct elisa_failure *failure)
{
	uint32_t missing;
	int result = elisa_module_info(module, info);

	info->module_version[sizeof(info->module_version) - 1] = '\0';
	if (info->version != ELISA_UAPI_VERSION)
		return elisa_fail(
			failure, -EPROTO,
			"the loaded host module speaks interface version %u and "
			"elisa-switchd %s speaks %u; install the same version of both and "
			"load the module again",
			info->version, ELISA_VERSION_STRING, ELISA_UAPI_VERSION);
	if (result)
		return elisa_fail(
			failure, result,
			"the host module does not tell about this host: %s; is /dev/elisa "
			"its device?",
			strerror(-result));
	missing = info->missing;
	if (accept_side_channels && (missing & ELISA_MISSING_IMMUNITY)) {
		missing &= ~ELISA_MISSING_IMMUNITY;
		elisa_log(ELISA_LOG_WARNING,
			  "this CPU is not immune to all of " LEAKS ": VMs of this switch may spy "
			  "on each other (accepted with --accept-side-channels)");
	}
	return missing ? report_missing(missing, failure) : 0;
}

int elisa_host_check(bool accept_side_channels, struct elisa_info *info,
		     struct elisa_failure *failure)
{
	int module = elisa_module_open();
	int result;

	*info = (struct elisa_info){0};
	if (module < 0)
		return open_failed(module, failure);
	result = check_info(module, accept_side_channels, info, failure);
	if (result) {
		elisa_module_close(module);
		return result;
	}
	return module;
}

const char *elisa_refusal_text(uint32_t refusal)
{
	switch (refusal) {
	case ELISA_REFUSED_NESTED:
		return "it runs a virtual machine of its own; stop that one first";
	case ELISA_REFUSED_SMM:
		return "a vCPU of it is in system management mode; wait until its firmware is "
		       "done and try again";
	case ELISA_REFUSED_DIRTY_LOG:
		return "its memory is being tracked for a migration or snapshot; wait until that "
		       "is over and try again";
	case ELISA_REFUSED_APICV:
		return "APICv is active for it and cannot be inhibited; load kvm-intel with "
		       "enable_apicv=0";
	case ELISA_REFUSED_SHADOW:
		return "KVM uses shadow page tables for it; load kvm-intel with ept=1";
	case ELISA_REFUSED_WINDOW:
		return "its memory reaches into the window at the top of the physical address "
		       "space; give it less memory or a larger phys-bits";
	case ELISA_REFUSED_SIDE_CHANNEL:
		return "this CPU is not immune to all of " LEAKS "; use a newer CPU, or start "
		       "elisa-switchd with --accept-side-channels";
	case ELISA_REFUSED_VPMU:
		return "it is offered PEBS or LBR; start it without a virtual PMU (QEMU: "
		       "-cpu …,pmu=off)";
	case ELISA_REFUSED_NO_VCPU:
		return "it has no vCPU yet; try again when it has started";
	default:
		return "of a reason that this elisa-switchd does not know; install the same "
		       "version of it and of the module";
	}
}
