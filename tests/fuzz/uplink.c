// SPDX-License-Identifier: BSD-3-Clause
/*
 * uplink.c - fuzzer: frames from the wire, whatever the NIC's driver says of them, into the guests of
 * descriptors.c, and theirs into the NICs. libFuzzer calls it.
 */
#include "commands.h"
#include "nic.h"

enum {
	UPLINK_RECEIVE = COMMAND_NB, /* something comes in from the wire */
	UPLINK_SET,                  /* an uplink's settings */
	UPLINK_POLL,
	UPLINK_NB,
};

static bool run_command(struct world *world, struct input *input)
{
	uint32_t command = take(input, 1) % UPLINK_NB;

	switch (command) {
	case UPLINK_RECEIVE:
		nic_receive(input);
		return false;
	case UPLINK_SET:
		nic_set(world, input);
		return false;
	case UPLINK_POLL:
		world->identity.ports = ~0ull;
		world->identity.vcpu = take(input, 1) % WORLD_VCPUS;
		world_call(world, ELISA_CALL_POLL, 0, take(input, 1));
		return true;
	default:
		return command_run(world, input, command);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {.at = data, .left = size};
	struct world *world = world_make(take(&input, 1) & 1);
	uint32_t nb_calls = 0;

	nics_make(world);
	for (uint32_t i = 0; i < COMMANDS_MAX && nb_calls < COMMANDS_CALLS && input.left; i++)
		nb_calls += run_command(world, &input);
	nics_free(world);
	return 0;
}
