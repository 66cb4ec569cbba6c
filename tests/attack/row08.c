// SPDX-License-Identifier: BSD-3-Clause
/*
 * row08.c - hostile descriptors: addresses outside and at the edge of regions, lengths, chains, counts; rings
 * of others; and descriptors that another vCPU changes during the call.
 */
#include <string.h>

#include "attacks.h"
#include "changed.h"

#define BASE GUEST_REGION
#define END (GUEST_REGION + PORT_MEMORY) /* the next port's memory begins there */
#define MORE ((uint64_t)ELISA_DESC_MORE << 16)
#define UNREGISTERED 0x600000ull
#define EINVAL_RESULT (-22)
#define EPERM_RESULT (-1)
#define ENODEV_RESULT (-19)

static const struct {
	const char *what;
	uint64_t address;
	uint64_t word;
	uint32_t drop; /* ELISA_DROP_NONE: it is delivered, or flooded to nobody */
} bad[] = {
	{"whole", CHANGED_FRAME(0), 200, ELISA_DROP_NONE},
	{"before", BASE - 1, 64, ELISA_DROP_BAD_DESCRIPTOR},
	{"across the beginning", BASE - 32, 64, ELISA_DROP_BAD_DESCRIPTOR},
	{"to the end", END - 64, 64, ELISA_DROP_BAD_SOURCE},
	{"across the end", END - 63, 64, ELISA_DROP_BAD_DESCRIPTOR},
	{"another port's", END, 64, ELISA_DROP_BAD_DESCRIPTOR},
	{"not registered", UNREGISTERED, 64, ELISA_DROP_BAD_DESCRIPTOR},
	{"null", 0, 64, ELISA_DROP_BAD_DESCRIPTOR},
	{"wraps", ~0ull - 31, 64, ELISA_DROP_BAD_DESCRIPTOR},
	{"wraps by one", ~0ull, 1, ELISA_DROP_BAD_DESCRIPTOR},
	{"just before", BASE - 65535, 65535, ELISA_DROP_BAD_DESCRIPTOR},
	{"not canonical", CHANGED_FRAME(0) | 1ull << 62, 64, ELISA_DROP_BAD_DESCRIPTOR},
	{"kernel's half", ~0ull << 47, 64, ELISA_DROP_BAD_DESCRIPTOR},
	{"trusted code", ELISA_GVA(ELISA_OFFSET_TEXT), 64, ELISA_DROP_BAD_DESCRIPTOR},
	{"switch", ELISA_GVA(ELISA_OFFSET_SWITCH), 64, ELISA_DROP_BAD_DESCRIPTOR},
	{"trusted stack", ELISA_GVA(ELISA_OFFSET_STACK), 64, ELISA_DROP_BAD_DESCRIPTOR},
	{"others' memory", ELISA_GVA(ELISA_OFFSET_MEMORY), 64, ELISA_DROP_BAD_DESCRIPTOR},
	{"no length", CHANGED_FRAME(0), 0, ELISA_DROP_BAD_DESCRIPTOR},
	{"one byte", CHANGED_FRAME(0), 1, ELISA_DROP_RUNT},
	{"13 bytes", CHANGED_FRAME(0), 13, ELISA_DROP_RUNT},
	{"64 KiB", CHANGED_FRAME(0), 65535, ELISA_DROP_GIANT},
	{"chain without end", CHANGED_FRAME(0), 200 | MORE, ELISA_DROP_BAD_DESCRIPTOR},
	{"posted", CHANGED_FRAME(0), 200 | ELISA_DESC_POSTED << 16, ELISA_DROP_BAD_DESCRIPTOR},
	{"done", CHANGED_FRAME(0), 200 | ELISA_DESC_DONE << 16, ELISA_DROP_BAD_DESCRIPTOR},
	{"unknown flags", CHANGED_FRAME(0), 200 | 0xfe00ull << 16, ELISA_DROP_BAD_DESCRIPTOR},
	{"meta for nothing", CHANGED_FRAME(0), 200 | 1ull << 32, ELISA_DROP_BAD_DESCRIPTOR},
	{"all bits", CHANGED_FRAME(0), ~0ull, ELISA_DROP_BAD_DESCRIPTOR},
	{"offload of no IP", CHANGED_FRAME(0), 200 | 0xffffffe0ull << 16,
	 ELISA_DROP_BAD_DESCRIPTOR},
	{"TSO of no IP", CHANGED_FRAME(0), 200 | 0x60ull << 16 | ~0ull << 32,
	 ELISA_DROP_BAD_OFFLOAD},
};

static void set(struct attacker *attacker, uint32_t i, uint64_t address, uint64_t word)
{
	changed_window(attacker)[i] = (struct elisa_desc){.addr = address, .word = word};
}

/* Each alone, and then as the second part of a packet. */
static const char *try_bad(struct attacker *attacker, size_t i, bool second)
{
	struct changed_run run;
	const char *reason;
	bool good = bad[i].drop == ELISA_DROP_NONE;

	set(attacker, 0, CHANGED_FRAME(1), 100 | MORE);
	set(attacker, second, bad[i].address, bad[i].word);
	reason = changed_send(attacker, 1 + second, &run);
	if (reason)
		return reason;
	REQUIRE(run.result == 1 + second && run.packets == 1, "%s: result %lld", bad[i].what,
		(long long)run.result);
	REQUIRE(second || run.nb == good, "%s: %u arrived", bad[i].what, run.nb);
	REQUIRE(second || good || run.drops[bad[i].drop] == 1, "%s: not dropped as reason %u",
		bad[i].what, bad[i].drop);
	/* As a second part its length and its addresses may do; its descriptor may not. */
	REQUIRE(!second || bad[i].drop != ELISA_DROP_BAD_DESCRIPTOR || !run.nb, "%s: arrived",
		bad[i].what);
	return NULL;
}

static const char *try_counts(struct attacker *attacker)
{
	static const uint64_t counts[] = {0,     PORT_TX_SIZE + 1, 256,        257,
					  1024,  UINT32_MAX,       1ull << 32, (1ull << 32) + 1,
					  ~0ull, 1ull << 63};
	const char *reason = NULL;
	struct changed_run run;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]) && !reason; i++) {
		reason = changed_send(attacker, counts[i], &run);
		REQUIRE(reason || (run.result == EINVAL_RESULT && !run.packets && !run.nb),
			"count %#llx: %lld", (unsigned long long)counts[i], (long long)run.result);
	}
	return reason;
}

/* A call for `first`, a port and a queue of it, has to end so. */
static const char *try_ring(struct attacker *attacker, uint64_t first, int64_t wanted)
{
	int64_t result;

	REQUIRE(attacker_call(attacker, "changed_send_as", first, 0, 0, &result) ==
				OUTCOME_RETURNED &&
			result == wanted,
		"port %llu, queue %llu: %lld", (unsigned long long)first & 0xffff,
		(unsigned long long)first >> 16, (long long)result);
	return NULL;
}

/* The victim's ports are the first; some are nobody's. Then queues that its own has not. */
static const char *try_others_rings(struct attacker *attacker)
{
	static const uint64_t none[] = {ELISA_MAX_PORTS, ELISA_MAX_PORTS + 1, 0x8000, 0xffff};
	static const uint64_t queues[] = {1, ELISA_MAX_QUEUES - 1, ELISA_MAX_QUEUES, 0xffff,
					  ~0ull >> 16};
	uint64_t own = *(uint32_t *)attacker_data(attacker, "attacker_port");
	const char *reason = NULL;

	for (uint64_t port = 0; port < own && !reason; port++)
		reason = try_ring(attacker, port, EPERM_RESULT);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]) && !reason; i++)
		reason = try_ring(attacker, none[i], EPERM_RESULT);
	for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]) && !reason; i++)
		reason = try_ring(attacker, own | queues[i] << 16, ENODEV_RESULT);
	return reason;
}

/* 49 parts, one more than a packet may have; then a chain that the window's end cuts off. */
static const char *try_chains(struct attacker *attacker)
{
	struct changed_run run;
	const char *reason;

	for (uint32_t i = 0; i < PORT_TX_SIZE; i++)
		set(attacker, i, CHANGED_FRAME(0), 20 | (i == ELISA_MAX_SEGMENTS ? 0 : MORE));
	reason = changed_send(attacker, ELISA_MAX_SEGMENTS + 1, &run);
	if (reason)
		return reason;
	REQUIRE(run.drops[ELISA_DROP_BAD_DESCRIPTOR] == 1 && !run.nb, "49 parts: %u arrived",
		run.nb);
	for (uint32_t i = 0; i < PORT_TX_SIZE; i++)
		set(attacker, i, CHANGED_FRAME(0), 20 | MORE);
	reason = changed_send(attacker, PORT_TX_SIZE, &run);
	if (reason)
		return reason;
	REQUIRE(run.packets == 1 && run.drops[ELISA_DROP_BAD_DESCRIPTOR] == 1,
		"a chain without end: %llu packets", (unsigned long long)run.packets);
	return NULL;
}

/* Changed during the call: frame 0, and a second packet of two parts behind it. */
static void prepare(struct attacker *attacker)
{
	set(attacker, 0, CHANGED_FRAME(0), CHANGED_FRAME_LENGTH);
	set(attacker, 1, CHANGED_FRAME(1), 100 | MORE);
	set(attacker, 2, CHANGED_FRAME(1) + 100, 100);
}

static bool is_frame(const struct changed_record *record, uint32_t i, uint32_t length)
{
	return record->length == length && record->first == CHANGED_FILLING(i) && !record->mixed;
}

static const char *judge_second(const struct changed_run *run)
{
	REQUIRE(run->result == 3 && run->nb >= 1, "result %lld, %u packets", (long long)run->result,
		run->nb);
	REQUIRE(is_frame(&run->records[run->nb - 1], 1, 200), "the second packet: %u bytes",
		run->records[run->nb - 1].length);
	return NULL;
}

static void change_address(struct attacker *attacker)
{
	changed_window(attacker)[0].addr = CHANGED_FRAME(2);
}

static const char *judge_address(const struct changed_run *run, bool *as_new)
{
	REQUIRE(run->nb == 2, "%u packets", run->nb);
	*as_new = is_frame(&run->records[0], 2, 200);
	REQUIRE(*as_new || is_frame(&run->records[0], 0, 200), "%u bytes, %#x, mixed %u",
		run->records[0].length, run->records[0].first, run->records[0].mixed);
	return judge_second(run);
}

static void change_to_outside(struct attacker *attacker)
{
	changed_window(attacker)[0].addr = UNREGISTERED;
}

static void change_to_window(struct attacker *attacker)
{
	changed_window(attacker)[0].addr = ELISA_GVA(ELISA_OFFSET_MEMORY);
}

static void change_to_nothing(struct attacker *attacker)
{
	changed_window(attacker)[0].length = 0;
}

static void change_flags(struct attacker *attacker)
{
	changed_window(attacker)[0].flags = 0xffff & ~ELISA_DESC_MORE;
}

static const char *judge_dropped(const struct changed_run *run, bool *as_new)
{
	*as_new = run->drops[ELISA_DROP_BAD_DESCRIPTOR] == 1;
	REQUIRE(run->nb == 2u - *as_new, "%u packets", run->nb);
	REQUIRE(*as_new || is_frame(&run->records[0], 0, 200), "%u bytes", run->records[0].length);
	return judge_second(run);
}

static void change_length(struct attacker *attacker)
{
	changed_window(attacker)[0].length = 60;
}

static const char *judge_length(const struct changed_run *run, bool *as_new)
{
	REQUIRE(run->nb == 2, "%u packets", run->nb);
	*as_new = is_frame(&run->records[0], 0, 60);
	REQUIRE(*as_new || is_frame(&run->records[0], 0, 200), "%u bytes", run->records[0].length);
	return judge_second(run);
}

static void change_to_64_kib(struct attacker *attacker)
{
	changed_window(attacker)[0].length = 65535;
}

static const char *judge_64_kib(const struct changed_run *run, bool *as_new)
{
	*as_new = run->drops[ELISA_DROP_GIANT] == 1;
	REQUIRE(run->nb == 2u - *as_new, "%u packets", run->nb);
	return judge_second(run);
}

static void change_to_more(struct attacker *attacker)
{
	changed_window(attacker)[0].flags = ELISA_DESC_MORE;
}

/* As changed it is one packet of all three descriptors. */
static const char *judge_more(const struct changed_run *run, bool *as_new)
{
	*as_new = run->nb == 1;
	if (!*as_new)
		return judge_length(run, &(bool){false});
	REQUIRE(run->result == 3 && run->records[0].length == 400 &&
			run->records[0].first == CHANGED_FILLING(0),
		"%u bytes", run->records[0].length);
	return NULL;
}

static void change_all(struct attacker *attacker)
{
	set(attacker, 0, CHANGED_FRAME(2), 100);
	set(attacker, 1, CHANGED_FRAME(3), 50 | MORE);
	set(attacker, 2, CHANGED_FRAME(3) + 50, 50);
}

/* Word and address are read one after the other: each old or new, and each alone is checked. */
static const char *judge_all(const struct changed_run *run, bool *as_new)
{
	REQUIRE(run->result == 3 && run->nb == 2, "result %lld, %u packets", (long long)run->result,
		run->nb);
	for (uint32_t i = 0; i < 2; i++) {
		const struct changed_record *record = &run->records[i];

		REQUIRE(record->first == CHANGED_FILLING(i) ||
				record->first == CHANGED_FILLING(i + 2),
			"packet %u begins with %#x", i, record->first);
		REQUIRE(record->length <= 200 && record->length >= 100, "%u bytes", record->length);
	}
	*as_new = is_frame(&run->records[0], 2, 100);
	return NULL;
}

static const struct changed_case cases[] = {
	{"address", 3, prepare, change_address, judge_address},
	{"address-outside", 3, prepare, change_to_outside, judge_dropped},
	{"address-trusted", 3, prepare, change_to_window, judge_dropped},
	{"length", 3, prepare, change_length, judge_length},
	{"length-0", 3, prepare, change_to_nothing, judge_dropped},
	{"length-64-kib", 3, prepare, change_to_64_kib, judge_64_kib},
	{"flags", 3, prepare, change_flags, judge_dropped},
	{"more", 3, prepare, change_to_more, judge_more},
	{"all", 3, prepare, change_all, judge_all},
};

const char *attack_row08(struct attacker *attacker)
{
	const char *reason = changed_begin(attacker);

	for (size_t i = 0; i < 2 * sizeof(bad) / sizeof(bad[0]) && !reason; i++)
		reason = try_bad(attacker, i / 2, i & 1);
	attack_saw("hostile_at_once", 2 * sizeof(bad) / sizeof(bad[0]));
	if (!reason)
		reason = try_counts(attacker);
	if (!reason)
		reason = try_others_rings(attacker);
	if (!reason)
		reason = try_chains(attacker);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]) && !reason; i++)
		reason = changed_everywhere(attacker, &cases[i]);
	changed_say();
	return reason ? reason : attacker_is_well(attacker);
}
