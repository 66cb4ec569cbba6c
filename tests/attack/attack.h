/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * attack.h - what the attacks share: a VM of the attacker's with a port of the real switch, and the
 * bookkeeping of what was tried and what came of it.
 *
 * One process is one attack: VMM of the hostile guest, and the judge. An attack is a function that
 * returns NULL if all that it tried ended as the threat model demands, else what did not. Its guest half
 * is in guest/. Whether the victim, the switch and the host are well is looked at from outside, by the
 * scenario (tests/rig/scenarios/common/attack.sh).
 */
#ifndef ELISA_TEST_ATTACK_H
#define ELISA_TEST_ATTACK_H

#include "program.h"

#include <elisa/ring.h>
#include <sys/types.h>

struct attacker {
	struct vm vm;     /* the first vCPU */
	struct vm second; /* another one of the same VM */
	struct program program;
	char port[ELISA_NAME_SIZE]; /* the port's name; of a second port: with "2" behind */
};

typedef const char *(*attack_function)(struct attacker *attacker);

struct attack {
	const char *name; /* row-NN, or row-NN-something */
	attack_function run;
};

/* Ends the attack with the condition and what was seen instead. */
#define REQUIRE(condition, ...)                                 \
	do {                                                    \
		if (!(condition))                               \
			return not_so(#condition, __VA_ARGS__); \
	} while (0)

/* So many were tried, and ended so: for the table and the JSON. `outcome` is one word. */
void attack_tried(uint64_t count);
void attack_saw(const char *outcome, uint64_t count);

/* A part that this machine cannot show. */
void attack_skipped(const char *part, const char *reason);

/* How often vCPUs of the attacker were thrown out so far, as the daemon tells it. */
uint64_t attacker_recoveries(struct attacker *attacker);

/*
 * What elisactl --json answers to these words, without blanks and newlines; valid until the next call.
 * NULL: nothing, no daemon answers.
 */
const char *attack_json(const char *words);

/* The daemon's process; 0: none answers. */
pid_t attack_daemon_pid(void);

/* W. */
uint64_t attack_window_gpa(void);

/* elisactl with these words; its exit status. Its output goes to standard error. */
int attack_ctl(const char *const words[]);

/* A fresh VM with two vCPUs and the guest program loaded, no port. */
void attacker_create(struct attacker *attacker);

/* elisactl port add for it: `suffix` "" or "2". */
void attacker_add_port(struct attacker *attacker, const char *suffix);

/* Both, and the guest has its port open (guest/attacker.c), on the page table GUEST_TABLES. */
void attacker_begin(struct attacker *attacker);

/* A second port, with "2" behind its name, which the guest has open too. */
void attacker_open_second(struct attacker *attacker);

/* Its ports are deleted, its VM goes. */
void attacker_end(struct attacker *attacker);

/* A function of the guest program in ring 3 (or 0) with the admitted page table. */
enum outcome attacker_call(struct attacker *attacker, const char *function, uint64_t first,
			   uint64_t second, uint64_t third, int64_t *result);
enum outcome attacker_call_ring0(struct attacker *attacker, const char *function, uint64_t first,
				 uint64_t second, uint64_t third, int64_t *result);

/* Where the guest's variable is in the VMM's memory. */
void *attacker_data(struct attacker *attacker, const char *name);

/* Also of a vCPU that was left in a mode or with events that no further call could begin with. */
void attack_forget_events(struct vm *vm);

/* After it was thrown out: hello again, and its gate is open. NULL: so it is. */
const char *attacker_rejoin(struct attacker *attacker);

/*
 * How an attempt to get inside ended, of a vCPU that was run with vm_finish(). THROWN_OUT: #GP at the
 * documented call's VMFUNC, as if it had never left. BACK: it is in its default context: at its return
 * stub, or at a fault of its own. LOST: KVM could not go on with what the guest had made of itself.
 */
enum attack_end {
	ATTACK_THROWN_OUT,
	ATTACK_BACK,
	ATTACK_LOST,
};

enum attack_end attack_end(const struct vm *vm, enum outcome outcome);

/* Does the VM still do what an honest one does: hello, a packet to itself and back? NULL: yes. */
const char *attacker_is_well(struct attacker *attacker);

#endif
