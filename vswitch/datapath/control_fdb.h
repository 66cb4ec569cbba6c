/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control_fdb.h - ports' own addresses in the MAC table. For control.c.
 */
#ifndef ELISA_VSWITCH_DATAPATH_CONTROL_FDB_H
#define ELISA_VSWITCH_DATAPATH_CONTROL_FDB_H

#include "vswitch/datapath/switch.h"

/* -EADDRINUSE: another port's own. -ENOSPC: no room. A learned entry makes way. */
int elisa_fdb_add_fixed(struct elisa_switch *sw, uint64_t mac, unsigned int port);

/*
 * Remove entries of ports that are not in `keep` (bit p: port p), and fixed ones that are not the address
 * of their port. Returns the ports that they named.
 */
uint64_t elisa_fdb_remove_strays(struct elisa_switch *sw, uint64_t keep);

void elisa_fdb_remove_fixed(struct elisa_switch *sw, uint64_t mac);

#endif
