/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net_elisa_log.h - log lines of the driver: one line, the device's name first.
 *
 * Every error line says what happened and, where somebody can do something about it, what.
 */
#ifndef NET_ELISA_LOG_H
#define NET_ELISA_LOG_H

#include <rte_log.h>

extern int net_elisa_logtype;

/* level: ERR, WARNING, NOTICE, INFO, DEBUG. device: a string. */
#define ELISA_LOG(level, device, format, ...) \
	rte_log(RTE_LOG_##level, net_elisa_logtype, "%s: " format "\n", device, ##__VA_ARGS__)

#endif
