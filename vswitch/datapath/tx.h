/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tx.h - ELISA_CALL_TX: a transmit window, from its first descriptor to the receivers' rings.
 */
#ifndef ELISA_VSWITCH_DATAPATH_TX_H
#define ELISA_VSWITCH_DATAPATH_TX_H

#include "vswitch/datapath/context.h"

/*
 * The caller has checked that the port is this vCPU's, and queue; count is as the guest gave it.
 * Result as elisa/ring.h says. Bounded: ELISA_MAX_BURST descriptors, each to at most
 * ELISA_MAX_PORTS - 1 receivers.
 */
int64_t elisa_transmit(const struct elisa_context *context, uint32_t port, uint32_t queue,
		       uint64_t count);

#endif
