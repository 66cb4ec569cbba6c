/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * producer.h - plays the datapath: captured packets in the rings that the daemon mapped.
 */
#ifndef ELISA_TESTS_PRODUCER_H
#define ELISA_TESTS_PRODUCER_H

#include "vswitch/datapath/capture.h"

/* Byte `i` of the packet with number `seed`; ARP for an even seed, IPv4 for an odd one. */
uint8_t producer_byte(uint32_t seed, uint32_t i);

/* Publish a packet of `length` bytes, all of it, in the ring of a vCPU. */
void producer_packet(uint32_t vcpu, uint32_t port, enum elisa_capture_kind kind, uint64_t stamp,
		     uint32_t seed, uint32_t length);

/* As above with a stamp of now, if the guest's counter is the host's. */
void producer_now(uint32_t vcpu, uint32_t port, enum elisa_capture_kind kind, uint32_t seed,
		  uint32_t length);

/* The memory as the trusted context has it; NULL: not mapped. */
struct elisa_capture *producer_memory(void);

#endif
