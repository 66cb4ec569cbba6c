/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * changed.h - a send during which another vCPU changes the sender's memory, at instruction boundaries of it:
 * one run for each, until what is changed was read and some further at every one, then at every third. The
 * other vCPU is the VMM, which has the same memory. Used by rows 8 and 10.
 */
#ifndef ELISA_TEST_ATTACK_CHANGED_VMM_H
#define ELISA_TEST_ATTACK_CHANGED_VMM_H

#include "attack.h"
#include "guest/changed.h"
#include "guest/port_layout.h"

#include "vswitch/datapath/switch.h"

/* Frames 0 to 3 go to the first receiver, 4 to 7 to the second; behind the header all bytes are these. */
#define CHANGED_FRAME(i) (GUEST_REGION + PORT_SEND_BUFFERS + (uint64_t)(i)*PORT_BUFFER)
#define CHANGED_FILLING(i) (0x11 * ((i) + 1))
#define CHANGED_FRAME_LENGTH 200

/* What a run came to. */
struct changed_run {
	int64_t result; /* of the call */
	uint32_t nb;    /* packets received */
	const struct changed_record *records;
	uint64_t packets; /* that the switch says were sent */
	uint64_t drops[ELISA_DROP_REASONS];
};

struct changed_case {
	const char *name; /* one word */
	uint32_t count;   /* descriptors of the call */
	void (*prepare)(struct attacker *attacker);
	void (*change)(struct attacker *attacker);
	/* NULL, or what is wrong; *as_new: as the change would have it, or it was dropped for it. */
	const char *(*judge)(const struct changed_run *run, bool *as_new);
};

/* An attacker with two receivers besides its own port. */
const char *changed_begin(struct attacker *attacker);

/* One call with the descriptors as they are. */
const char *changed_send(struct attacker *attacker, uint64_t count, struct changed_run *run);

/* The boundaries. Fails unless both outcomes were seen, and if memory changed that was not posted. */
const char *changed_everywhere(struct attacker *attacker, const struct changed_case *test);

/* Of all cases. */
void changed_say(void);

struct elisa_desc *changed_window(struct attacker *attacker);

#endif
