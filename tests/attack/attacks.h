/* SPDX-License-Identifier: BSD-3-Clause */
/* attacks.h - all attacks: one function for each row of the threat model, in a file named for it. */
#ifndef ELISA_TEST_ATTACKS_H
#define ELISA_TEST_ATTACKS_H

#include "attack.h"

const char *attack_row01(struct attacker *attacker);
const char *attack_row02(struct attacker *attacker);
const char *attack_row03(struct attacker *attacker);
const char *attack_row04(struct attacker *attacker);
const char *attack_row05(struct attacker *attacker);
const char *attack_row06(struct attacker *attacker);
const char *attack_row07(struct attacker *attacker);
const char *attack_row08(struct attacker *attacker);
const char *attack_row09(struct attacker *attacker);
const char *attack_row10(struct attacker *attacker);
const char *attack_row11(struct attacker *attacker);
const char *attack_row12(struct attacker *attacker);
const char *attack_row13(struct attacker *attacker);
const char *attack_row14(struct attacker *attacker);
const char *attack_row15(struct attacker *attacker);
const char *attack_row16(struct attacker *attacker);
const char *attack_row17(struct attacker *attacker);
const char *attack_row18(struct attacker *attacker);
const char *attack_row19(struct attacker *attacker);
const char *attack_row21(struct attacker *attacker);

#endif
