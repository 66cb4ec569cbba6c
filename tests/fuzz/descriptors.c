// SPDX-License-Identifier: BSD-3-Clause
/*
 * descriptors.c - fuzzer: guests that write what they like into windows, rings and regions, and
 * call. libFuzzer calls it.
 *
 * An input is a little programme (commands.h). world.c is what it works on, and world_check.c has
 * the oracles.
 */
#include "commands.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {.at = data, .left = size};
	struct world *world = world_make(take(&input, 1) & 1);
	uint32_t nb_calls = 0;

	for (uint32_t i = 0; i < COMMANDS_MAX && nb_calls < COMMANDS_CALLS && input.left; i++)
		nb_calls += command_run(world, &input, take(&input, 1) % COMMAND_NB);
	return 0;
}
