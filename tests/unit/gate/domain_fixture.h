/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * domain_fixture.h - a domain with an image mapped and one vCPU with two admitted processes.
 *
 * For the tests of the prover. Built by domain_fixture_setup(), globals for brevity.
 */
#ifndef ELISA_TEST_DOMAIN_FIXTURE_H
#define ELISA_TEST_DOMAIN_FIXTURE_H

#include "gate/prove.h"

#define WINDOW 0x3ff000000000ull
#define PAGE ELISA_PAGE_SIZE
#define HUGE ELISA_HUGE_PAGE_SIZE
#define RW (ELISA_EPT_READ | ELISA_EPT_WRITE)
#define DEFAULT_EPTP 0x123456705eull
#define ROOT_A 0x1234000ull
#define ROOT_B 0x89abcd000ull

extern struct elisa_domain_tables *tables;
extern struct elisa_contexts *contexts;

/*
 * Open gate; TEXT 3 pages, RODATA 2, SWITCH 2 MiB, PORT_MAPS 2, CAPTURE 2, UPLINK_DEVICES 2 and
 * 2 MiB, UPLINK_MEMORY 4 MiB, UPLINK_STATE 1, MEMORY 2 MiB and 4 pages.
 */
int domain_fixture_setup(void **state);

/* Also asserts that no page is left. */
int domain_fixture_teardown(void **state);

/* Asserts that the prover says `invariant`, and says why when it is not 0. */
void expect_proof(int invariant);

#endif
