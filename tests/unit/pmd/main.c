/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * main.c - the driver's tests that need nothing of the machine: no hugepages, no privileges.
 */
#include "rig.h"

int main(void)
{
	const char *const options[] = {"--no-huge", "-m", "160"};

	rig_init_eal(options, RTE_DIM(options));
	return test_attach() + test_features() + test_limits() + test_settings() + test_traffic() +
			       test_memory()
		       ? 1
		       : 0;
}
