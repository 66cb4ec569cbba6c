// SPDX-License-Identifier: BSD-3-Clause
/*
 * row18.c - the daemon is killed under traffic, and its monitor starts the next one. Meanwhile every
 * packet of the VM's arrives; afterwards the daemon knows the ports that were there.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attacks.h"
#include "guest/port_layout.h"
#include "guest/row16_kinds.h"

#define KILLS 3
#define BACK_TRIES 300 /* of a tenth of a second */
#define SOME_BURSTS 20 /* before and after each kill */

struct killing {
	pid_t old;
	pid_t now; /* 0: no other came */
	atomic_bool over;
};

/* A burst to the VM's second port, whose ring it fits in, and its arrival. */
static const char *send_burst(struct attacker *attacker, uint64_t *arrived)
{
	int64_t taken, got;

	if (attacker_call(attacker, "row16_send", ROW16_UNICAST, PORT_TX_SIZE, 0, &taken) !=
		    OUTCOME_RETURNED ||
	    attacker_call(attacker, "row16_received", 0, 0, 0, &got) != OUTCOME_RETURNED)
		return "the guest does not run on";
	REQUIRE(taken == PORT_TX_SIZE && got == PORT_TX_SIZE,
		"of %u packets the switch took %lld, %lld arrived", PORT_TX_SIZE, (long long)taken,
		(long long)got);
	*arrived += got;
	return NULL;
}

static const char *send_some(struct attacker *attacker, uint64_t *arrived)
{
	const char *reason = NULL;

	for (int i = 0; i < SOME_BURSTS && !reason; i++)
		reason = send_burst(attacker, arrived);
	return reason;
}

static void *kill_daemon(void *argument)
{
	struct killing *killing = argument;

	if (kill(killing->old, SIGKILL))
		die("kill");
	for (int i = 0; i < BACK_TRIES && !killing->now; i++) {
		pid_t pid = attack_daemon_pid();

		if (pid && pid != killing->old)
			killing->now = pid;
		else
			usleep(100000);
	}
	killing->over = true;
	return NULL;
}

static const char *knows_all_ports(struct attacker *attacker)
{
	const char *text = attack_json("port list");
	char name[ELISA_NAME_SIZE + 12];

	REQUIRE(text && strstr(text, "\"name\":\"v0\"") && strstr(text, "\"name\":\"v1\""),
		"the victim's ports are not listed");
	for (int second = 0; second <= 1; second++) {
		snprintf(name, sizeof(name), "\"name\":\"%.20s%s\"", attacker->port,
			 second ? "2" : "");
		REQUIRE(strstr(text, name), "%s is not listed", name);
	}
	return NULL;
}

static const char *kill_once(struct attacker *attacker, uint64_t *arrived)
{
	struct killing killing = {.old = attack_daemon_pid()};
	const char *reason = NULL;
	pthread_t thread;

	REQUIRE(killing.old, "elisactl status names no process");
	errno = pthread_create(&thread, NULL, kill_daemon, &killing);
	if (errno)
		die("pthread_create");
	while (!killing.over && !reason)
		reason = send_burst(attacker, arrived);
	pthread_join(thread, NULL);
	if (reason)
		return reason;
	REQUIRE(killing.now, "no daemon came after process %d", killing.old);
	reason = knows_all_ports(attacker);
	return reason ? reason : send_some(attacker, arrived);
}

const char *attack_row18(struct attacker *attacker)
{
	const char *reason;
	uint64_t arrived = 0;
	int kills = 0;

	attacker_begin(attacker);
	attacker_open_second(attacker);
	reason = send_some(attacker, &arrived);
	while (kills < KILLS && !reason) {
		reason = kill_once(attacker, &arrived);
		kills++;
	}
	attack_tried(kills);
	attack_saw("arrived", arrived);
	return reason ? reason : attacker_is_well(attacker);
}
