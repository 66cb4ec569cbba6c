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

#define CASE_SECONDS 20

static const struct test_case cases[] = {
	{"info", case_info, VMCALL_OR_NOT},
	{"round-trip", case_round_trip, VMCALL_OR_NOT},
	{"no-exits", case_no_exits, VMCALL_OR_NOT},
	{"cr3-not-admitted", case_cr3_not_admitted, VMCALL_OR_NOT},
	{"rogue-vmfunc", case_rogue_vmfunc, VMCALL_OR_NOT},
	{"gate-bytes", case_gate_bytes, VMCALL_OR_NOT},
	{"faults-inside", case_faults_inside, VMCALL_OR_NOT},
	{"fs-base", case_fs_base, VMCALL_OR_NOT},
	{"fs-base-by-vmm", case_fs_base_by_vmm, VMCALL_OR_NOT},
	{"fsgsbase", case_fsgsbase, VMCALL_OR_NOT},
	{"registers-after-recovery", case_registers_after_recovery, VMCALL_OR_NOT},
	{"registers-after-eviction", case_registers_after_eviction, VMCALL_OR_NOT},
	{"saved-vectors", case_saved_vectors, VMCALL_OR_NOT},
	{"timer-while-inside", case_timer_while_inside, VMCALL_OR_NOT},
	{"nmi-while-inside", case_nmi_while_inside, VMCALL_OR_NOT},
	{"init-while-inside", case_init_while_inside, VMCALL_OR_NOT},
	{"waiting-inside", case_waiting_inside, VMCALL_OR_NOT},
	{"long-stay", case_long_stay, VMCALL_OR_NOT},
	{"pause-inside", case_pause_inside, VMCALL_OR_NOT},
	{"descriptor-tables", case_descriptor_tables, VMCALL_OR_NOT},
	{"closed-gate", case_closed_gate, VMCALL_OR_NOT},
	{"deleted-port", case_deleted_port, VMCALL_OR_NOT},
	{"bad-hypercalls", case_bad_hypercalls, VMCALL_OR_NOT},
	{"queues", case_queues, VMCALL_OR_NOT},
	{"rss", case_rss, VMCALL_OR_NOT},
	{"guest-tsc", case_guest_tsc, VMCALL_OR_NOT},
	{"map-parts", case_map_parts, VMCALL_OR_NOT},
	{"capture", case_capture, VMCALL_OR_NOT},
	{"huge-page", case_huge_page, VMCALL_OR_NOT},
	{"registers", case_registers, VMCALL_OR_NOT},
	{"unregister", case_unregister, VMCALL_OR_NOT},
	{"memlock-limit", case_memlock_limit, VMCALL_OR_NOT},
	{"second-attach", case_second_attach, VMCALL_OR_NOT},
	{"bad-ioctls", case_bad_ioctls, VMCALL_OR_NOT},
	{"attach-50-times", case_attach_50_times, VMCALL_OR_NOT},
	{"killed-inside", case_killed_inside, VMCALL_OR_NOT},
	{"process-ended", case_process_ended, VMCALL_OR_NOT},
	{"overstay", case_overstay, VMCALL_OR_NOT},
	{"register-slowly", case_register_slowly, VMCALL_OR_NOT},
	{"register-too-late", case_register_too_late, VMCALL_OR_NOT},
	{"register-twice", case_register_twice, VMCALL_OR_NOT},
	{"finish-meanwhile", case_finish_meanwhile, VMCALL_OR_NOT},
	{"evict-running", case_evict_running, VMCALL_OR_NOT},
	{"evict-parked", case_evict_parked, VMCALL_OR_NOT},
	{"two-vms", case_two_vms, VMCALL_OR_NOT},
	{"paging-off", case_paging_off, VMCALL_OR_NOT},
	{"other-tables", case_other_tables, VMCALL_OR_NOT},
	{"closed-call", case_closed_call, VMCALL_OR_NOT},
	{"event-by-vmm", case_event_by_vmm, VMCALL_OR_NOT},
	{"after-recovery", case_after_recovery, VMCALL_OR_NOT},
	{"others-ports", case_others_ports, VMCALL_OR_NOT},
	{"gone-port", case_gone_port, VMCALL_OR_NOT},
	{"admission-limit", case_admission_limit, VMCALL_OR_NOT},
	{"callers-rights", case_callers_rights, VMCALL_OR_NOT},
	{"not-the-owner", case_not_the_owner, VMCALL_OR_NOT},
	{"uapi", case_uapi, VMCALL_OR_NOT},
	{"refusals", case_refusals, VMCALL_OR_NOT},
	{"vmcall-off", case_vmcall_off, VMCALL_OFF},
	{"vmcall-gate", case_vmcall_gate, VMCALL_ON},
	{"vmcall-unregister", case_vmcall_unregister, VMCALL_ON},
	{"adopt", case_adopt, VMCALL_OR_NOT},
	{"revoke", case_revoke, VMCALL_OR_NOT},
	{"unload-refused", case_unload_refused, VMCALL_OR_NOT},
};

static bool wanted(const struct test_case *test, int count, char **names)
{
	bool vmcall = host_offers_vmcall();
	int i;

	if ((test->vmcall == VMCALL_OFF && vmcall) || (test->vmcall == VMCALL_ON && !vmcall))
		return false;
	for (i = 0; i < count; i++) {
		if (!strcmp(names[i], test->name))
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
		/* A vCPU that never comes out again ends with it too. */
		alarm(CASE_SECONDS);
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
		if (wanted(&cases[i], argc - 1, argv + 1) && run(&cases[i]))
			failed++;
	}
	return !!failed;
}
