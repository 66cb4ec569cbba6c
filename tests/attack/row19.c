// SPDX-License-Identifier: BSD-3-Clause
/* row19.c - the module is to be unloaded while VMs are attached: refused, and who holds it can be seen. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attacks.h"

const char *attack_row19(struct attacker *attacker)
{
	const char *text;
	char pid[24];
	long result;

	attacker_begin(attacker);
	result = syscall(SYS_delete_module, "elisa", O_NONBLOCK);
	attack_tried(1);
	REQUIRE(result < 0 && errno == EWOULDBLOCK, "delete_module: %ld, errno %d", result, errno);
	attack_saw("refused", 1);
	/* Who: the VMs that the daemon lists. */
	text = attack_json("vm");
	snprintf(pid, sizeof(pid), "\"pid\":%d,", getpid());
	REQUIRE(text && strstr(text, pid), "elisactl vm does not name process %d", getpid());
	return attacker_is_well(attacker);
}
