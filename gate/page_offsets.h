/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * page_offsets.h - numbers for the assembly pages, and for C that talks about them.
 *
 * Included by gate_page.S, entry_page.S and pages.h, which asserts that they agree with layout.h.
 */
#ifndef ELISA_GATE_PAGE_OFFSETS_H
#define ELISA_GATE_PAGE_OFFSETS_H

/* Distances from ELISA_OFFSET_GATE, the first byte of either page. */
#define ELISA_FROM_GATE_LIST 0x1000
#define ELISA_FROM_GATE_TABLE 0x2000
#define ELISA_FROM_GATE_STACK_TOP 0xd000
#define ELISA_FROM_GATE_TEXT 0x3fff0000

#define ELISA_PAGE_OFFSETS_SLOT_TRUSTED 2

/* Offsets in the pages. A VMFUNC has three bytes; the fetch behind it is in the new context. */
#define ELISA_GATE_PAGE_START 0x000
#define ELISA_GATE_PAGE_VMFUNC 0x184
#define ELISA_ENTRY_PAGE_START 0x187
#define ELISA_ENTRY_PAGE_VMFUNC 0xffd

#endif
