// SPDX-License-Identifier: BSD-3-Clause
/*
 * cases_gate.c - the code pages, entered at each byte of code, and at some of the padding, by a guest that
 * knows its own EPTP, and in the testing build all there are. (All bytes: tests/attack/row02.c.)
 */
#include <errno.h>
#include <unistd.h>

#include "cases.h"
#include "exported.h"
#include "gate/pages.h"
#include "gate_bytes.h"

#define PADDING_STRIDE 16
#define SLOTS 512
#define SLOTS_LOOKED_AT 4 /* after being thrown out: the host has written the list anew */

struct counts {
	unsigned int thrown_out;
	unsigned int back;
};

/* The testing build tells its tables: the vCPU's EPTPs, and the gate's page if it was changed. */
static void ask_for_more(struct gate_bytes *bytes, struct setup *setup)
{
	const struct elisa_contexts *contexts;
	struct exported exported;
	int error = exported_read(&exported, setup->host.domain);

	if (error == ENOTTY)
		return;
	errno = error;
	if (error)
		die("the export");
	contexts = exported.contexts[setup->attach.first_vcpu];
	bytes->page = exported.tables->gate_page;
	bytes->eptps[1] = contexts->table[0];
	bytes->eptps[2] = contexts->list[ELISA_SLOT_GATE];
	bytes->eptps[3] = contexts->list[ELISA_SLOT_DEFAULT];
}

/* As its process was before it was thrown out. */
static const char *come_back(struct setup *setup)
{
	CHECK(hello(&setup->vm) == 0, "hello");
	/* Held, if it had come as far as the trusted context. */
	if (host_stats(setup->vm_fd).held)
		CHECK(host_reopen(&setup->host, setup->attach.first_vcpu) == 0, "reopen");
	return NULL;
}

static const char *enter_gate(struct setup *setup, struct gate_bytes *bytes, unsigned int offset,
			      unsigned int set, struct counts *counts)
{
	uint64_t before = host_stats(setup->vm_fd).recoveries, recoveries;
	enum gate_end end = gate_bytes_into_gate(bytes, offset, set);

	recoveries = host_stats(setup->vm_fd).recoveries - before;
	CHECK(end == GATE_THROWN_OUT || end == GATE_BACK, "the gate from byte %#x, set %u: end %d",
	      offset, set, end);
	CHECK(recoveries == (end == GATE_THROWN_OUT), "the gate from byte %#x: %llu recoveries",
	      offset, (unsigned long long)recoveries);
	counts->thrown_out += end == GATE_THROWN_OUT;
	counts->back += end == GATE_BACK;
	return end == GATE_THROWN_OUT ? come_back(setup) : NULL;
}

static const char *enter_entry_page(struct setup *setup, struct gate_bytes *bytes,
				    unsigned int offset)
{
	uint64_t before = host_stats(setup->vm_fd).recoveries;
	enum gate_end end = gate_bytes_into_entry(bytes, offset);

	CHECK(end == GATE_REFUSED && host_stats(setup->vm_fd).recoveries == before,
	      "the entry page at byte %#x: end %d", offset, end);
	return NULL;
}

static const char *try_byte(struct setup *setup, struct gate_bytes *bytes, unsigned int offset,
			    struct counts *counts)
{
	unsigned int back = counts->back, sets = gate_bytes_sets(bytes, offset), slots;
	const char *reason = NULL;

	if (!gate_bytes_is_code(bytes, offset) && offset % PADDING_STRIDE)
		return NULL;
	for (unsigned int set = 0; set < sets && !reason; set++)
		reason = enter_gate(setup, bytes, offset, set, counts);
	if (!reason)
		reason = enter_entry_page(setup, bytes, offset);
	slots = counts->back == back ? SLOTS_LOOKED_AT : SLOTS;
	for (uint64_t slot = ELISA_SLOT_TRUSTED; slot < slots && !reason; slot++)
		CHECK(gate_bytes_slot_is_empty(bytes, slot), "slot %llu after byte %#x",
		      (unsigned long long)slot, offset);
	return reason;
}

const char *case_gate_bytes(void)
{
	struct counts counts = {0};
	struct gate_bytes bytes;
	const char *reason = NULL;
	struct setup setup;
	int64_t time;

	setup_hello(&setup);
	gate_bytes_begin(&bytes, &setup.vm, elisa_gate_page);
	/* An entry with the gate open, so that the list is as it is then. A weak gate may have other callers. */
	CHECK(vm_call(&setup.vm, guest_rdtsc, 0, 0, 0, &time) == OUTCOME_RETURNED, "an entry");
	ask_for_more(&bytes, &setup);
	for (unsigned int offset = 0; offset < ELISA_PAGE_SIZE && !reason; offset++)
		reason = try_byte(&setup, &bytes, offset, &counts);
	if (reason)
		return reason;
	CHECK(counts.thrown_out && counts.back, "%u thrown out, %u back", counts.thrown_out,
	      counts.back);
	CHECK(vm_gate(&setup.vm, IMAGE_SUM, 1, 2) == 3, "a call after all");
	return setup_end(&setup);
}
