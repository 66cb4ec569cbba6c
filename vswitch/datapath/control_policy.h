/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control_policy.h - the policy that a port begins with. For control.c and control_uplink.c.
 */
#ifndef ELISA_VSWITCH_DATAPATH_CONTROL_POLICY_H
#define ELISA_VSWITCH_DATAPATH_CONTROL_POLICY_H

#include "vswitch/datapath/switch.h"

/* No limit but that of learning. The port is not present, and has no entry in the MAC table. */
void elisa_policy_begin(struct elisa_switch *sw, unsigned int port, uint32_t learning_limit);

#endif
