/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap_file.h - filters, and files that tcpdump and tshark read: libpcap's part of a capture.
 */
#ifndef ELISA_CLI_PCAP_FILE_H
#define ELISA_CLI_PCAP_FILE_H

#include <elisa/stream.h>

#include <pcap/pcap.h>
#include <stdio.h>

struct elisa_pcap_file {
	const char *name; /* for messages */
	FILE *stream;
	pcap_dumper_t *dumper; /* owns the stream */
	int error;             /* of the first write that failed, an errno */
};

/*
 * The text of a filter (pcap-filter(7)) as the "filter" of a request, the caller's to free(). NULL:
 * a message is on stderr.
 */
char *elisa_pcap_filter(const char *filter);

/* A file with nanosecond stamps; "-" is standard output. An exit code, a message is on stderr. */
int elisa_pcap_open(struct elisa_pcap_file *file, const char *path, uint32_t snaplen);

void elisa_pcap_write(struct elisa_pcap_file *file, const struct elisa_stream_record *record,
		      const uint8_t *bytes);

/* What was written is in the file now. 0, or file->error. */
int elisa_pcap_flush(struct elisa_pcap_file *file);

/* Flushes too; likewise. */
int elisa_pcap_close(struct elisa_pcap_file *file);

#endif
