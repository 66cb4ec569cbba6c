/* SPDX-License-Identifier: BSD-3-Clause */
/* row17.h - kinds of calls of row 17: for its guest and its VMM. */
#ifndef ELISA_TEST_ATTACK_ROW17_H
#define ELISA_TEST_ATTACK_ROW17_H

#define ROW17_FLOOD 1 /* to an address that nobody has: to all that take such */
#define ROW17_TSO 2   /* 64 KiB each, to be cut into segments of 64 bytes */

#endif
