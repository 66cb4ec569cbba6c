// SPDX-License-Identifier: BSD-3-Clause
/* fake_nic.c - see fake_nic.h. Linked in the place of vswitch/daemon/nic*.c. */
#include "fake_nic.h"

#include "fake_module.h"

#include "cmocka_all.h"

#include <errno.h>
#include <string.h>

#define REGISTERS_SIZE 0x20000ull

struct fake_nic fake_nic;
static unsigned int next;

void fake_nic_reset(void)
{
	fake_nic = (struct fake_nic){.link_up = true};
	next = 0;
}

void fake_nic_killed(void)
{
	fake_nic.opened = 0;
	fake_nic.has_memory = false;
	next = 0;
}

uint64_t fake_nic_queue(unsigned int nic, unsigned int queue)
{
	return ELISA_GVA(ELISA_OFFSET_UPLINK_MEMORY) + 0x10000 * nic + 0x1000 * queue;
}

int elisa_nic_memory_open(uint32_t mebibytes, struct elisa_failure *failure)
{
	assert_false(fake_nic.has_memory);
	assert_int_not_equal(mebibytes, 0);
	if (fake_nic.memory_error)
		return elisa_fail(failure, fake_nic.memory_error, "no hugepages");
	fake_nic.has_memory = true;
	return 0;
}

void elisa_nic_memory_close(void)
{
	assert_true(fake_nic.has_memory);
	assert_int_equal(fake_nic.opened, 0);
	assert_false(fake_module_mapped(ELISA_OFFSET_UPLINK_MEMORY));
	assert_false(fake_module_mapped(ELISA_OFFSET_UPLINK_STATE));
	fake_nic.has_memory = false;
}

void elisa_nic_memory_ranges(struct elisa_nic_range *memory, struct elisa_nic_range *state)
{
	assert_true(fake_nic.has_memory);
	*memory = (struct elisa_nic_range){ELISA_GVA(ELISA_OFFSET_UPLINK_MEMORY), 0x400000};
	*state = (struct elisa_nic_range){0x7000000000, 0x85000};
}

int elisa_nic_open(const struct elisa_nic_request *request, struct elisa_nic *nic,
		   struct elisa_failure *failure)
{
	fake_nic.last = *request;
	*nic = (struct elisa_nic){
		.id = (uint16_t)next,
		.driver = 1,
		.driver_name = "net_fake",
		.mac = {2, 0, 0, 0, 9, (uint8_t)next},
		.mtu = request->mtu,
		.room = request->mtu + ELISA_FRAME_OVERHEAD,
		.nb_queues = request->nb_queues,
	};
	if (fake_nic.open_error)
		return elisa_fail(failure, fake_nic.open_error, "the fake NIC does not open");
	strcpy(nic->pci, request->pci);
	nic->registers = (struct elisa_nic_range){
		ELISA_GVA(ELISA_OFFSET_UPLINK_DEVICES) + next * REGISTERS_SIZE, REGISTERS_SIZE};
	for (unsigned int i = 0; i < nic->nb_queues; i++) {
		uint64_t queue = fake_nic_queue(next, i);

		nic->queues[i] = (struct elisa_nic_queue){queue, queue + 64, queue + 128};
	}
	next++;
	fake_nic.opened++;
	return 0;
}

void elisa_nic_close(struct elisa_nic *nic)
{
	assert_true(fake_nic.opened > 0);
	assert_false(fake_module_mapped(nic->registers.address - ELISA_WINDOW_GVA));
	fake_nic.opened--;
}

int elisa_nic_restart(struct elisa_nic *nic, struct elisa_failure *failure)
{
	fake_nic.restarts++;
	if (fake_nic.restart_error)
		return elisa_fail(failure, fake_nic.restart_error, "NIC %s does not start",
				  nic->pci);
	return 0;
}

int elisa_nic_link(const struct elisa_nic *nic, struct elisa_nic_link *link)
{
	(void)nic;
	*link = (struct elisa_nic_link){fake_nic.link_up, fake_nic.link_up ? 1000 : 0};
	return fake_nic.link_error;
}

void elisa_nic_stats(const struct elisa_nic *nic, struct elisa_nic_stats *stats)
{
	(void)nic;
	*stats = fake_nic.stats;
}
