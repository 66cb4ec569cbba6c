/* SPDX-License-Identifier: BSD-3-Clause */
/* faults_layout.h - what the guests of the faults and their VMM have to agree on. */
#ifndef ELISA_TEST_ATTACK_FAULTS_LAYOUT_H
#define ELISA_TEST_ATTACK_FAULTS_LAYOUT_H

#include <stdint.h>

/* What the receiver found, all together. */
struct faults_report {
	uint64_t sent;      /* by the bystander: packets that the switch took */
	uint64_t bystander; /* received of them, whole and in order */
	uint64_t sender;    /* of the sender that is stopped, whole */
	uint64_t outside;   /* from the uplink */
	uint64_t torn;      /* neither */
	uint64_t lost;      /* numbers of the bystander's left out */
	uint64_t dropped;   /* slots that came back without data */
};

#define FAULTS_PACKETS 3 /* of one call of the sender's */

#define FAULTS_MAC_SENDER "52:e1:15:a0:0f:0a"
#define FAULTS_MAC_BYSTANDER "52:e1:15:a0:0f:0b"
#define FAULTS_MAC_RECEIVER "52:e1:15:a0:0f:0c"
#define FAULTS_MAC_OTHER "52:e1:15:a0:0f:0d"

/* Whom faults_prepare() writes to: enum faults_call of faults.h. */
#define FAULTS_TO_RECEIVER 0
#define FAULTS_TO_OTHER 1

#endif
