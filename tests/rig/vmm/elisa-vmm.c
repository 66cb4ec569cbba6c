// SPDX-License-Identifier: BSD-3-Clause
/*
 * elisa-vmm.c - the host module against a tiny virtual machine: one process is VMM and daemon, the
 * guest is a page of assembly (guest.S), the trusted image another (image.S).
 *
 * usage: elisa-vmm [CASE…]	prints "ok CASE" or "FAIL CASE REASON" for each; status 1 if one
 * failed. Needs root, /dev/kvm and elisa.ko.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cases.h"

static const struct test_case cases[] = {
	{"info", case_info},
	{"round-trip", case_round_trip},
	{"no-exits", case_no_exits},
	{"cr3-not-admitted", case_cr3_not_admitted},
	{"rogue-vmfunc", case_rogue_vmfunc},
	{"faults-inside", case_faults_inside},
	{"fs-base", case_fs_base},
	{"fs-base-by-vmm", case_fs_base_by_vmm},
	{"registers-after-recovery", case_registers_after_recovery},
	{"timer-while-inside", case_timer_while_inside},
	{"nmi-while-inside", case_nmi_while_inside},
	{"long-stay", case_long_stay},
	{"pause-inside", case_pause_inside},
	{"descriptor-tables", case_descriptor_tables},
	{"closed-gate", case_closed_gate},
	{"deleted-port", case_deleted_port},
	{"bad-hypercalls", case_bad_hypercalls},
	{"queues", case_queues},
	{"rss", case_rss},
	{"guest-tsc", case_guest_tsc},
	{"map-parts", case_map_parts},
	{"capture", case_capture},
	{"huge-page", case_huge_page},
	{"registers", case_registers},
	{"unregister", case_unregister},
	{"memlock-limit", case_memlock_limit},
	{"second-attach", case_second_attach},
	{"bad-ioctls", case_bad_ioctls},
	{"attach-50-times", case_attach_50_times},
	{"killed-inside", case_killed_inside},
	{"process-ended", case_process_ended},
	{"overstay", case_overstay},
	{"evict-running", case_evict_running},
	{"evict-parked", case_evict_parked},
	{"two-vms", case_two_vms},
	{"vmcall-gate", case_vmcall_gate},
	{"unload-refused", case_unload_refused},
};

static bool wanted(const char *name, int count, char **names)
{
	int i;

	for (i = 0; i < count; i++) {
		if (!strcmp(names[i], name))
			return true;
	}
	return count == 0;
}

/* Each in a process of its own: what a failed case leaves behind ends with it. */
static int run(const struct test_case *test)
{
	const char *reason;
	int status;
	pid_t child;

	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		reason = test->run();
		if (reason)
			printf("FAIL %s %s\n", test->name, reason);
		else
			printf("ok %s\n", test->name);
		exit(!!reason);
	}
	if (waitpid(child, &status, 0) != child)
		die("waitpid");
	if (WIFSIGNALED(status))
		printf("FAIL %s signal %d\n", test->name, WTERMSIG(status));
	else if (WEXITSTATUS(status) > 1)
		printf("FAIL %s could not be run\n", test->name);
	return status;
}

int main(int argc, char **argv)
{
	int failed = 0;
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (wanted(cases[i].name, argc - 1, argv + 1) && run(&cases[i]))
			failed++;
	}
	return !!failed;
}
