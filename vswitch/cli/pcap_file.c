// SPDX-License-Identifier: BSD-3-Clause
/* pcap_file.c - see pcap_file.h. */
#include "pcap_file.h"

#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS 1000000000ull
#define INSTRUCTION_DIGITS 16 /* of a BPF instruction in a request: elisa-switchd(8) */

static pcap_t *open_dead(uint32_t snaplen)
{
	pcap_t *pcap = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, (int)snaplen,
							    PCAP_TSTAMP_PRECISION_NANO);

	if (!pcap)
		fprintf(stderr, "elisactl: no memory for a capture; free some\n");
	return pcap;
}

static char *program_text(const struct bpf_program *program)
{
	char *text = malloc(INSTRUCTION_DIGITS * (size_t)program->bf_len + 1);

	for (u_int i = 0; text && i < program->bf_len; i++) {
		const struct bpf_insn *insn = &program->bf_insns[i];

		sprintf(text + (size_t)INSTRUCTION_DIGITS * i, "%04x%02x%02x%08x", insn->code,
			insn->jt, insn->jf, insn->k);
	}
	if (!text)
		fprintf(stderr, "elisactl: no memory for a filter; free some\n");
	return text;
}

char *elisa_pcap_filter(const char *filter)
{
	pcap_t *pcap = open_dead(ELISA_STREAM_MAX);
	struct bpf_program program;
	char *text = NULL;

	if (!pcap)
		return NULL;
	if (pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN)) {
		fprintf(stderr,
			"elisactl: the filter '%s' is not understood: %s; pcap-filter(7) says how "
			"to write one\n",
			filter, pcap_geterr(pcap));
	} else {
		text = program_text(&program);
		pcap_freecode(&program);
	}
	pcap_close(pcap);
	return text;
}

static int cannot_write(const char *name, int error)
{
	fprintf(stderr, "elisactl: %s cannot be written: %s; give another place with -w\n", name,
		strerror(error));
	return ELISA_CLI_REFUSED;
}

int elisa_pcap_open(struct elisa_pcap_file *file, const char *path, uint32_t snaplen)
{
	bool to_stdout = !strcmp(path, "-");
	pcap_t *pcap;

	file->name = to_stdout ? "standard output" : path;
	file->error = 0;
	file->stream = to_stdout ? stdout : fopen(path, "wbe");
	if (!file->stream)
		return cannot_write(file->name, errno);
	pcap = open_dead(snaplen);
	if (!pcap)
		return ELISA_CLI_REFUSED;
	file->dumper = pcap_dump_fopen(pcap, file->stream);
	pcap_close(pcap);
	if (!file->dumper)
		return cannot_write(file->name, errno);
	return ELISA_CLI_OK;
}

/* After a write. libpcap does not say which fail. */
static void note_error(struct elisa_pcap_file *file)
{
	int error = errno ? errno : EIO;

	if (ferror(file->stream) && !file->error)
		file->error = error;
}

void elisa_pcap_write(struct elisa_pcap_file *file, const struct elisa_stream_record *record,
		      const uint8_t *bytes)
{
	struct pcap_pkthdr header = {
		/* With this precision the second field has nanoseconds. */
		.ts = {.tv_sec = (time_t)(record->time / SECOND_NS),
		       .tv_usec = (suseconds_t)(record->time % SECOND_NS)},
		.caplen = record->captured,
		.len = record->length,
	};

	errno = 0;
	pcap_dump((u_char *)file->dumper, &header, bytes);
	note_error(file);
}

int elisa_pcap_flush(struct elisa_pcap_file *file)
{
	errno = 0;
	pcap_dump_flush(file->dumper);
	note_error(file);
	return file->error;
}

int elisa_pcap_close(struct elisa_pcap_file *file)
{
	elisa_pcap_flush(file);
	pcap_dump_close(file->dumper);
	return file->error;
}
