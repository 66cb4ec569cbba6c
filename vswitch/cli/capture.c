// SPDX-License-Identifier: BSD-3-Clause
/* capture.c - see capture.h. */
#include "capture.h"

#include "connection.h"
#include "pcap_file.h"

#include <elisa/stream.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct capture {
	const struct elisa_cli_options *options;
	struct elisa_cli_stream stream;
	struct elisa_pcap_file file;
	bool ending;    /* the daemon was asked for the end */
	uint64_t in;    /* packets in the file */
	uint64_t out;   /* likewise */
	json_t *result; /* what the daemon said at the end, or NULL */
};

static int signal_pipe[2];

/* The first signal asks for the end; the second does not wait for it. */
static void on_signal(int number)
{
	static volatile sig_atomic_t nb_signals;
	int error = errno;

	(void)number;
	if (nb_signals++)
		_exit(ELISA_CLI_REFUSED);
	if (write(signal_pipe[1], "", 1) < 0)
		_exit(ELISA_CLI_REFUSED);
	errno = error;
}

static int catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	if (pipe2(signal_pipe, O_CLOEXEC) < 0) {
		perror("elisactl: no pipe for signals");
		return ELISA_CLI_REFUSED;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE,
	       SIG_IGN); /* a pipe whose reader has enough is no failure: see stop_writing() */
	return ELISA_CLI_OK;
}

static void ask_for_end(struct capture *capture)
{
	capture->ending = true;
	shutdown(capture->stream.fd, SHUT_WR);
}

static bool has_enough(const struct capture *capture)
{
	uint64_t most = capture->options->count;

	return most && capture->in + capture->out >= most;
}

static void take_packet(struct capture *capture, const struct elisa_stream_record *record,
			const uint8_t *bytes)
{
	if (capture->ending && has_enough(capture))
		return;
	elisa_pcap_write(&capture->file, record, bytes);
	if (capture->file.error)
		return;
	*(record->kind == ELISA_STREAM_IN ? &capture->in : &capture->out) += 1;
	if (has_enough(capture))
		ask_for_end(capture);
}

/* Takes the whole records that are there. False: what came is no record. */
static bool take_records(struct capture *capture)
{
	struct elisa_cli_stream *stream = &capture->stream;
	struct elisa_stream_record record;

	while (stream->end - stream->first >= sizeof(record) && !capture->result) {
		const uint8_t *bytes = stream->bytes + stream->first + sizeof(record);

		memcpy(&record, stream->bytes + stream->first, sizeof(record));
		if (record.captured > ELISA_STREAM_MAX || record.kind < ELISA_STREAM_IN ||
		    record.kind > ELISA_STREAM_END)
			return false;
		if (stream->end - stream->first < sizeof(record) + record.captured)
			break;
		stream->first += sizeof(record) + record.captured;
		if (record.kind != ELISA_STREAM_END) {
			take_packet(capture, &record, bytes);
			continue;
		}
		capture->result = json_loadb((const char *)bytes, record.captured,
					     JSON_REJECT_DUPLICATES, NULL);
		return capture->result != NULL;
	}
	return true;
}

/* Waits for more of the stream, and for signals. False: the stream is over. */
static bool receive(struct capture *capture)
{
	struct pollfd polls[] = {
		{.fd = signal_pipe[0], .events = POLLIN},
		{.fd = capture->stream.fd, .events = POLLIN},
	};
	char byte;

	if (poll(polls, 2, -1) < 0)
		return errno == EINTR;
	if (polls[0].revents && read(signal_pipe[0], &byte, 1) == 1)
		ask_for_end(capture);
	return !polls[1].revents || elisa_cli_receive(&capture->stream);
}

static int not_written(const struct capture *capture)
{
	const char *name = capture->file.name;
	int error = capture->file.error;

	/* "elisactl capture p0 -w - | tcpdump -c 5 -r -" */
	if (error == EPIPE)
		return ELISA_CLI_OK;
	fprintf(stderr,
		"elisactl: %s cannot be written: %s; %" PRIu64 " packets were. Make room, or give "
		"another place with -w\n",
		name, strerror(error), capture->in + capture->out);
	return ELISA_CLI_REFUSED;
}

static int cut_off(const struct capture *capture, bool understood)
{
	if (understood)
		fprintf(stderr,
			"elisactl: elisa-switchd of switch %s has ended, and the capture with it\n",
			capture->options->switch_name);
	else
		fprintf(stderr,
			"elisactl does not understand what elisa-switchd sends; install the same "
			"version of both\n");
	return understood ? ELISA_CLI_UNREACHABLE : ELISA_CLI_REFUSED;
}

/* Until the daemon has sent its result. An exit code. */
static int move_packets(struct capture *capture)
{
	const char *message;
	bool understood;

	do {
		understood = take_records(capture);
		if (elisa_pcap_flush(&capture->file))
			return not_written(capture);
	} while (understood && !capture->result && receive(capture));
	if (!capture->result)
		return cut_off(capture, understood);
	message = json_string_value(json_object_get(capture->result, "message"));
	if (!message)
		return ELISA_CLI_OK;
	fprintf(stderr, "elisactl: %s, and its capture has ended\n", message);
	return ELISA_CLI_REFUSED;
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void print_counts(const struct capture *capture)
{
	uint64_t captured = capture->in + capture->out;
	json_t *result = capture->result;

	if (capture->options->json) {
		result = json_pack("{s:I, s:I, s:I}", "captured", (json_int_t)captured, "in",
				   (json_int_t)capture->in, "out", (json_int_t)capture->out);
		json_object_update(result, capture->result);
		json_dumpf(result, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
		putchar('\n');
		json_decref(result);
		return;
	}
	fprintf(stderr, "%" PRIu64 " packets captured\n", captured);
	if (!result)
		return;
	fprintf(stderr, "%" JSON_INTEGER_FORMAT " packets received by filter\n",
		number(result, "matched"));
	fprintf(stderr, "%" JSON_INTEGER_FORMAT " packets dropped by switch\n",
		number(result, "dropped_ring") + number(result, "dropped_reader"));
}

/* The daemon was asked and agreed. */
static int run(struct capture *capture, uint32_t snaplen)
{
	const char *path = capture->options->write ? capture->options->write : "-";
	int result = elisa_pcap_open(&capture->file, path, snaplen);

	if (result)
		return result;
	result = move_packets(capture);
	if (elisa_pcap_close(&capture->file) && result == ELISA_CLI_OK)
		result = not_written(capture);
	print_counts(capture);
	return result;
}

/* Before anything is asked: what can be known to be wrong. */
static int prepare(struct elisa_cli_options *options)
{
	bool to_stdout = !options->write || !strcmp(options->write, "-");
	char *filter;

	if (to_stdout && isatty(STDOUT_FILENO)) {
		fprintf(stderr,
			"elisactl: packets are not written to a terminal; give -w FILE, or let "
			"tcpdump show them: elisactl capture PORT -w - | tcpdump -nr -\n");
		return ELISA_CLI_USAGE;
	}
	if (to_stdout && options->json) {
		fprintf(stderr,
			"elisactl: --json needs -w FILE: standard output has the packets\n");
		return ELISA_CLI_USAGE;
	}
	if (!options->filter)
		return catch_signals();
	filter = elisa_pcap_filter(options->filter);
	if (!filter)
		return ELISA_CLI_USAGE;
	json_object_set_new(options->arguments, "filter", json_string(filter));
	free(filter);
	return catch_signals();
}

int elisa_cli_capture(struct elisa_cli_options *options)
{
	struct capture capture = {.options = options};
	json_t *answer;
	int result = prepare(options);

	if (result)
		return result;
	result = elisa_cli_ask(options, &answer, &capture.stream);
	if (result)
		return result;
	result = run(&capture, (uint32_t)number(answer, "snaplen"));
	elisa_cli_stream_close(&capture.stream);
	json_decref(capture.result);
	json_decref(answer);
	return result;
}
