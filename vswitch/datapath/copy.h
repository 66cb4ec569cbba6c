/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * copy.h - bytes from one place to another, with SSE2 and no more.
 *
 * The trusted context must not touch AVX state (it would have to be kept and scrubbed), and has
 * no libc. Source and destination do not overlap; others may write the source meanwhile, so the
 * copy may be a mixture: whoever decides on bytes decides on the copy.
 */
#ifndef ELISA_VSWITCH_DATAPATH_COPY_H
#define ELISA_VSWITCH_DATAPATH_COPY_H

#include <elisa/types.h>

typedef long long elisa_v16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t elisa_u64u __attribute__((aligned(1), may_alias));
typedef uint32_t elisa_u32u __attribute__((aligned(1), may_alias));
typedef uint16_t elisa_u16u __attribute__((aligned(1), may_alias));

/* The line will be written soon. PREFETCHW: a no-operation on CPUs without it (SDM vol. 2B). */
static inline void elisa_prefetch_write(const void *line)
{
	asm volatile("prefetchw %0" : : "m"(*(const char *)line));
}

static inline void elisa_copy16(uint8_t *to, const uint8_t *from)
{
	*(elisa_v16 *)to = *(const elisa_v16 *)from;
}

static inline void elisa_copy64(uint8_t *to, const uint8_t *from)
{
	elisa_v16 a = *(const elisa_v16 *)from;
	elisa_v16 b = *(const elisa_v16 *)(from + 16);
	elisa_v16 c = *(const elisa_v16 *)(from + 32);
	elisa_v16 d = *(const elisa_v16 *)(from + 48);

	*(elisa_v16 *)to = a;
	*(elisa_v16 *)(to + 16) = b;
	*(elisa_v16 *)(to + 32) = c;
	*(elisa_v16 *)(to + 48) = d;
}

/* 0..15 bytes: two accesses that overlap, of the largest size that fits. */
static inline void elisa_copy_below16(uint8_t *to, const uint8_t *from, uint32_t n)
{
	if (n >= 8) {
		uint64_t last = *(const elisa_u64u *)(from + n - 8);

		*(elisa_u64u *)to = *(const elisa_u64u *)from;
		*(elisa_u64u *)(to + n - 8) = last;
	} else if (n >= 4) {
		uint32_t last = *(const elisa_u32u *)(from + n - 4);

		*(elisa_u32u *)to = *(const elisa_u32u *)from;
		*(elisa_u32u *)(to + n - 4) = last;
	} else if (n >= 2) {
		uint16_t last = *(const elisa_u16u *)(from + n - 2);

		*(elisa_u16u *)to = *(const elisa_u16u *)from;
		*(elisa_u16u *)(to + n - 2) = last;
	} else if (n) {
		*to = *from;
	}
}

/* Up to 64 bytes. */
static inline void elisa_copy_short(uint8_t *to, const uint8_t *from, uint32_t n)
{
	if (n >= 32) {
		elisa_copy16(to, from);
		elisa_copy16(to + 16, from + 16);
		if (n > 48)
			elisa_copy16(to + 32, from + 32);
		elisa_copy16(to + n - 16, from + n - 16);
	} else if (n >= 16) {
		elisa_copy16(to, from);
		elisa_copy16(to + n - 16, from + n - 16);
	} else {
		elisa_copy_below16(to, from, n);
	}
}

static inline void elisa_copy(uint8_t *to, const uint8_t *from, uint32_t n)
{
	while (n > 64) {
		elisa_copy64(to, from);
		to += 64;
		from += 64;
		n -= 64;
	}
	elisa_copy_short(to, from, n);
}

#endif
