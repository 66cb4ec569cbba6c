/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * records.h - what a daemon knows of a thing that it has kept (store.h), for the next daemon: sealed
 * memory behind a descriptor. Written once; what changes later stands in struct elisa_switch.
 *
 * Any thread: no state.
 */
#ifndef ELISA_DAEMON_RECORDS_H
#define ELISA_DAEMON_RECORDS_H

#include "pci.h"
#include "vm_name.h"
#include "vswitch/datapath/switch.h"

#define ELISA_RECORD_VERSION 1u /* changes with any structure below */

enum elisa_kept_kind {
	ELISA_KEPT_DOMAIN = 1,
	ELISA_KEPT_VM,
	ELISA_KEPT_PORT,
	ELISA_KEPT_UPLINK,
};

struct elisa_domain_record {
	char switch_name[ELISA_NAME_SIZE];
	struct elisa_image_header image; /* the code that runs */
	uint64_t text_size, rodata_size; /* bytes of it */
	uint32_t fdb_capacity;
	uint32_t age_ticks;
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_domain_record) == 112, "domain record");

struct elisa_vm_record {
	int32_t pid;
	uint32_t nb_vcpus;
	uint32_t first_vcpu;
	char name[ELISA_VM_NAME_SIZE];
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_vm_record) == 12 + ELISA_VM_NAME_SIZE, "VM record");

struct elisa_port_record {
	uint32_t vm; /* number of the VM's record */
	uint32_t max_mtu;
	uint32_t max_queues;
	char name[ELISA_NAME_SIZE];
	uint8_t mac[ELISA_MAC_SIZE];
	uint8_t pad[2];
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_port_record) == 52, "port record");

struct elisa_uplink_record {
	uint32_t number; /* as a port of the switch */
	uint32_t mtu;
	uint32_t nb_queues;
	uint32_t backpressure;
	char name[ELISA_NAME_SIZE];
	char pci[ELISA_PCI_SIZE];
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_uplink_record) == 48 + ELISA_PCI_SIZE, "uplink record");

/* A new record with these bytes: its descriptor, the caller's, or -errno. */
int elisa_record_write(enum elisa_kept_kind kind, const void *bytes, uint32_t size);

/* -EPROTO: not a record, or one of another version or kind. */
int elisa_record_read(int fd, enum elisa_kept_kind kind, void *bytes, uint32_t size);

/* Whether the descriptor is sealed as a record is. */
bool elisa_record_is_sealed(int fd);

#endif
