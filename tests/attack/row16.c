// SPDX-License-Identifier: BSD-3-Clause
/*
 * row16.c - packets that say they are somebody else's, and floods: of source addresses, of packets to
 * everybody, of one receiver. With the limits of elisactl port set each ends in the counter that it is
 * meant for, and no more gets through than the limit says.
 *
 * The receiver is the VM's own second port, which takes all that is flooded. Of the others' ports only
 * the broadcasts come near: those that the storm limit let through are told as broadcasts_passed, and
 * the scenario asks the victim for just so many foreign packets.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attacks.h"
#include "control.h"
#include "guest/port_layout.h"
#include "guest/row16_kinds.h"

#define SPOOFED 2000u /* of each kind */
#define ADDRESSES 8000u
#define LEARN_LIMIT 100u
#define FLOOD 20000u
#define STORM 20u       /* packets per second */
#define RATE 2000u      /* packets per second */
#define BURST 256u      /* what both pass after a pause (elisactl(8)) */
#define SETTLE_BURST 64 /* packets of one gate call, whose clock is read once */

struct counts {
	uint64_t tried;
	uint64_t spoofed;
	uint64_t not_learned;
	uint64_t storm;
	uint64_t rate;
	uint64_t receiver_full;
	uint64_t broadcasts;
};

/* The port's part of elisactl stats. */
static const char *stats(struct attacker *attacker)
{
	const char *text;
	char words[40];

	snprintf(words, sizeof(words), "stats %.23s", attacker->port);
	text = attack_json(words);
	if (!text)
		die("elisactl stats");
	return text;
}

/* A counter that the port's packets as a sender have by now; 0 if it is not named. */
static uint64_t sent(struct attacker *attacker, const char *counter)
{
	const char *from = strstr(stats(attacker), "\"sent\":{");
	const char *end = from ? strstr(from, "\"received\":{") : NULL;
	const char *at;
	char key[40];

	if (!end)
		die("the port in elisactl stats");
	snprintf(key, sizeof(key), "\"%s\":", counter);
	at = strstr(from, key);
	return at && at < end ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static uint64_t learned(struct attacker *attacker)
{
	return control_number(stats(attacker), "learned");
}

/* The address that the table has for the victim's receiver, as a guest holds it; 0: it has none. */
static uint64_t victim_mac(void)
{
	const char *text = attack_json("fdb");
	const char *at = text ? strstr(text, "\",\"port\":\"v1\",\"fixed\":true") : NULL;
	uint64_t mac = 0;

	/* 52:e1:15:a0:00:01 is before that. */
	if (!at || at - text < 17)
		return 0;
	for (uint64_t i = 0; i < ELISA_MAC_SIZE; i++)
		mac |= strtoull(at - 17 + 3 * i, NULL, 16) << (8 * i);
	return mac;
}

static void set_policy(struct attacker *attacker, const char *option, const char *value)
{
	const char *words[] = {"elisactl", "port", "set", attacker->port, option, value, NULL};

	if (attack_ctl(words)) {
		errno = EIO;
		die("port set");
	}
}

/* All of `count` packets are taken, and the seconds it took are added. */
static const char *send_all(struct attacker *attacker, enum row16_kind kind, uint64_t count,
			    double *seconds, struct counts *counts)
{
	struct timespec before, after;
	enum outcome outcome;
	int64_t taken = 0;

	clock_gettime(CLOCK_MONOTONIC, &before);
	outcome = attacker_call(attacker, "row16_send", kind, count,
				kind == ROW16_STOLEN_MAC ? victim_mac() : 0, &taken);
	clock_gettime(CLOCK_MONOTONIC, &after);
	REQUIRE(outcome == OUTCOME_RETURNED && (uint64_t)taken == count,
		"kind %u: outcome %d, %lld of %llu packets taken", kind, outcome, (long long)taken,
		(unsigned long long)count);
	*seconds = (double)(after.tv_sec - before.tv_sec) +
		   (double)(after.tv_nsec - before.tv_nsec) / 1e9;
	counts->tried += count;
	return NULL;
}

static int64_t received(struct attacker *attacker)
{
	int64_t packets;

	if (attacker_call(attacker, "row16_received", 0, 0, 0, &packets) != OUTCOME_RETURNED)
		return -1;
	return packets;
}

static const char *spoof(struct attacker *attacker, enum row16_kind kind, struct counts *counts)
{
	uint64_t before = sent(attacker, "source-guard"), dropped;
	const char *reason;
	double seconds;
	int64_t arrived;

	reason = send_all(attacker, kind, SPOOFED, &seconds, counts);
	if (reason)
		return reason;
	dropped = sent(attacker, "source-guard") - before;
	arrived = received(attacker);
	REQUIRE(dropped == SPOOFED && !arrived, "kind %u: %llu of %u dropped, %lld arrived", kind,
		(unsigned long long)dropped, SPOOFED, (long long)arrived);
	counts->spoofed += dropped;
	return NULL;
}

static const char *allow(struct attacker *attacker, enum row16_kind kind, struct counts *counts)
{
	const char *reason;
	double seconds;
	int64_t arrived;

	reason = send_all(attacker, kind, PORT_TX_SIZE, &seconds, counts);
	if (reason)
		return reason;
	arrived = received(attacker);
	REQUIRE(arrived == PORT_TX_SIZE, "kind %u: of %u allowed packets %lld arrived", kind,
		PORT_TX_SIZE, (long long)arrived);
	return NULL;
}

/* With a guard: what it allows arrives, nothing else does. */
static const char *spoofs(struct attacker *attacker, struct counts *counts)
{
	const char *words[] = {"elisactl",     "port",        "set",        attacker->port,
			       "--guard",      "mac,ip,vlan", "--allow-ip", "192.0.2.7,2001:db8::7",
			       "--allow-vlan", "7",           NULL};
	const char *reason = NULL;

	if (attack_ctl(words))
		return "the guard cannot be set";
	for (enum row16_kind kind = ROW16_SPOOFED_MAC; kind <= ROW16_SPOOFED_VLAN && !reason;
	     kind++)
		reason = spoof(attacker, kind, counts);
	for (enum row16_kind kind = ROW16_ALLOWED_IPV4; kind <= ROW16_ALLOWED_ARP && !reason;
	     kind++)
		reason = allow(attacker, kind, counts);
	set_policy(attacker, "--guard", "none");
	return reason;
}

/* Without a guard: its part of the table is bounded, and nobody else's address is in it. */
static const char *addresses(struct attacker *attacker, struct counts *counts)
{
	uint64_t before = sent(attacker, "not_learned"), mac = victim_mac(), known;
	const char *reason;
	double seconds;

	REQUIRE(mac, "the table does not know port v1");
	set_policy(attacker, "--learn", "100");
	reason = send_all(attacker, ROW16_MAC_FLOOD, ADDRESSES, &seconds, counts);
	if (reason)
		return reason;
	counts->not_learned = sent(attacker, "not_learned") - before;
	known = learned(attacker);
	/* The same number twice is as good as impossible with 40 random bits, and would be counted. */
	REQUIRE(known == LEARN_LIMIT && counts->not_learned == ADDRESSES - LEARN_LIMIT,
		"%llu learned, %llu not", (unsigned long long)known,
		(unsigned long long)counts->not_learned);
	/* With room for more: it is not the limit that keeps the victim's address. */
	set_policy(attacker, "--learn", "200");
	reason = send_all(attacker, ROW16_STOLEN_MAC, SPOOFED, &seconds, counts);
	if (reason)
		return reason;
	REQUIRE(victim_mac() == mac, "the table has lost port v1");
	return NULL;
}

/* `counter` of them are dropped, the rest is what the limit lets through in that time. */
static const char *limited(struct attacker *attacker, enum row16_kind kind, const char *counter,
			   uint64_t per_second, uint64_t *dropped, uint64_t *passed,
			   struct counts *counts)
{
	uint64_t before = sent(attacker, counter), most, now;
	const char *reason;
	double seconds;

	reason = send_all(attacker, kind, FLOOD, &seconds, counts);
	if (reason)
		return reason;
	now = sent(attacker, counter) - before;
	*dropped += now;
	*passed = FLOOD - now;
	most = BURST + SETTLE_BURST + (uint64_t)((double)per_second * seconds);
	REQUIRE(*passed <= most, "kind %u: %llu passed in %.3f s, the limit lets %llu", kind,
		(unsigned long long)*passed, seconds, (unsigned long long)most);
	return NULL;
}

static const char *storms(struct attacker *attacker, struct counts *counts)
{
	uint64_t passed;
	const char *reason;

	set_policy(attacker, "--storm", "20");
	reason = limited(attacker, ROW16_UNKNOWN, "storm-limit", STORM, &counts->storm, &passed,
			 counts);
	if (!reason && passed < BURST)
		reason = "the storm limit lets through less than what is kept for a pause";
	if (!reason)
		reason = limited(attacker, ROW16_MULTICAST, "storm-limit", STORM, &counts->storm,
				 &passed, counts);
	/* What is kept for a pause is gone by now, so that the victim is not buried in it. */
	if (!reason)
		reason = limited(attacker, ROW16_BROADCAST, "storm-limit", STORM, &counts->storm,
				 &counts->broadcasts, counts);
	set_policy(attacker, "--storm", "none");
	return reason;
}

static const char *rates(struct attacker *attacker, struct counts *counts)
{
	uint64_t passed;
	const char *reason;

	set_policy(attacker, "--rate-packets", "2000");
	reason = limited(attacker, ROW16_UNICAST, "rate-limit", RATE, &counts->rate, &passed,
			 counts);
	if (!reason && passed < BURST)
		reason = "the rate limit lets through less than what is kept for a pause";
	set_policy(attacker, "--rate-packets", "none");
	return reason;
}

/* All slots of one receiver, and far more: what has no slot is dropped, once. */
static const char *one_receiver(struct attacker *attacker, struct counts *counts)
{
	uint64_t before = sent(attacker, "receiver-full");
	int64_t arrived = received(attacker);
	const char *reason;
	double seconds;

	reason = send_all(attacker, ROW16_UNICAST, FLOOD, &seconds, counts);
	if (reason)
		return reason;
	counts->receiver_full = sent(attacker, "receiver-full") - before;
	arrived = received(attacker);
	REQUIRE(arrived > 0 && counts->receiver_full + (uint64_t)arrived == FLOOD,
		"%lld arrived, %llu found no slot", (long long)arrived,
		(unsigned long long)counts->receiver_full);
	return NULL;
}

const char *attack_row16(struct attacker *attacker)
{
	static const char *(*const parts[])(struct attacker * attacker, struct counts * counts) = {
		spoofs, addresses, storms, rates, one_receiver};
	struct counts counts = {0};
	const char *reason = NULL;
	int64_t error;

	attacker_begin(attacker);
	attacker_open_second(attacker);
	if (attacker_call(attacker, "row16_listen", 0, 0, 0, &error) != OUTCOME_RETURNED || error)
		return "the second port does not listen";
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !reason; i++)
		reason = parts[i](attacker, &counts);
	attack_tried(counts.tried);
	attack_saw("source_guard", counts.spoofed);
	attack_saw("not_learned", counts.not_learned);
	attack_saw("storm_limit", counts.storm);
	attack_saw("rate_limit", counts.rate);
	attack_saw("receiver_full", counts.receiver_full);
	attack_saw("broadcasts_passed", counts.broadcasts);
	return reason ? reason : attacker_is_well(attacker);
}
