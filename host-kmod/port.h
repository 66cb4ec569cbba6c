/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * port.h - a port: who has claimed it, its regions and queues.
 *
 * A port lives as long as its file, and takes part until it is revoked. It holds references to its vm
 * and domain. domain->lock covers all of it; every function below wants it held, if nothing else is
 * said.
 */
#ifndef ELISA_KMOD_PORT_H
#define ELISA_KMOD_PORT_H

#include <elisa/hypercall.h>
#include <elisa/layout.h>
#include <elisa/uapi.h>

struct elisa_domain;
struct elisa_memory;
struct elisa_vm;
struct kvm_vcpu;

struct elisa_port {
	struct elisa_vm *vm;        /* a reference */
	struct elisa_port_map *map; /* what the datapath sees, domain->port_maps[number] */
	u32 number;
	u32 max_mtu;
	u32 max_queues;
	u32 max_ring;
	u8 mac[ELISA_MAC_SIZE];
	char name[ELISA_NAME_SIZE];
	bool claimed;
	bool revoked; /* not the domain's any more; its file may still be there */
	u64 root;     /* CR3 of the process that has it */
	struct elisa_memory *regions[ELISA_MAX_REGIONS]; /* as map->regions */
};

enum elisa_port_admission {
	ELISA_PORT_EVICT,  /* the process gives up, or failed */
	ELISA_PORT_ORPHAN, /* the port goes, the process stays admitted: its calls get an error */
};

/* PORT_ADD: the port's file descriptor, or an error. Takes domain->lock itself. */
int elisa_port_add(struct elisa_vm *vm, void __user *user);

/* HELLO. The errors of hypercall.h. */
int elisa_port_claim(struct elisa_port *port, u64 root);

/*
 * Take claimed ports (bits) back from their processes: no packet goes to or from them, and their
 * memory is unmapped, when this returns; elisa_domain_unlock() unpins it. Ports that nobody has
 * claimed: nothing. Waits for one grace period in any case. May sleep.
 */
void elisa_ports_release(struct elisa_domain *domain, u64 ports,
			 enum elisa_port_admission admission);

/*
 * regions.c: REGISTER and UNREGISTER, by the vCPU's thread in handle_exit. First, whether the port
 * can have the region; then its memory, without domain->lock; then, after all of the first is looked at
 * again, the port has it. Errors are those of hypercall.h. *out is the caller's until
 * elisa_region_register() answers 0.
 */
int elisa_region_check(const struct elisa_port *port, struct kvm_vcpu *kvm_vcpu,
		       const struct elisa_hc_region *call);
int elisa_region_pin(struct elisa_domain *domain, struct kvm_vcpu *kvm_vcpu,
		     const struct elisa_hc_region *call, struct elisa_memory **out);
int elisa_region_register(struct elisa_port *port, struct kvm_vcpu *kvm_vcpu,
			  const struct elisa_hc_region *call, struct elisa_memory *memory);
int elisa_region_unregister(struct elisa_port *port, const struct elisa_hc_region *call);

/* The two halves of releasing all regions of a port: before and after a grace period. */
void elisa_regions_hide(struct elisa_port *port);
void elisa_regions_unmap(struct elisa_port *port);
/* After an invalidation. */
void elisa_regions_unpin(struct elisa_port *port);

/* 4 KiB pages pinned by the port's regions, and their number. */
u64 elisa_regions_pages(const struct elisa_port *port, u32 *nb_regions);

/* The region of the port that has all of [gva, gva + length) of the guest process; -1 if none. */
int elisa_region_find(const struct elisa_port *port, u64 gva, u64 length);

/*
 * Is this word of the window in the receive ring of that epoch (modulo ELISA_RUN_EPOCHS)? Under
 * domain->finish_lock.
 */
bool elisa_queue_has_word(const struct elisa_port *port, u32 queue, u32 epoch, u64 window);

/* queues.c: QUEUE_SETUP, QUEUE_RELEASE, PORT_SET, RSS_SET. */
int elisa_queue_setup(struct elisa_port *port, const struct elisa_hc_queue *call);
int elisa_queue_release(struct elisa_port *port, const struct elisa_hc_queue *call);
int elisa_port_set(struct elisa_port *port, const struct elisa_hc_port *call);
int elisa_rss_set(struct elisa_port *port, const struct elisa_hc_rss *call);

/* Where the datapath reads it meanwhile. */
void elisa_rss_write(struct elisa_rss *to, const struct elisa_rss *from);

/* Hide all queues from the datapath; a grace period follows. */
void elisa_queues_hide(struct elisa_port *port);

/* Does a ring of the port lie in its region number `region`? */
bool elisa_queues_use(const struct elisa_port *port, u32 region);

#endif
