/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * commands.h - the commands of a little programme that a fuzzer's input is: what guests do to their
 * memory and with the gate. For the fuzzers of whole calls.
 */
#ifndef ELISA_FUZZ_COMMANDS_H
#define ELISA_FUZZ_COMMANDS_H

#include "world.h"

/* An input ends after so many. */
#define COMMANDS_MAX 48u
#define COMMANDS_CALLS 8u

enum command {
	COMMAND_FRAME, /* write a frame */
	COMMAND_DESC,  /* write descriptors of a transmit window */
	COMMAND_SEND,  /* transmit, as a driver would */
	COMMAND_POST,  /* post receive slots */
	COMMAND_RAW,   /* write bytes anywhere in a guest's memory */
	COMMAND_CALL,  /* call with any arguments */
	COMMAND_PORT,  /* the port's settings */
	COMMAND_QUEUE, /* set a queue up afresh, or release it */
	COMMAND_REGION,
	COMMAND_LOSE, /* a vCPU stops for a time, right after it claimed slots */
	COMMAND_CAPTURE,
	COMMAND_NB,
};

/* Takes the command's operands and does it. True: it was a call. */
bool command_run(struct world *world, struct input *input, uint32_t command);

/* A MAC address that somebody has, or nobody, or that is none. */
uint64_t command_take_mac(struct input *input);

#endif
