/* SPDX-License-Identifier: BSD-3-Clause */
/* strays.h - frames that nobody answers, from senders that are not what they say. For frames.c. */
#ifndef ELISA_RIG_STRAYS_H
#define ELISA_RIG_STRAYS_H

#include <stdint.h>

#include <rte_ether.h>

/*
 * Of each eight frames the first three are what a guard of MAC, IP (10.0.0.1, 2001:db8::1) and VLANs
 * (none, 5) lets through; the others are not.
 */
uint32_t frames_make_stray(uint8_t *bytes, uint32_t index, const struct rte_ether_addr *own,
			   const struct rte_ether_addr *peer);

/* Each from another MAC address. */
uint32_t frames_make_source(uint8_t *bytes, uint32_t index, const struct rte_ether_addr *own,
			    const struct rte_ether_addr *peer);

#endif
