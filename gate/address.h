/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * address.h - typed addresses: guest-virtual, guest-physical and host-physical do not mix.
 *
 * Included by all of gate/ and by whoever calls it.
 */
#ifndef ELISA_GATE_ADDRESS_H
#define ELISA_GATE_ADDRESS_H

#include <elisa/layout.h>

struct elisa_gva {
	uint64_t value; /* guest-virtual */
};

struct elisa_gpa {
	uint64_t value; /* guest-physical */
};

struct elisa_hpa {
	uint64_t value; /* host-physical */
};

/* Four-level EPT translates 48 bits of guest-physical address (SDM 29.3.2). */
#define ELISA_GPA_LIMIT (1ull << 48)

/* Bits 51:12 of a page-table entry, an EPT entry or an EPTP (SDM 4.5.4, 29.3.2). */
#define ELISA_FRAME_MASK 0x000ffffffffff000ull

static inline struct elisa_gva elisa_gva(uint64_t value)
{
	return (struct elisa_gva){value};
}

static inline struct elisa_gpa elisa_gpa(uint64_t value)
{
	return (struct elisa_gpa){value};
}

static inline struct elisa_hpa elisa_hpa(uint64_t value)
{
	return (struct elisa_hpa){value};
}

static inline struct elisa_gpa elisa_gpa_add(struct elisa_gpa gpa, uint64_t bytes)
{
	return elisa_gpa(gpa.value + bytes);
}

static inline struct elisa_hpa elisa_hpa_add(struct elisa_hpa hpa, uint64_t bytes)
{
	return elisa_hpa(hpa.value + bytes);
}

static inline bool elisa_aligned(uint64_t value, uint64_t size)
{
	return (value & (size - 1)) == 0;
}

/* Whether [start, start + length) lies in [0, limit) and is not empty; no wrap-around. */
static inline bool elisa_range_below(uint64_t start, uint64_t length, uint64_t limit)
{
	return length != 0 && length <= limit && start <= limit - length;
}

#endif
