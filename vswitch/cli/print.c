// SPDX-License-Identifier: BSD-3-Clause
/* print.c - see print.h. */
#include "print.h"

#include "table.h"

#include <stdio.h>
#include <string.h>

#define TEXT_SIZE 32

/* A member as text: itself if it is one, a number, truth value or null written into `room`. */
static const char *member(const json_t *object, const char *key, char room[TEXT_SIZE])
{
	const json_t *value = json_object_get(object, key);

	if (json_is_string(value))
		return *json_string_value(value) ? json_string_value(value) : "-";
	if (json_is_boolean(value))
		return json_is_true(value) ? "yes" : "no";
	if (json_is_null(value))
		return "none";
	if (!json_is_integer(value))
		return "-";
	snprintf(room, TEXT_SIZE, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return room;
}

static void print_member(const json_t *object, const char *label, const char *key)
{
	char room[TEXT_SIZE];

	printf("%-16s %s\n", label, member(object, key, room));
}

static void print_list(const json_t *object, const char *label, const char *key)
{
	const json_t *list = json_object_get(object, key), *item;
	size_t i;

	printf("%-16s", label);
	json_array_foreach(list, i, item)
	{
		if (json_is_string(item))
			printf(" %s", json_string_value(item));
		else
			printf(" %" JSON_INTEGER_FORMAT, json_integer_value(item));
	}
	puts(json_array_size(list) ? "" : " none");
}

static void print_policy(const json_t *policy)
{
	print_member(policy, "packets/s", "rate_packets");
	print_member(policy, "bits/s", "rate_bits");
	print_member(policy, "flooded/s", "storm");
	print_member(policy, "learned at most", "learn");
	print_list(policy, "source guard", "guard");
	print_list(policy, "  IP addresses", "allow_ip");
	print_list(policy, "  VLANs", "allow_vlan");
	print_member(policy, "private", "private");
}

void elisa_print_nothing(const json_t *result)
{
	(void)result;
}

void elisa_print_port(const json_t *result)
{
	const json_t *vm = json_object_get(result, "vm");

	print_member(result, "port", "name");
	print_member(result, "number", "number");
	print_member(vm, "VM", "name");
	print_member(vm, "VM's process", "pid");
	print_member(vm, "run by user", "uid");
	print_member(result, "MAC address", "mac");
	print_member(result, "when full", "on_full");
	print_member(result, "largest MTU", "max_mtu");
	print_member(result, "queue pairs", "max_queues");
	print_member(result, "claimed", "claimed");
	print_member(result, "started", "started");
	print_member(result, "memory regions", "regions");
	print_member(result, "pinned pages", "pinned_pages");
	print_policy(json_object_get(result, "policy"));
}

void elisa_print_ports(const json_t *result)
{
	char pid[TEXT_SIZE], unused[TEXT_SIZE];
	struct elisa_table table = {0};
	const json_t *port;
	size_t i;

	elisa_table_row(&table, 7, "PORT", "MAC ADDRESS", "VM", "PROCESS", "WHEN FULL", "CLAIMED",
			"STARTED");
	json_array_foreach(json_object_get(result, "ports"), i, port)
	{
		const json_t *vm = json_object_get(port, "vm");

		elisa_table_row(&table, 7, member(port, "name", unused),
				member(port, "mac", unused), member(vm, "name", unused),
				member(vm, "pid", pid), member(port, "on_full", unused),
				member(port, "claimed", unused), member(port, "started", unused));
	}
	elisa_table_print(&table);
}

void elisa_print_uplink(const json_t *result)
{
	print_member(result, "uplink", "name");
	print_member(result, "number", "number");
	print_member(result, "NIC", "pci");
	print_member(result, "driver", "driver");
	print_member(result, "kernel's driver", "kernel_driver");
	print_member(result, "MAC address", "mac");
	print_member(result, "when full", "on_full");
	print_member(result, "MTU", "mtu");
	print_member(result, "queue pairs", "queues");
	print_member(result, "state", "state");
	print_member(result, "has a link", "link");
	print_member(result, "speed (Mbit/s)", "speed_mbps");
	print_member(result, "resets", "resets");
}

void elisa_print_uplinks(const json_t *result)
{
	char speed[TEXT_SIZE], unused[TEXT_SIZE];
	struct elisa_table table = {0};
	const json_t *uplink;
	size_t i;

	elisa_table_row(&table, 6, "UPLINK", "NIC", "DRIVER", "STATE", "LINK", "MBIT/S");
	json_array_foreach(json_object_get(result, "uplinks"), i, uplink) elisa_table_row(
		&table, 6, member(uplink, "name", unused), member(uplink, "pci", unused),
		member(uplink, "driver", unused), member(uplink, "state", unused),
		member(uplink, "link", unused), member(uplink, "speed_mbps", speed));
	elisa_table_print(&table);
}

/* "receiver-full" in both directions: "p1 sent: 3 dropped: receiver-full". */
static void print_drops(const json_t *port, const char *direction, const char *words)
{
	char room[TEXT_SIZE], unused[TEXT_SIZE];
	const json_t *drops = json_object_get(json_object_get(port, direction), "drops");
	const json_t *count;
	const char *reason;

	json_object_foreach((json_t *)drops, reason, count)
		printf("%s: %s %s: %s\n", member(port, "name", unused), member(drops, reason, room),
		       words, reason);
}

/* Packets that went on, but taught the switch nothing: "p1: 12 sent packets not learned from". */
static void print_not_learned(const json_t *port)
{
	const json_t *sent = json_object_get(port, "sent");
	char room[TEXT_SIZE], unused[TEXT_SIZE];

	if (json_integer_value(json_object_get(sent, "not_learned")))
		printf("%s: %s sent packets not learned from\n", member(port, "name", unused),
		       member(sent, "not_learned", room));
}

/* What an uplink's NIC counted itself: "up0: NIC ipackets 12 ibytes 768 …". */
static void print_nic(const json_t *port)
{
	const json_t *nic = json_object_get(port, "nic");
	char room[TEXT_SIZE];
	const json_t *count;
	const char *name;

	if (!nic)
		return;
	printf("%s: NIC", member(port, "name", room));
	json_object_foreach((json_t *)nic, name, count)
		printf(" %s %s", name, member(nic, name, room));
	putchar('\n');
}

void elisa_print_stats(const json_t *result)
{
	const json_t *ports = json_object_get(result, "ports");
	struct elisa_table table = {0};
	char rooms[8][TEXT_SIZE];
	const json_t *port;
	size_t i;

	elisa_table_row(&table, 9, "PORT", "SENT", "BYTES", "CALLS", "DROPPED", "HELD BACK",
			"RECEIVED", "BYTES", "DROPPED");
	json_array_foreach(ports, i, port)
	{
		const json_t *sent = json_object_get(port, "sent");
		const json_t *received = json_object_get(port, "received");

		elisa_table_row(&table, 9, member(port, "name", rooms[0]),
				member(sent, "packets", rooms[0]), member(sent, "bytes", rooms[1]),
				member(sent, "calls", rooms[2]), member(sent, "dropped", rooms[3]),
				member(sent, "backpressure", rooms[4]),
				member(received, "packets", rooms[5]),
				member(received, "bytes", rooms[6]),
				member(received, "dropped", rooms[7]));
	}
	elisa_table_print(&table);
	json_array_foreach(ports, i, port)
	{
		print_drops(port, "sent", "sent packets dropped");
		print_drops(port, "received", "packets for it dropped");
		print_not_learned(port);
		print_nic(port);
	}
}

void elisa_print_fdb(const json_t *result)
{
	const json_t *entries = json_object_get(result, "entries");
	json_int_t total = json_integer_value(json_object_get(result, "total"));
	char age[TEXT_SIZE], unused[TEXT_SIZE];
	struct elisa_table table = {0};
	const json_t *entry;
	size_t i;

	elisa_table_row(&table, 4, "MAC ADDRESS", "PORT", "AGE (S)", "KIND");
	json_array_foreach(entries, i, entry) elisa_table_row(
		&table, 4, member(entry, "mac", unused), member(entry, "port", unused),
		member(entry, "age_s", age),
		json_is_true(json_object_get(entry, "fixed")) ? "port's own" : "learned");
	elisa_table_print(&table);
	if (total > (json_int_t)json_array_size(entries))
		printf("and %" JSON_INTEGER_FORMAT " more\n",
		       total - (json_int_t)json_array_size(entries));
}

void elisa_print_flush(const json_t *result)
{
	print_member(result, "forgotten", "forgotten");
}

static void print_reasons(const json_t *reasons, const char *heading)
{
	struct elisa_table table = {0};
	char room[TEXT_SIZE];
	const json_t *count;
	const char *reason;

	if (!json_object_size(reasons))
		return;
	elisa_table_row(&table, 2, heading, "COUNT");
	json_object_foreach((json_t *)reasons, reason, count)
		elisa_table_row(&table, 2, reason, member(reasons, reason, room));
	elisa_table_print(&table);
}

static void print_vm(const json_t *vm)
{
	const json_t *port;
	size_t i;

	print_member(vm, "VM", "name");
	print_member(vm, "process", "pid");
	print_member(vm, "vCPUs", "vcpus");
	fputs("ports           ", stdout);
	json_array_foreach(json_object_get(vm, "ports"), i, port)
		printf(" %s", json_string_value(port) ? json_string_value(port) : "-");
	putchar('\n');
	print_member(vm, "VM exits", "exits");
	print_member(vm, "  for I/O", "exits_io");
	print_member(vm, "  while inside", "exits_inside");
	print_member(vm, "recoveries", "recoveries");
	print_member(vm, "trapped returns", "traps");
	print_member(vm, "closed calls", "closed_calls");
	print_member(vm, "hypercalls", "hypercalls");
	print_member(vm, "  gate calls", "gate_calls");
	print_reasons(json_object_get(vm, "by_reason"), "EXIT REASON");
	print_reasons(json_object_get(vm, "inside_by_reason"), "EXIT REASON INSIDE");
}

void elisa_print_vms(const json_t *result)
{
	const json_t *vm;
	size_t i;

	json_array_foreach(json_object_get(result, "vms"), i, vm)
	{
		if (i)
			putchar('\n');
		print_vm(vm);
	}
}

void elisa_print_proof(const json_t *result)
{
	char room[TEXT_SIZE];

	printf("all invariants hold (%s table entries walked), the switch's state is sound\n",
	       member(result, "entries", room));
}

void elisa_print_status(const json_t *result)
{
	print_member(result, "switch", "switch");
	print_member(result, "process", "pid");
	print_member(result, "up (s)", "uptime_s");
	print_member(result, "version", "version");
	print_member(result, "module", "module_version");
	print_member(result, "image", "image_version");
	print_member(result, "ports", "ports");
	print_member(result, "uplinks", "uplinks");
	print_member(result, "VMs", "vms");
	print_member(result, "pinned pages", "pinned_pages");
	print_member(result, "MAC addresses", "fdb_entries");
	print_member(result, "  room for", "fdb_capacity");
	print_member(result, "  ageing (s)", "ageing_s");
}
