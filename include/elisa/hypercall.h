/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * hypercall.h - what a guest process asks of the host module, before and after traffic.
 *
 * VMCALL, allowed from ring 3:
 *	RAX = ELISA_HYPERCALL(number)
 *	RDI = guest-virtual address of the argument structure, in the caller's address space
 *	RSI = its size in bytes, exactly the size given here
 *	RAX on return = 0 or a negative errno; every other register is kept.
 * The structure is read once and, where a call has results, written back whole on success only.
 *
 * Without the module, stock KVM answers any VMCALL from ring 3 with -1 (-KVM_EPERM), which is also
 * -EPERM here: "no elisa.ko on this host, or this VM has no port".
 *
 * Errors of all calls: -EPERM this VM has no port; -ENOSYS no such number; -EINVAL size, a value or
 * a reserved field; -EFAULT the structure cannot be read or written with the caller's rights;
 * -EACCES the caller said no hello for that port. More errors stand beside each call.
 */
#ifndef ELISA_HYPERCALL_H
#define ELISA_HYPERCALL_H

#include "layout.h"
#include "types.h"

/* 48 bits that meet no number of KVM's or Hyper-V's. */
#define ELISA_HYPERCALL_MAGIC 0xe115a5771c4cull
#define ELISA_HYPERCALL(number) ((ELISA_HYPERCALL_MAGIC << 16) | (number))

enum elisa_hypercall_number {
	ELISA_HC_HELLO = 1,
	ELISA_HC_REGISTER = 2,
	ELISA_HC_UNREGISTER = 3,
	ELISA_HC_QUEUE_SETUP = 4,
	ELISA_HC_QUEUE_RELEASE = 5,
	ELISA_HC_PORT_SET = 6,
	ELISA_HC_BYE = 7,
	ELISA_HC_RSS_SET = 8,
	ELISA_HC_GATE_CALL = 9,
};

/*
 * GATE_CALL: gate=vmcall, the baseline: one VM exit, and the host runs the same datapath. No argument
 * structure: RDI, RSI, RDX = operation, first, second as in ring.h, RAX = its result.
 *	-ENOSYS	the module was loaded without it (vmcall_gate=0)
 */

/*
 * HELLO: claim a port for the calling process, which is admitted to the gate (its CR3). Its call stub
 * is mapped by then and until BYE: a process without it counts as ended, which is looked at with
 * every HELLO of the VM and about once a second, and loses its ports.
 *	-EPROTO	abi is not the host's	-ENOENT	no port of that name for this VM
 *	-ENOTUNIQ name is empty and the VM has several free ports	-EBUSY	another process has it
 *	-EOPNOTSUPP paging mode is not 64-bit 4-level, CR3 inside the window, or descriptor tables
 *		overlap the window
 *	-ENOMEM	-ENOSPC	no admission left for this VM
 */
struct elisa_hc_hello {
	uint32_t abi;                    /* in: ELISA_GUEST_ABI */
	uint32_t reserved;               /* in: 0 */
	char port_name[ELISA_NAME_SIZE]; /* in: empty = the VM's only free port. out: its name */
	char switch_name
		[ELISA_NAME_SIZE];   /* in: empty, or what it must be. out: the switch's name */
	uint64_t window_gva;         /* out: ELISA_WINDOW_GVA of the host */
	uint32_t port;               /* out: 0..ELISA_MAX_PORTS-1, for the calls below */
	uint32_t max_mtu;            /* out: bytes */
	uint32_t max_queues;         /* out */
	uint32_t max_ring;           /* out: descriptors */
	uint8_t mac[ELISA_MAC_SIZE]; /* out */
	uint8_t pad[2];              /* 0 */
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_hc_hello) == 104, "hello");

/*
 * REGISTER: let the switch reach [gva, gva + length) of the caller. Pages are pinned.
 *	-EEXIST	overlaps a region of the port	-ENOSPC	no entry or no window left
 *	-EFAULT	a page is not mapped, not writable with ELISA_REGION_WRITE, or not RAM
 *	-ENOMEM	the VMM's RLIMIT_MEMLOCK, or host memory
 * UNREGISTER: take it back. Returns when no vCPU of the switch can reach it any more.
 *	-ENOENT	no such region	-EBUSY	a queue's ring lies in it
 */
struct elisa_hc_region {
	uint32_t port;
	uint32_t flags;  /* REGISTER in: ELISA_REGION_*; UNREGISTER: 0 */
	uint64_t gva;    /* page-aligned */
	uint64_t length; /* bytes, a multiple of the page size, not 0; UNREGISTER: as registered */
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_hc_region) == 24, "region call");

/*
 * QUEUE_SETUP: give the rings of a queue pair; both lie each in one registered region, the receive
 * ring in a writable one. Only while the port is stopped.
 *	-EBUSY	already set up, or the port is started	-ERANGE	a size is not a power of two in
 *	ELISA_MIN_RING..max_ring	-EFAULT	a ring is not in a region or not 16-byte aligned
 * QUEUE_RELEASE: the reverse; sizes and addresses are 0. Returns after a grace period.
 *	-ENOENT	not set up	-EBUSY	the port is started
 */
struct elisa_hc_queue {
	uint32_t port;
	uint32_t queue;     /* 0..max_queues-1 */
	uint64_t tx_window; /* guest-virtual, 16-byte aligned */
	uint64_t rx_ring;   /* likewise */
	uint32_t tx_size;   /* descriptors */
	uint32_t rx_size;
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_hc_queue) == 32, "queue call");

/*
 * PORT_SET: the port's flags (ELISA_PORT_*) and MTU, all at once. Starting needs queue 0 set up;
 * clearing ELISA_PORT_STARTED returns after a grace period: no packet arrives afterwards.
 *	-ERANGE	MTU not in 68..max_mtu	-ENOENT	start without a queue
 * BYE: stop, release the queues, unregister everything, give the port back. mtu and flags are 0.
 */
struct elisa_hc_port {
	uint32_t port;
	uint32_t flags;
	uint32_t mtu;
	uint32_t reserved;
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_hc_port) == 16, "port call");

#define ELISA_MIN_MTU 68u
#define ELISA_MAX_MTU 9216u

/*
 * RSS_SET: struct elisa_rss of the port, whole; any time after hello. Off (all 0) until set, and
 * again after BYE.
 *	-EINVAL	a type or size that layout.h does not have
 *	-ERANGE	an entry of reta is not a queue of the port (0..max_queues-1)
 */
struct elisa_hc_rss {
	uint32_t port;
	uint32_t reserved;
	struct elisa_rss rss;
};
ELISA_STATIC_ASSERT(sizeof(struct elisa_hc_rss) == 184, "rss call");

#endif
