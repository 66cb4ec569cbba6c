/* SPDX-License-Identifier: BSD-3-Clause */
/* cases.h - the cases of elisa-vmm, and what they share. */
#ifndef ELISA_TEST_CASES_H
#define ELISA_TEST_CASES_H

#include <stdbool.h>

#include "vmm.h"

/* NULL, or why it failed. */
typedef const char *(*case_function)(void);

enum vmcall {
	VMCALL_OR_NOT,
	VMCALL_OFF, /* only where the module does not offer gate=vmcall */
	VMCALL_ON,  /* only where it does */
};

struct test_case {
	const char *name;
	case_function run;
	enum vmcall vmcall;
};

/* Ends the case with the condition and what was seen instead. */
#define CHECK(condition, ...)                                   \
	do {                                                    \
		if (!(condition))                               \
			return not_so(#condition, __VA_ARGS__); \
	} while (0)

/* A domain with one attached VM that has port 0, "p0", claimed by its process. */
struct setup {
	struct host host;
	struct vm vm;
	struct elisa_vm_attach attach;
	int vm_fd;
	int port_fd;
	struct elisa_info before; /* with the domain, without the VM */
};

void setup_attached(struct setup *setup);                       /* no hello yet */
void setup_attached_with(struct setup *setup, uint64_t length); /* of switch memory */
void setup_hello(struct setup *setup);
/* Returns a reason if something is still attached or pinned. */
const char *setup_end(struct setup *setup);

int64_t hello(struct vm *vm);
int64_t region_call(struct vm *vm, uint32_t number, uint64_t gva, uint64_t length, uint32_t flags);

/* A descriptor to another process and back. */
void send_descriptor(int socket_fd, int fd);
int receive_descriptor(int socket_fd);

/* A call of the image that must end in #GP at the caller's VMFUNC; then the VM must still work. */
const char *expect_thrown_out(struct setup *setup, uint64_t operation, uint64_t argument);

const char *case_info(void);
const char *case_round_trip(void);
const char *case_no_exits(void);
const char *case_cr3_not_admitted(void);
const char *case_rogue_vmfunc(void);
const char *case_gate_bytes(void);
const char *case_faults_inside(void);
const char *case_fs_base(void);
const char *case_fs_base_by_vmm(void);
const char *case_fsgsbase(void);
const char *case_registers_after_recovery(void);
const char *case_registers_after_eviction(void);
const char *case_saved_vectors(void);
const char *case_timer_while_inside(void);
const char *case_nmi_while_inside(void);
const char *case_long_stay(void);
const char *case_pause_inside(void);
const char *case_descriptor_tables(void);
const char *case_closed_gate(void);
const char *case_deleted_port(void);
const char *case_bad_hypercalls(void);
const char *case_queues(void);
const char *case_rss(void);
const char *case_guest_tsc(void);
const char *case_map_parts(void);
const char *case_capture(void);
const char *case_huge_page(void);
const char *case_registers(void);
const char *case_unregister(void);
const char *case_memlock_limit(void);
const char *case_second_attach(void);
const char *case_bad_ioctls(void);
const char *case_attach_50_times(void);
const char *case_killed_inside(void);
const char *case_process_ended(void);
const char *case_overstay(void);
const char *case_register_slowly(void);
const char *case_register_too_late(void);
const char *case_register_twice(void);
const char *case_finish_meanwhile(void);
const char *case_evict_running(void);
const char *case_evict_parked(void);
const char *case_two_vms(void);
const char *case_vmcall_off(void);
const char *case_vmcall_gate(void);
const char *case_vmcall_unregister(void);
const char *case_unload_refused(void);
const char *case_paging_off(void);
const char *case_other_tables(void);
const char *case_closed_call(void);
const char *case_event_by_vmm(void);
const char *case_after_recovery(void);
const char *case_others_ports(void);
const char *case_gone_port(void);
const char *case_admission_limit(void);
const char *case_callers_rights(void);
const char *case_not_the_owner(void);
const char *case_uapi(void);
const char *case_init_while_inside(void);
const char *case_waiting_inside(void);
const char *case_refusals(void);
const char *case_adopt(void);
const char *case_revoke(void);

#endif
