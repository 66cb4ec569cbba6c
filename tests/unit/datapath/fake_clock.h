/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fake_clock.h - a TSC that stands still until the test moves it. Instead of vswitch/datapath/clock.c.
 */
#ifndef ELISA_TEST_DATAPATH_FAKE_CLOCK_H
#define ELISA_TEST_DATAPATH_FAKE_CLOCK_H

#include <stdint.h>

extern uint64_t fake_tsc;
extern uint32_t fake_tsc_reads;

#endif
