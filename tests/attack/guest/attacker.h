/* SPDX-License-Identifier: BSD-3-Clause */
/* attacker.h - what hostile guest programs have of their honest half. */
#ifndef ELISA_TEST_ATTACK_ATTACKER_H
#define ELISA_TEST_ATTACK_ATTACKER_H

#include "port.h"

extern char attacker_port_name[ELISA_NAME_SIZE]; /* set by the VMM */
extern struct port attacker_port;
extern struct port attacker_second; /* if attacker_open_second() was called */

#endif
