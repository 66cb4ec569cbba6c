// SPDX-License-Identifier: BSD-3-Clause
/* test_capture.c - captures as the daemon runs them: memory, order, filters, readers that differ. */
#include "fake_module.h"
#include "fixture.h"
#include "producer.h"
#include "vswitch/daemon/requests.h"

#include "cmocka_all.h"

#include <elisa/stream.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define IN ELISA_CAPTURE_IN
#define OUT ELISA_CAPTURE_OUT
#define RETURN_ALL "0006000000040000" /* ret #262144 */
/* ldh [12]; jeq #0x806, ret all, ret 0 */
#define ARP                \
	"002800000000000c" \
	"0015000100000806" RETURN_ALL "0006000000000000"

static struct elisa_daemon *daemon_;
static uint8_t bytes[ELISA_STREAM_MAX];

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static void turn(void)
{
	elisa_captures_turn(&daemon_->captures, &daemon_->domain, &daemon_->vms);
}

/* Turns until what was produced before is older than what is held back. */
static void turns(void)
{
	usleep(25000);
	turn();
}

static void add(const char *name, const char *vm)
{
	char arguments[128];

	snprintf(arguments, sizeof(arguments), "{\"name\":\"%s\",\"vm\":\"%s\"}", name, vm);
	json_decref(fixture_result(daemon_, "port-add", arguments));
}

static void del(const char *name)
{
	char arguments[64];

	snprintf(arguments, sizeof(arguments), "{\"name\":\"%s\"}", name);
	json_decref(fixture_result(daemon_, "port-del", arguments));
}

static int setup(void **state)
{
	fixture_daemon_setup(state);
	daemon_ = *state;
	fixture_vm("a", 2);
	add("p0", "a");
	add("p1", "a");
	return 0;
}

static uint32_t config(uint32_t port)
{
	return daemon_->domain.sw->config[port].capture;
}

/* The reader's end of a capture that has begun; arguments are JSON members. */
static int begin(const char *arguments)
{
	char text[256];
	int fds[2];

	snprintf(text, sizeof(text), "{%s}", arguments);
	json_decref(fixture_result(daemon_, "capture", text));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	assert_true(elisa_captures_adopt(&daemon_->captures, fds[0], ""));
	return fds[1];
}

/* The next record, its bytes in `bytes`; false: there is none yet. */
static bool next(int reader, struct elisa_stream_record *record)
{
	ssize_t size = recv(reader, record, sizeof(*record), MSG_PEEK);
	size_t whole;

	if (size < 0) {
		assert_int_equal(errno, EAGAIN);
		return false;
	}
	assert_int_equal(size, sizeof(*record));
	assert_int_equal(recv(reader, record, sizeof(*record), 0), sizeof(*record));
	assert_int_equal(record->reserved, 0);
	for (whole = 0; whole < record->captured; whole += (size_t)size) {
		size = recv(reader, bytes + whole, record->captured - whole, 0);
		if (size < 0)
			turn();
		size = size < 0 ? 0 : size;
	}
	return true;
}

static uint64_t assert_packet(int reader, uint32_t kind, uint32_t seed, uint32_t length,
			      uint32_t captured)
{
	struct elisa_stream_record record;

	assert_true(next(reader, &record));
	assert_int_equal(record.kind, kind);
	assert_int_equal(record.length, length);
	assert_int_equal(record.captured, captured);
	for (uint32_t i = 0; i < captured; i++)
		assert_int_equal(bytes[i], producer_byte(seed, i));
	return record.time;
}

static void assert_no_packet(int reader)
{
	struct elisa_stream_record record;

	assert_false(next(reader, &record));
}

/* The result that ends a capture. The caller's. */
static json_t *assert_end(int reader)
{
	struct elisa_stream_record record;
	json_t *result;

	assert_true(next(reader, &record));
	assert_int_equal(record.kind, ELISA_STREAM_END);
	assert_int_equal(record.time | record.length, 0);
	result = json_loadb((char *)bytes, record.captured, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(result);
	assert_int_equal(recv(reader, &record, sizeof(record), 0), 0);
	close(reader);
	return result;
}

static json_int_t number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

/* Ask for the end; the counts are these. */
static void end(int reader, uint64_t matched, uint64_t dropped_ring, uint64_t dropped_reader)
{
	json_t *result;

	assert_int_equal(shutdown(reader, SHUT_WR), 0);
	turn();
	result = assert_end(reader);
	assert_int_equal(number(result, "matched"), matched);
	assert_int_equal(number(result, "dropped_ring"), dropped_ring);
	assert_int_equal(number(result, "dropped_reader"), dropped_reader);
	assert_true(json_is_null(json_object_get(result, "message")));
	json_decref(result);
}

/* Nobody may still be told to capture when the memory goes. */
static void check_unmap(const struct elisa_domain_map *map)
{
	(void)map;
	for (uint32_t i = 0; i < ELISA_MAX_PORTS; i++)
		assert_int_equal(config(i), 0);
}

static void memory_is_there_for_as_long_as_a_capture(void **state)
{
	unsigned int maps = fake_module.maps;
	int one, other;

	(void)state;
	fake_module.before_unmap = check_unmap;
	assert_null(producer_memory());
	assert_int_equal(elisa_captures_wait_ms(&daemon_->captures, 1000), 1000);
	one = begin("\"name\":\"p0\",\"snaplen\":64");
	assert_int_equal(elisa_captures_wait_ms(&daemon_->captures, 1000), ELISA_CAPTURE_TURN_MS);
	assert_int_equal(producer_memory()->nb_rings, 2);
	assert_int_equal(fake_module.maps, maps + 1);
	assert_int_equal(config(0), 64);
	assert_int_equal(config(1), 0);
	other = begin("\"name\":\"p0\"");
	assert_int_equal(fake_module.maps, maps + 1);
	assert_int_equal(config(0), ELISA_STREAM_MAX);
	end(other, 0, 0, 0);
	assert_int_equal(config(0), 64);
	assert_non_null(producer_memory());
	end(one, 0, 0, 0);
	assert_int_equal(config(0), 0);
	assert_int_equal(fake_module.unmaps, 1);
	assert_null(producer_memory());
}

static void packets_come_in_the_order_of_time(void **state)
{
	uint64_t tsc = __builtin_ia32_rdtsc(), times[4];
	int reader = begin("\"name\":\"p0\"");

	(void)state;
	producer_packet(0, 0, IN, tsc + 3000, 1, 60);
	producer_packet(0, 0, OUT, tsc + 1000, 2, 1514);
	producer_packet(0, 1, OUT, tsc + 1500, 9, 60);
	producer_packet(1, 0, OUT, tsc + 2000, 3, 100);
	producer_packet(1, 0, IN, tsc + 4000, 4, 0);
	turns();
	times[0] = assert_packet(reader, ELISA_STREAM_OUT, 2, 1514, 1514);
	times[1] = assert_packet(reader, ELISA_STREAM_OUT, 3, 100, 100);
	times[2] = assert_packet(reader, ELISA_STREAM_IN, 1, 60, 60);
	times[3] = assert_packet(reader, ELISA_STREAM_IN, 4, 0, 0);
	assert_no_packet(reader);
	for (int i = 1; i < 4; i++)
		assert_true(times[i] >= times[i - 1]);
	assert_true(now_ns() - times[0] < 1000000000ull);
	end(reader, 4, 0, 0);
}

/* What comes late, but took place earlier, goes first; the end waits for nothing. */
static void packets_are_held_back_for_those_before_them(void **state)
{
	int reader = begin("\"name\":\"p0\"");
	uint64_t tsc = __builtin_ia32_rdtsc(); /* last: it is held back for milliseconds */

	(void)state;
	producer_packet(0, 0, IN, tsc + 2000, 1, 60);
	turn();
	assert_no_packet(reader);
	producer_packet(1, 0, IN, tsc + 1000, 2, 60);
	turns();
	assert_packet(reader, ELISA_STREAM_IN, 2, 60, 60);
	assert_packet(reader, ELISA_STREAM_IN, 1, 60, 60);
	producer_now(0, 0, IN, 3, 60);
	shutdown(reader, SHUT_WR);
	turn();
	assert_packet(reader, ELISA_STREAM_IN, 3, 60, 60);
	json_decref(assert_end(reader));
	turn();
}

/* A time that is that of now, give or take half a second. */
static void assert_now(uint64_t time)
{
	assert_in_range(time, now_ns() - 500000000ull, now_ns());
}

static void stamps_become_the_time_of_day(void **state)
{
	const uint64_t offsets[] = {0, 1ull << 40, -(1ull << 50)};
	uint64_t time, between;
	int reader = begin("\"name\":\"p0\"");

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		fake_module.tsc_offset = offsets[i];
		producer_packet(0, 0, IN, __builtin_ia32_rdtsc() + offsets[i], i, 60);
		between = now_ns();
		turns();
		time = assert_packet(reader, ELISA_STREAM_IN, i, 60, 60);
		/* Stamped right before, read 25 ms later. */
		assert_in_range(time, between - 5000000, between + 5000000);
	}
	/* Where nobody can tell, or the guest set its counter: when it was read. */
	producer_packet(0, 0, IN, 12345, 5, 60);
	turns();
	turns();
	assert_now(assert_packet(reader, ELISA_STREAM_IN, 5, 60, 60));
	producer_packet(0, 0, IN, ~0ull, 6, 60);
	turns();
	turns();
	assert_now(assert_packet(reader, ELISA_STREAM_IN, 6, 60, 60));
	fake_module.tsc_scaled = 1;
	producer_packet(0, 0, IN, 99, 7, 60);
	turns();
	turns();
	assert_now(assert_packet(reader, ELISA_STREAM_IN, 7, 60, 60));
	end(reader, 6, 0, 0);
}

static void each_capture_has_its_length_and_filter(void **state)
{
	int all = begin("\"name\":\"p0\"");
	int begin_only = begin("\"name\":\"p0\",\"snaplen\":20");
	int arp = begin("\"name\":\"p0\",\"filter\":\"" ARP "\"");

	(void)state;
	producer_now(0, 0, IN, 1, 100);
	producer_now(0, 0, IN, 2, 100);
	turns();
	assert_packet(all, ELISA_STREAM_IN, 1, 100, 100);
	assert_packet(all, ELISA_STREAM_IN, 2, 100, 100);
	assert_packet(begin_only, ELISA_STREAM_IN, 1, 100, 20);
	assert_packet(begin_only, ELISA_STREAM_IN, 2, 100, 20);
	assert_packet(arp, ELISA_STREAM_IN, 2, 100, 100);
	end(arp, 1, 0, 0);
	end(all, 2, 0, 0);
	end(begin_only, 2, 0, 0);
}

static void what_is_no_filter_is_refused(void **state)
{
	static const char *const bad[] = {
		"0",                           /* not whole */
		"000600000004000",             /* not whole */
		"000600000004000G",            /* no digit */
		"000600000004000A",            /* no digit of ours */
		"0028000000000000c",           /* a digit too many */
		"002800000000000c",            /* does not return */
		"00050000ffffffff" RETURN_ALL, /* jumps to itself */
		RETURN_ALL "00050000fffffffe", /* jumps back */
		"0005000000000001" RETURN_ALL, /* jumps out */
		"0015ff0000000000" RETURN_ALL, /* jumps out */
		"0060000000000010" RETURN_ALL, /* no such memory */
		"0034000000000000" RETURN_ALL, /* divides by 0 */
		"ffff000000000000" RETURN_ALL, /* no instruction */
	};
	char arguments[256];

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(arguments, sizeof(arguments), "{\"name\":\"p0\",\"filter\":\"%s\"}",
			 bad[i]);
		fixture_refused(daemon_, "capture", arguments, "EINVAL", "filter");
	}
	fixture_refused(daemon_, "capture", "{\"name\":\"p0\",\"filter\":5}", "EINVAL", "'filter'");
	fixture_refused(daemon_, "capture", "{\"name\":\"p0\",\"snaplen\":0}", "EINVAL",
			"'snaplen'");
	fixture_refused(daemon_, "capture", "{\"name\":\"p0\",\"snaplen\":262145}", "EINVAL",
			"'snaplen'");
	fixture_refused(daemon_, "capture", "{\"name\":\"p9\"}", "ENOENT", "no port p9");
	fixture_refused(daemon_, "capture", "{\"name\":\"p0\",\"count\":1}", "EINVAL", "'count'");
	assert_null(producer_memory());
	assert_int_equal(config(0), 0);
}

/* It loses packets, and nobody else does. */
static void a_reader_that_is_slow_loses_packets(void **state)
{
	struct elisa_stream_record record;
	int slow = begin("\"name\":\"p0\""), quick = begin("\"name\":\"p0\"");
	uint64_t produced = 0, got = 0, last = 0;
	json_t *result;

	(void)state;
	for (int i = 0; i < 40; i++) {
		for (int j = 0; j < 100; j++)
			producer_now(0, 0, IN, (uint32_t)produced++, 1514);
		turns();
		turn();
		while (next(quick, &record))
			got++;
	}
	assert_int_equal(producer_memory()->rings[0].lost[0], 0);
	shutdown(slow, SHUT_WR);
	shutdown(quick, SHUT_WR);
	turn();
	while (next(quick, &record) && record.kind != ELISA_STREAM_END)
		got++;
	assert_int_equal(got, produced);
	close(quick);
	for (got = 0; next(slow, &record) && record.kind != ELISA_STREAM_END; turn()) {
		assert_true(record.time >= last);
		last = record.time;
		got++;
	}
	assert_int_equal(record.kind, ELISA_STREAM_END);
	result = json_loadb((char *)bytes, record.captured, 0, NULL);
	assert_int_equal(number(result, "matched"), produced);
	assert_true(number(result, "dropped_reader") > 0);
	assert_int_equal(number(result, "dropped_reader"), produced - got);
	json_decref(result);
	close(slow);
	turn();
	assert_null(producer_memory());
}

static void what_the_rings_lost_is_told(void **state)
{
	int reader = begin("\"name\":\"p0\""), later;

	(void)state;
	producer_memory()->rings[0].lost[0] = 3;
	producer_memory()->rings[1].lost[1] = 5;
	producer_memory()->no_ring[0] = 2;
	later = begin("\"name\":\"p0\"");
	producer_memory()->rings[1].lost[0] = 4;
	end(later, 0, 4, 0);
	end(reader, 0, 9, 0);
}

static void there_are_only_so_many(void **state)
{
	int readers[ELISA_CAPTURES_MAX];

	(void)state;
	for (unsigned int i = 0; i < ELISA_CAPTURES_MAX; i++)
		readers[i] = begin("\"name\":\"p1\"");
	fixture_refused(daemon_, "capture", "{\"name\":\"p0\"}", "EUSERS", "end one");
	assert_int_equal(config(0), 0);
	producer_now(1, 1, OUT, 1, 60);
	turns();
	for (unsigned int i = 0; i < ELISA_CAPTURES_MAX; i++) {
		assert_packet(readers[i], ELISA_STREAM_OUT, 1, 60, 60);
		end(readers[i], 1, 0, 0);
	}
	assert_null(producer_memory());
}

/* Another port of the same number and name is another, also if it is captured before the next turn. */
static void a_port_that_goes_ends_its_captures(void **state)
{
	int readers[2] = {begin("\"name\":\"p0\"")}, other = begin("\"name\":\"p1\"");
	json_t *result;

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		producer_now(0, 0, IN, i, 60);
		del("p0");
		add("p0", "a");
		readers[1] = i ? readers[1] : begin("\"name\":\"p0\"");
		turn();
		assert_packet(readers[i], ELISA_STREAM_IN, i, 60, 60);
		result = assert_end(readers[i]);
		assert_non_null(
			strstr(json_string_value(json_object_get(result, "message")), "p0"));
		json_decref(result);
	}
	assert_int_equal(config(0), 0);
	end(other, 0, 0, 0);
	assert_null(producer_memory());
}

static void a_reader_that_is_killed_is_forgotten(void **state)
{
	int reader = begin("\"name\":\"p0\"");

	(void)state;
	producer_now(0, 0, IN, 1, 60);
	turns();
	producer_now(0, 0, IN, 2, 60);
	close(reader);
	turns();
	turn();
	assert_int_equal(config(0), 0);
	assert_null(producer_memory());
}

static void vms_that_come_later_get_rings(void **state)
{
	int reader;

	(void)state;
	fixture_vm("b", 3); /* before, or its process would have the connection too */
	reader = begin("\"name\":\"p0\"");
	add("p2", "b");
	assert_int_equal(producer_memory()->nb_rings, 2);
	turn();
	assert_int_equal(producer_memory()->nb_rings, 5);
	producer_now(4, 0, OUT, 1, 60);
	turns();
	assert_packet(reader, ELISA_STREAM_OUT, 1, 60, 60);
	end(reader, 1, 0, 0);
	assert_int_equal(fake_module.unmaps, 2);
	assert_null(producer_memory());
}

static void memory_that_cannot_be_had(void **state)
{
	(void)state;
	fake_module.map_error = -ENOMEM;
	fake_module.map_error_at = fake_module.maps;
	fixture_refused(daemon_, "capture", "{\"name\":\"p0\"}", "ENOMEM", "RLIMIT_MEMLOCK");
	fake_module.map_error = -EINVAL;
	fixture_refused(daemon_, "capture", "{\"name\":\"p0\"}", "EINVAL", "same version");
	assert_int_equal(config(0), 0);
	fake_module.map_error = 0;
	end(begin("\"name\":\"p0\""), 0, 0, 0);
}

/* Only the trusted context writes there. It is not believed blindly all the same. */
static void a_damaged_ring_is_skipped(void **state)
{
	int reader = begin("\"name\":\"p0\"");
	struct elisa_capture *memory = producer_memory();
	struct elisa_capture_record *record;

	(void)state;
	for (uint32_t i = 0; i < 6; i++) {
		record = (void *)(elisa_capture_bytes(memory, 0) +
				  memory->rings[0].head % ELISA_CAPTURE_RING);
		producer_now(0, 0, IN, 1, 60);
		record->size = i == 0   ? 0
			       : i == 1 ? ELISA_CAPTURE_RING
			       : i == 2 ? 40
					: record->size;
		record->captured = i == 3 ? 100000 : record->captured;
		record->port = i == 4 ? ELISA_MAX_PORTS : record->port;
		record->kind = i == 5 ? 77 : record->kind;
		producer_now(1, 0, IN, i, 60);
		turns();
		assert_packet(reader, ELISA_STREAM_IN, i, 60, 60);
		assert_no_packet(reader);
	}
	producer_now(0, 0, IN, 7, 60);
	turns();
	assert_packet(reader, ELISA_STREAM_IN, 7, 60, 60);
	end(reader, 7, 0, 0);
}

static void records_go_around_the_ring(void **state)
{
	int reader = begin("\"name\":\"p0\"");
	uint32_t sent = 0;

	(void)state;
	while (producer_memory()->rings[1].head < 3 * ELISA_CAPTURE_RING) {
		uint32_t first = sent;

		for (; sent < first + 100; sent++)
			producer_now(1, 0, IN, sent, 60 + sent * 37 % 1000);
		turns();
		for (uint32_t i = first; i < sent; i++)
			assert_packet(reader, ELISA_STREAM_IN, i, 60 + i * 37 % 1000,
				      60 + i * 37 % 1000);
	}
	end(reader, sent, 0, 0);
}

static void a_capture_that_is_given_up_ends(void **state)
{
	(void)state;
	json_decref(fixture_result(daemon_, "capture", "{\"name\":\"p0\"}"));
	assert_int_not_equal(config(0), 0);
	elisa_captures_give_up(&daemon_->captures, &daemon_->domain);
	turn();
	assert_int_equal(config(0), 0);
	assert_null(producer_memory());
}

/* The tear-down finds that nothing is left. */
static void the_daemon_ends_under_a_capture(void **state)
{
	int reader = begin("\"name\":\"p0\"");
	char byte;

	(void)state;
	producer_now(0, 0, IN, 1, 60);
	elisa_captures_close(&daemon_->captures, &daemon_->domain);
	assert_null(producer_memory());
	assert_int_equal(recv(reader, &byte, 1, 0), 0);
	close(reader);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_daemon_teardown)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(memory_is_there_for_as_long_as_a_capture),
		TEST(packets_come_in_the_order_of_time),
		TEST(packets_are_held_back_for_those_before_them),
		TEST(stamps_become_the_time_of_day),
		TEST(each_capture_has_its_length_and_filter),
		TEST(what_is_no_filter_is_refused),
		TEST(a_reader_that_is_slow_loses_packets),
		TEST(what_the_rings_lost_is_told),
		TEST(there_are_only_so_many),
		TEST(a_port_that_goes_ends_its_captures),
		TEST(a_reader_that_is_killed_is_forgotten),
		TEST(vms_that_come_later_get_rings),
		TEST(memory_that_cannot_be_had),
		TEST(a_damaged_ring_is_skipped),
		TEST(records_go_around_the_ring),
		TEST(a_capture_that_is_given_up_ends),
		TEST(the_daemon_ends_under_a_capture),
	};

	if (argc < 2)
		return 2;
	fixture_image = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
