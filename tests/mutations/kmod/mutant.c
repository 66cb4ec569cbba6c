// SPDX-License-Identifier: BSD-3-Clause
/* mutant.c - which mutant of the testing build is alive: its number in mutations.toml, 0 none. */
#include <linux/module.h>

int elisa_mutant;
module_param_named(mutant, elisa_mutant, int, 0444);
MODULE_PARM_DESC(mutant, "Defence that is switched off in this testing build");
