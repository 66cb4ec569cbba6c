/* SPDX-License-Identifier: BSD-3-Clause */
/* options.h - the command line of elisa-switchd. Main thread, before anything else runs. */
#ifndef ELISA_DAEMON_OPTIONS_H
#define ELISA_DAEMON_OPTIONS_H

#include <elisa/types.h>

#include <sys/un.h>

#define ELISA_SOCKET_SIZE sizeof(((struct sockaddr_un *)0)->sun_path)

struct elisa_options {
	char switch_name[ELISA_NAME_SIZE];
	char socket[ELISA_SOCKET_SIZE];
	const char *image; /* a path, in argv or a constant */
	uint32_t fdb_capacity;
	uint32_t age_ticks;
	uint32_t uplink_memory; /* MiB, a multiple of 2; 0 = no uplinks */
	bool accept_side_channels;
	bool monitor;   /* be the monitor (monitor.h) of a daemon with the other options */
	bool telemetry; /* never with uplinks: DPDK's own commands read NICs without a lock */
};

enum elisa_options_result {
	ELISA_OPTIONS_RUN,
	ELISA_OPTIONS_DONE,  /* --help or --version: printed, exit with 0 */
	ELISA_OPTIONS_USAGE, /* a message is on stderr, exit with 2 */
};

enum elisa_options_result elisa_options_parse(struct elisa_options *options, int argc, char **argv);

#endif
