// SPDX-License-Identifier: BSD-3-Clause
/* loop.c - see loop.h. */
#include "loop.h"

#include "events.h"
#include "log.h"
#include "store.h"
#include "uplink_owners.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define SECOND_MS 1000

/* Places in the array that poll() gets. */
enum {
	POLL_SIGNALS,
	POLL_DOMAIN,
	POLL_VMS,
	POLL_CONTROL = POLL_VMS + ELISA_MAX_PORTS,
	POLLS = POLL_CONTROL + ELISA_CONTROL_POLLS,
};

/* What is due when, in seconds of CLOCK_MONOTONIC. */
struct times {
	time_t next_tick;
	time_t watched; /* when the uplinks were looked at last */
};

static time_t seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

int elisa_loop_block_signals(void)
{
	sigset_t signals;
	int fd;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* 0, ELISA_LOOP_LEAVE, or -EAGAIN: nothing was told. */
static int told_to_end(int signals)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return -EAGAIN;
	if (info.ssi_signo == SIGHUP && elisa_store_present()) {
		elisa_log(ELISA_LOG_NOTICE, "SIGHUP: leaving all ports as they are, to be started "
					    "again");
		return ELISA_LOOP_LEAVE;
	}
	elisa_log(ELISA_LOG_NOTICE, "SIG%s: removing all ports and ending",
		  sigabbrev_np((int)info.ssi_signo));
	return 0;
}

static void fill_polls(struct pollfd *polls, const struct elisa_daemon *daemon,
		       const struct elisa_control *control, int signals)
{
	polls[POLL_SIGNALS] = (struct pollfd){.fd = signals, .events = POLLIN};
	polls[POLL_DOMAIN] = (struct pollfd){.fd = daemon->events_failed ? -1 : daemon->domain.fd,
					     .events = POLLIN};
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		const struct elisa_vm *vm = &daemon->vms.vms[i];

		polls[POLL_VMS + i] =
			(struct pollfd){.fd = vm->attached ? vm->pidfd : -1, .events = POLLIN};
	}
	elisa_control_polls(control, &polls[POLL_CONTROL]);
}

/* Catches up on ticks that passed while a request took long, but not on a suspended host's. */
static void age(struct elisa_daemon *daemon, time_t now, time_t *next_tick)
{
	if (now < *next_tick)
		return;
	elisa_switch_fdb_age(daemon->domain.sw);
	*next_tick += ELISA_FDB_TICK_SECONDS;
	if (*next_tick <= now)
		*next_tick = now + ELISA_FDB_TICK_SECONDS;
}

static void watch(struct elisa_daemon *daemon, time_t now, time_t *watched)
{
	if (now == *watched)
		return;
	*watched = now;
	elisa_uplinks_watch(&daemon->uplinks, &daemon->domain);
}

/* Events come before requests and before VMs that ended: events.h. */
static bool work(struct elisa_daemon *daemon, struct elisa_control *control,
		 const struct pollfd *polls, struct times *times)
{
	time_t now = seconds_now();
	bool more;

	elisa_events_handle(daemon);
	elisa_events_reap(daemon);
	age(daemon, now, &times->next_tick);
	watch(daemon, now, &times->watched);
	more = elisa_control_serve(control, daemon, &polls[POLL_CONTROL], now);
	elisa_captures_turn(&daemon->captures, &daemon->domain, &daemon->vms);
	return more;
}

int elisa_loop_run(struct elisa_daemon *daemon, struct elisa_control *control, int signals)
{
	struct times times = {.next_tick = seconds_now() + ELISA_FDB_TICK_SECONDS};
	struct pollfd polls[POLLS];
	bool more = false;
	int wait_ms, told;

	for (;;) {
		fill_polls(polls, daemon, control, signals);
		wait_ms = more ? 0 : elisa_captures_wait_ms(&daemon->captures, SECOND_MS);
		if (poll(polls, POLLS, wait_ms) < 0) {
			int error = errno;

			if (error == EINTR || error == EAGAIN || error == ENOMEM)
				continue;
			elisa_log(ELISA_LOG_ERROR,
				  "cannot wait for requests: %s; ending. The limit of open files "
				  "has to be %d at least",
				  strerror(error), POLLS);
			return -error;
		}
		told = polls[POLL_SIGNALS].revents ? told_to_end(signals) : -EAGAIN;
		if (told != -EAGAIN)
			return told;
		pthread_mutex_lock(&daemon->lock);
		more = work(daemon, control, polls, &times);
		pthread_mutex_unlock(&daemon->lock);
	}
}
