// SPDX-License-Identifier: BSD-3-Clause
/*
 * elisa-attack.c - one attack on a running switch, from a VM of its own.
 *
 * usage: elisa-attack NAME	prints "tried N", "saw OUTCOME N" lines and at the end "ok NAME" or
 *				"FAIL NAME REASON"; status 1 if it failed, 2 if it could not be run
 *	  elisa-attack		the names
 * Needs root, /dev/kvm, elisactl and a running elisa-switchd.
 */
#include <stdio.h>
#include <string.h>

#include "attacks.h"

/* clang-format off */
static const struct attack attacks[] = {
	{"row-01", attack_row01},
	{"row-02", attack_row02},
	{"row-03", attack_row03},
	{"row-04", attack_row04},
	{"row-05", attack_row05},
	{"row-06", attack_row06},
	{"row-07", attack_row07},
	{"row-08", attack_row08},
	{"row-09", attack_row09},
	{"row-10", attack_row10},
	{"row-11", attack_row11},
	{"row-12", attack_row12},
	{"row-13", attack_row13},
	{"row-14", attack_row14},
	{"row-15", attack_row15},
	{"row-16", attack_row16},
	{"row-17", attack_row17},
	{"row-18", attack_row18},
	{"row-19", attack_row19},
	{"row-21", attack_row21},
};
/* clang-format on */

static int run(const struct attack *attack)
{
	static struct attacker attacker;
	const char *reason = attack->run(&attacker);

	if (attacker.vm.run)
		attacker_end(&attacker);
	if (reason)
		printf("FAIL %s %s\n", attack->name, reason);
	else
		printf("ok %s\n", attack->name);
	return !!reason;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		if (argc < 2)
			printf("%s\n", attacks[i].name);
		else if (!strcmp(argv[1], attacks[i].name))
			return run(&attacks[i]);
	}
	if (argc < 2)
		return 0;
	fprintf(stderr, "elisa-attack: no attack %s; without an argument it lists them\n", argv[1]);
	return 2;
}
