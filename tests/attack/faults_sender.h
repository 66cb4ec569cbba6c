/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * faults_sender.h - the processes of the senders that are stopped: each VMM of one VM with one port.
 *
 * They are children of a process that has no VM, so that fork() is cheap and each has one KVM descriptor.
 */
#ifndef ELISA_TEST_ATTACK_FAULTS_SENDER_H
#define ELISA_TEST_ATTACK_FAULTS_SENDER_H

#include <sys/types.h>

#include "faults.h"
#include "trace.h"

/* Shared with the senders. */
struct faults_shared {
	struct trace trace;
	int64_t result; /* of the call, when it ended */
	enum outcome outcome;
};

/* Before this process has a VM. */
void faults_senders_begin(void);
void faults_senders_end(void);

struct faults_shared *faults_shared(void);

/* One sender steps through the call and ends it; the trace is then in faults_shared(). */
void faults_sender_record(enum faults_call call);

#define FAULTS_VCPUS 4 /* of one sender's VM at most: the bare guest's stacks */

/*
 * A sender with `nb` vCPUs, of which the first is to stand at the first of `points`, and so on. Returns when
 * the first stands there: its process; 0 if its call ended without coming there (a poll, which is made
 * again until the NIC has a frame for it: many of them). The others are brought to theirs one by one by
 * faults_sender_next(): false: one did not come there. Who did not come there has ended, with its VM.
 */
pid_t faults_sender_at(enum faults_call call, const struct point *points, uint32_t nb);
bool faults_sender_next(void);

/* Of one vCPU: lets it go on to the end of its call: outcome and result are then in faults_shared(). */
void faults_sender_continue(void);

/* Another receiver, with a process and VM of its own: of FAULTS_SEND_OTHER. */
pid_t faults_receiver_start(void);

/* SIGKILL. */
void faults_sender_kill(pid_t pid);

#endif
