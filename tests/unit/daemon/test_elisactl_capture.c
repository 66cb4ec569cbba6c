// SPDX-License-Identifier: BSD-3-Clause
/*
 * test_elisactl_capture.c - "elisactl capture" against the real daemon's loop, over the fake module.
 *
 * libpcap reads back what was written.
 */
#include "fake_module.h"
#include "fixture.h"
#include "producer.h"
#include "vswitch/daemon/loop.h"

#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define IN ELISA_CAPTURE_IN
#define OUT ELISA_CAPTURE_OUT

static const char *elisactl;
static char directory[] = "/tmp/elisa-test-capture-XXXXXX";
static char socket_path[96], file[96], errors[96];
static char said[4096]; /* on stderr, by the last that ended */
static struct elisa_daemon *daemon_;
static struct elisa_control control;
static pthread_t loop;
static int signals;

static void *run_loop(void *daemon)
{
	return (void *)(intptr_t)elisa_loop_run(daemon, &control, signals);
}

static int setup(void **state)
{
	struct elisa_failure failure;

	fixture_daemon_setup(state);
	daemon_ = *state;
	fixture_vm("a", 2);
	json_decref(fixture_result(daemon_, "port-add", "{\"name\":\"p0\",\"vm\":\"a\"}"));
	json_decref(fixture_result(daemon_, "port-add", "{\"name\":\"p1\",\"vm\":\"a\"}"));
	signals = elisa_loop_block_signals();
	elisa_control_init(&control);
	if (elisa_control_listen(&control, socket_path, &failure))
		fail_msg("%s", failure.message);
	return pthread_create(&loop, NULL, run_loop, *state);
}

static void end_loop(void)
{
	void *result;

	kill(getpid(), SIGTERM);
	pthread_join(loop, &result);
	assert_null(result);
	loop = 0;
	elisa_control_close(&control);
	close(signals);
}

static int teardown(void **state)
{
	if (loop)
		end_loop();
	unlink(file);
	unlink(errors);
	return fixture_daemon_teardown(state);
}

/* Runs "elisactl --socket … WORDS"; what it says goes to `errors`. */
static pid_t start(const char *words)
{
	char command[512];
	sigset_t none;
	pid_t pid;

	snprintf(command, sizeof(command), "exec %s --socket %s %s 2> %s", elisactl, socket_path,
		 words, errors);
	pid = fork();
	if (!pid) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(99);
	}
	return pid;
}

/* How it ended: its exit code. */
static int wait_for(pid_t pid)
{
	FILE *stream;
	size_t size;
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	stream = fopen(errors, "r");
	size = stream ? fread(said, 1, sizeof(said) - 1, stream) : 0;
	said[size] = '\0';
	if (stream)
		fclose(stream);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void ends(pid_t pid, int code, const char *part)
{
	int got = wait_for(pid);

	if (got != code || !strstr(said, part))
		fail_msg("%d instead of %d, or no '%s' in:\n%s", got, code, part, said);
}

static uint32_t config(uint32_t port)
{
	return __atomic_load_n(&daemon_->domain.sw->config[port].capture, __ATOMIC_ACQUIRE);
}

/* Up to five seconds. */
static void wait_until_captured(uint32_t port, bool captured)
{
	for (int i = 0; i < 500 && !!config(port) != captured; i++)
		usleep(10000);
	assert_int_equal(!!config(port), captured);
}

static off_t file_size(void)
{
	struct stat status;

	return stat(file, &status) ? 0 : status.st_size;
}

/* What elisactl flushed: it does so whenever it has nothing to do. */
static void wait_for_size(off_t size)
{
	for (int i = 0; i < 500 && file_size() < size; i++)
		usleep(10000);
	assert_true(file_size() >= size);
}

static pcap_t *open_file(void)
{
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *pcap =
		pcap_open_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, error);
	uint32_t magic = 0;
	int fd = open(file, O_RDONLY);

	if (!pcap)
		fail_msg("%s", error);
	assert_int_equal(read(fd, &magic, 4), 4);
	close(fd);
	assert_int_equal(magic, 0xa1b23c4d); /* nanoseconds */
	assert_int_equal(pcap_datalink(pcap), DLT_EN10MB);
	return pcap;
}

static void assert_packet(pcap_t *pcap, uint32_t seed, uint32_t length, uint32_t captured)
{
	struct pcap_pkthdr *header;
	const u_char *bytes;

	assert_int_equal(pcap_next_ex(pcap, &header, &bytes), 1);
	assert_int_equal(header->len, length);
	assert_int_equal(header->caplen, captured);
	assert_in_range(header->ts.tv_sec, time(NULL) - 10, time(NULL) + 1);
	assert_in_range(header->ts.tv_usec, 0, 999999999);
	for (uint32_t i = 0; i < captured; i++)
		assert_int_equal(bytes[i], producer_byte(seed, i));
}

static void assert_no_more(pcap_t *pcap)
{
	struct pcap_pkthdr *header;
	const u_char *bytes;

	assert_int_equal(pcap_next_ex(pcap, &header, &bytes), PCAP_ERROR_BREAK);
	pcap_close(pcap);
}

static pid_t capture(const char *options)
{
	char words[320];
	pid_t pid;

	snprintf(words, sizeof(words), "capture p0 -w %s %s", file, options);
	pid = start(words);
	wait_until_captured(0, true);
	return pid;
}

static void both_directions_until_interrupted(void **state)
{
	pid_t pid = capture("");
	pcap_t *pcap;

	(void)state;
	assert_int_equal(config(0), 262144);
	producer_now(0, 0, IN, 1, 60);
	producer_now(1, 1, IN, 7, 60);
	usleep(2000);
	producer_now(1, 0, OUT, 2, 1514);
	/* They are in the file while it goes on. */
	wait_for_size(24 + 2 * 16 + 60 + 1514);
	kill(pid, SIGINT);
	ends(pid, 0,
	     "2 packets captured\n2 packets received by filter\n0 packets dropped by switch\n");
	wait_until_captured(0, false);
	pcap = open_file();
	assert_packet(pcap, 1, 60, 60);
	assert_packet(pcap, 2, 1514, 1514);
	assert_no_more(pcap);
}

static void so_many_packets_of_a_filter_so_many_bytes(void **state)
{
	pid_t pid = capture("-c 3 -s 40 ether proto 0x806");
	pcap_t *pcap;

	(void)state;
	assert_int_equal(config(0), 40);
	for (uint32_t i = 0; i < 20; i++)
		producer_now(0, 0, IN, i, 100);
	ends(pid, 0, "3 packets captured\n10 packets received by filter\n");
	pcap = open_file();
	assert_packet(pcap, 0, 100, 40);
	assert_packet(pcap, 2, 100, 40);
	assert_packet(pcap, 4, 100, 40);
	assert_no_more(pcap);
}

static void many_packets_arrive_whole(void **state)
{
	pid_t pid = capture("-c 5000");
	pcap_t *pcap;

	(void)state;
	for (uint32_t i = 0; i < 5000; i++) {
		if (i % 100 == 0)
			usleep(15000);
		producer_now(i % 2, 0, i % 3 ? IN : OUT, i, 60 + i % 1455);
	}
	ends(pid, 0, "5000 packets captured\n5000 packets received by filter\n");
	pcap = open_file();
	for (uint32_t i = 0; i < 5000; i++)
		assert_packet(pcap, i, 60 + i % 1455, 60 + i % 1455);
	assert_no_more(pcap);
}

static void counts_as_json(void **state)
{
	char options[160];
	json_t *json;
	pid_t pid;

	(void)state;
	snprintf(options, sizeof(options), "--json > %s.json", file);
	pid = capture(options);
	producer_now(0, 0, IN, 1, 60);
	producer_now(0, 0, OUT, 1, 60);
	producer_now(0, 0, OUT, 1, 60);
	__atomic_store_n(&producer_memory()->rings[0].lost[0], 4, __ATOMIC_RELAXED);
	kill(pid, SIGTERM);
	ends(pid, 0, "");
	assert_string_equal(said, "");
	snprintf(options, sizeof(options), "%s.json", file);
	json = json_load_file(options, 0, NULL);
	unlink(options);
	assert_int_equal(json_integer_value(json_object_get(json, "captured")), 3);
	assert_int_equal(json_integer_value(json_object_get(json, "in")), 1);
	assert_int_equal(json_integer_value(json_object_get(json, "out")), 2);
	assert_int_equal(json_integer_value(json_object_get(json, "matched")), 3);
	assert_int_equal(json_integer_value(json_object_get(json, "dropped_ring")), 4);
	assert_int_equal(json_integer_value(json_object_get(json, "dropped_reader")), 0);
	json_decref(json);
}

/* As in "elisactl capture p0 | tcpdump -c 1 -r -": enough is no failure. */
static void a_pipe_gets_packets_until_its_reader_has_enough(void **state)
{
	uint8_t header[24 + 16 + 60];
	char words[128];
	int reader;
	pid_t pid;

	(void)state;
	assert_int_equal(mkfifo(file, 0600), 0);
	snprintf(words, sizeof(words), "capture p0 > %s", file);
	pid = start(words);
	reader = open(file, O_RDONLY | O_CLOEXEC);
	wait_until_captured(0, true);
	producer_now(0, 0, IN, 1, 60);
	for (size_t got = 0; got < sizeof(header);)
		got += (size_t)read(reader, header + got, sizeof(header) - got);
	for (uint32_t i = 0; i < 60; i++)
		assert_int_equal(header[40 + i], producer_byte(1, i));
	close(reader);
	producer_now(0, 0, IN, 2, 60);
	ends(pid, 0, "packets captured");
	wait_until_captured(0, false);
}

static void a_full_disk_is_told(void **state)
{
	pid_t pid = start("capture p0 -w /dev/full");

	(void)state;
	ends(pid, 1, "/dev/full cannot be written: No space left on device; 0 packets were.");
	wait_until_captured(0, false);
	ends(start("capture p0 -w /nowhere/file"), 1,
	     "/nowhere/file cannot be written: No such file");
	wait_until_captured(0, false);
}

static void a_port_that_is_removed_ends_it(void **state)
{
	pid_t pid = capture("");
	pcap_t *pcap;

	(void)state;
	producer_now(0, 0, IN, 1, 60);
	ends(start("port del p0"), 0, "");
	ends(pid, 1, "port p0 was removed, and its capture has ended");
	pcap = open_file();
	assert_packet(pcap, 1, 60, 60);
	assert_no_more(pcap);
}

static void a_daemon_that_ends_ends_it(void **state)
{
	pid_t pid = capture("");

	(void)state;
	end_loop();
	elisa_captures_close(&daemon_->captures, &daemon_->domain);
	ends(pid, 3, "has ended, and the capture with it");
}

static void a_killed_reader_leaves_nothing(void **state)
{
	pid_t pid = capture("");

	(void)state;
	producer_now(0, 0, IN, 1, 60);
	kill(pid, SIGKILL);
	assert_int_equal(wait_for(pid), 1000 + SIGKILL);
	wait_until_captured(0, false);
	ends(start("status > /dev/null"), 0, "");
}

static void what_cannot_be_done_is_said(void **state)
{
	char words[320];

	(void)state;
	snprintf(words, sizeof(words), "capture p9 -w %s", file);
	ends(start(words), 1, "no port p9");
	assert_int_equal(file_size(), 0);
	snprintf(words, sizeof(words), "capture p0 -w %s -s 0", file);
	ends(start(words), 1, "'snaplen'");
	snprintf(words, sizeof(words), "capture p0 -w %s tcp prot 80", file);
	ends(start(words), 2, "the filter 'tcp prot 80' is not understood");
	snprintf(words, sizeof(words), "capture p0 -w %s ip6 protochain 6", file);
	ends(start(words), 1, "write it another way");
	snprintf(words, sizeof(words), "capture p0 -w %s -c 0", file);
	ends(start(words), 2, "'0' is not a number of packets");
	snprintf(words, sizeof(words), "capture p0 -w %s -c -3", file);
	ends(start(words), 2, "'-3' is not a number of packets");
	ends(start("capture p0 --json -w -"), 2, "--json needs -w FILE");
	ends(start("capture"), 2, "capture PORT");
	ends(start("capture p0 --vm a"), 2, "does not take --vm");
	ends(start("status -w file"), 2, "does not take --write");
	assert_int_equal(config(0), 0);
}

static void a_terminal_gets_no_packets(void **state)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY);
	char words[128];

	(void)state;
	assert_int_equal(grantpt(terminal) | unlockpt(terminal), 0);
	snprintf(words, sizeof(words), "capture p0 > %s", ptsname(terminal));
	ends(start(words), 2, "| tcpdump -nr -");
	close(terminal);
	assert_int_equal(config(0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(both_directions_until_interrupted),
		TEST(so_many_packets_of_a_filter_so_many_bytes),
		TEST(many_packets_arrive_whole),
		TEST(counts_as_json),
		TEST(a_pipe_gets_packets_until_its_reader_has_enough),
		TEST(a_full_disk_is_told),
		TEST(a_port_that_is_removed_ends_it),
		TEST(a_daemon_that_ends_ends_it),
		TEST(a_killed_reader_leaves_nothing),
		TEST(what_cannot_be_done_is_said),
		TEST(a_terminal_gets_no_packets),
	};
	int failed;

	if (argc < 3 || !mkdtemp(directory))
		return 2;
	fixture_image = argv[1];
	elisactl = argv[2];
	snprintf(socket_path, sizeof(socket_path), "%s/sw.sock", directory);
	snprintf(file, sizeof(file), "%s/file.pcap", directory);
	snprintf(errors, sizeof(errors), "%s/errors", directory);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(directory);
	return failed;
}
