/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * uapi.h - /dev/elisa (mode 0600): what the daemon asks of the host module.
 *
 * Each object is a file descriptor; REVOKE, or closing the last descriptor of it, revokes the object
 * and all below it:
 *
 *	/dev/elisa --DOMAIN_CREATE--> domain --VM_ATTACH--> vm --PORT_ADD--> port
 *
 * A domain is a switch: one trusted page table, one set of mapped objects. A vm is a virtual
 * machine of KVM joined to a domain. A port is what a guest process claims with a hypercall.
 * When a domain goes, its vCPUs' gates close: a gate call then returns -ENODEV.
 *
 * One process owns a domain: the one that made it, then whoever adopts it (DOMAIN_ADOPT). Others may
 * hold its descriptors, so that they outlive the owner, but get nothing but EPERM from them.
 *
 * Errors of all calls: ENOTTY no such call on this object; EFAULT the structure cannot be read or
 * written; EINVAL version, flags or reserved fields; EPERM not the owner's process; ENODEV the object
 * was revoked. More errors stand beside each call. All calls may sleep.
 */
#ifndef ELISA_UAPI_H
#define ELISA_UAPI_H

#include "types.h"

#ifdef __KERNEL__
#include <linux/ioctl.h>
#else
#include <sys/ioctl.h>
#endif

#define ELISA_IOCTL 0xe1

/* INFO: what this host offers. Always answers. */
struct elisa_info {
	uint32_t version;      /* in: ELISA_UAPI_VERSION; out: the module's, also with EINVAL */
	uint32_t flags;        /* 0 */
	uint64_t window_gpa;   /* out: W */
	uint32_t missing;      /* out: ELISA_MISSING_*; 0 = VMs can be attached */
	uint32_t nb_vms;       /* out: VMs attached, all domains */
	uint64_t pinned_pages; /* out: 4 KiB pages of guests and daemons pinned now, all domains */
	char module_version[ELISA_NAME_SIZE]; /* out */
};

#define ELISA_MISSING_VMX 0x01u
#define ELISA_MISSING_EPT 0x02u
#define ELISA_MISSING_EXECUTE_ONLY 0x04u
#define ELISA_MISSING_VMFUNC 0x08u /* EPTP switching */
#define ELISA_MISSING_INVEPT 0x10u
/* To L1TF, MDS, TAA, MMIO stale data, RFDS or GDS; ELISA_ATTACH_ACCEPT_SIDE_CHANNELS. */
#define ELISA_MISSING_IMMUNITY 0x20u

/*
 * DOMAIN_CREATE: returns a domain's fd. ENODEV `missing` is more than ELISA_MISSING_IMMUNITY;
 * ENOMEM; EEXIST name in use.
 */
struct elisa_domain_create {
	uint32_t version;
	uint32_t flags; /* 0 */
	char name[ELISA_NAME_SIZE];
};

/*
 * DOMAIN_ADOPT, on /dev/elisa: make the calling process the owner of a domain whose owner has ended, as
 * it stands: its VMs and ports go on meanwhile. What the old owner mapped stays mapped and pinned,
 * accounted to that process. Again, by the owner: nothing.
 *	EBADF	domain_fd is not a domain	EBUSY	the owner's process lives
 */
struct elisa_domain_adopt {
	uint32_t version;
	uint32_t flags; /* 0 */
	int32_t domain_fd;
	uint32_t reserved; /* 0 */
};

/*
 * REVOKE, on a domain, a vm or a port: what closing its last descriptor does, now, whoever else holds
 * one. Returns when no vCPU reaches it any more. ENODEV it was done before. The ports below a revoked
 * vm or domain carry nothing, but still answer PORT_STATE and keep their numbers until their own
 * REVOKE or last close.
 */
struct elisa_revoke {
	uint32_t version;
	uint32_t flags; /* 0 */
};

/*
 * DOMAIN_MAP: map memory of the calling process into the domain's trusted context, pinned, until
 * DOMAIN_UNMAP or the domain goes. TEXT, RODATA and SWITCH only before the first VM_ATTACH; CAPTURE
 * and UPLINK_* at any time.
 *	EBUSY	a VM is attached	EEXIST	something is mapped there
 *	ERANGE	offset or length not page-aligned, or not inside one of these parts
 *	EINVAL	also: TEXT is for execute only, RODATA for read, UPLINK_STATE for read, SWITCH for
 *		read or write, CAPTURE and UPLINK_MEMORY for write, UPLINK_DEVICES for DEVICE
 *	ENOMEM	RLIMIT_MEMLOCK or memory
 *	EFAULT	not mapped, or not RAM; with ELISA_MAP_DEVICE: not registers of a device mapped by its
 *		driver (VFIO, igb_uio). Registers are mapped uncached. They are not pinned: the
 *		daemon unmaps them before it gives the device back.
 */
struct elisa_domain_map {
	uint32_t version;
	uint32_t access;  /* one of ELISA_MAP_* */
	uint64_t address; /* page-aligned, in the caller */
	uint64_t length;  /* bytes, a multiple of the page size */
	uint64_t offset;  /* in the window */
};

#define ELISA_MAP_READ 1u
#define ELISA_MAP_WRITE 3u   /* read and write */
#define ELISA_MAP_EXECUTE 4u /* execute only */
#define ELISA_MAP_DEVICE 11u /* registers: read and write, uncached */

/*
 * DOMAIN_UNMAP: take back what one DOMAIN_MAP of CAPTURE or UPLINK_* mapped; with ELISA_UNMAP_ALL, all
 * mappings that lie inside the range, also if there are none. Returns after a grace period: no vCPU
 * reaches it any more.	ENOENT	no such mapping	ERANGE	another part
 */
struct elisa_domain_unmap {
	uint32_t version;
	uint32_t flags;  /* ELISA_UNMAP_* */
	uint64_t offset; /* as mapped */
	uint64_t length; /* as mapped */
};

#define ELISA_UNMAP_ALL 1u /* whoever adopts a domain does not know what its last owner mapped */

/*
 * VM_ATTACH: join a VM by its KVM file descriptor; returns the vm's fd. Every vCPU the VM has gets
 * its contexts; vCPUs made later have none (their gate stays closed).
 *	EBADF	not a KVM VM	EBUSY	already attached	EOPNOTSUPP	`refusal` says why
 *	ENOSPC	ELISA_MAX_VCPUS	ENOMEM
 */
struct elisa_vm_attach {
	uint32_t version;
	uint32_t flags; /* ELISA_ATTACH_* */
	int32_t kvm_fd;
	uint32_t refusal;    /* out, with EOPNOTSUPP: enum elisa_refusal */
	uint32_t nb_vcpus;   /* out */
	uint32_t first_vcpu; /* out: indices in the domain are first_vcpu .. +nb_vcpus-1 */
};

#define ELISA_ATTACH_ACCEPT_SIDE_CHANNELS 1u

enum elisa_refusal {
	ELISA_REFUSED_NOT = 0,
	ELISA_REFUSED_NESTED,       /* a vCPU runs a guest of its own */
	ELISA_REFUSED_SMM,          /* a vCPU is in system management mode */
	ELISA_REFUSED_DIRTY_LOG,    /* migration or snapshot under way */
	ELISA_REFUSED_APICV,        /* APICv is active and cannot be inhibited */
	ELISA_REFUSED_SHADOW,       /* no EPT for this VM */
	ELISA_REFUSED_WINDOW,       /* a memory slot overlaps the window */
	ELISA_REFUSED_SIDE_CHANNEL, /* see ELISA_MISSING_IMMUNITY */
	ELISA_REFUSED_VPMU,         /* PEBS or LBR offered to the guest */
	ELISA_REFUSED_NO_VCPU,
};

/*
 * DOMAIN_CMPXCHG64: replace an aligned 64-bit word of a port's receive ring, if it still is
 * `expected`. For finishing what a lost sender left: not when the ring is another one by now, in
 * the same place or not. No ring is set up or released meanwhile.
 *	ENXIO	nothing mapped there	ERANGE	not aligned, outside the window, no such port or queue
 *	ESTALE	the queue is not set up, or with another epoch, or the word is not in its ring
 */
struct elisa_domain_cmpxchg64 {
	uint32_t version;
	uint32_t flags; /* 0 */
	uint32_t port;
	uint32_t queue;
	uint32_t epoch; /* of elisa_queue_map, modulo ELISA_RUN_EPOCHS */
	uint32_t reserved;
	uint64_t offset; /* in the window */
	uint64_t expected;
	uint64_t desired;
	uint64_t seen; /* out: what was there */
};

/*
 * DOMAIN_VCPU_REOPEN: a vCPU that was thrown out of the trusted context (ELISA_EVENT_VCPU_RECOVERED)
 * may have left receive slots claimed. Its gate stays closed, so that gate calls on it return
 * -ENODEV, until the daemon has finished its journal and says so here. No harm if it was not held.
 *	ENOENT	no such vCPU attached
 */
struct elisa_domain_vcpu_reopen {
	uint32_t version;
	uint32_t flags;    /* 0 */
	uint32_t vcpu;     /* index in the domain */
	uint32_t reserved; /* 0 */
};

/*
 * DOMAIN_VCPU_EVICT: throw a vCPU out of the trusted context if it is parked there (its VMM does not
 * run it), because it has something that others wait for. One that runs leaves by itself. Returns
 * when it is out: ELISA_EVENT_VCPU_RECOVERED follows if it was thrown out, and it is held.
 *	ENOENT	no such vCPU attached	ETIMEDOUT	it ran inside for longer than a second
 */
struct elisa_domain_vcpu_evict {
	uint32_t version;
	uint32_t flags;    /* 0 */
	uint32_t vcpu;     /* index in the domain */
	uint32_t reserved; /* 0 */
};

/*
 * DOMAIN_PROVE: check the invariants of the contexts as built, for every vCPU of the domain.
 *	EUCLEAN	an invariant does not hold; `invariant` and `vcpu` say which
 */
struct elisa_domain_prove {
	uint32_t version;
	uint32_t flags;     /* 0 */
	uint32_t invariant; /* out: 0 = all hold, else its number */
	uint32_t vcpu;      /* out */
	uint64_t entries;   /* out: table entries walked */
};

/*
 * Events of a domain: read() on its fd gives whole struct elisa_event, blocking unless O_NONBLOCK;
 * poll() tells of more. The queue holds 256; overflow sets ELISA_EVENT_OVERFLOW on the next.
 */
struct elisa_event {
	uint32_t type; /* enum elisa_event_type */
	uint32_t flags;
	uint32_t port;   /* or 0xffffffff */
	uint32_t vcpu;   /* or 0xffffffff */
	uint32_t reason; /* VCPU_RECOVERED: basic exit reason (SDM appendix C), or ELISA_AT_ENTRY */
	uint32_t reserved;
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_event) == 24, "event");

enum elisa_event_type {
	ELISA_EVENT_PORT_CLAIMED = 1,
	ELISA_EVENT_PORT_RELEASED = 2,  /* bye, or its process failed */
	ELISA_EVENT_VCPU_RECOVERED = 3, /* thrown out of a context with #GP */
	ELISA_EVENT_VCPU_LOST = 4,      /* freed, inside a context or not: finish its journal */
	ELISA_EVENT_VM_GONE = 5,        /* vcpu: one of its vCPUs */
};

/* Overstayed a grace period, changed or made to wait while parked, or evicted. */
#define ELISA_AT_ENTRY 0xffffffffu

#define ELISA_EVENT_OVERFLOW 1u

/* PORT_ADD: a port for this VM; returns its fd. EEXIST the number is in use; ERANGE a limit. */
struct elisa_port_add {
	uint32_t version;
	uint32_t flags; /* 0 */
	uint32_t port;  /* 0..ELISA_MAX_PORTS-1, the daemon's choice, unique in the domain */
	uint32_t max_mtu;
	uint32_t max_queues;
	uint32_t max_ring;
	uint8_t mac[ELISA_MAC_SIZE];
	uint8_t pad[2]; /* 0 */
	char name[ELISA_NAME_SIZE];
};

/* PORT_STATE: who has it. */
struct elisa_port_state {
	uint32_t version;
	uint32_t flags;      /* 0 */
	uint32_t claimed;    /* out: 1 while a guest process has it */
	uint32_t started;    /* out: 1 while it receives */
	uint32_t nb_regions; /* out */
	uint32_t reserved;
	uint64_t pinned_pages; /* out: 4 KiB pages */
};

/* Whether a vCPU was thrown out and not yet reopened (DOMAIN_VCPU_REOPEN), and on whose account. */
enum elisa_held {
	ELISA_HELD_NOT = 0,
	ELISA_HELD_THROWN_OUT = 1, /* its guest may have brought it about */
	ELISA_HELD_EVICTED = 2,    /* by DOMAIN_VCPU_EVICT */
};

/* VM_VCPU_STATS: counters of one vCPU since its VM was attached. ENOENT no such vCPU. */
#define ELISA_EXIT_REASONS 80u

struct elisa_vcpu_stats {
	uint32_t version;
	uint32_t vcpu;         /* in: KVM's vCPU index, from 0 */
	uint64_t exits;        /* out: VM exits, all */
	uint64_t exits_io;     /* out: of them I/O instructions, MMIO (EPT misconfiguration) */
	uint64_t exits_inside; /* out: taken while in the gate or trusted context */
	uint64_t recoveries;   /* out: thrown out with #GP */
	uint64_t traps;        /* out: returns that exited because an event was pending */
	uint64_t closed_calls; /* out: gate calls answered with -ENODEV */
	uint64_t hypercalls;   /* out */
	uint64_t held;         /* out: enum elisa_held */
	uint64_t gate_calls;   /* out: ELISA_HC_GATE_CALL served by the host */
	uint64_t
		tsc_offset; /* out: guest TSC - host TSC, modulo 2^64; 0 if the guest's is scaled */
	uint32_t tsc_scaled;                    /* out: 1 if the guest's TSC runs at another rate */
	uint32_t reserved;                      /* out: 0 */
	uint64_t by_reason[ELISA_EXIT_REASONS]; /* out: exits by basic reason */
	uint64_t inside_by_reason[ELISA_EXIT_REASONS]; /* out: of them inside */
};

#define ELISA_IOC_INFO _IOWR(ELISA_IOCTL, 0x01, struct elisa_info)
#define ELISA_IOC_DOMAIN_CREATE _IOW(ELISA_IOCTL, 0x02, struct elisa_domain_create)
#define ELISA_IOC_DOMAIN_ADOPT _IOW(ELISA_IOCTL, 0x03, struct elisa_domain_adopt)
#define ELISA_IOC_REVOKE _IOW(ELISA_IOCTL, 0x04, struct elisa_revoke)
#define ELISA_IOC_DOMAIN_MAP _IOW(ELISA_IOCTL, 0x10, struct elisa_domain_map)
#define ELISA_IOC_DOMAIN_CMPXCHG64 _IOWR(ELISA_IOCTL, 0x11, struct elisa_domain_cmpxchg64)
#define ELISA_IOC_DOMAIN_PROVE _IOWR(ELISA_IOCTL, 0x12, struct elisa_domain_prove)
#define ELISA_IOC_DOMAIN_VCPU_REOPEN _IOW(ELISA_IOCTL, 0x14, struct elisa_domain_vcpu_reopen)
#define ELISA_IOC_DOMAIN_UNMAP _IOW(ELISA_IOCTL, 0x15, struct elisa_domain_unmap)
#define ELISA_IOC_DOMAIN_VCPU_EVICT _IOW(ELISA_IOCTL, 0x16, struct elisa_domain_vcpu_evict)
#define ELISA_IOC_VM_ATTACH _IOWR(ELISA_IOCTL, 0x13, struct elisa_vm_attach)
#define ELISA_IOC_PORT_ADD _IOW(ELISA_IOCTL, 0x20, struct elisa_port_add)
#define ELISA_IOC_VM_VCPU_STATS _IOWR(ELISA_IOCTL, 0x21, struct elisa_vcpu_stats)
#define ELISA_IOC_PORT_STATE _IOWR(ELISA_IOCTL, 0x30, struct elisa_port_state)

#endif
