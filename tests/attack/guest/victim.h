/* SPDX-License-Identifier: BSD-3-Clause */
/* victim.h - what the victim's guest program tells its VMM. */
#ifndef ELISA_TEST_ATTACK_VICTIM_H
#define ELISA_TEST_ATTACK_VICTIM_H

#include <stdint.h>

struct victim_report {
	uint64_t turns;
	uint64_t sent;     /* packets that the switch took */
	uint64_t received; /* of them, whole and in order */
	uint64_t torn;     /* bytes that were not sent so */
	uint64_t lost;     /* numbers left out */
	uint64_t foreign;  /* packets of others */
	uint64_t dropped;  /* slots that came back without data */
	uint64_t refused;  /* gate calls that took less than was asked */
	int64_t last_error;
};

/* Bytes of each port's memory that are registered and that nobody has any business in. */
#define VICTIM_CANARY 0x70000
#define VICTIM_CANARY_SIZE 0x10000

#endif
