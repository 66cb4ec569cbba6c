/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * exported.h - a domain's tables, brought out of the kernel by the testing build of elisa.ko
 * (tests/mutations/kmod/export.h), for the prover to be run on them here: gate/prove.c and its seam
 * over copies of the pages.
 */
#ifndef ELISA_TEST_EXPORTED_H
#define ELISA_TEST_EXPORTED_H

#include <elisa/layout.h>

#include "gate/prove.h"

struct exported {
	struct elisa_domain_tables *tables;
	struct elisa_contexts *contexts[ELISA_MAX_VCPUS]; /* NULL: no such vCPU */
	uint32_t nb_pages;
};

/* Replaces what was exported before. 0, or the errno; ENOTTY: it is not the testing build. */
int exported_read(struct exported *exported, int domain);

/* 0, or the first invariant that does not hold, of the lowest vCPU; -ENOMEM. */
int exported_prove(const struct exported *exported, struct elisa_proof *proof);

#endif
