// SPDX-License-Identifier: BSD-3-Clause
/* main.c - elisa-netd: start, wait for signals, end, in that order. */
#include "eal.h"
#include "link.h"
#include "log.h"
#include "options.h"
#include "stats.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include <rte_eal.h>

#define EXIT_USAGE 2

static struct netd_link links[NETD_MAX_LINKS];

/* Before any thread is made: all of them have these blocked then. */
static sigset_t block_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signals;
}

/* Until a signal says so, or an interface or a switch is gone. */
static int wait_for_end(const sigset_t *signals, uint32_t nb_links)
{
	const struct timespec second = {.tv_sec = 1};
	int number = 0;
	int err = 0;

	while (!err && number != SIGTERM && number != SIGINT) {
		number = sigtimedwait(signals, NULL, &second);
		if (number == SIGUSR1)
			netd_stats_print(links, nb_links);
		for (uint32_t i = 0; !err && number < 0 && i < nb_links; i++)
			err = netd_watch(&links[i].watch, &links[i].port, &links[i].tap);
	}
	return err;
}

static int run(const struct netd_options *options, const sigset_t *signals)
{
	uint32_t opened = 0;
	int err = 0;

	while (!err && opened < options->nb_links) {
		err = netd_link_open(&links[opened], options, opened);
		opened += !err;
	}
	if (!err)
		err = wait_for_end(signals, opened);
	for (uint32_t i = 0; i < opened; i++)
		netd_link_stop(&links[i]);
	if (opened == options->nb_links)
		netd_stats_print(links, opened);
	for (uint32_t i = 0; i < opened; i++)
		netd_link_close(&links[i]);
	return err;
}

int main(int argc, char **argv)
{
	struct netd_options options;
	sigset_t signals;
	int err;

	switch (netd_options_parse(&options, argc, argv)) {
	case NETD_OPTIONS_DONE:
		return EXIT_SUCCESS;
	case NETD_OPTIONS_USAGE:
		return EXIT_USAGE;
	case NETD_OPTIONS_RUN:
		break;
	}
	signals = block_signals();
	if (netd_eal_start(&options))
		return EXIT_FAILURE;
	err = run(&options, &signals);
	rte_eal_cleanup();
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
