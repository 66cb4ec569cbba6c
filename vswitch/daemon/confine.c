// SPDX-License-Identifier: BSD-3-Clause
/* confine.c - see confine.h: the process and its capabilities. */
#include "confine.h"

#include <cap-ng.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* What each is for; elisa-switchd@.service has the same list. */
static const struct kept {
	unsigned int capability;
	bool uplinks; /* only with --uplink-memory */
} kept[] = {
	{CAP_SYS_PTRACE, false},      /* port-add: pidfd_getfd() of a VMM of another user */
	{CAP_DAC_READ_SEARCH, false}, /* port-add: /proc/PID/fd of one */
	{CAP_IPC_LOCK, false},        /* the switch and capture rings are pinned for guests */
	{CAP_SYS_ADMIN, true},        /* uplink-add: physical addresses in /proc/self/pagemap, PCI
				       * configuration behind byte 64 */
};

static int cannot(struct elisa_failure *failure, int error, const char *what)
{
	return elisa_fail(failure, error, "elisa-switchd cannot %s: %s; see docs/hardening.md",
			  what, strerror(-error));
}

int elisa_confine_process(struct elisa_failure *failure)
{
	static const struct rlimit none;

	umask(077);
	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return cannot(failure, -errno, "switch core dumps off");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return cannot(failure, -errno, "keep debuggers away");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return cannot(failure, -errno, "give up new privileges");
	return 0;
}

int elisa_confine_capabilities(bool uplinks, struct elisa_failure *failure)
{
	bool keep[sizeof(kept) / sizeof(kept[0])];
	capng_select_t select = CAPNG_SELECT_ALL;

	if (capng_get_caps_process())
		return cannot(failure, -EIO, "read its capabilities");
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		keep[i] = (uplinks || !kept[i].uplinks) &&
			  capng_have_capability(CAPNG_PERMITTED, kept[i].capability);
	/* Without it the bounding set stays; no_new_privs makes that no matter. */
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		select = CAPNG_SELECT_CAPS;
	capng_clear(select);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if (!keep[i])
			continue;
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, kept[i].capability);
		if (select == CAPNG_SELECT_ALL)
			capng_update(CAPNG_ADD, CAPNG_BOUNDING_SET, kept[i].capability);
	}
	errno = 0;
	if (capng_apply(select))
		return cannot(failure, errno ? -errno : -EPERM, "drop its capabilities");
	return 0;
}
