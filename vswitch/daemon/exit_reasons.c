// SPDX-License-Identifier: BSD-3-Clause
/* exit_reasons.c - see exit_reasons.h. The table is the kernel's own, from its <asm/vmx.h>. */
#include "exit_reasons.h"

#include <asm/vmx.h>

const char *elisa_exit_reason_name(uint32_t reason)
{
	static const struct {
		uint32_t reason;
		const char *name;
	} names[] = {VMX_EXIT_REASONS};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].reason == reason)
			return names[i].name;
	}
	return "UNKNOWN";
}
