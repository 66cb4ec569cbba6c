/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * log.h - what elisa-netd has to tell a person: one line each, on standard error.
 *
 * Used by all of elisa-netd, main thread only.
 */
#ifndef NETD_LOG_H
#define NETD_LOG_H

__attribute__((format(printf, 1, 2))) void netd_error(const char *format, ...);
__attribute__((format(printf, 1, 2))) void netd_notice(const char *format, ...);

#endif
