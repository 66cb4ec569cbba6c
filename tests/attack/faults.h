/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * faults.h - a sender that stops for good, or for long, at any instruction of a gate call, and whether
 * anybody else is the worse for it.
 *
 * This process is the VMM of a guest with two ports: a bystander, and the receiver of all. Each sender is a
 * fresh VMM process with one VM and one port, each vCPU brought to one instruction of its call, and killed.
 * Used by elisa-faults.c and row13.c.
 */
#ifndef ELISA_TEST_ATTACK_FAULTS_H
#define ELISA_TEST_ATTACK_FAULTS_H

#include "attack.h"
#include "guest/faults_layout.h"

#define FAULTS_SENDER "faults-s"
#define FAULTS_OTHER "faults-o"

enum faults_call {
	FAULTS_SEND,        /* packets to the receiver */
	FAULTS_SEND_OTHER,  /* to a receiver of another VM, which is killed */
	FAULTS_SEND_UPLINK, /* frames to the NIC */
	FAULTS_POLL,        /* one frame from the NIC, which somebody outside sends all the time */
};

/* Each of these ends the attack's way: NULL, or what was not as it has to be. */
const char *faults_begin(void);

/*
 * The sender is killed at each stride-th boundary of the call. Several vCPUs of its VM stand at a boundary
 * each, and are lost together; of a NIC's queue, which one has at a time, at most one where it has it.
 */
const char *faults_kill(enum faults_call call, uint32_t stride);

/* It stands at each stride-th boundary for `ms` milliseconds, and then goes on. */
const char *faults_pause(uint32_t stride, uint32_t ms);

/* It stands there while its port is deleted. */
const char *faults_delete(uint32_t stride);

/* While it stands there, the VM that it sends to is killed. */
const char *faults_kill_receiver(uint32_t stride);

void faults_end(void);

#endif
