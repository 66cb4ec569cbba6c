/* SPDX-License-Identifier: BSD-3-Clause */
/* image.h - what the tests' trusted image does: its first argument. Anything else: returns 0. */
#ifndef ELISA_TEST_IMAGE_H
#define ELISA_TEST_IMAGE_H

#define IMAGE_NOTHING 0
#define IMAGE_SUM 1   /* second + third, and dirty registers */
#define IMAGE_LOAD 2  /* 8 bytes at the second */
#define IMAGE_STORE 3 /* third to the second */
#define IMAGE_SPIN 4  /* second times round; with 0 for ever */
#define IMAGE_UD2 5
#define IMAGE_CPUID 6
#define IMAGE_VMCALL 7
#define IMAGE_VMFUNC 8   /* VMFUNC(0, second) */
#define IMAGE_DIVIDE 9   /* by zero */
#define IMAGE_WAIT 10    /* 1 to the word at the second, until the next word is not 0 */
#define IMAGE_PAUSE 11   /* second times */
#define IMAGE_SECRETS 12 /* IMAGE_SECRET in all registers, then a fault */
#define IMAGE_KEEP_FS 13 /* keep the FS base, IMAGE_FS_BASE; then a fault, or WAIT at the second */
#define IMAGE_FLAGS 14   /* DF and AC set, then a fault */
#define IMAGE_SECRETS_WAIT 15 /* IMAGE_SECRET in all registers, then WAIT at the switch's memory */
#define IMAGE_VECTORS_WAIT 16 /* IMAGE_SECRET in vector registers, then WAIT at the second */

#define IMAGE_SECRET 0x5ec2e75ec2e7
#define IMAGE_TO_SWITCH 0x400000          /* ELISA_OFFSET_SWITCH - ELISA_OFFSET_TEXT */
#define IMAGE_FS_BASE 0x480040200000      /* in the window: ELISA_GVA(ELISA_OFFSET_RODATA) */
#define IMAGE_KEPT_FS_BASE 0x48000001cff8 /* ELISA_GVA(ELISA_OFFSET_KEPT_FS_BASE) */

#endif
