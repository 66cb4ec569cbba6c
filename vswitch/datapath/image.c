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

/* The one large frame: the workspace. tests/unit/datapath/check_image.py bounds the stack. */
#pragma GCC diagnostic ignored "-Wframe-larger-than="

__attribute__((section(".text.enter"), used)) uint64_t
elisa_image_enter(uint64_t operation, uint64_t first, uint64_t second)
{
	struct elisa_workspace workspace; /* on this vCPU's own stack */
	struct elisa_context context;

	context.sw = (struct elisa_switch *)ELISA_GVA(ELISA_OFFSET_SWITCH);
	context.identity = (const struct elisa_identity *)ELISA_GVA(ELISA_OFFSET_IDENTITY);
	context.maps = (const struct elisa_port_map *)ELISA_GVA(ELISA_OFFSET_PORT_MAPS);
	context.capture = (struct elisa_capture *)ELISA_GVA(ELISA_OFFSET_CAPTURE);
	context.workspace = &workspace;
	context.in_host = false;
	return elisa_datapath_call(&context, operation, first, second);
}
