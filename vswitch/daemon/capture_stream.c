// SPDX-License-Identifier: BSD-3-Clause
/* capture_stream.c - see capture_stream.h. */
#include "capture_stream.h"

#include "arguments.h"
#include "capture_filter.h"

#include <elisa/stream.h>

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define END_SECONDS 10
#define END_ROOM 1024 /* bytes of ELISA_STREAM_ROOM that packets leave for the end */

static int copy_filter(struct elisa_capture_stream *stream,
		       const struct elisa_capture_request *request, struct elisa_failure *failure)
{
	size_t size = request->nb_filter * sizeof(*request->filter);

	if (!request->nb_filter)
		return 0;
	if (!elisa_filter_is_safe(request->filter, request->nb_filter))
		return elisa_fail(failure, -EINVAL,
				  "the filter is no BPF program, or has a loop in it (as "
				  "'protochain' makes); write it another way");
	stream->filter = malloc(size);
	if (!stream->filter)
		return -ENOMEM;
	memcpy(stream->filter, request->filter, size);
	return 0;
}

int elisa_stream_begin(struct elisa_capture_stream *stream,
		       const struct elisa_capture_request *request, struct elisa_failure *failure)
{
	int result;

	*stream = (struct elisa_capture_stream){
		.fd = -1,
		.port = request->port,
		.bytes = request->bytes,
	};
	strncpy(stream->name, request->name, sizeof(stream->name) - 1);
	result = copy_filter(stream, request, failure);
	stream->output = result ? NULL : malloc(ELISA_STREAM_ROOM);
	if (!result && !stream->output)
		result = -ENOMEM;
	if (result == -ENOMEM)
		elisa_fail(failure, result, "no memory for a capture; free some");
	if (result)
		free(stream->filter);
	else
		stream->state = ELISA_STREAM_BEGUN;
	return result;
}

/* `size` bytes in one piece at the end of the output, or NULL. */
static uint8_t *make_room(struct elisa_capture_stream *stream, size_t size, size_t keep_free)
{
	size_t used = stream->end - stream->first;

	if (used + size + keep_free > ELISA_STREAM_ROOM)
		return NULL;
	if (stream->end + size > ELISA_STREAM_ROOM) {
		memmove(stream->output, stream->output + stream->first, used);
		stream->first = 0;
		stream->end = used;
	}
	stream->end += size;
	return stream->output + stream->end - size;
}

void elisa_stream_open(struct elisa_capture_stream *stream, int fd, const char *answer)
{
	size_t size = strlen(answer);

	/* Nothing is in it yet, and an answer is shorter. */
	memcpy(make_room(stream, size, 0), answer, size);
	stream->fd = fd;
	stream->state = ELISA_STREAM_OPEN;
}

static bool append(struct elisa_capture_stream *stream, const struct elisa_stream_record *record,
		   const void *bytes, size_t keep_free)
{
	uint8_t *place = make_room(stream, sizeof(*record) + record->captured, keep_free);

	if (!place)
		return false;
	memcpy(place, record, sizeof(*record));
	memcpy(place + sizeof(*record), bytes, record->captured);
	return true;
}

void elisa_stream_packet(struct elisa_capture_stream *stream, uint64_t ns,
			 const struct elisa_capture_record *record)
{
	const uint8_t *bytes = (const uint8_t *)(record + 1);
	struct elisa_stream_record out = {
		.time = ns,
		.length = record->length,
		.captured = record->captured < stream->bytes ? record->captured : stream->bytes,
		.kind = record->kind == ELISA_CAPTURE_IN ? ELISA_STREAM_IN : ELISA_STREAM_OUT,
	};

	if (stream->filter && !bpf_filter(stream->filter, bytes, record->length, record->captured))
		return;
	stream->matched++;
	if (!append(stream, &out, bytes, END_ROOM))
		stream->dropped++;
}

void elisa_stream_end(struct elisa_capture_stream *stream, uint64_t lost, const char *message,
		      time_t now)
{
	struct elisa_stream_record end = {.kind = ELISA_STREAM_END};
	json_t *result = json_pack("{s:s, s:I, s:I, s:I, s:s?}", "port", stream->name, "matched",
				   (json_int_t)stream->matched, "dropped_ring",
				   (json_int_t)(lost - stream->lost_before), "dropped_reader",
				   (json_int_t)stream->dropped, "message", message);
	char *text = result ? elisa_json_dump(result, "") : NULL;

	stream->state = ELISA_STREAM_ENDING;
	stream->deadline = now + END_SECONDS;
	if (text) {
		end.captured = (uint32_t)strlen(text);
		append(stream, &end, text, 0);
	}
	free(text);
	json_decref(result);
}

bool elisa_stream_wanted(struct elisa_capture_stream *stream)
{
	char nothing[64];
	ssize_t size = recv(stream->fd, nothing, sizeof(nothing), MSG_DONTWAIT);

	return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

bool elisa_stream_send(struct elisa_capture_stream *stream, time_t now)
{
	while (stream->first < stream->end) {
		ssize_t size = send(stream->fd, stream->output + stream->first,
				    stream->end - stream->first, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0 && errno == EAGAIN)
			return stream->state != ELISA_STREAM_ENDING || now <= stream->deadline;
		if (size < 0)
			return false;
		stream->first += (size_t)size;
	}
	stream->first = stream->end = 0;
	return stream->state != ELISA_STREAM_ENDING;
}

void elisa_stream_close(struct elisa_capture_stream *stream)
{
	if (stream->fd >= 0)
		close(stream->fd);
	free(stream->filter);
	free(stream->output);
	*stream = (struct elisa_capture_stream){.fd = -1};
}
