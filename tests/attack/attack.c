// SPDX-License-Identifier: BSD-3-Clause
/* attack.c - see attack.h. */
#include "attack.h"

#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define REOPEN_TRIES 1000 /* of a millisecond: the daemon looks after a vCPU that was thrown out */

extern char **environ;

const char *attack_failed(const char *condition, const char *format, ...)
{
	static char reason[400];
	char seen[240];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(seen, sizeof(seen), format, arguments);
	va_end(arguments);
	snprintf(reason, sizeof(reason), "not (%.140s): %s", condition, seen);
	return reason;
}

void attack_tried(uint64_t count)
{
	printf("tried %llu\n", (unsigned long long)count);
}

void attack_saw(const char *outcome, uint64_t count)
{
	printf("saw %s %llu\n", outcome, (unsigned long long)count);
}

int attack_ctl(const char *const words[])
{
	posix_spawn_file_actions_t actions;
	int status;
	pid_t child;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	errno = posix_spawnp(&child, "elisactl", &actions, NULL, (char **)(uintptr_t)words,
			     environ);
	if (errno || waitpid(child, &status, 0) != child)
		die("elisactl");
	posix_spawn_file_actions_destroy(&actions);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void attacker_create(struct attacker *attacker)
{
	vm_create(&attacker->vm);
	vm_add_vcpu(&attacker->vm, &attacker->second);
	program_read(&attacker->program, "attack-guest");
	program_load(&attacker->program, &attacker->vm);
	snprintf(attacker->port, sizeof(attacker->port), "a%d", getpid());
}

void attacker_add_port(struct attacker *attacker, const char *suffix)
{
	char name[ELISA_NAME_SIZE + 1], pid[16];
	const char *words[] = {"elisactl", "port", "add", name, "--vm", pid, NULL};

	snprintf(name, sizeof(name), "%.20s%s", attacker->port, suffix);
	snprintf(pid, sizeof(pid), "%d", getpid());
	if (attack_ctl(words)) {
		errno = EIO;
		die("port add");
	}
}

void attacker_begin(struct attacker *attacker)
{
	int64_t error;

	attacker_create(attacker);
	attacker_add_port(attacker, "");
	strcpy(attacker_data(attacker, "attacker_port_name"), attacker->port);
	if (attacker_call(attacker, "attacker_open", 0, 0, 0, &error) != OUTCOME_RETURNED ||
	    error) {
		errno = (int)-error;
		die("the attacker's own port");
	}
}

void attacker_end(struct attacker *attacker)
{
	const char *words[] = {"elisactl", "port", "del", attacker->port, NULL};

	attack_ctl(words);
	vm_destroy(&attacker->second);
	vm_destroy(&attacker->vm);
}

static enum outcome call(struct attacker *attacker, const char *function, int ring,
			 const uint64_t arguments[3], int64_t *result)
{
	vm_begin(&attacker->vm, program_symbol(&attacker->program, function), GUEST_TABLES, ring,
		 arguments);
	return vm_finish(&attacker->vm, result);
}

enum outcome attacker_call(struct attacker *attacker, const char *function, uint64_t first,
			   uint64_t second, uint64_t third, int64_t *result)
{
	const uint64_t arguments[3] = {first, second, third};

	return call(attacker, function, 3, arguments, result);
}

enum outcome attacker_call_ring0(struct attacker *attacker, const char *function, uint64_t first,
				 uint64_t second, uint64_t third, int64_t *result)
{
	const uint64_t arguments[3] = {first, second, third};

	return call(attacker, function, 0, arguments, result);
}

void *attacker_data(struct attacker *attacker, const char *name)
{
	return attacker->vm.memory + program_symbol(&attacker->program, name);
}

const char *attacker_is_well(struct attacker *attacker)
{
	enum outcome outcome;
	int64_t result = 0;
	int tries = 0;

	/* Thrown out, its process has lost its port, and its gate is closed for a moment. */
	do {
		outcome = attacker_call(attacker, "attacker_works", 0, 0, 0, &result);
		if (outcome != OUTCOME_RETURNED || !result)
			break;
		usleep(1000);
	} while (++tries < REOPEN_TRIES);
	REQUIRE(outcome == OUTCOME_RETURNED, "outcome %d, exit reason %u, vector %llu at %#llx",
		outcome, attacker->vm.run->exit_reason,
		(unsigned long long)vm_mailbox(&attacker->vm, GUEST_FAULT_VECTOR),
		(unsigned long long)vm_mailbox(&attacker->vm, GUEST_FAULT_RIP));
	REQUIRE(!result, "the attacker's own VM does not work any more: step %lld",
		(long long)-result);
	return NULL;
}
