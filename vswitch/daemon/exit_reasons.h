/* SPDX-License-Identifier: BSD-3-Clause */
/* exit_reasons.h - names of VM exit reasons, for statistics and log lines. Any thread. */
#ifndef ELISA_DAEMON_EXIT_REASONS_H
#define ELISA_DAEMON_EXIT_REASONS_H

#include <elisa/types.h>

/* The kernel's name of a basic exit reason (SDM appendix C), for example "EPT_VIOLATION". */
const char *elisa_exit_reason_name(uint32_t reason);

#endif
