/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * coverage.h - a call of the testing build: how much of the module's code a thread has come through,
 * for fuzzers. Counted are edges, from one basic block to the next, of the objects that Kbuild.more
 * has compiled for it.
 */
#ifndef ELISA_TEST_COVERAGE_H
#define ELISA_TEST_COVERAGE_H

#include <elisa/uapi.h>

enum elisa_test_record {
	ELISA_TEST_RECORD_STOP,
	ELISA_TEST_RECORD,        /* the calling thread from now on, nobody else */
	ELISA_TEST_RECORD_FROM_0, /* likewise, and what was seen before is forgotten */
};

/* On a domain. */
struct elisa_test_coverage {
	uint32_t record;   /* enum elisa_test_record */
	uint32_t nb_edges; /* out: different ones so far */
};

#define ELISA_TEST_COVERAGE _IOWR(ELISA_IOCTL, 0xf1, struct elisa_test_coverage)

#endif
