/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * clock.h - time inside: the vCPU's TSC. sender.c makes the host's of it.
 */
#ifndef ELISA_VSWITCH_DATAPATH_CLOCK_H
#define ELISA_VSWITCH_DATAPATH_CLOCK_H

#include <elisa/types.h>

/*
 * RDTSC: the guest's time where a guest's vCPU runs. A guest that has no RDTSC (CR4.TSD) is thrown out
 * there, so whoever calls it has nothing in its hands, or had RDTSC a moment ago.
 * tests/unit/datapath/check_image.py knows it by name.
 */
uint64_t elisa_clock_rdtsc(void);

#endif
