/* SPDX-License-Identifier: BSD-3-Clause */
/* cmocka_all.h - cmocka with the headers that it needs before it. */
#ifndef ELISA_TESTS_DAEMON_CMOCKA_ALL_H
#define ELISA_TESTS_DAEMON_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
