/* SPDX-License-Identifier: BSD-3-Clause */
/* fixture_uplink.h - the daemon of fixture.h with memory for uplinks and five fake NICs. */
#ifndef ELISA_TESTS_FIXTURE_UPLINK_H
#define ELISA_TESTS_FIXTURE_UPLINK_H

#include "fixture.h"

/* Set-up and tear-down. NICs 0000:01:00.0 to 0000:05:00.0 are bound to igb_uio. */
int fixture_uplink_setup(void **state);
int fixture_uplink_teardown(void **state);

/* Adds uplink "upN" on NIC N + 1 with so many queues. */
void fixture_uplink_add(struct elisa_daemon *daemon, unsigned int number, unsigned int queues);

#endif
