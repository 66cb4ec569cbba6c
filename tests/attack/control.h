/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control.h - elisa-switchd asked directly, and the switch's memory read: for tests that do both
 * thousands of times. Of switch elisa0. What cannot be ends the process with a message.
 */
#ifndef ELISA_TEST_ATTACK_CONTROL_H
#define ELISA_TEST_ATTACK_CONTROL_H

#include <elisa/types.h>

#include "vswitch/datapath/switch.h"

/* One request, a whole JSON object, on the control socket. False: it was refused. */
bool control_ask(const char *request, char *answer, size_t size);

/* The number behind the first "KEY" of an answer; 0 if there is none. */
uint64_t control_number(const char *answer, const char *key);

/* port-add for this process's VM. `mac` as text. */
void control_add_port(const char *name, const char *mac);
void control_delete_port(const char *name);

/* What `status` says. */
struct control_status {
	uint64_t pid;
	uint64_t ports;
	uint64_t pinned_pages;
};

void control_status(struct control_status *status);

/*
 * The module proves the contexts, the daemon looks at the switch's state. NULL: both are as they have to be;
 * else the daemon's answer, valid until the next call.
 */
const char *control_prove(void);

/* Frames that the NIC of uplink up0 says it has sent. */
uint64_t control_nic_sent(void);

/* struct elisa_switch of the running daemon, without the MAC table, as it is now. */
void control_read_switch(struct elisa_switch *sw);

/* The number of the port with this address in it; ELISA_MAX_PORTS: none has it. */
unsigned int control_find_port(const struct elisa_switch *sw, uint64_t mac);

#endif
