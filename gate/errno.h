/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * errno.h - the error numbers of gate/, in the kernel and in user space.
 *
 * Included by the C files of gate/. Functions return 0 or one of these, negated. This folder must
 * not be in an include path itself: <errno.h> would find this file.
 */
#ifndef ELISA_GATE_ERRNO_H
#define ELISA_GATE_ERRNO_H

#ifdef __KERNEL__
#include <linux/errno.h>
#else
#include <errno.h>
#endif

#endif
