/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tap.h - a port looked at while packets pass it: what is put into the capture rings (capture.h).
 *
 * Whoever moves packets opens a tap before and shows it the packets that really moved after: the
 * stamp is from before, so that an answer cannot seem to come before what it answers.
 */
#ifndef ELISA_VSWITCH_DATAPATH_TAP_H
#define ELISA_VSWITCH_DATAPATH_TAP_H

#include "vswitch/datapath/capture.h"
#include "vswitch/datapath/clock.h"
#include "vswitch/datapath/packet.h"

struct elisa_tap {
	uint32_t bytes; /* of each packet; 0: nobody captures, the rest is not valid */
	uint32_t port;
	uint32_t kind;   /* enum elisa_capture_kind */
	bool unfinished; /* CSUM packets are shown as they are, without their checksum */
	uint64_t stamp;
};

/* All that a port costs that nobody captures is this, and a branch on `bytes`. */
static inline void elisa_tap_open(struct elisa_tap *tap, const struct elisa_sender *sender,
				  uint32_t port, enum elisa_capture_kind kind, bool unfinished)
{
	tap->bytes = elisa_load(&sender->sw->config[port].capture);
	if (elisa_likely(!tap->bytes))
		return;
	tap->port = port;
	tap->kind = kind;
	tap->unfinished = unfinished;
	tap->stamp = elisa_clock_rdtsc();
}

/*
 * Put one packet of a batch into the vCPU's ring, or count that there was no room. The header is
 * the private copy; the rest is read from the sender's buffers again, so it may differ from what
 * was delivered if the sender changed it meanwhile. Only with tap->bytes.
 */
void elisa_tap_show(const struct elisa_tap *tap, const struct elisa_sender *sender,
		    const struct elisa_batch *batch, const struct elisa_packet *packet);

#endif
