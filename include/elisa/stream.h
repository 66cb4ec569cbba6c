/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * stream.h - captured packets on their way from elisa-switchd to elisactl.
 *
 * After the answer to a "capture" request (elisa-switchd(8)) the connection is the capture's: the
 * daemon sends these records, each with `captured` bytes behind it, in the order of `time` but for
 * stragglers. The reader ends it by shutting down its sending side; the daemon then sends what it
 * has, an END, and closes. A connection that ends without END was cut off.
 */
#ifndef ELISA_STREAM_H
#define ELISA_STREAM_H

#include "types.h"

struct elisa_stream_record {
	uint64_t time;     /* nanoseconds since 1970, UTC; 0 in an END */
	uint32_t length;   /* bytes of the packet on the port; 0 in an END */
	uint32_t captured; /* bytes that follow, 0..ELISA_STREAM_MAX */
	uint32_t kind;     /* enum elisa_stream_kind */
	uint32_t reserved; /* 0 */
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_stream_record) == 24, "stream record");

#define ELISA_STREAM_MAX 262144u

enum elisa_stream_kind {
	ELISA_STREAM_IN = 1, /* the port's guest sent the packet, or its NIC received it */
	ELISA_STREAM_OUT,    /* it was delivered to the port's guest, or given to its NIC */
	ELISA_STREAM_END,    /* the last; what follows is the result, a JSON object */
};

#endif
