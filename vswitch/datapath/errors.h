/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * errors.h - Linux's numbers of the errors that a gate call returns, where there is no <errno.h>.
 */
#ifndef ELISA_VSWITCH_DATAPATH_ERRORS_H
#define ELISA_VSWITCH_DATAPATH_ERRORS_H

#define ELISA_EPERM 1
#define ELISA_ENOENT 2
#define ELISA_ENODEV 19
#define ELISA_EINVAL 22

#endif
