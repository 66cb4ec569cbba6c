// SPDX-License-Identifier: BSD-3-Clause
/*
 * row02.c - VMFUNC so that the next fetch is at any byte of the gate page, or of the entry page, with any
 * registers (tests/rig/vmm/gate_bytes.h).
 *
 * Whatever runs in the gate page must end outside, with the trusted slot empty: a VMFUNC to it must still
 * be refused. Into the entry page there is no way.
 */
#include "attacks.h"
#include "gate/pages.h"
#include "gate_bytes.h"

#define SLOTS 512
#define SLOTS_LOOKED_AT 4 /* after being thrown out: the host has written the list anew */

struct counts {
	uint64_t tried;
	uint64_t thrown_out;
	uint64_t back;
	uint64_t refused;
};

static const char *enter_gate(struct attacker *attacker, struct gate_bytes *bytes,
			      unsigned int offset, unsigned int set, struct counts *counts)
{
	const char *reason = attacker_rejoin(attacker);
	enum gate_end end;

	if (reason)
		return reason;
	end = gate_bytes_into_gate(bytes, offset, set);
	counts->tried++;
	counts->thrown_out += end == GATE_THROWN_OUT;
	counts->back += end == GATE_BACK;
	REQUIRE(end == GATE_THROWN_OUT || end == GATE_BACK,
		"the gate from byte %#x, set %u: end %d, exit reason %u, vector %llu at %#llx",
		offset, set, end, attacker->vm.run->exit_reason,
		(unsigned long long)vm_mailbox(&attacker->vm, GUEST_FAULT_VECTOR),
		(unsigned long long)vm_mailbox(&attacker->vm, GUEST_FAULT_RIP));
	return NULL;
}

static const char *enter_entry_page(struct gate_bytes *bytes, unsigned int offset,
				    struct counts *counts)
{
	enum gate_end end = gate_bytes_into_entry(bytes, offset);

	counts->tried++;
	REQUIRE(end == GATE_REFUSED, "the entry page at byte %#x: end %d", offset, end);
	counts->refused++;
	return NULL;
}

static const char *try_byte(struct attacker *attacker, struct gate_bytes *bytes,
			    unsigned int offset, struct counts *counts)
{
	unsigned int sets = gate_bytes_sets(bytes, offset), slots;
	uint64_t back = counts->back;
	const char *reason = NULL;

	for (unsigned int set = 0; set < sets && !reason; set++)
		reason = enter_gate(attacker, bytes, offset, set, counts);
	if (!reason)
		reason = enter_entry_page(bytes, offset, counts);
	slots = counts->back == back ? SLOTS_LOOKED_AT : SLOTS;
	for (uint64_t slot = ELISA_SLOT_TRUSTED; slot < slots && !reason; slot++)
		REQUIRE(gate_bytes_slot_is_empty(bytes, slot),
			"slot %llu can be entered after byte %#x", (unsigned long long)slot,
			offset);
	return reason;
}

const char *attack_row02(struct attacker *attacker)
{
	struct counts counts = {0};
	struct gate_bytes bytes;
	const char *reason = NULL;
	uint64_t recoveries;

	attacker_begin(attacker);
	gate_bytes_begin(&bytes, &attacker->vm, elisa_gate_page);
	recoveries = attacker_recoveries(attacker);
	for (unsigned int offset = 0; offset < ELISA_PAGE_SIZE && !reason; offset++)
		reason = try_byte(attacker, &bytes, offset, &counts);
	attack_tried(counts.tried);
	attack_saw("thrown_out", counts.thrown_out);
	attack_saw("back", counts.back);
	attack_saw("entry_page_refused", counts.refused);
	if (reason)
		return reason;
	/* No VMFUNC that seemed to be refused led anywhere, and no call went through unseen. */
	recoveries = attacker_recoveries(attacker) - recoveries;
	REQUIRE(recoveries == counts.thrown_out && counts.back, "%llu recoveries, %llu back",
		(unsigned long long)recoveries, (unsigned long long)counts.back);
	return attacker_is_well(attacker);
}
