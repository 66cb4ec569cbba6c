/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guard.h - source guard: does a packet say that it comes from where it may come from?
 */
#ifndef ELISA_VSWITCH_DATAPATH_GUARD_H
#define ELISA_VSWITCH_DATAPATH_GUARD_H

#include "vswitch/datapath/packet.h"

/*
 * What switch.h says of ELISA_POLICY_GUARD_*, for a packet without a reason to drop it. `mac` is the
 * port's own address, as a number. Reads the private header only. The rules may be written while they
 * are read: the answer is then one of no meaning, and nothing worse.
 */
bool elisa_guard_allows(const struct elisa_port_rules *rules, uint64_t mac,
			const struct elisa_packet *packet);

#endif
