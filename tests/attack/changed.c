// SPDX-License-Identifier: BSD-3-Clause
/* changed.c - see changed.h. */
#include "changed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "trace.h"

/* Who reads again sees the change from the first read on. */
#define EACH 64  /* boundaries after the first read; up to it all are tried */
#define STRIDE 3 /* further on */

static struct elisa_switch now;
static unsigned int sender; /* port number */
static uint64_t runs, as_old, as_new;

struct elisa_desc *changed_window(struct attacker *attacker)
{
	return (struct elisa_desc *)(attacker->vm.memory + GUEST_REGION + PORT_WINDOW);
}

const char *changed_begin(struct attacker *attacker)
{
	char(*names)[ELISA_NAME_SIZE];
	int64_t result;

	attacker_begin(attacker);
	attacker_add_port(attacker, "2");
	attacker_add_port(attacker, "3");
	names = attacker_data(attacker, "changed_names");
	for (int i = 0; i < 2; i++)
		snprintf(names[i], sizeof(names[i]), "%.20s%d", attacker->port, i + 2);
	REQUIRE(attacker_call(attacker, "changed_open", 0, 0, 0, &result) == OUTCOME_RETURNED &&
			!result,
		"step %lld", (long long)-result);
	for (uint64_t i = 0; i < 8; i++)
		attacker_call(attacker, "changed_frame", i, CHANGED_FILLING(i),
			      CHANGED_FRAME_LENGTH, &result);
	/* struct port begins with its number. */
	sender = *(uint32_t *)attacker_data(attacker, "attacker_port");
	return NULL;
}

static const char *begin_run(struct changed_run *run)
{
	control_read_switch(&now);
	REQUIRE(sender < ELISA_MAX_PORTS && now.config[sender].present, "port %u", sender);
	run->packets = now.sent[sender].packets;
	memcpy(run->drops, now.sent[sender].drops, sizeof(run->drops));
	return NULL;
}

/* Takes what arrived. Sent is received and dropped. */
static const char *end_run(struct attacker *attacker, struct changed_run *run)
{
	uint64_t dropped = 0;
	int64_t nb;

	REQUIRE(attacker_call(attacker, "changed_take", 0, 0, 0, &nb) == OUTCOME_RETURNED,
		"the receiver was hurt");
	run->nb = (uint32_t)nb;
	run->records = attacker_data(attacker, "changed_records");
	control_read_switch(&now);
	run->packets = now.sent[sender].packets - run->packets;
	for (unsigned int i = 0; i < ELISA_DROP_REASONS; i++) {
		run->drops[i] = now.sent[sender].drops[i] - run->drops[i];
		dropped += run->drops[i];
	}
	REQUIRE(run->packets == run->nb + dropped, "%llu sent, %u received, %llu dropped",
		(unsigned long long)run->packets, run->nb, (unsigned long long)dropped);
	return NULL;
}

const char *changed_send(struct attacker *attacker, uint64_t count, struct changed_run *run)
{
	const char *reason = begin_run(run);

	if (reason)
		return reason;
	REQUIRE(attacker_call(attacker, "changed_send", count, 0, 0, &run->result) ==
			OUTCOME_RETURNED,
		"it was thrown out, count %llu", (unsigned long long)count);
	return end_run(attacker, run);
}

static void begin_call(struct attacker *attacker, const struct changed_case *test)
{
	const uint64_t arguments[3] = {test->count, 0, 0};

	test->prepare(attacker);
	vm_begin(&attacker->vm, program_symbol(&attacker->program, "changed_send"), GUEST_TABLES, 3,
		 arguments);
}

static const char *change_at(struct attacker *attacker, const struct changed_case *test,
			     const struct point *point, bool *is_new)
{
	struct changed_run run;
	const char *reason = begin_run(&run);

	if (reason)
		return reason;
	begin_call(attacker, test);
	REQUIRE(trace_go(&attacker->vm, point) == OUTCOME_STOPPED, "%s: %#llx, %u. time",
		test->name, (unsigned long long)point->address, point->hit);
	test->change(attacker);
	REQUIRE(vm_finish(&attacker->vm, &run.result) == OUTCOME_RETURNED,
		"%s: changed at %#llx, %u. time, the sender was thrown out", test->name,
		(unsigned long long)point->address, point->hit);
	reason = end_run(attacker, &run);
	if (!reason)
		reason = test->judge(&run, is_new);
	if (reason)
		fprintf(stderr, "%s, changed at %#llx, %u. time\n", test->name,
			(unsigned long long)point->address, point->hit);
	return reason;
}

/* What of the guest's memory nobody writes: the sender's own, and all that is not registered. */
static const struct {
	uint64_t from;
	uint64_t to;
} untouched[] = {
	{GUEST_REGION + PORT_WINDOW + 0x1000, GUEST_REGION + PORT_RING},
	{GUEST_REGION + PORT_SEND_BUFFERS + 8 * PORT_BUFFER, GUEST_REGION + PORT_MEMORY},
	{GUEST_REGION + PORT_MEMORY + 0x70000, GUEST_REGION + 2 * PORT_MEMORY},
	{GUEST_REGION + 2 * PORT_MEMORY + 0x70000, GUEST_REGION + 3 * PORT_MEMORY},
	{0x600000, 0x640000},
};

static uint64_t content(uint64_t address)
{
	return address * 0x9e3779b97f4a7c15ull;
}

static const char *look(struct attacker *attacker, bool fill)
{
	for (size_t i = 0; i < sizeof(untouched) / sizeof(untouched[0]); i++) {
		for (uint64_t a = untouched[i].from; a < untouched[i].to; a += sizeof(uint64_t)) {
			volatile uint64_t *word = (uint64_t *)(attacker->vm.memory + a);

			if (fill)
				*word = content(a);
			REQUIRE(*word == content(a), "memory at %#llx has changed",
				(unsigned long long)a);
		}
	}
	return NULL;
}

const char *changed_everywhere(struct attacker *attacker, const struct changed_case *test)
{
	static struct trace trace;
	const char *reason = look(attacker, true);
	uint64_t nb_new = 0, tried = 0;
	int64_t result;

	/* The first packet in a ring takes another way than those after it. */
	begin_call(attacker, test);
	vm_finish(&attacker->vm, &result);
	begin_call(attacker, test);
	REQUIRE(trace_record(&trace, &attacker->vm, &result) == OUTCOME_RETURNED &&
			result == test->count,
		"%s: result %lld", test->name, (long long)result);
	attacker_call(attacker, "changed_take", 0, 0, 0, &result);
	for (uint32_t i = 0; i < trace.count && !reason; i += i < nb_new + EACH ? 1 : STRIDE) {
		bool is_new = false;

		reason = change_at(attacker, test, &trace.points[i], &is_new);
		/* It was read at one instruction: before that one the change comes in time, after it not. */
		REQUIRE(reason || !is_new || i == nb_new, "%s: read again at boundary %u, %#llx",
			test->name, i, (unsigned long long)trace.points[i].address);
		nb_new += is_new;
		tried++;
	}
	if (reason)
		return reason;
	runs += tried;
	as_new += nb_new;
	as_old += tried - nb_new;
	/* From the first to the last: both ends have to be seen, or nothing was changed in time. */
	REQUIRE(nb_new && nb_new < tried, "%s: %llu of %llu as changed", test->name,
		(unsigned long long)nb_new, (unsigned long long)tried);
	return look(attacker, false);
}

void changed_say(void)
{
	attack_tried(runs);
	attack_saw("as_before_the_change", as_old);
	attack_saw("as_changed", as_new);
}
