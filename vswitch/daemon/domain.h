/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * domain.h - the switch's memory and its trusted context: made or adopted at start, gone at the end.
 *
 * Main thread, except that anybody may read the switch through the datapath's functions while the
 * daemon's lock is held.
 */
#ifndef ELISA_DAEMON_DOMAIN_H
#define ELISA_DAEMON_DOMAIN_H

#include "failure.h"
#include "kept.h"
#include "options.h"
#include "vswitch/datapath/switch.h"

#include <elisa/uapi.h>

struct elisa_domain {
	int module;              /* /dev/elisa, or -1 */
	int fd;                  /* the domain; poll it for events; or -1 */
	struct elisa_switch *sw; /* shared with the datapath on all vCPUs */
	uint64_t switch_size;    /* bytes, whole pages */
	void *code;              /* the image's pages, text then constants; NULL: adopted */
	uint64_t code_size;
	struct elisa_info info; /* of the module, at start */
	char image_version[ELISA_NAME_SIZE];
};

/*
 * Checks the host, loads the image, makes the switch and maps everything into a new domain. All or
 * nothing: after a failure nothing is left. A message tells what to do.
 */
int elisa_domain_open(struct elisa_domain *domain, const struct elisa_options *options,
		      struct elisa_failure *failure);

/*
 * Takes over a switch that runs, with its code and memory, from a daemon that has ended. What the switch
 * was made with replaces options->fdb_capacity and age_ticks. Takes `thing` over; after a failure it is
 * closed, and the switch is as it was. -EPROTO: another version of image, switch or record. -ESTALE: the
 * last daemon had ended it, and came no further.
 */
int elisa_domain_adopt(struct elisa_domain *domain, struct elisa_options *options,
		       const struct elisa_kept_thing *thing, struct elisa_failure *failure);

/* Close VMs and ports first. Also fine after a failed open. */
void elisa_domain_close(struct elisa_domain *domain);

/* Lets go of the switch, which goes on for as long as its descriptor is kept (store.h). */
void elisa_domain_leave(struct elisa_domain *domain);

/* Finishes what a vCPU that is gone for good left in flight, and says so in the log. */
void elisa_domain_finish_vcpu(struct elisa_domain *domain, uint32_t vcpu);

#endif
