/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * pages.h - the two constant pages of code at ELISA_OFFSET_GATE: gate_page.S and entry_page.S.
 *
 * Copied by domain_tables.c, compared by the prover, decoded and run by the tests. They are in
 * read-only data of whoever links them: nobody executes them there.
 */
#ifndef ELISA_GATE_PAGES_H
#define ELISA_GATE_PAGES_H

#include <elisa/layout.h>

#include "page_offsets.h"

extern const unsigned char elisa_gate_page[ELISA_PAGE_SIZE];
extern const unsigned char elisa_entry_page[ELISA_PAGE_SIZE];

ELISA_STATIC_ASSERT(ELISA_FROM_GATE_LIST == ELISA_OFFSET_LIST - ELISA_OFFSET_GATE, "list");
ELISA_STATIC_ASSERT(ELISA_FROM_GATE_TABLE == ELISA_OFFSET_TABLE - ELISA_OFFSET_GATE, "table");
ELISA_STATIC_ASSERT(ELISA_FROM_GATE_STACK_TOP ==
			    ELISA_OFFSET_STACK + ELISA_STACK_SIZE - ELISA_OFFSET_GATE,
		    "stack");
ELISA_STATIC_ASSERT(ELISA_FROM_GATE_TEXT == ELISA_OFFSET_TEXT - ELISA_OFFSET_GATE, "text");
ELISA_STATIC_ASSERT(ELISA_PAGE_OFFSETS_SLOT_TRUSTED == ELISA_SLOT_TRUSTED, "slot");

#endif
