// SPDX-License-Identifier: BSD-3-Clause
/* capture.c - see capture.h. */
#include "capture.h"

#include "log.h"
#include "module.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define HOLD_NS 20000000ull /* how much later than others a vCPU may publish: two turns */

/* What the rings' reader calls back with. */
struct turn {
	struct elisa_captures *captures;
	struct elisa_vms *vms;
};

static time_t seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static uint32_t nb_vcpus(const struct elisa_vms *vms)
{
	uint32_t nb = 0;

	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		const struct elisa_vm *vm = &vms->vms[i];

		if (vm->attached && vm->first_vcpu + vm->nb_vcpus > nb)
			nb = vm->first_vcpu + vm->nb_vcpus;
	}
	return nb < ELISA_MAX_VCPUS ? nb : ELISA_MAX_VCPUS;
}

static bool takes_packets(const struct elisa_capture_stream *stream)
{
	return stream->state == ELISA_STREAM_BEGUN || stream->state == ELISA_STREAM_OPEN;
}

/* The datapath takes as much of each packet as the greediest of the port's captures wants. */
static void set_port(struct elisa_captures *captures, struct elisa_domain *domain, uint32_t port)
{
	uint32_t bytes = 0;

	for (unsigned int i = 0; i < ELISA_CAPTURES_MAX; i++) {
		const struct elisa_capture_stream *stream = &captures->streams[i];

		if (takes_packets(stream) && stream->port == port && stream->bytes > bytes)
			bytes = stream->bytes;
	}
	/* -ENODEV: the port has gone, and its capture with it. */
	elisa_switch_port_set_capture(domain->sw, port, bytes);
}

static bool any(const struct elisa_captures *captures)
{
	for (unsigned int i = 0; i < ELISA_CAPTURES_MAX; i++)
		if (captures->streams[i].state != ELISA_STREAM_FREE)
			return true;
	return false;
}

static struct elisa_capture_stream *free_stream(struct elisa_captures *captures)
{
	for (unsigned int i = 0; i < ELISA_CAPTURES_MAX; i++)
		if (captures->streams[i].state == ELISA_STREAM_FREE)
			return &captures->streams[i];
	return NULL;
}

static void release_memory(struct elisa_captures *captures, struct elisa_domain *domain)
{
	elisa_capture_memory_free(&captures->memory, domain);
	free(captures->rings.entries);
	captures->rings = (struct elisa_capture_rings){0};
}

bool elisa_captures_adopt(struct elisa_captures *captures, int fd, const char *answer)
{
	struct elisa_capture_stream *stream = captures->begun;

	if (!stream)
		return false;
	captures->begun = NULL;
	elisa_stream_open(stream, fd, answer);
	elisa_log(ELISA_LOG_NOTICE, "port %s: a capture begins", stream->name);
	return true;
}

static void close_stream(struct elisa_captures *captures, struct elisa_domain *domain,
			 struct elisa_capture_stream *stream)
{
	uint32_t port = stream->port;

	elisa_stream_close(stream);
	set_port(captures, domain, port);
}

void elisa_captures_give_up(struct elisa_captures *captures, struct elisa_domain *domain)
{
	if (!captures->begun)
		return;
	close_stream(captures, domain, captures->begun);
	captures->begun = NULL;
}

int elisa_captures_wait_ms(const struct elisa_captures *captures, int most)
{
	return any(captures) && most > ELISA_CAPTURE_TURN_MS ? ELISA_CAPTURE_TURN_MS : most;
}

/* The difference can change at any time: the guest may write its counter. */
static bool tsc_offset(void *context, uint32_t vcpu, uint64_t *offset)
{
	const struct turn *turn = context;
	struct elisa_vm *vm = elisa_vms_with_vcpu(turn->vms, vcpu);
	struct elisa_vcpu_stats stats = {0};

	if (!vm)
		return false;
	stats.vcpu = vcpu - vm->first_vcpu;
	if (elisa_module_vm_vcpu_stats(vm->fd, &stats) || stats.tsc_scaled)
		return false;
	*offset = stats.tsc_offset;
	return true;
}

static void hand_out(void *context, uint64_t time, const struct elisa_capture_record *record)
{
	const struct turn *turn = context;

	for (unsigned int i = 0; i < ELISA_CAPTURES_MAX; i++) {
		struct elisa_capture_stream *stream = &turn->captures->streams[i];

		if (stream->state == ELISA_STREAM_OPEN && stream->port == record->port)
			elisa_stream_packet(stream, time, record);
	}
}

static void read_rings(struct elisa_captures *captures, struct elisa_vms *vms, uint64_t hold_ns)
{
	struct turn turn = {.captures = captures, .vms = vms};
	struct elisa_capture_reader reader = {
		.offset = tsc_offset, .sink = hand_out, .context = &turn};

	elisa_capture_rings_read(&captures->rings, captures->memory.rings, &captures->clock,
				 hold_ns, &reader);
}

/* VMs that were attached since: their vCPUs count what they have no ring for. */
static void follow_vms(struct elisa_captures *captures, struct elisa_domain *domain,
		       struct elisa_vms *vms)
{
	struct elisa_failure failure;

	if (elisa_capture_memory_grow(&captures->memory, domain, nb_vcpus(vms), &failure))
		elisa_log_limited(ELISA_LOG_WARNING, "captures miss packets: %s", failure.message);
}

/* A port that was removed has lost its capture, also if there is another of its number already. */
static bool port_is_gone(const struct elisa_domain *domain,
			 const struct elisa_capture_stream *stream)
{
	return !__atomic_load_n(&domain->sw->config[stream->port].capture, __ATOMIC_RELAXED);
}

static void end(struct elisa_captures *captures, struct elisa_domain *domain,
		struct elisa_capture_stream *stream, bool gone)
{
	char message[96];

	snprintf(message, sizeof(message), "port %s was removed", stream->name);
	elisa_stream_end(stream, elisa_capture_lost(captures->memory.rings, stream->port),
			 gone ? message : NULL, seconds_now());
	if (!gone)
		set_port(captures, domain, stream->port);
	elisa_log(ELISA_LOG_NOTICE,
		  "port %s: a capture ends, %llu packets matched, %llu the reader was too slow for",
		  stream->name, (unsigned long long)stream->matched,
		  (unsigned long long)stream->dropped);
}

/* Returns whether a capture has to end; all packets up to now have to be read for it first. */
static bool look_for_ends(struct elisa_captures *captures, const struct elisa_domain *domain,
			  bool ends[ELISA_CAPTURES_MAX], bool gone[ELISA_CAPTURES_MAX])
{
	bool some = false;

	for (unsigned int i = 0; i < ELISA_CAPTURES_MAX; i++) {
		struct elisa_capture_stream *stream = &captures->streams[i];

		ends[i] = gone[i] = false;
		if (stream->state == ELISA_STREAM_OPEN) {
			gone[i] = port_is_gone(domain, stream);
			ends[i] = gone[i] || !elisa_stream_wanted(stream);
		}
		some |= ends[i];
	}
	return some;
}

static void send_all(struct elisa_captures *captures)
{
	time_t now = seconds_now();

	for (unsigned int i = 0; i < ELISA_CAPTURES_MAX; i++) {
		struct elisa_capture_stream *stream = &captures->streams[i];

		if (stream->state != ELISA_STREAM_OPEN && stream->state != ELISA_STREAM_ENDING)
			continue;
		if (elisa_stream_send(stream, now))
			continue;
		/* Who is gone without asking for the end has no use for one: wanted() tells next. */
		if (stream->state == ELISA_STREAM_ENDING)
			elisa_stream_close(stream);
		else
			stream->first = stream->end = 0;
	}
}

void elisa_captures_turn(struct elisa_captures *captures, struct elisa_domain *domain,
			 struct elisa_vms *vms)
{
	bool ends[ELISA_CAPTURES_MAX], gone[ELISA_CAPTURES_MAX];
	bool some;

	if (!captures->memory.rings)
		return;
	follow_vms(captures, domain, vms);
	some = look_for_ends(captures, domain, ends, gone);
	read_rings(captures, vms, some ? 0 : HOLD_NS);
	for (unsigned int i = 0; i < ELISA_CAPTURES_MAX; i++)
		if (ends[i])
			end(captures, domain, &captures->streams[i], gone[i]);
	send_all(captures);
	if (!any(captures))
		release_memory(captures, domain);
}

int elisa_captures_begin(struct elisa_captures *captures, struct elisa_domain *domain,
			 struct elisa_vms *vms, const struct elisa_capture_request *request,
			 struct elisa_failure *failure)
{
	struct elisa_capture_stream *stream;
	bool first;
	int result;

	/* Ends captures of a port that went: what the rings have of this number is theirs. */
	elisa_captures_turn(captures, domain, vms);
	first = !captures->memory.rings;
	stream = free_stream(captures);
	if (!stream)
		return elisa_fail(failure, -EUSERS,
				  "%u captures are running, which is as many as there can be; end "
				  "one",
				  ELISA_CAPTURES_MAX);
	result = elisa_stream_begin(stream, request, failure);
	if (result)
		return result;
	result = elisa_capture_memory_grow(&captures->memory, domain, nb_vcpus(vms), failure);
	if (result) {
		elisa_stream_close(stream);
		return result;
	}
	if (first)
		elisa_clock_start(&captures->clock, elisa_clock_read());
	stream->lost_before = elisa_capture_lost(captures->memory.rings, stream->port);
	set_port(captures, domain, stream->port);
	captures->begun = stream;
	return 0;
}

void elisa_captures_close(struct elisa_captures *captures, struct elisa_domain *domain)
{
	for (unsigned int i = 0; i < ELISA_CAPTURES_MAX; i++)
		if (captures->streams[i].state != ELISA_STREAM_FREE)
			close_stream(captures, domain, &captures->streams[i]);
	captures->begun = NULL;
	release_memory(captures, domain);
}
