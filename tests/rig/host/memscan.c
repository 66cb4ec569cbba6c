// SPDX-License-Identifier: BSD-3-Clause
/*
 * memscan PID HEX…: counts where these bytes occur in the writable memory of a process, here QEMU
 * with its guest's memory. Several patterns, of one length, cost little more than one. A tool of scenarios (lib.sh, guest_memory_has); it reads only pages
 * that are present, so that the scan itself gives the process no memory, and with process_vm_readv,
 * which copies once (/proc/PID/mem copies twice).
 *
 * Prints a count for each. Exit status: 0 the first was found, 1 it was not, 2 the scan did not work.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096ul
#define CHUNK_PAGES 256ul
#define MAX_PATTERN 64ul
#define MAX_PATTERNS 8
#define PRESENT (1ull << 63)

struct scan {
	pid_t pid;
	int pagemap;
	uint8_t patterns[MAX_PATTERNS][MAX_PATTERN];
	uint64_t counts[MAX_PATTERNS];
	int nb_patterns;
	size_t length; /* of each */
	/* The end of what came before, so that an occurrence across two pages is seen. */
	uint8_t buffer[MAX_PATTERN + CHUNK_PAGES * PAGE];
	size_t carried;
};

static void fail(const char *what)
{
	fprintf(stderr, "memscan: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void take_pattern(struct scan *scan, const char *hex)
{
	size_t digits = strlen(hex);

	if (digits < 2 || digits % 2 || digits / 2 > MAX_PATTERN ||
	    strspn(hex, "0123456789abcdefABCDEF") != digits) {
		fprintf(stderr, "memscan: HEX is 1 to %lu bytes in hexadecimal\n", MAX_PATTERN);
		exit(2);
	}
	for (size_t i = 0; i < digits / 2; i++) {
		const char byte[3] = {hex[2 * i], hex[2 * i + 1], 0};

		scan->patterns[scan->nb_patterns][i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	if (scan->nb_patterns && scan->length != digits / 2) {
		fprintf(stderr, "memscan: the patterns have to be of one length\n");
		exit(2);
	}
	scan->length = digits / 2;
	scan->nb_patterns++;
}

static uint64_t count_in(const struct scan *scan, const uint8_t *pattern, const uint8_t *end)
{
	const uint8_t *at = scan->buffer;
	uint64_t count = 0;

	while ((size_t)(end - at) >= scan->length) {
		at = memchr(at, pattern[0], (size_t)(end - at) - scan->length + 1);
		if (!at)
			break;
		if (!memcmp(at, pattern, scan->length))
			count++;
		at++;
	}
	return count;
}

/* The buffer holds carried + fresh bytes; keeps one byte less than the pattern for the next call. */
static void search(struct scan *scan, size_t fresh)
{
	const uint8_t *end = scan->buffer + scan->carried + fresh;
	size_t keep;

	for (int i = 0; i < scan->nb_patterns; i++)
		scan->counts[i] += count_in(scan, scan->patterns[i], end);
	keep = scan->length - 1;
	if (keep > scan->carried + fresh)
		keep = scan->carried + fresh;
	memmove(scan->buffer, end - keep, keep);
	scan->carried = keep;
}

static void scan_pages(struct scan *scan, uint64_t start, size_t pages)
{
	struct iovec here = {scan->buffer + scan->carried, pages * PAGE};
	struct iovec there = {(void *)(uintptr_t)start, pages * PAGE};
	ssize_t got = process_vm_readv(scan->pid, &here, 1, &there, 1, 0);

	/* A page can go away between the look at pagemap and the read. */
	if (got > 0)
		search(scan, (size_t)got);
	if (got != (ssize_t)(pages * PAGE))
		scan->carried = 0;
}

static void scan_range(struct scan *scan, uint64_t start, uint64_t end)
{
	uint64_t entries[CHUNK_PAGES];

	scan->carried = 0;
	for (; start < end; start += CHUNK_PAGES * PAGE) {
		size_t pages = (end - start) / PAGE;
		size_t first = 0;

		if (pages > CHUNK_PAGES)
			pages = CHUNK_PAGES;
		if (pread(scan->pagemap, entries, pages * sizeof(entries[0]),
			  (off_t)(start / PAGE * sizeof(entries[0]))) !=
		    (ssize_t)(pages * sizeof(entries[0])))
			fail("pagemap");
		for (size_t i = 0; i <= pages; i++) {
			if (i < pages && entries[i] & PRESENT)
				continue;
			if (i > first)
				scan_pages(scan, start + first * PAGE, i - first);
			if (i < pages)
				scan->carried = 0;
			first = i + 1;
		}
	}
}

static int open_of(const char *pid, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail(path);
	return fd;
}

int main(int argc, char **argv)
{
	static struct scan scan;
	unsigned long start, end;
	char line[512], rights[5];
	FILE *maps;

	if (argc < 3 || argc > 2 + MAX_PATTERNS) {
		fprintf(stderr, "usage: memscan PID HEX…\n");
		return 2;
	}
	for (int i = 2; i < argc; i++)
		take_pattern(&scan, argv[i]);
	scan.pid = (pid_t)strtol(argv[1], NULL, 10);
	scan.pagemap = open_of(argv[1], "pagemap");
	maps = fdopen(open_of(argv[1], "maps"), "r");
	if (!maps)
		fail("maps");
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %4s", &start, &end, rights) != 3 ||
		    strncmp(rights, "rw", 2))
			continue;
		scan_range(&scan, start, end);
	}
	for (int i = 0; i < scan.nb_patterns; i++)
		printf("%llu\n", (unsigned long long)scan.counts[i]);
	return scan.counts[0] ? 0 : 1;
}
