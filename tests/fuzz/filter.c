// SPDX-License-Identifier: BSD-3-Clause
/*
 * filter.c - fuzzer: captures' filters, as texts and as programs, on any packet. libFuzzer calls it.
 *
 * First byte: bit 0, a program as a client may send one, or a text that elisactl compiles; second: how
 * long the packet is, which follows; then the filter. What the daemon takes for safe runs to its end
 * and reads nothing behind the packet, where no memory is. What libpcap makes of a text, the daemon
 * takes, if it is not too long and no loop, and it answers as libpcap's own program does.
 */
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

#include <pcap/pcap.h>

#include "input.h"
#include "vswitch/cli/pcap_file.h"
#include "vswitch/daemon/capture_filter.h"

#include <elisa/stream.h>

#define PAGE 4096
#define DIGITS 16        /* of an instruction in a request */
#define TEXT_MAX_SIZE 64 /* of a filter: libpcap takes seconds for some long ones */

static uint8_t *end_of_memory;

int LLVMFuzzerInitialize(int *nb_arguments, char ***arguments)
{
	uint8_t *pages =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)nb_arguments;
	(void)arguments;
	CHECK(pages != MAP_FAILED && !mprotect(pages + PAGE, PAGE, PROT_NONE));
	end_of_memory = pages + PAGE;
	/* Names of hosts in a text are asked for at nobody: there is no network. */
	CHECK(!unshare(CLONE_NEWNET));
	/* libpcap's and ours about texts. CHECK() writes to the descriptor. */
	stderr = fopen("/dev/null", "w");
	CHECK(stderr);
	return 0;
}

static uint32_t run(const struct bpf_insn *program, const uint8_t *packet, uint32_t length,
		    uint32_t captured)
{
	uint8_t *place = end_of_memory - captured;

	memcpy(place, packet, captured);
	return bpf_filter(program, place, length, captured);
}

/* The daemon's way. */
static void run_program(const uint8_t *data, size_t size, const uint8_t *packet, uint32_t length)
{
	uint32_t nb = size / sizeof(struct bpf_insn);
	struct bpf_insn *program = malloc(nb * sizeof(*program) + 1);

	memcpy(program, data, nb * sizeof(*program));
	if (elisa_filter_is_safe(program, nb)) {
		run(program, packet, length, length);
		run(program, packet, length, length / 2);
	}
	free(program);
}

static struct bpf_insn instruction(const char *digits)
{
	struct bpf_insn made;
	unsigned int code, jt, jf, k;

	CHECK(sscanf(digits, "%4x%2x%2x%8x", &code, &jt, &jf, &k) == 4);
	made = (struct bpf_insn){.code = code, .jt = jt, .jf = jf, .k = k};
	return made;
}

static void check_answer(const char *text, const struct bpf_insn *program, const uint8_t *packet,
			 uint32_t length)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, ELISA_STREAM_MAX);
	struct bpf_program own;

	CHECK(!pcap_compile(pcap, &own, text, 1, PCAP_NETMASK_UNKNOWN));
	CHECK(run(program, packet, length, length) == run(own.bf_insns, packet, length, length));
	pcap_freecode(&own);
	pcap_close(pcap);
}

/* elisactl's way, then the daemon's. */
static void run_text(const uint8_t *data, size_t size, const uint8_t *packet, uint32_t length)
{
	char text[TEXT_MAX_SIZE + 1];
	struct bpf_insn *program;
	char *digits;
	uint32_t nb;

	size = size < TEXT_MAX_SIZE ? size : TEXT_MAX_SIZE;
	memcpy(text, data, size);
	text[size] = '\0';
	digits = elisa_pcap_filter(text);
	if (!digits)
		return;
	CHECK(strlen(digits) % DIGITS == 0);
	nb = strlen(digits) / DIGITS;
	program = malloc(nb * sizeof(*program) + 1);
	for (uint32_t i = 0; i < nb; i++)
		program[i] = instruction(digits + (size_t)DIGITS * i);
	/* "protochain" is a loop. */
	CHECK(elisa_filter_is_safe(program, nb) || nb > ELISA_FILTER_MAX ||
	      strstr(text, "protochain"));
	if (elisa_filter_is_safe(program, nb))
		check_answer(text, program, packet, length);
	free(program);
	free(digits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t length;

	if (size < 2)
		return -1;
	length = data[1] < size - 2 ? data[1] : size - 2;
	if (data[0] & 1)
		run_program(data + 2 + length, size - 2 - length, data + 2, length);
	else
		run_text(data + 2 + length, size - 2 - length, data + 2, length);
	return 0;
}
