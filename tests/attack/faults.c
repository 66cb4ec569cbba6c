// SPDX-License-Identifier: BSD-3-Clause
/* faults.c - see faults.h. */
#include "faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "control.h"
#include "faults_sender.h"
#include "guest/port_layout.h"

#define BEHIND 4  /* packets of the bystander while the sender stands, and as many after */
#define TRIES 400 /* the daemon removes what is gone */
#define WAIT_US 5000
#define PROVE_EACH 16 /* kills from one proof to the next */
#define POLLS 40      /* that are recorded until two are the same */

static struct vm vm;
static struct program program;
static unsigned int bystander, receiver; /* port numbers */
static struct control_status at_rest;
static struct elisa_switch now;
static uint64_t sent_outside; /* by the bystander */
static int64_t lost_in_nic;   /* before this process came */

/* What the runs came to, all together. */
static struct {
	uint64_t points;    /* boundaries of the call */
	uint64_t runs;      /* of them tried */
	uint64_t missed;    /* not come to */
	uint64_t kills;     /* processes */
	uint64_t proofs;    /* of the contexts, in between */
	uint64_t fills;     /* of the receiver's ring, to see that no slot is missing */
	uint64_t leaked;    /* slots */
	uint64_t uncounted; /* packets that a killed sender had delivered and not yet counted */
	uint64_t in_nic;    /* frames that it had given to the NIC, and that did not get out */
	uint64_t resets;    /* runs in which it had the NIC's queue */
	uint64_t faulted;   /* senders that were thrown out */
	uint64_t returned;
} tally;

static int64_t call_guest(const char *function, uint64_t argument)
{
	const uint64_t arguments[3] = {argument, 0, 0};
	int64_t result;

	vm_begin(&vm, program_symbol(&program, function), GUEST_TABLES, 3, arguments);
	if (vm_finish(&vm, &result) == OUTCOME_RETURNED)
		return result;
	fprintf(stderr, "the bystander was hurt in %s: exit reason %u, vector %llu at %#llx\n",
		function, vm.run->exit_reason,
		(unsigned long long)vm_mailbox(&vm, GUEST_FAULT_VECTOR),
		(unsigned long long)vm_mailbox(&vm, GUEST_FAULT_RIP));
	exit(1);
}

static const struct faults_report *report(void)
{
	return (const void *)(vm.memory + program_symbol(&program, "faults_report"));
}

static const struct elisa_uplink *uplink(void)
{
	return &now.uplinks[0];
}

/* Of the bystander and the receiver, by their guest and by the switch. */
static const char *see_counters(void)
{
	const struct faults_report *seen = report();
	const struct elisa_receive_counters *counted = &now.received[receiver];
	const struct elisa_send_counters *sent = &now.sent[bystander];
	uint64_t received = seen->bystander + seen->sender + seen->outside;
	uint64_t uncounted = received - counted->packets;

	REQUIRE(!seen->lost && !seen->torn, "%llu lost, %llu torn", (unsigned long long)seen->lost,
		(unsigned long long)seen->torn);
	REQUIRE(sent->packets == seen->sent + sent_outside, "the switch counted %llu of %llu",
		(unsigned long long)sent->packets, (unsigned long long)seen->sent + sent_outside);
	REQUIRE(sent->drops[ELISA_DROP_RECEIVER_FULL] == tally.fills, "%llu, filled %llu times",
		(unsigned long long)sent->drops[ELISA_DROP_RECEIVER_FULL],
		(unsigned long long)tally.fills);
	REQUIRE(seen->dropped == counted->drops[ELISA_DROP_SENDER_LOST],
		"%llu slots came back empty, %llu counted", (unsigned long long)seen->dropped,
		(unsigned long long)counted->drops[ELISA_DROP_SENDER_LOST]);
	/* Counters are added at the end: of the one that was killed some may be missing. */
	REQUIRE(uncounted - tally.uncounted <= FAULTS_PACKETS * FAULTS_VCPUS,
		"%llu received, %llu counted, %llu missing before", (unsigned long long)received,
		(unsigned long long)counted->packets, (unsigned long long)tally.uncounted);
	tally.uncounted = uncounted;
	return NULL;
}

/* Somebody else's VM may be inside at the moment: that passes. */
static bool stays_in_flight(unsigned int vcpu)
{
	uint64_t word = now.journals[vcpu].word;

	for (int tries = 0; word && now.journals[vcpu].word == word; tries++) {
		if (tries == TRIES)
			return true;
		usleep(WAIT_US);
		control_read_switch(&now);
	}
	return false;
}

/* Nothing stays in flight, no queue is owned. */
static const char *see_switch(void)
{
	control_read_switch(&now);
	for (unsigned int i = 0; i < ELISA_MAX_VCPUS; i++)
		REQUIRE(!stays_in_flight(i), "vCPU %u keeps %#llx in flight", i,
			(unsigned long long)now.journals[i].word);
	for (unsigned int i = 0; i < ELISA_UPLINK_QUEUES; i++)
		REQUIRE(elisa_uplink_owner_vcpu(now.uplinks[0].queues[i].owner) < 0,
			"vCPU %d has queue %u of the NIC",
			elisa_uplink_owner_vcpu(now.uplinks[0].queues[i].owner), i);
	return NULL;
}

/* As many ports as at rest, or so many more, and nothing pinned for those that went. */
static const char *wait_ports(uint64_t more)
{
	struct control_status status;
	int tries = 0;

	do {
		usleep(WAIT_US);
		control_status(&status);
	} while ((status.ports != at_rest.ports + more ||
		  (!more && status.pinned_pages != at_rest.pinned_pages)) &&
		 ++tries < TRIES);
	REQUIRE(status.ports == at_rest.ports + more, "%llu ports instead of %llu",
		(unsigned long long)status.ports, (unsigned long long)(at_rest.ports + more));
	REQUIRE(more || status.pinned_pages == at_rest.pinned_pages,
		"%llu pages pinned instead of %llu", (unsigned long long)status.pinned_pages,
		(unsigned long long)at_rest.pinned_pages);
	return NULL;
}

static const char *bystander_sends(uint64_t count)
{
	int64_t taken = call_guest("faults_send", count);

	REQUIRE(taken == (int64_t)count, "%lld", (long long)taken);
	return NULL;
}

/* Each slot but the one that the receiver keeps: no more and no less. */
static const char *fill_ring(void)
{
	const char *reason = NULL;
	int64_t got;

	for (unsigned int i = 0; i < PORT_RX_SIZE / PORT_TX_SIZE && !reason; i++)
		reason = bystander_sends(PORT_TX_SIZE);
	if (reason)
		return reason;
	got = call_guest("faults_drain", 0);
	tally.fills++;
	tally.leaked += PORT_RX_SIZE - 1 - got;
	REQUIRE(got == PORT_RX_SIZE - 1, "%lld of %d slots", (long long)got, PORT_RX_SIZE - 1);
	REQUIRE(call_guest("faults_forgive", 0) == 1, "packets that were not there");
	return NULL;
}

/* All that has to be so when the sender is gone. The bystander sends again, then the ring is filled. */
static const char *see_all(void)
{
	const char *reason = wait_ports(0);

	if (!reason)
		reason = bystander_sends(BEHIND);
	if (reason)
		return reason;
	call_guest("faults_drain", 0);
	reason = fill_ring();
	if (!reason)
		reason = see_switch();
	return reason ? reason : see_counters();
}

/* Frames given to the NIC, as the switch counts them, that the NIC did not send. */
static int64_t in_nic(void)
{
	return (int64_t)now.received[uplink()->port].packets - (int64_t)control_nic_sent() -
	       lost_in_nic;
}

/*
 * The `nb` that were killed in a send may have had frames in the NIC's ring that do not get out: each of
 * them is counted as given, and none got out that is not. Then a frame of the bystander's goes out.
 */
static const char *see_uplink(uint32_t nb)
{
	int64_t lost = in_nic() - (int64_t)tally.in_nic;
	uint64_t drops = now.sent[bystander].drops[ELISA_DROP_UPLINK_DOWN];
	int64_t after;
	int tries = 0;

	REQUIRE(lost >= 0 && lost <= nb * FAULTS_PACKETS, "%lld frames given and not sent",
		(long long)lost);
	tally.in_nic += lost;
	REQUIRE(call_guest("faults_send_outside", 0) == 1, "the bystander sends to the uplink");
	sent_outside++;
	do {
		usleep(1000);
		control_read_switch(&now);
		after = in_nic();
	} while (after != (int64_t)tally.in_nic && ++tries < TRIES);
	REQUIRE(after == (int64_t)tally.in_nic, "%lld frames are in the NIC",
		(long long)after - (int64_t)tally.in_nic);
	REQUIRE(now.sent[bystander].drops[ELISA_DROP_UPLINK_DOWN] == drops, "the uplink is down");
	return NULL;
}

static bool sender_has_queue(void)
{
	control_read_switch(&now);
	return elisa_uplink_owner_vcpu(now.uplinks[0].queues[0].owner) >= 0;
}

/* A sender at the point, or 0. */
static pid_t sender_at(enum faults_call call, const struct point *point, const char **reason)
{
	pid_t pid = faults_sender_at(call, point, 1);

	if (pid) {
		tally.runs++;
		return pid;
	}
	tally.missed++;
	*reason = wait_ports(call == FAULTS_SEND_OTHER);
	return 0;
}

/* The sender stands; the bystander sends; it is killed. Now and then the contexts are proven. */
static const char *kill_and_see(pid_t pid)
{
	const char *reason = bystander_sends(BEHIND);

	faults_sender_kill(pid);
	tally.kills++;
	if (!reason)
		reason = see_all();
	if (reason || tally.kills % PROVE_EACH)
		return reason;
	tally.proofs++;
	return control_prove();
}

static const char *kill_at(const struct point *point)
{
	const char *reason = NULL;
	pid_t pid = sender_at(FAULTS_SEND, point, &reason);

	return pid ? kill_and_see(pid) : reason;
}

/*
 * One VM whose vCPUs stand at as many points, each with the bystander's packets behind it, and are lost
 * together; if one does not come to its point, then one VM for each.
 */
static const char *kill_together(const struct point *points, uint32_t nb)
{
	pid_t pid = faults_sender_at(FAULTS_SEND, points, nb);
	const char *reason = NULL;
	bool all = pid;

	for (uint32_t i = 1; i < nb && all && !reason; i++) {
		reason = bystander_sends(BEHIND);
		all = faults_sender_next();
	}
	if (all) {
		tally.runs += nb;
		return reason ? reason : kill_and_see(pid);
	}
	if (!reason)
		reason = see_all();
	for (uint32_t i = 0; i < nb && !reason; i++)
		reason = kill_at(&points[i]);
	return reason;
}

static const char *record(enum faults_call call)
{
	int64_t wanted = call == FAULTS_POLL ? 1 : FAULTS_PACKETS + 1;
	uint32_t count = 0, before;
	const char *reason = NULL;
	unsigned int tries = 0;

	/* Of a poll two in a row: with the first frame its sender is learned, some give descriptors back. */
	do {
		before = count;
		faults_sender_record(call);
		reason = wait_ports(call == FAULTS_SEND_OTHER);
		count = faults_shared()->result == wanted ? faults_shared()->trace.count : 0;
	} while (!reason && call == FAULTS_POLL && (!count || count != before) && ++tries < POLLS);
	/* What it sent is no part of what is counted from here. */
	call_guest("faults_drain", 0);
	call_guest("faults_forgive", 0);
	if (reason)
		return reason;
	REQUIRE(faults_shared()->outcome == OUTCOME_RETURNED && faults_shared()->result == wanted,
		"outcome %d, result %lld", faults_shared()->outcome,
		(long long)faults_shared()->result);
	REQUIRE(call != FAULTS_POLL || count == before, "%u boundaries, then %u", before, count);
	tally.points = count;
	return NULL;
}

static const char *say(const char *reason)
{
	attack_tried(tally.runs);
	attack_saw("boundaries", tally.points);
	attack_saw("not_come_to", tally.missed);
	attack_saw("sender_packets_received", report()->sender);
	attack_saw("bystander_packets_received", report()->bystander);
	attack_saw("bystander_packets_lost", report()->lost);
	attack_saw("packets_torn", report()->torn);
	attack_saw("slots_recovered", report()->dropped);
	attack_saw("slots_leaked", tally.leaked);
	REQUIRE(reason || !tally.missed, "%llu boundaries were not come to",
		(unsigned long long)tally.missed);
	return reason;
}

static void say_where(uint32_t i)
{
	const struct point *point = &faults_shared()->trace.points[i];

	fprintf(stderr, "at boundary %u of %llu, %#llx, %u. time\n", i,
		(unsigned long long)tally.points, (unsigned long long)point->address, point->hit);
}

/* One run for each stride-th boundary. */
static const char *at_each(enum faults_call call, uint32_t stride,
			   const char *(*run)(enum faults_call call, const struct point *point))
{
	const char *reason = record(call);

	for (uint32_t i = 0; i < tally.points && !reason; i += stride) {
		reason = run(call, &faults_shared()->trace.points[i]);
		if (reason)
			say_where(i);
	}
	return say(reason);
}

/* Boundaries that are far from each other together: each vCPU in another part of the call. */
static const char *kill_sends(uint32_t stride)
{
	const char *reason = record(FAULTS_SEND);
	uint32_t apart = ((uint32_t)tally.points + FAULTS_VCPUS - 1) / FAULTS_VCPUS;

	for (uint32_t i = 0; i < apart && !reason; i += stride) {
		struct point points[FAULTS_VCPUS];
		uint32_t nb = 0;

		for (uint32_t k = i; k < tally.points; k += apart)
			points[nb++] = faults_shared()->trace.points[k];
		reason = kill_together(points, nb);
		if (reason)
			say_where(i);
	}
	return say(reason);
}

/* vCPUs of one VM that are to come to a boundary each. */
struct together {
	struct point points[FAULTS_VCPUS];
	uint32_t nb;
	uint32_t stand; /* of them */
	bool has_queue; /* the last of those has the NIC's */
};

static struct together from_boundary(uint32_t i, uint32_t stride, uint32_t most)
{
	struct together vcpus = {0};

	for (; i < tally.points && vcpus.nb < most; i += stride)
		vcpus.points[vcpus.nb++] = faults_shared()->trace.points[i];
	return vcpus;
}

/* One after the other, until one has the queue. Their process; 0: one did not come there, and it ended. */
static pid_t come_together(enum faults_call call, struct together *vcpus, const char **reason)
{
	pid_t pid = faults_sender_at(call, vcpus->points, vcpus->nb);
	bool came = pid;

	while (came && !*reason) {
		vcpus->stand++;
		vcpus->has_queue = sender_has_queue();
		if (vcpus->has_queue || vcpus->stand == vcpus->nb)
			return pid;
		*reason = bystander_sends(BEHIND);
		came = faults_sender_next();
	}
	vcpus->stand = 0;
	return 0;
}

static const char *kill_with_nic(enum faults_call call, struct together *vcpus)
{
	const char *reason = NULL;
	pid_t pid = come_together(call, vcpus, &reason);

	tally.runs += vcpus->stand;
	tally.resets += pid && vcpus->has_queue;
	if (!reason)
		reason = pid ? kill_and_see(pid) : see_all();
	return reason ? reason : see_uplink(call == FAULTS_POLL ? 0 : vcpus->nb);
}

/* Who follows one that has the queue most likely has it too, and is alone; so is who did not come there. */
static const char *kill_calls_of_nic(enum faults_call call, uint32_t stride)
{
	const char *reason = record(call);
	uint32_t i = 0, most = FAULTS_VCPUS;

	while (i < tally.points && !reason) {
		struct together vcpus = from_boundary(i, stride, most);

		reason = kill_with_nic(call, &vcpus);
		if (reason)
			say_where(i);
		most = vcpus.stand && !vcpus.has_queue ? FAULTS_VCPUS : 1;
		if (!vcpus.stand && vcpus.nb == 1) {
			tally.missed++;
			i += stride;
		}
		i += vcpus.stand * stride;
	}
	return say(reason);
}

const char *faults_kill(enum faults_call call, uint32_t stride)
{
	const char *reason =
		call == FAULTS_SEND ? kill_sends(stride) : kill_calls_of_nic(call, stride);
	struct control_status status;

	control_status(&status);
	attack_saw("kills", tally.kills);
	attack_saw("kills_for_each_proof", PROVE_EACH);
	attack_saw("proofs", tally.proofs);
	attack_saw("pages_pinned_after", status.pinned_pages - at_rest.pinned_pages);
	attack_saw("delivered_not_counted", tally.uncounted);
	if (call != FAULTS_SEND) {
		attack_saw("killed_with_queue", tally.resets);
		attack_saw("frames_lost_in_nic", tally.in_nic);
	}
	return reason;
}

static uint32_t pause_ms;

static const char *pause_at(enum faults_call call, const struct point *point)
{
	uint64_t received = report()->sender;
	const char *reason = NULL;

	if (!sender_at(call, point, &reason))
		return reason;
	reason = bystander_sends(BEHIND);
	usleep(pause_ms * 1000);
	faults_sender_continue();
	REQUIRE(faults_shared()->outcome == OUTCOME_RETURNED &&
			faults_shared()->result == FAULTS_PACKETS + 1,
		"outcome %d, result %lld", faults_shared()->outcome,
		(long long)faults_shared()->result);
	tally.returned++;
	if (!reason)
		reason = see_all();
	REQUIRE(reason || report()->sender == received + FAULTS_PACKETS,
		"%llu packets of it, bystander %llu of %llu, outside %llu, dropped %llu",
		(unsigned long long)(report()->sender - received),
		(unsigned long long)report()->bystander, (unsigned long long)report()->sent,
		(unsigned long long)report()->outside, (unsigned long long)report()->dropped);
	return reason;
}

const char *faults_pause(uint32_t stride, uint32_t ms)
{
	pause_ms = ms;
	return at_each(FAULTS_SEND, stride, pause_at);
}

/* It goes on after what was done to it: it returns, or is thrown out. */
static const char *goes_on(void)
{
	faults_sender_continue();
	REQUIRE(faults_shared()->outcome == OUTCOME_RETURNED ||
			faults_shared()->outcome == OUTCOME_FAULT,
		"outcome %d", faults_shared()->outcome);
	tally.returned += faults_shared()->outcome == OUTCOME_RETURNED;
	tally.faulted += faults_shared()->outcome == OUTCOME_FAULT;
	return NULL;
}

static const char *delete_at(enum faults_call call, const struct point *point)
{
	const char *reason = NULL;

	if (!sender_at(call, point, &reason))
		return reason;
	reason = bystander_sends(BEHIND);
	control_delete_port(FAULTS_SENDER);
	if (!reason)
		reason = goes_on();
	return reason ? reason : see_all();
}

static void say_how_it_went_on(void)
{
	attack_saw("returned", tally.returned);
	attack_saw("thrown_out", tally.faulted);
}

const char *faults_delete(uint32_t stride)
{
	const char *reason = at_each(FAULTS_SEND, stride, delete_at);

	say_how_it_went_on();
	return reason;
}

static const char *kill_receiver_at(enum faults_call call, const struct point *point)
{
	pid_t other = faults_receiver_start();
	const char *reason = NULL;

	if (!sender_at(call, point, &reason))
		return reason;
	faults_sender_kill(other);
	reason = bystander_sends(BEHIND);
	if (!reason)
		reason = wait_ports(1);
	if (!reason)
		reason = goes_on();
	return reason ? reason : see_all();
}

const char *faults_kill_receiver(uint32_t stride)
{
	pid_t other = faults_receiver_start();
	const char *reason;

	/* Recorded with one receiver; each run has another. */
	reason = record(FAULTS_SEND_OTHER);
	faults_sender_kill(other);
	if (!reason)
		reason = wait_ports(0);
	for (uint32_t i = 0; i < tally.points && !reason; i += stride)
		reason = kill_receiver_at(FAULTS_SEND_OTHER, &faults_shared()->trace.points[i]);
	say_how_it_went_on();
	return say(reason);
}

static const char *open_ports(void)
{
	int64_t error = call_guest("faults_open", 0);
	const char *reason;

	REQUIRE(!error, "step %lld", (long long)-error);
	control_status(&at_rest);
	control_read_switch(&now);
	bystander = control_find_port(&now, 0x52e115a00f0b);
	receiver = control_find_port(&now, 0x52e115a00f0c);
	REQUIRE(bystander < ELISA_MAX_PORTS && receiver < ELISA_MAX_PORTS, "no ports");
	if (now.uplinks_present)
		lost_in_nic = in_nic();
	/* From here on the receiver keeps one slot. */
	reason = bystander_sends(1);
	call_guest("faults_drain", 0);
	return reason;
}

const char *faults_begin(void)
{
	faults_senders_begin();
	vm_create(&vm);
	program_read(&program, "attack-guest");
	program_load(&program, &vm);
	control_add_port("faults-b", FAULTS_MAC_BYSTANDER);
	control_add_port("faults-r", FAULTS_MAC_RECEIVER);
	return open_ports();
}

void faults_end(void)
{
	faults_senders_end();
	control_delete_port("faults-b");
	control_delete_port("faults-r");
	vm_destroy(&vm);
}
