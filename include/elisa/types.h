/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * types.h - fixed-width integers for the contracts, in the kernel and in user space.
 *
 * The only file in this folder that includes something from outside it.
 */
#ifndef ELISA_TYPES_H
#define ELISA_TYPES_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
#define ELISA_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#define ELISA_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

/* Lengths of names in every contract, terminating NUL included. Unused bytes are zero. */
#define ELISA_NAME_SIZE 32u

#define ELISA_MAC_SIZE 6u

#endif
