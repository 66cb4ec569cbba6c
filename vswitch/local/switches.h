/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * switches.h - the switches of this process. Private to vswitch/local/.
 *
 * One lock, elisa_local_lock, for everything but traffic. Traffic takes no lock: it reads the switch
 * and the port maps as the trusted context would, and threads.c knows who is inside.
 */
#ifndef ELISA_VSWITCH_LOCAL_SWITCHES_H
#define ELISA_VSWITCH_LOCAL_SWITCHES_H

#include <pthread.h>

#include <elisa/hypercall.h>
#include <elisa/local.h>

#include "vswitch/datapath/switch.h"

struct local_port {
	char name[ELISA_NAME_SIZE]; /* empty = no such port */
	unsigned int nb_handles;
	struct elisa_local *claimed_by; /* who said hello */
	uint32_t epoch;                 /* of its queue maps: new with each set-up */
};

/* What a thread is to a switch: a vCPU. sequence is odd while it is inside. */
struct local_thread {
	_Alignas(ELISA_CACHE_LINE) uint64_t sequence;
	bool used;
};

struct local_switch {
	struct local_switch *next;
	uint64_t id; /* never used again by another switch of this process */
	char name[ELISA_NAME_SIZE];
	struct elisa_switch *memory;
	struct elisa_port_map *maps;
	struct local_port ports[ELISA_MAX_PORTS];
	struct local_thread threads[ELISA_MAX_VCPUS];
};

struct elisa_local {
	struct local_switch *sw;
	unsigned int port;
};

extern pthread_mutex_t elisa_local_lock;

/* The switch with that id, or NULL. With the lock held. */
struct local_switch *elisa_local_switch_by_id(uint64_t id);

/* The calling thread's vCPU of a switch, given to it at its first call. -ENODEV: none is left. */
int elisa_local_thread_vcpu(struct local_switch *sw);

/* Returns when every thread that is inside now has left. With the lock held. */
void elisa_local_grace_period(struct local_switch *sw);

/* BYE, with the lock held; nothing if `local` has not said hello. */
void elisa_local_bye(struct elisa_local *local);

static inline struct elisa_port_map *elisa_local_map(const struct elisa_local *local)
{
	return &local->sw->maps[local->port];
}

#endif
