/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * image.c - what only the trusted image has: its first instruction in C, and its header.
 *
 * Not in the library. The gate's entry code calls the first byte of TEXT with the caller's three
 * arguments; everything the datapath works on is at a constant address (elisa/layout.h), so there is
 * nothing here that a guest could choose.
 */
#include "vswitch/datapath/call.h"

uint64_t elisa_image_enter(uint64_t operation, uint64_t first, uint64_t second);

__attribute__((section(".rodata.header"), used))
const struct elisa_image_header elisa_image_header = {
	.magic = ELISA_IMAGE_MAGIC,
	.abi = ELISA_IMAGE_ABI,
	.layout = ELISA_SWITCH_LAYOUT,
	.switch_size = sizeof(struct elisa_switch),
	.version = ELISA_VERSION_STRING,
};

__attribute__((section(".text.enter"), used)) uint64_t
elisa_image_enter(uint64_t operation, uint64_t first, uint64_t second)
{
	return elisa_datapath_call((struct elisa_switch *)ELISA_GVA(ELISA_OFFSET_SWITCH),
				   (const struct elisa_identity *)ELISA_GVA(ELISA_OFFSET_IDENTITY),
				   (const struct elisa_port_map *)ELISA_GVA(ELISA_OFFSET_PORT_MAPS),
				   operation, first, second);
}
