// SPDX-License-Identifier: BSD-3-Clause
/* row13.c - killed inside a send: some boundaries. All of them: test group `faults`. */
#include "attacks.h"
#include "faults.h"

#define KILL_STRIDE 50

/* The VMs are those of faults.h. */
const char *attack_row13(struct attacker *attacker)
{
	const char *reason = faults_begin();

	(void)attacker;
	if (!reason)
		reason = faults_kill(FAULTS_SEND, KILL_STRIDE);
	faults_end();
	return reason;
}
