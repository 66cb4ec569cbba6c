// SPDX-License-Identifier: BSD-3-Clause
/* main.c - elisa-switchd: start or take over, run, end or leave, in that order. */
#include "adopt.h"
#include "confine.h"
#include "control.h"
#include "daemon.h"
#include "environment.h"
#include "log.h"
#include "loop.h"
#include "monitor.h"
#include "options.h"
#include "telemetry.h"

#include <elisa/version.h>

#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE 2

static struct elisa_kept kept;

/* The switch runs without telemetry, but not without the uplinks that were asked for. */
static int start_dpdk(struct elisa_daemon *daemon, struct elisa_failure *failure)
{
	const struct elisa_options *options = &daemon->options;
	int result = 0;

	if (options->uplink_memory)
		elisa_log(ELISA_LOG_NOTICE,
			  "no DPDK telemetry: with --uplink-memory its /ethdev commands would read "
			  "a NIC's registers while the NIC is taken away; elisactl shows all "
			  "counters");
	if (options->telemetry || options->uplink_memory)
		result = elisa_environment_start(options, failure);
	if (!result && options->telemetry)
		result = elisa_telemetry_start(daemon, failure);
	if (result && !options->uplink_memory) {
		elisa_log(ELISA_LOG_WARNING, "no telemetry, the switch runs without: %s",
			  failure->message);
		return 0;
	}
	if (!result)
		result = elisa_uplinks_open(&daemon->uplinks, options->uplink_memory, failure);
	return result;
}

/* The socket comes last: who can connect finds a switch that is ready. */
static int run(struct elisa_daemon *daemon, int signals)
{
	struct elisa_control control;
	struct elisa_failure failure;
	int result;

	elisa_control_init(&control);
	result = elisa_confine_capabilities(daemon->options.uplink_memory, &failure);
	if (!result)
		result = start_dpdk(daemon, &failure);
	if (!result) {
		elisa_adopt_uplinks(daemon, &kept);
		elisa_kept_drop_rest(&kept);
		result = elisa_control_listen(&control, daemon->options.socket, &failure);
	}
	if (!result)
		result = elisa_confine_calls(daemon->options.uplink_memory, &failure);
	if (result) {
		elisa_log(ELISA_LOG_ERROR, "%s", failure.message);
	} else {
		elisa_log(ELISA_LOG_NOTICE, "version %s, module %s, ready at %s",
			  ELISA_VERSION_STRING, daemon->domain.info.module_version,
			  daemon->options.socket);
		result = elisa_loop_run(daemon, &control, signals);
	}
	elisa_control_close(&control);
	elisa_telemetry_stop();
	return result;
}

static int run_daemon(const struct elisa_options *options)
{
	static struct elisa_daemon daemon;
	struct elisa_failure failure;
	int signals, result;

	signals = elisa_loop_block_signals();
	if (signals < 0) {
		elisa_log(ELISA_LOG_ERROR, "signals cannot be received: %s", strerror(-signals));
		return EXIT_FAILURE;
	}
	elisa_kept_open(&kept);
	if (elisa_confine_process(&failure) ||
	    elisa_daemon_open(&daemon, options, "/proc", &kept, &failure)) {
		elisa_log(ELISA_LOG_ERROR, "%s", failure.message);
		return EXIT_FAILURE;
	}
	result = run(&daemon, signals);
	/* What cannot be run now may be, after another start: a switch that was adopted goes on. */
	if (result == ELISA_LOOP_LEAVE || (result && daemon.adopted))
		elisa_daemon_leave(&daemon);
	else
		elisa_daemon_close(&daemon);
	elisa_environment_stop();
	if (result == ELISA_LOOP_LEAVE)
		return ELISA_EXIT_RESTART;
	return result ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct elisa_options options;

	switch (elisa_options_parse(&options, argc, argv)) {
	case ELISA_OPTIONS_DONE:
		return EXIT_SUCCESS;
	case ELISA_OPTIONS_USAGE:
		return EXIT_USAGE;
	case ELISA_OPTIONS_RUN:
		break;
	}
	elisa_log_open(options.switch_name);
	if (options.monitor && !elisa_monitor_is_parent())
		return elisa_monitor_run(&options, argv);
	return run_daemon(&options);
}
