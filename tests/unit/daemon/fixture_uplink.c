// SPDX-License-Identifier: BSD-3-Clause
/* fixture_uplink.c - see fixture_uplink.h. */
#include "fixture_uplink.h"

#include "fixture_sysfs.h"

#include "cmocka_all.h"

#include <stdio.h>

int fixture_uplink_setup(void **state)
{
	struct elisa_failure failure;
	struct elisa_daemon *daemon;

	fixture_sysfs_begin();
	fixture_daemon_setup(state);
	daemon = *state;
	daemon->uplinks.sysfs = fixture_sysfs;
	for (unsigned int i = 1; i <= 5; i++) {
		char address[16];

		snprintf(address, sizeof(address), "0000:%02x:00.0", i);
		fixture_sysfs_device(address, "0x020000", "igb_uio", false);
	}
	assert_int_equal(elisa_uplinks_open(&daemon->uplinks, 64, &failure), 0);
	return 0;
}

int fixture_uplink_teardown(void **state)
{
	fixture_daemon_teardown(state);
	fixture_sysfs_end();
	return 0;
}

void fixture_uplink_add(struct elisa_daemon *daemon, unsigned int number, unsigned int queues)
{
	char arguments[128];

	snprintf(arguments, sizeof(arguments),
		 "{\"name\":\"up%u\",\"pci\":\"0000:%02x:00.0\",\"queues\":%u}", number, number + 1,
		 queues);
	json_decref(fixture_result(daemon, "uplink-add", arguments));
}
