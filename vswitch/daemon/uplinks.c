// SPDX-License-Identifier: BSD-3-Clause
/* uplinks.c - see uplinks.h. */
#include "uplinks.h"

#include "log.h"
#include "module.h"
#include "uplink_owners.h"

#include <errno.h>
#include <string.h>

struct elisa_uplink_port *elisa_uplinks_find(struct elisa_uplinks *uplinks, const char *name)
{
	for (unsigned int i = 0; i < ELISA_MAX_UPLINKS; i++) {
		if (uplinks->uplinks[i].present && !strcmp(uplinks->uplinks[i].name, name))
			return &uplinks->uplinks[i];
	}
	return NULL;
}

struct elisa_uplink_port *elisa_uplinks_with_number(struct elisa_uplinks *uplinks,
						    unsigned int number)
{
	for (unsigned int i = 0; i < ELISA_MAX_UPLINKS; i++) {
		if (uplinks->uplinks[i].present && uplinks->uplinks[i].number == number)
			return &uplinks->uplinks[i];
	}
	return NULL;
}

static bool any_present(const struct elisa_uplinks *uplinks)
{
	for (unsigned int i = 0; i < ELISA_MAX_UPLINKS; i++) {
		if (uplinks->uplinks[i].present)
			return true;
	}
	return false;
}

int elisa_uplinks_open(struct elisa_uplinks *uplinks, uint32_t memory,
		       struct elisa_failure *failure)
{
	int result = memory ? elisa_nic_memory_open(memory, failure) : 0;

	if (!result)
		uplinks->memory = memory;
	return result;
}

/* A free place and a free number, or -EEXIST, -ENOSPC, -EBUSY. */
static int find_place(struct elisa_uplinks *uplinks, const struct elisa_switch *sw,
		      const struct elisa_uplink_request *request, struct elisa_uplink_port **place,
		      unsigned int *number, struct elisa_failure *failure)
{
	*place = NULL;
	for (unsigned int i = 0; i < ELISA_MAX_UPLINKS; i++) {
		struct elisa_uplink_port *uplink = &uplinks->uplinks[i];

		if (!uplink->present) {
			*place = *place ? *place : uplink;
			continue;
		}
		if (!strcmp(uplink->name, request->name) || !strcmp(uplink->nic.pci, request->pci))
			return elisa_fail(failure, -EEXIST,
					  "uplink %s is NIC %s already; choose another name or "
					  "another NIC, or first 'elisactl uplink del %s'",
					  uplink->name, uplink->nic.pci, uplink->name);
		if (uplink->removing)
			return elisa_fail(failure, -EBUSY,
					  "uplink %s is removed in part only; first 'elisactl "
					  "uplink del %s', or start elisa-switchd again",
					  uplink->name, uplink->name);
	}
	if (!*place)
		return elisa_fail(
			failure, -ENOSPC,
			"the switch has %u uplinks, which is the most it can have; remove "
			"one",
			ELISA_MAX_UPLINKS);
	for (*number = 0; *number < ELISA_MAX_PORTS; ++*number) {
		if (!(sw->ports >> *number & 1) &&
		    (!request->number || *number == *request->number))
			return 0;
	}
	return elisa_fail(failure, -ENOSPC,
			  "the switch has %u ports and uplinks, which is the most it can have; "
			  "remove one or start another switch",
			  ELISA_MAX_PORTS);
}

static int map(struct elisa_domain *domain, const struct elisa_nic_range *range, uint64_t offset,
	       uint32_t access, struct elisa_failure *failure)
{
	struct elisa_domain_map request = {
		.access = access,
		.address = range->address,
		.length = range->length,
		.offset = offset,
	};
	int result = elisa_module_domain_map(domain->fd, &request);

	if (!result)
		return 0;
	if (result == -ENOMEM)
		return elisa_fail(failure, result,
				  "%llu KiB for uplinks cannot be pinned: free memory, or raise "
				  "RLIMIT_MEMLOCK (systemd: LimitMEMLOCK=infinity)",
				  (unsigned long long)range->length / 1024);
	return elisa_fail(
		failure, result,
		"the module does not map the NIC (offset 0x%llx, %llu bytes): %s; look for "
		"its messages in the kernel's log (dmesg)",
		(unsigned long long)offset, (unsigned long long)range->length, strerror(-result));
}

/* Registers and memory of NICs have the same address on both sides. */
static uint64_t offset_of(const struct elisa_nic_range *range)
{
	return range->address - ELISA_WINDOW_GVA;
}

/* What all uplinks share is mapped with the first one and unmapped with the last. */
static int map_shared(struct elisa_domain *domain, struct elisa_failure *failure)
{
	struct elisa_nic_range memory, state;
	int result;

	elisa_nic_memory_ranges(&memory, &state);
	result = map(domain, &memory, offset_of(&memory), ELISA_MAP_WRITE, failure);
	if (result)
		return result;
	result = map(domain, &state, ELISA_OFFSET_UPLINK_STATE, ELISA_MAP_READ, failure);
	if (result)
		elisa_module_domain_unmap(domain->fd, offset_of(&memory), memory.length);
	return result;
}

static int unmap_shared(struct elisa_domain *domain)
{
	struct elisa_nic_range memory, state;
	int result;

	elisa_nic_memory_ranges(&memory, &state);
	result = elisa_module_domain_unmap(domain->fd, ELISA_OFFSET_UPLINK_STATE, state.length);
	if (!result || result == -ENOENT)
		result = elisa_module_domain_unmap(domain->fd, offset_of(&memory), memory.length);
	return result == -ENOENT ? 0 : result;
}

static int unmap_registers(struct elisa_domain *domain, const struct elisa_nic *nic)
{
	int result = elisa_module_domain_unmap(domain->fd, offset_of(&nic->registers),
					       nic->registers.length);

	return result == -ENOENT ? 0 : result;
}

static int add_to_datapath(struct elisa_switch *sw, unsigned int index,
			   const struct elisa_uplink_port *uplink, struct elisa_failure *failure)
{
	const struct elisa_nic *nic = &uplink->nic;
	struct elisa_uplink_params params = {
		.port = uplink->number,
		.driver = nic->driver,
		.mtu = nic->mtu,
		.room = nic->room,
		.nb_queues = nic->nb_queues,
		.backpressure = uplink->backpressure,
	};
	int result = elisa_switch_uplink_add(sw, index, &params);

	if (result)
		return elisa_fail(failure, result,
				  "the switch does not take uplink %s: %s; give another --mtu or "
				  "--queues",
				  uplink->name, strerror(-result));
	elisa_uplink_set_queues(sw, index, nic);
	elisa_switch_uplink_set_link(sw, index, uplink->link.up);
	elisa_switch_uplink_set_state(sw, index, ELISA_UPLINK_UP);
	return 0;
}

/* Opens the NIC and connects it; `uplink` has its number and is not present yet. */
static int connect(struct elisa_uplinks *uplinks, struct elisa_domain *domain,
		   const struct elisa_nic_request *request, struct elisa_uplink_port *uplink,
		   struct elisa_failure *failure)
{
	bool first = !any_present(uplinks);
	int result = elisa_nic_open(request, &uplink->nic, failure);

	if (result)
		return result;
	elisa_nic_link(&uplink->nic, &uplink->link);
	if (first) {
		result = map_shared(domain, failure);
		if (result)
			goto close_nic;
	}
	result = map(domain, &uplink->nic.registers, offset_of(&uplink->nic.registers),
		     ELISA_MAP_DEVICE, failure);
	if (result)
		goto unmap_shared;
	result = add_to_datapath(domain->sw, elisa_uplink_index(uplinks, uplink), uplink, failure);
	if (result)
		goto unmap_registers;
	return 0;

unmap_registers:
	unmap_registers(domain, &uplink->nic);
unmap_shared:
	if (first)
		unmap_shared(domain);
close_nic:
	elisa_nic_close(&uplink->nic);
	return result;
}

static void keep(const struct elisa_uplink_port *uplink, unsigned int index)
{
	struct elisa_uplink_record record = {
		.number = uplink->number,
		.mtu = uplink->nic.mtu,
		.nb_queues = uplink->nic.nb_queues,
		.backpressure = uplink->backpressure,
	};

	memcpy(record.name, uplink->name, sizeof(record.name));
	memcpy(record.pci, uplink->nic.pci, sizeof(record.pci));
	elisa_store_keep(ELISA_KEPT_UPLINK, index, &record, sizeof(record), -1, -1);
}

int elisa_uplinks_add(struct elisa_uplinks *uplinks, struct elisa_domain *domain,
		      const struct elisa_uplink_request *request, struct elisa_uplink_port **added,
		      struct elisa_failure *failure)
{
	struct elisa_nic_request nic = {
		.pci = request->pci, .mtu = request->mtu, .nb_queues = request->nb_queues};
	struct elisa_uplink_port *uplink;
	unsigned int number;
	int result;

	if (!uplinks->memory)
		return elisa_fail(failure, -ENOTSUP,
				  "elisa-switchd was started without memory for uplinks; start it "
				  "with --uplink-memory 64 (MiB, in hugepages of 2 MiB)");
	result = find_place(uplinks, domain->sw, request, &uplink, &number, failure);
	if (result)
		return result;
	*uplink = (struct elisa_uplink_port){
		.number = number,
		.backpressure = request->backpressure,
	};
	memcpy(uplink->name, request->name, strlen(request->name));
	result = elisa_pci_check(uplinks->sysfs, request->pci, uplink->kernel_driver, failure);
	if (!result)
		result = connect(uplinks, domain, &nic, uplink, failure);
	if (result)
		return result;
	uplink->present = true;
	keep(uplink, elisa_uplink_index(uplinks, uplink));
	*added = uplink;
	return 0;
}

static int still_mapped(const struct elisa_uplink_port *uplink, int error,
			struct elisa_failure *failure)
{
	return elisa_fail(
		failure, error,
		"the module does not take the NIC of uplink %s from the VMs: %s; look for "
		"its messages in the kernel's log (dmesg), and stop elisa-switchd",
		uplink->name, strerror(-error));
}

/*
 * vCPUs go first, then what they could reach, then the NIC: it may have the memory until then. Once
 * the registers are unmapped there is no way back.
 */
static int take_down(struct elisa_uplinks *uplinks, struct elisa_domain *domain,
		     struct elisa_uplink_port *uplink, struct elisa_failure *failure)
{
	unsigned int index = elisa_uplink_index(uplinks, uplink);
	uint32_t lost = 0;
	int result;

	elisa_switch_uplink_set_state(domain->sw, index, ELISA_UPLINK_DOWN);
	result = elisa_uplink_drain(domain, index, uplink->nic.nb_queues, &lost);
	if (result) {
		if (!uplink->broken && !uplink->removing)
			elisa_switch_uplink_set_state(domain->sw, index, ELISA_UPLINK_UP);
		return elisa_fail(
			failure, result,
			"a vCPU uses uplink %s and does not leave it: %s; pause the VMs or "
			"remove their ports, and try again",
			uplink->name, strerror(-result));
	}
	elisa_uplink_free_lost(domain->sw, index, lost);
	uplink->removing = true;
	result = unmap_registers(domain, &uplink->nic);
	if (result)
		return still_mapped(uplink, result, failure);
	/* Who took a queue before it saw DOWN has been outside since: it gave it back, or never will. */
	elisa_uplink_free_lost(domain->sw, index, (1u << uplink->nic.nb_queues) - 1);
	uplink->present = false;
	result = any_present(uplinks) ? 0 : unmap_shared(domain);
	if (result) {
		uplink->present = true;
		return still_mapped(uplink, result, failure);
	}
	elisa_nic_close(&uplink->nic);
	elisa_switch_uplink_del(domain->sw, index);
	return 0;
}

int elisa_uplinks_remove(struct elisa_uplinks *uplinks, struct elisa_domain *domain,
			 struct elisa_uplink_port *uplink, struct elisa_failure *failure)
{
	int result = take_down(uplinks, domain, uplink, failure);

	if (!result)
		elisa_store_drop(ELISA_KEPT_UPLINK, elisa_uplink_index(uplinks, uplink));
	return result;
}

void elisa_uplinks_close(struct elisa_uplinks *uplinks, struct elisa_domain *domain)
{
	for (unsigned int i = 0; i < ELISA_MAX_UPLINKS; i++) {
		if (uplinks->uplinks[i].present)
			elisa_store_drop(ELISA_KEPT_UPLINK, i);
	}
	elisa_uplinks_leave(uplinks, domain);
}

void elisa_uplinks_leave(struct elisa_uplinks *uplinks, struct elisa_domain *domain)
{
	struct elisa_failure failure;

	for (unsigned int i = 0; i < ELISA_MAX_UPLINKS; i++) {
		struct elisa_uplink_port *uplink = &uplinks->uplinks[i];

		if (uplink->present && take_down(uplinks, domain, uplink, &failure))
			elisa_log(ELISA_LOG_ERROR, "%s", failure.message);
	}
	if (uplinks->memory && !any_present(uplinks))
		elisa_nic_memory_close();
	uplinks->memory = 0;
}
