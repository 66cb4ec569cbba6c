// SPDX-License-Identifier: BSD-3-Clause
/* attacker.c - the honest half of an attacking guest: its port, and whether it still works. */
#include "attacker.h"

__attribute__((used)) char attacker_port_name[ELISA_NAME_SIZE];
__attribute__((used)) struct port attacker_port;
struct port attacker_second;

ATTACK_FUNCTION int64_t attacker_open(void)
{
	return port_open(&attacker_port, attacker_port_name, (uint8_t *)GUEST_REGION);
}

/* The port whose name has "2" behind: the VM's own receiver. */
ATTACK_FUNCTION int64_t attacker_open_second(void)
{
	char name[ELISA_NAME_SIZE];
	uint32_t length = 0;

	while (attacker_port_name[length]) {
		name[length] = attacker_port_name[length];
		length++;
	}
	name[length] = '2';
	name[length + 1] = 0;
	return port_open(&attacker_second, name, (uint8_t *)GUEST_REGION + PORT_MEMORY);
}

/* The least after having been thrown out: admitted again, and the gate is open. 0: so it is. */
ATTACK_FUNCTION int64_t attacker_rejoin(void)
{
	struct elisa_hc_hello hello = {.abi = ELISA_GUEST_ABI};

	memcpy(hello.port_name, attacker_port_name, sizeof(hello.port_name));
	hypercall(ELISA_HC_HELLO, &hello, sizeof(hello));
	return gate_call(ELISA_CALL_NOP, 0, 0);
}

static const uint8_t nobody[ELISA_MAC_SIZE] = {0x52, 0xe1, 0x15, 0, 0, 1};

/* One packet to nobody, sent once and left in the window. The port's number, or a negative one: the call's result less 1000. */
ATTACK_FUNCTION int64_t attacker_prepare(void)
{
	int64_t taken;

	port_frame(&attacker_port, 0, nobody, 64);
	taken = port_send(&attacker_port, 1, 64);
	return taken == 1 ? (int64_t)attacker_port.number : taken - 1000;
}

/* 0, or a negative number of a step: an empty call, then a packet that is nobody's, from a port anew. */
ATTACK_FUNCTION int64_t attacker_works(void)
{
	int error;

	port_close(&attacker_port);
	error = attacker_open();
	if (error)
		return error;
	if (gate_call(ELISA_CALL_NOP, 0, 0))
		return -10;
	return attacker_prepare() < 0 ? -11 : 0;
}
