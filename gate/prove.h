/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * prove.h - checks the contexts of one vCPU as built, entry by entry.
 *
 * Called by the host module when asked, and by the tests. It reads the tables from their roots as
 * the CPU does and shares no code with what built them. It writes nothing but *proof.
 *
 * The invariants (W = the window's guest-physical address; "reaches" = over any entries that a CPU
 * could follow; a fetch needs execute in the EPT and no NX on the way):
 *
 * 1 Gate context. The only executable page of its EPT is W + GATE: execute-only, 4 KiB, holding the
 *   gate page's bytes. The only writable page is W + LIST, this vCPU's list. Every readable page
 *   is known. With each readable page as the root, over 4 and over 5 levels, every virtual address:
 *   only an admitted root over 4 levels reaches W + GATE for a fetch, or W + LIST, each at its one
 *   address in the window. So a fetch faults or executes the gate page at G, and no store reaches
 *   the list but at its one address.
 * 2 Roots. Outside W both EPTs map nothing but admitted roots, read-only, to the root of the
 *   trusted page table. So a CR3 that reaches the gate's VMFUNC has the trusted root, or none, after it.
 * 3 Trusted context. Below SHARED its EPT maps exactly the entry page (execute-only, with its
 *   bytes), this vCPU's list and stack (read, write), its identity page and the page-table pages
 *   (read-only). From SHARED on it maps only what was claimed, with the rights of its part of
 *   the layout: TEXT execute-only; RODATA, PORT_MAPS and UPLINK_STATE read-only; SWITCH, CAPTURE,
 *   UPLINK_* and MEMORY never executable; UPLINK_DEVICES uncached, and only that.
 *   No page of gate/ itself and no page of TEXT appears a second time there. The
 *   trusted page table maps the window linearly onto W and nothing else, executable only at GATE
 *   and TEXT, writable only where the layout says rw.
 * 4 Bit 52 is set in every present entry of every page of the trusted page table.
 * 5 The accessed bit is set in all of them, the dirty bit in every leaf.
 * 6 EPTPs have memory type WB, walk length 4, accessed and dirty flags off and no other bit; the
 *   roots differ, and are not the default context's; the list holds slot 0, slot 1 = the gate's
 *   EPTP while open, and nothing else; the table holds entry 0 = the trusted EPTP while open, and
 *   nothing else; no EPTP's value is within 4 GiB of the window's guest-virtual addresses (a
 *   register cannot be both, see gate_page.S). Every EPT leaf is well formed, and WB or UC with the
 *   guest's PAT ignored.
 */
#ifndef ELISA_GATE_PROVE_H
#define ELISA_GATE_PROVE_H

#include "contexts.h"

#define ELISA_INVARIANTS 6

struct elisa_proof {
	uint32_t invariant; /* 0, or one that does not hold */
	uint64_t entries;   /* table entries read */
	uint64_t address;   /* of the finding: guest-physical, or offset in the window; else 0 */
	const char *text;   /* what was found, a sentence; NULL if all hold */
};

/*
 * Returns 0 if all invariants hold, the number (1..6) of the first that does not, or -ENOMEM.
 * The tables must not change meanwhile; the vCPU must be outside its gate context (slot 2 empty).
 * Some milliseconds; more with many 4 KiB pages mapped. May sleep.
 */
int elisa_prove(const struct elisa_domain_tables *tables, const struct elisa_contexts *contexts,
		struct elisa_proof *proof);

/* One line about invariant 1..6, for messages; "" for other numbers. */
const char *elisa_invariant_text(uint32_t invariant);

#endif
