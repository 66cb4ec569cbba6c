/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * drivers.h - the DPDK drivers whose burst functions were checked and are in the trusted image.
 *
 * A burst function runs on a guest's vCPU in the trusted context: no system call, no lock that is
 * waited for, no function pointer but the mempool's, no memory but the queue, the pool, the device's
 * registers and rte_eth_devices[].data. docs/uplink.md tells how one is checked. The number of a
 * driver is what struct elisa_uplink has in `driver`.
 */
#ifndef ELISA_UPLINK_DRIVERS_H
#define ELISA_UPLINK_DRIVERS_H

#include <elisa/types.h>

enum elisa_uplink_driver {
	ELISA_UPLINK_NO_DRIVER = 0,
	ELISA_UPLINK_E1000_EM, /* eth_em_recv_pkts, eth_em_xmit_pkts: frames in one mbuf */
};

struct elisa_uplink_driver_entry {
	const char *name; /* rte_eth_dev_info.driver_name */
	uint32_t driver;  /* enum elisa_uplink_driver */
};

#define ELISA_UPLINK_DRIVERS                             \
	{                                                \
		{"net_e1000_em", ELISA_UPLINK_E1000_EM}, \
	}

/* For messages. */
#define ELISA_UPLINK_DRIVER_NAMES "net_e1000_em (Intel 8254x, 8257x, 8258x, I217 to I219)"

#endif
