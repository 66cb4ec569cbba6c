/* SPDX-License-Identifier: BSD-3-Clause */
/* hypercall_sizes.h - bytes of each hypercall's structure, by its number. For tests that make calls at random. */
#ifndef ELISA_TEST_HYPERCALL_SIZES_H
#define ELISA_TEST_HYPERCALL_SIZES_H

#include <elisa/hypercall.h>
#include <stdint.h>

static const uint8_t hypercall_sizes[] = {
	[ELISA_HC_HELLO] = sizeof(struct elisa_hc_hello),
	[ELISA_HC_REGISTER] = sizeof(struct elisa_hc_region),
	[ELISA_HC_UNREGISTER] = sizeof(struct elisa_hc_region),
	[ELISA_HC_QUEUE_SETUP] = sizeof(struct elisa_hc_queue),
	[ELISA_HC_QUEUE_RELEASE] = sizeof(struct elisa_hc_queue),
	[ELISA_HC_PORT_SET] = sizeof(struct elisa_hc_port),
	[ELISA_HC_BYE] = sizeof(struct elisa_hc_port),
	[ELISA_HC_RSS_SET] = sizeof(struct elisa_hc_rss),
};

#endif
