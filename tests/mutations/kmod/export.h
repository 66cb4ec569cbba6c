/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * export.h - a call of the testing build: the tables of a domain as they are, for a prover in user
 * space. The pages that gate/ has from its seam, each with the addresses that others know it by.
 */
#ifndef ELISA_TEST_EXPORT_H
#define ELISA_TEST_EXPORT_H

#include <elisa/layout.h>
#include <elisa/uapi.h>

struct elisa_test_page {
	uint64_t address; /* in the kernel */
	uint64_t hpa;
	uint8_t bytes[ELISA_PAGE_SIZE];
};

/* On a domain. ENOSPC: there are more than `room` pages; nb_pages says how many. */
struct elisa_test_export {
	uint64_t pages; /* in: address of struct elisa_test_page[room] */
	uint64_t room;
	uint64_t nb_pages;                  /* out */
	uint64_t tables;                    /* out: struct elisa_domain_tables, in the kernel */
	uint64_t contexts[ELISA_MAX_VCPUS]; /* out: struct elisa_contexts, 0: no such vCPU */
};

#define ELISA_TEST_EXPORT _IOWR(ELISA_IOCTL, 0xf0, struct elisa_test_export)

#endif
