/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats.h - what was carried and what was dropped, as JSON.
 *
 * Main thread, also while the workers run.
 */
#ifndef NETD_STATS_H
#define NETD_STATS_H

#include "link.h"

/* One line on standard output. elisa-netd(8) says what is in it. */
void netd_stats_print(const struct netd_link *links, uint32_t nb_links);

#endif
