// SPDX-License-Identifier: BSD-3-Clause
/*
 * elisa-faults.c - senders that are stopped at instructions of a gate call, on a running switch.
 *
 * usage: elisa-faults WHAT STRIDE	prints "tried N", "saw OUTCOME N" lines and at the end "ok WHAT" or
 *					"FAIL WHAT REASON"; status 1 if it failed, 2 if it could not be run
 * WHAT is send, uplink-send, poll: killed at each STRIDE-th boundary of that call; pause: stopped there for
 * a while; delete: its port is deleted meanwhile; receiver: the VM that it sends to is killed meanwhile.
 * Needs root, /dev/kvm and a running elisa-switchd; uplink-send and poll an uplink, poll also somebody
 * outside who sends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"

#define PAUSE_MS 1500 /* longer than the host waits for a vCPU when it needs it to leave */

static const char *run(const char *what, uint32_t stride)
{
	if (!strcmp(what, "send"))
		return faults_kill(FAULTS_SEND, stride);
	if (!strcmp(what, "uplink-send"))
		return faults_kill(FAULTS_SEND_UPLINK, stride);
	if (!strcmp(what, "poll"))
		return faults_kill(FAULTS_POLL, stride);
	if (!strcmp(what, "pause"))
		return faults_pause(stride, PAUSE_MS);
	if (!strcmp(what, "delete"))
		return faults_delete(stride);
	if (!strcmp(what, "receiver"))
		return faults_kill_receiver(stride);
	fprintf(stderr, "elisa-faults: nothing is called %s\n", what);
	exit(2);
}

int main(int argc, char **argv)
{
	uint32_t stride = argc == 3 ? (uint32_t)atoi(argv[2]) : 0;
	const char *reason;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!stride) {
		fprintf(stderr, "usage: elisa-faults WHAT STRIDE\n");
		return 2;
	}
	reason = faults_begin();
	if (!reason)
		reason = run(argv[1], stride);
	faults_end();
	if (reason)
		printf("FAIL %s %s\n", argv[1], reason);
	else
		printf("ok %s\n", argv[1]);
	return !!reason;
}
