/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fixture_restart.h - the daemon of fixture_uplink.h with somebody who keeps its descriptors: it is killed
 * at any step and started again.
 *
 * Who keeps them is the monitor's own store. Link with --wrap=elisa_notify.
 */
#ifndef ELISA_TESTS_FIXTURE_RESTART_H
#define ELISA_TESTS_FIXTURE_RESTART_H

#include "fixture_uplink.h"
#include "vswitch/daemon/monitor_store.h"

extern struct elisa_monitor_store fixture_store;

int fixture_restart_setup(void **state);
int fixture_restart_teardown(void **state);

/* What SIGKILL does. */
void fixture_restart_kill(struct elisa_daemon *daemon);

/* The next daemon, as main.c starts it. 0, or -errno with a message. */
int fixture_restart_start(struct elisa_daemon *daemon, struct elisa_failure *failure);

/* Both, and no trouble. */
void fixture_restart(struct elisa_daemon *daemon);

/*
 * Runs `act` and kills the daemon before its step number `step`, from 1: a call of the module, or a
 * message to who keeps descriptors, or right after that. Returns whether it came so far.
 */
bool fixture_restart_kill_in(struct elisa_daemon *daemon, void (*act)(struct elisa_daemon *daemon),
			     unsigned int step);

/* Adds port `name` to a VM: back-pressure, MTU 9000, 3 queues. */
void fixture_restart_add(struct elisa_daemon *daemon, const char *name, const char *vm);

/* Ports 0 and 2 (a0, a1) of a new VM "a" with 2 vCPUs, port 1 (b0) of "b" with 3. */
void fixture_three_ports(struct elisa_daemon *daemon, pid_t *a, pid_t *b);

/* What the daemon has. */
unsigned int fixture_nb_ports(const struct elisa_daemon *daemon);
unsigned int fixture_nb_vms(const struct elisa_daemon *daemon);
unsigned int fixture_nb_uplinks(const struct elisa_daemon *daemon);

/* Fails unless daemon, module, datapath and who keeps descriptors have the same, and nothing else. */
void fixture_consistent(const struct elisa_daemon *daemon);

#endif
