// SPDX-License-Identifier: BSD-3-Clause
/* world.c - what inputs are run in, and what has to hold after each. Used by elisa-fuzz.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <elisa/ring.h>

#include "fuzz.h"

#define BYSTANDER_PORT 32u /* one bit from the attacker's */
#define WARNING 4          /* of the kernel's levels; lower ones are worse */
/* What is said of a vCPU that is recovered, and of how many of these lines were left out. */
#define THROWN_OUT " thrown out of the switch with #GP"
#define LEFT_OUT " callbacks suppressed"

static int port_state(int port, struct elisa_port_state *state)
{
	*state = (struct elisa_port_state){.version = ELISA_UAPI_VERSION};
	return ioctl(port, ELISA_IOC_PORT_STATE, state) ? errno : 0;
}

/* As a driver does: hello, memory, a queue, start. */
static void start_bystander(struct world *world)
{
	struct elisa_hc_hello hello = {.abi = ELISA_GUEST_ABI};
	struct elisa_hc_region region = {.port = BYSTANDER_PORT,
					 .flags = ELISA_REGION_WRITE,
					 .gva = GUEST_REGION,
					 .length = ELISA_HUGE_PAGE_SIZE};
	struct elisa_hc_queue queue = {.port = BYSTANDER_PORT,
				       .tx_window = GUEST_REGION,
				       .rx_ring = GUEST_REGION + 0x10000,
				       .tx_size = ELISA_MIN_RING,
				       .rx_size = ELISA_MIN_RING};
	struct elisa_hc_port set = {
		.port = BYSTANDER_PORT, .flags = ELISA_PORT_STARTED, .mtu = 1500};
	struct vm *vm = &world->bystander;

	if (vm_hypercall(vm, ELISA_HC_HELLO, &hello, sizeof(hello)) ||
	    vm_hypercall(vm, ELISA_HC_REGISTER, &region, sizeof(region)) ||
	    vm_hypercall(vm, ELISA_HC_QUEUE_SETUP, &queue, sizeof(queue)) ||
	    vm_hypercall(vm, ELISA_HC_PORT_SET, &set, sizeof(set)))
		die("the bystander's port");
}

void world_open(struct world *world)
{
	struct elisa_vm_attach attach;
	int vm_fd;

	world->messages = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (world->messages < 0 || lseek(world->messages, 0, SEEK_END) < 0)
		die("/dev/kmsg");
	host_open(&world->host);
	vm_create(&world->bystander);
	vm_create(&world->vm);
	vm_fd = host_attach(&world->host, world->bystander.fd, &attach);
	world->bystander_port = host_port_add(vm_fd, BYSTANDER_PORT, "bystander");
	if (world->bystander_port < 0)
		die("PORT_ADD");
	start_bystander(world);
	if (port_state(world->bystander_port, &world->state))
		die("PORT_STATE");
	world->info = host_info(&world->host);
	world_record(world, ELISA_TEST_RECORD_FROM_0);
}

uint32_t world_record(struct world *world, enum elisa_test_record record)
{
	struct elisa_test_coverage coverage = {.record = record};

	if (ioctl(world->host.domain, ELISA_TEST_COVERAGE, &coverage))
		die("no coverage: is it the testing build of elisa.ko?");
	return coverage.nb_edges;
}

static const char *check_messages(struct world *world)
{
	char record[1024];
	ssize_t length;

	/* "LEVEL AND FACILITY,number,time,flags;text" */
	while ((length = read(world->messages, record, sizeof(record) - 1)) > 0) {
		record[length] = 0;
		CHECK((atoi(record) & 7) > WARNING || strstr(record, THROWN_OUT) ||
			      strstr(record, LEFT_OUT),
		      "the kernel says %.150s", strchr(record, ';') + 1);
	}
	CHECK(errno == EAGAIN, "the kernel's messages: errno %d", errno);
	return NULL;
}

const char *world_check(struct world *world)
{
	struct elisa_info info = host_info(&world->host);
	struct elisa_port_state state;

	CHECK(port_state(world->bystander_port, &state) == 0, "the bystander's port is gone");
	CHECK(!memcmp(&state, &world->state, sizeof(state)),
	      "the bystander's port: claimed %u, started %u, %u regions, %llu pages", state.claimed,
	      state.started, state.nb_regions, (unsigned long long)state.pinned_pages);
	CHECK(info.nb_vms == world->info.nb_vms, "%u VMs, before %u", info.nb_vms,
	      world->info.nb_vms);
	CHECK(info.pinned_pages == world->info.pinned_pages, "%llu pages pinned, before %llu",
	      (unsigned long long)info.pinned_pages, (unsigned long long)world->info.pinned_pages);
	return check_messages(world);
}

const char *world_prove(struct world *world)
{
	CHECK(host_prove(&world->host) == 0, "an invariant does not hold");
	CHECK(vm_gate(&world->bystander, IMAGE_SUM, 20, 22) == 42, "the bystander's gate call");
	return check_messages(world);
}
