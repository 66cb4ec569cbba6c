/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * capture_clock.h - from the host's time-stamp counter to the time of day.
 *
 * Straight lines between readings of the counter and of CLOCK_MONOTONIC, which is never set; the
 * time of day is a distance from that. Pure functions but for elisa_clock_read(); main thread.
 */
#ifndef ELISA_DAEMON_CAPTURE_CLOCK_H
#define ELISA_DAEMON_CAPTURE_CLOCK_H

#include <stdint.h>

struct elisa_clock_reading {
	uint64_t tsc;
	uint64_t ns;     /* CLOCK_MONOTONIC */
	uint64_t to_utc; /* to be added for nanoseconds since 1970 */
};

struct elisa_clock {
	struct elisa_clock_reading base; /* the line goes through this and `now` */
	struct elisa_clock_reading next; /* the base that follows */
	struct elisa_clock_reading now;
};

/* The clocks at one moment, as good as it gets. */
struct elisa_clock_reading elisa_clock_read(void);

void elisa_clock_start(struct elisa_clock *clock, struct elisa_clock_reading now);
void elisa_clock_update(struct elisa_clock *clock, struct elisa_clock_reading now);

/*
 * When the counter was at `tsc`, by CLOCK_MONOTONIC. What is after the last update or more than ten seconds before is
 * not believed (a guest may set its own counter at any time): the answer is then the last update.
 */
uint64_t elisa_clock_ns(const struct elisa_clock *clock, uint64_t tsc);

#endif
