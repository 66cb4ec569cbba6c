// SPDX-License-Identifier: BSD-3-Clause
/*
 * marks.c - marks NAME=PID...: prints what has been counted on this host so far, a line "KEY NUMBER"
 * each. Scenarios call it before and after something; the difference is what that took.
 *
 *	tsc		time stamp counter. In Bochs each instruction takes one tick
 *	now_ns, idle_ns	the kernel's clock, and how much of it the CPUs were idle (all added up)
 *	exits_NAME	VM exits of the QEMU with that process id, as KVM counted them
 */
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

/* KVM has a folder for each VM: process id and file descriptor. False: no such VM. */
static bool exits_of(const char *pid, uint64_t *exits)
{
	char pattern[128];
	glob_t found;
	bool ok = false;

	snprintf(pattern, sizeof(pattern), "/sys/kernel/debug/kvm/%s-*/exits", pid);
	if (glob(pattern, 0, NULL, &found) == 0) {
		FILE *file = fopen(found.gl_pathv[0], "r");

		ok = file && fscanf(file, "%" SCNu64, exits) == 1;
		if (file)
			fclose(file);
	}
	globfree(&found);
	return ok;
}

/* False: this kernel does not keep them. */
static bool clocks(uint64_t *now, uint64_t *idle)
{
	FILE *file = fopen("/proc/timer_list", "r");
	char line[256];
	uint64_t one;
	int found = 0;

	*idle = 0;
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "now at %" SCNu64, now) == 1)
			found |= 1;
		if (sscanf(line, " .idle_sleeptime : %" SCNu64, &one) == 1) {
			*idle += one;
			found |= 2;
		}
	}
	if (file)
		fclose(file);
	return found == 3;
}

int main(int argc, char **argv)
{
	uint64_t number, idle;

	for (int n = 1; n < argc; n++) {
		char *pid = strchr(argv[n], '=');

		if (!pid || !exits_of(pid + 1, &number)) {
			fprintf(stderr, "marks: no VM '%s'; is debugfs mounted?\n", argv[n]);
			return 1;
		}
		*pid = '\0';
		printf("exits_%s %" PRIu64 "\n", argv[n], number);
	}
	if (!clocks(&number, &idle)) {
		fprintf(stderr, "marks: /proc/timer_list has no idle_sleeptime\n");
		return 1;
	}
	printf("now_ns %" PRIu64 "\nidle_ns %" PRIu64 "\n", number, idle);
	printf("tsc %" PRIu64 "\n", (uint64_t)__rdtsc());
	return 0;
}
