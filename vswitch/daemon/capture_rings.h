/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * capture_rings.h - the consumer of the capture rings: records of all vCPUs in the order of time.
 *
 * Main thread.
 */
#ifndef ELISA_DAEMON_CAPTURE_RINGS_H
#define ELISA_DAEMON_CAPTURE_RINGS_H

#include "capture_clock.h"

#include "vswitch/datapath/capture.h"

#include <stdbool.h>
#include <stddef.h>

/* A record that is there, and when it was. */
struct elisa_capture_entry {
	struct elisa_capture_record *record;
	uint64_t ns;   /* CLOCK_MONOTONIC */
	size_t number; /* of those of one time, the one that was found first comes first */
};

/* Room for entries, kept from turn to turn. Zero it; free `entries` at the end. */
struct elisa_capture_rings {
	struct elisa_capture_entry *entries;
	size_t room;
	size_t nb;
};

/* How the guest's counter on a vCPU differs from the host's. False: nobody can tell. */
typedef bool (*elisa_tsc_offset)(void *context, uint32_t vcpu, uint64_t *offset);

/* Gets each packet; its bytes are behind the record. `time`: nanoseconds since 1970. */
typedef void (*elisa_capture_sink)(void *context, uint64_t time,
				   const struct elisa_capture_record *record);

struct elisa_capture_reader {
	elisa_tsc_offset offset;
	elisa_capture_sink sink;
	void *context;
};

/*
 * Hand over, in the order of time, the packets from `hold_ns` ago and before. Those after it stay
 * where they are: others that took place earlier may still come, and go first then. hold_ns 0: all.
 * Updates the clock.
 */
void elisa_capture_rings_read(struct elisa_capture_rings *rings, struct elisa_capture *memory,
			      struct elisa_clock *clock, uint64_t hold_ns,
			      const struct elisa_capture_reader *reader);

/* Packets of a port that found no room, since the memory was mapped. */
uint64_t elisa_capture_lost(const struct elisa_capture *memory, uint32_t port);

#endif
