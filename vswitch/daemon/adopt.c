// SPDX-License-Identifier: BSD-3-Clause
/* adopt.c - see adopt.h. */
#include "adopt.h"

#include "events.h"
#include "log.h"
#include "module.h"

#include <errno.h>
#include <string.h>

/*
 * Nobody reads the rings any more. A vCPU that saw a port captured may write to them until it is out,
 * which the module waits for.
 */
static void end_captures(struct elisa_domain *domain)
{
	int result;

	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++)
		elisa_switch_port_set_capture(domain->sw, i, 0);
	result = elisa_module_domain_unmap_all(domain->fd, ELISA_OFFSET_CAPTURE, ELISA_CAPTURE_MAX);
	if (result)
		elisa_log(ELISA_LOG_ERROR,
			  "the module does not unmap the memory of captures: %s; look for its "
			  "messages in the kernel's log (dmesg)",
			  strerror(-result));
}

/* Those that are not whole (bits of the result) are left in `things`: their ports go first. */
static uint64_t adopt_vms(struct elisa_daemon *daemon, struct elisa_kept *kept,
			  struct elisa_kept_thing things[ELISA_MAX_PORTS])
{
	uint64_t broken = 0;

	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		if (elisa_kept_take(kept, ELISA_KEPT_VM, i, &things[i]) &&
		    !elisa_vms_adopt(&daemon->vms, i, &things[i]))
			broken |= 1ull << i;
	}
	return broken;
}

static void detach_broken_vms(uint64_t broken, const struct elisa_kept_thing things[])
{
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		if (!(broken >> i & 1))
			continue;
		elisa_log(ELISA_LOG_WARNING,
			  "a VM was kept in part only, or by another version, and is detached; add "
			  "its ports again");
		elisa_kept_discard(ELISA_KEPT_VM, i, &things[i]);
	}
}

static void adopt_ports(struct elisa_daemon *daemon, struct elisa_kept *kept)
{
	struct elisa_kept_thing thing;
	uint64_t adopted = 0, left;

	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		if (!elisa_kept_take(kept, ELISA_KEPT_PORT, i, &thing))
			continue;
		if (elisa_ports_adopt(&daemon->ports, &daemon->vms, &daemon->domain, i, &thing))
			adopted |= 1ull << i;
		else
			elisa_log(ELISA_LOG_WARNING,
				  "port number %u was added or removed in part only and is gone",
				  i);
	}
	left = elisa_switch_settle(daemon->domain.sw, adopted);
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		if (left >> i & 1)
			elisa_log(ELISA_LOG_WARNING,
				  "what was left of port number %u in the switch is removed", i);
	}
}

static void detach_vms_without_ports(struct elisa_daemon *daemon)
{
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		struct elisa_vm *vm = &daemon->vms.vms[i];

		if (!vm->attached || vm->nb_ports)
			continue;
		elisa_log(ELISA_LOG_WARNING,
			  "VM %.128s (process %d) was attached and has no port: detached",
			  vm->label, vm->pid);
		elisa_vms_detach(vm);
	}
}

static void tell(const struct elisa_daemon *daemon)
{
	unsigned int nb_ports = 0, nb_vms = 0;

	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		nb_ports += daemon->ports.ports[i].present;
		nb_vms += daemon->vms.vms[i].attached;
	}
	elisa_log(ELISA_LOG_NOTICE, "took over the running switch, ports: %u, VMs: %u", nb_ports,
		  nb_vms);
}

/* Events of the last daemon's time may be gone with it: what they told of is looked for. */
void elisa_adopt(struct elisa_daemon *daemon, struct elisa_kept *kept)
{
	struct elisa_kept_thing vms[ELISA_MAX_PORTS];
	uint64_t broken;

	end_captures(&daemon->domain);
	elisa_uplinks_end_adopted(&daemon->domain);
	broken = adopt_vms(daemon, kept, vms);
	adopt_ports(daemon, kept);
	detach_broken_vms(broken, vms);
	detach_vms_without_ports(daemon);
	elisa_events_resynchronize(daemon);
	tell(daemon);
}

static int add_again(struct elisa_daemon *daemon, int fd, struct elisa_uplink_port **uplink,
		     struct elisa_failure *failure)
{
	struct elisa_uplink_record record;
	struct elisa_uplink_request request = {
		.name = record.name,
		.pci = record.pci,
		.number = &record.number,
	};

	if (elisa_record_read(fd, ELISA_KEPT_UPLINK, &record, sizeof(record)))
		return elisa_fail(failure, -EPROTO, "it was kept by another version");
	record.name[sizeof(record.name) - 1] = '\0';
	record.pci[sizeof(record.pci) - 1] = '\0';
	request.backpressure = record.backpressure;
	request.mtu = record.mtu;
	request.nb_queues = record.nb_queues;
	return elisa_uplinks_add(&daemon->uplinks, &daemon->domain, &request, uplink, failure);
}

/* Dropped first: a NIC that ends the daemon is not tried again and again. */
void elisa_adopt_uplinks(struct elisa_daemon *daemon, struct elisa_kept *kept)
{
	struct elisa_uplink_port *uplink;
	struct elisa_failure failure;
	struct elisa_kept_thing thing;

	for (unsigned int i = 0; i < ELISA_MAX_UPLINKS; i++) {
		if (!elisa_kept_take(kept, ELISA_KEPT_UPLINK, i, &thing))
			continue;
		elisa_store_drop(ELISA_KEPT_UPLINK, i);
		if (add_again(daemon, thing.record, &uplink, &failure))
			elisa_log(ELISA_LOG_ERROR,
				  "an uplink of the last elisa-switchd is gone, add it again when "
				  "this is settled: %s",
				  failure.message);
		else
			elisa_log(ELISA_LOG_NOTICE, "uplink %s: NIC %s was set up again",
				  uplink->name, uplink->nic.pci);
		elisa_kept_close_thing(&thing);
	}
}
