// SPDX-License-Identifier: BSD-3-Clause
/*
 * row09.c - a receiver that posts bad descriptors, or makes them bad while a sender of another VM is at any
 * instruction of its send: the sender does not fault, nothing else is written, and each packet is received
 * or counted as dropped. That holds for every kind: what is made bad and not used is mended before the
 * receiver looks, so none of them confuses its own counting.
 *
 * The sender is a process of its own, which stops where it is told to (struct order).
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "attacks.h"
#include "changed.h"
#include "control.h"
#include "trace.h"

#define PACKETS 3
#define STRIDE 5 /* boundaries: the kinds begin at different ones */
#define UNREGISTERED 0x600000ull

/* What the sender is told to do, one byte; it answers with one. */
enum order {
	ORDER_RECORD, /* step through a call */
	ORDER_GO,     /* a call, to shared->point */
	ORDER_FINISH, /* to its end */
};

static struct shared {
	uint8_t mac[ELISA_MAC_SIZE]; /* of the receiver */
	uint32_t port;               /* the sender's */
	struct point point;
	enum outcome outcome;
	int64_t result;
	struct trace trace;
} * shared;

static int orders[2], answers[2];
static struct elisa_switch now;

static void begin_call(struct attacker *sender)
{
	const uint64_t arguments[3] = {PACKETS, 0, 0};

	for (uint32_t i = 0; i < PACKETS; i++)
		changed_window(sender)[i] =
			(struct elisa_desc){.addr = CHANGED_FRAME(i), .word = CHANGED_FRAME_LENGTH};
	vm_begin(&sender->vm, program_symbol(&sender->program, "changed_send"), GUEST_TABLES, 3,
		 arguments);
}

static void obey(struct attacker *sender, enum order order)
{
	if (order != ORDER_FINISH)
		begin_call(sender);
	if (order == ORDER_RECORD)
		shared->outcome = trace_record(&shared->trace, &sender->vm, &shared->result);
	else if (order == ORDER_GO)
		shared->outcome = trace_go(&sender->vm, &shared->point);
	else
		shared->outcome = vm_finish(&sender->vm, &shared->result);
}

/* A process. Its frames go to the receiver: that is what its program takes for its own second port. */
static void be_sender(void)
{
	static struct attacker sender;
	int64_t result;
	uint8_t order;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	attacker_begin(&sender);
	/* struct port: number, then the address. */
	shared->port = *(uint32_t *)attacker_data(&sender, "attacker_port");
	memcpy((uint8_t *)attacker_data(&sender, "changed_ports") + sizeof(uint32_t), shared->mac,
	       ELISA_MAC_SIZE);
	for (uint64_t i = 0; i < PACKETS; i++)
		attacker_call(&sender, "changed_frame", i, CHANGED_FILLING(i), CHANGED_FRAME_LENGTH,
			      &result);
	while (write(answers[1], "", 1) == 1 && read(orders[0], &order, 1) == 1)
		obey(&sender, order);
	exit(0);
}

static const char *wait_sender(void)
{
	char byte;

	REQUIRE(read(answers[0], &byte, 1) == 1, "the sender's VMM has ended");
	return NULL;
}

static const char *tell(enum order order)
{
	uint8_t byte = order;

	if (write(orders[1], &byte, 1) != 1)
		die("an order");
	return wait_sender();
}

static struct elisa_desc *slot_desc(struct attacker *attacker, uint64_t slot)
{
	return (struct elisa_desc *)(attacker->vm.memory + GUEST_REGION + PORT_RING) +
	       slot % PORT_RX_SIZE;
}

static void to_unregistered(struct elisa_desc *desc)
{
	desc->addr = UNREGISTERED;
}

static void to_end(struct elisa_desc *desc)
{
	desc->addr = GUEST_REGION + PORT_MEMORY - 32;
}

static void to_wrap(struct elisa_desc *desc)
{
	desc->addr = ~0ull - 31;
}

static void to_trusted(struct elisa_desc *desc)
{
	desc->addr = ELISA_GVA(ELISA_OFFSET_SWITCH);
}

static void to_all_memory(struct elisa_desc *desc)
{
	desc->addr = ELISA_GVA(ELISA_OFFSET_MEMORY);
}

static void to_no_room(struct elisa_desc *desc)
{
	desc->length = 0;
}

static void to_one_byte(struct elisa_desc *desc)
{
	desc->length = 1;
}

static void to_64_kib(struct elisa_desc *desc)
{
	desc->length = 65535;
}

static void to_taken_back(struct elisa_desc *desc)
{
	desc->word = 0;
}

static void to_other_phase(struct elisa_desc *desc)
{
	desc->flags ^= ELISA_DESC_PHASE;
}

static void to_done(struct elisa_desc *desc)
{
	desc->flags ^= ELISA_DESC_DONE | ELISA_DESC_POSTED;
}

static const struct {
	const char *name;
	void (*change)(struct elisa_desc *desc);
} kinds[] = {
	{"unregistered", to_unregistered}, {"end", to_end},           {"wrap", to_wrap},
	{"trusted", to_trusted},           {"memory", to_all_memory}, {"no-room", to_no_room},
	{"one-byte", to_one_byte},         {"64-kib", to_64_kib},     {"taken-back", to_taken_back},
	{"phase", to_other_phase},         {"done", to_done},
};

static struct tally {
	uint64_t runs, received, bad_buffer, full;
} tally;

/* By the switch, of the sender and the receiver; the last by the receiver itself. */
struct counts {
	uint64_t sent, bad_buffer, full, dropped; /* dropped: for any reason */
	uint64_t delivered, receiver_bad_buffer;
	uint64_t received;
};

static struct counts counts(struct attacker *attacker)
{
	uint32_t receiver = *(uint32_t *)attacker_data(attacker, "attacker_port");
	const struct elisa_send_counters *sent = &now.sent[shared->port];
	struct counts counts = {
		.received = *(uint64_t *)attacker_data(attacker, "row09_packets"),
	};

	control_read_switch(&now);
	counts.sent = sent->packets;
	counts.bad_buffer = sent->drops[ELISA_DROP_BAD_RECEIVE_BUFFER];
	counts.full = sent->drops[ELISA_DROP_RECEIVER_FULL];
	for (unsigned int i = 0; i < ELISA_DROP_REASONS; i++)
		counts.dropped += sent->drops[i];
	counts.delivered = now.received[receiver].packets;
	counts.receiver_bad_buffer = now.received[receiver].drops[ELISA_DROP_BAD_RECEIVE_BUFFER];
	return counts;
}

/* None is lost in silence: each was received or dropped for a reason, and both sides' counters say so. */
static const char *judge(const struct counts *then, const struct counts *since)
{
	uint64_t received = since->received - then->received;
	uint64_t dropped = since->dropped - then->dropped;
	uint64_t bad_buffer = since->bad_buffer - then->bad_buffer;
	uint64_t delivered = since->delivered - then->delivered;

	tally.runs++;
	tally.received += received;
	tally.bad_buffer += bad_buffer;
	tally.full += since->full - then->full;
	REQUIRE(since->sent - then->sent == PACKETS && received + dropped == PACKETS,
		"%llu sent, %llu received, %llu dropped",
		(unsigned long long)(since->sent - then->sent), (unsigned long long)received,
		(unsigned long long)dropped);
	REQUIRE(delivered == received &&
			bad_buffer == since->receiver_bad_buffer - then->receiver_bad_buffer,
		"%llu of %llu packets, %llu of %llu drops at the receiver",
		(unsigned long long)delivered, (unsigned long long)received,
		(unsigned long long)(since->receiver_bad_buffer - then->receiver_bad_buffer),
		(unsigned long long)bad_buffer);
	return NULL;
}

static int64_t take(struct attacker *attacker)
{
	int64_t slot = -1;

	attacker_call(attacker, "row09_take", 0, 0, 0, &slot);
	return slot;
}

/* A change to the descriptor of the next slot, or of the one behind it, with the sender at the point. */
static const char *try_at(struct attacker *attacker, size_t kind, const struct point *point)
{
	uint64_t slot = (uint64_t)take(attacker) + tally.runs % 2;
	struct elisa_desc *desc = slot_desc(attacker, slot), good = *desc, changed;
	struct counts then = counts(attacker), since;
	const char *reason;
	bool is_back;

	shared->point = *point;
	reason = tell(ORDER_GO);
	if (reason)
		return reason;
	REQUIRE(shared->outcome == OUTCOME_STOPPED, "outcome %d", shared->outcome);
	/* One that is back is the receiver's own again. */
	is_back = desc->word != good.word;
	if (!is_back)
		kinds[kind].change(desc);
	changed = *desc;
	reason = tell(ORDER_FINISH);
	if (reason)
		return reason;
	REQUIRE(shared->outcome == OUTCOME_RETURNED && shared->result == PACKETS,
		"the sender: outcome %d, result %lld", shared->outcome, (long long)shared->result);
	/* What was not used is the receiver's to mend; what was used is taken. */
	if (!is_back && desc->word == changed.word) {
		desc->addr = good.addr;
		desc->word = good.word;
	}
	take(attacker);
	since = counts(attacker);
	return judge(&then, &since);
}

static const char *begin(struct attacker *attacker)
{
	const char *reason;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED || pipe(orders) || pipe(answers))
		die("memory and pipes");
	/* The sender's process must not have this one's VM. */
	if (!fork()) {
		char byte;

		close(orders[1]);
		close(answers[0]);
		if (read(orders[0], &byte, 1) == 1)
			be_sender();
		exit(2);
	}
	attacker_begin(attacker);
	memcpy(shared->mac, (uint8_t *)attacker_data(attacker, "attacker_port") + sizeof(uint32_t),
	       ELISA_MAC_SIZE);
	reason = tell(ORDER_RECORD); /* to begin */
	/* The first packet in a ring takes another way than those after it. */
	for (int i = 0; i < 2 && !reason; i++) {
		reason = tell(ORDER_RECORD);
		take(attacker);
	}
	if (reason)
		return reason;
	REQUIRE(shared->outcome == OUTCOME_RETURNED && shared->result == PACKETS,
		"outcome %d, result %lld", shared->outcome, (long long)shared->result);
	return NULL;
}

const char *attack_row09(struct attacker *attacker)
{
	const char *reason = begin(attacker);
	uint8_t *canary = attacker->vm.memory + UNREGISTERED;

	memset(canary, 0x5a, 0x10000);
	for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]) && !reason; kind++) {
		for (uint32_t i = kind % STRIDE; i < shared->trace.count && !reason; i += STRIDE) {
			reason = try_at(attacker, kind, &shared->trace.points[i]);
			if (reason)
				fprintf(stderr, "%s at %#llx, %u. time\n", kinds[kind].name,
					(unsigned long long)shared->trace.points[i].address,
					shared->trace.points[i].hit);
		}
	}
	attack_tried(tally.runs);
	attack_saw("packets_received", tally.received);
	attack_saw("dropped_bad_buffer", tally.bad_buffer);
	attack_saw("dropped_ring_full", tally.full);
	for (size_t i = 0; i < 0x10000 && !reason; i++)
		REQUIRE(canary[i] == 0x5a, "memory that was not posted has changed at %#zx", i);
	REQUIRE(reason || (tally.bad_buffer && tally.full && tally.received),
		"none of one outcome");
	return reason ? reason : attacker_is_well(attacker);
}
