/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tsc.h - how fast the host's time-stamp counter runs, which the datapath measures rates with.
 *
 * The kernel tells no program, so it is measured against CLOCK_MONOTONIC over the daemon's life.
 * Main thread.
 */
#ifndef ELISA_DAEMON_TSC_H
#define ELISA_DAEMON_TSC_H

#include "capture_clock.h"

/* Ticks per second since `start`, a reading of the past. Waits while that is less than 20 ms ago. */
uint64_t elisa_tsc_hz(const struct elisa_clock_reading *start);

#endif
