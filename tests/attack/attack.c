// SPDX-License-Identifier: BSD-3-Clause
/* attack.c - see attack.h. */
#include "attack.h"
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define VECTOR_GP 13
#define VMFUNC_LENGTH 3
#define REOPEN_TRIES 1000 /* of a millisecond: the daemon looks after a vCPU that was thrown out */

extern char **environ;

void attack_tried(uint64_t count)
{
	printf("tried %llu\n", (unsigned long long)count);
}

void attack_saw(const char *outcome, uint64_t count)
{
	printf("saw %s %llu\n", outcome, (unsigned long long)count);
}

void attack_skipped(const char *part, const char *reason)
{
	printf("skip %s %s\n", part, reason);
}

const char *attack_json(const char *words)
{
	static char text[1 << 18];
	char command[100];
	size_t length;
	FILE *output;

	snprintf(command, sizeof(command), "elisactl --json %.60s | tr -d ' \\n'", words);
	output = popen(command, "r");
	if (!output)
		die(command);
	length = fread(text, 1, sizeof(text) - 1, output);
	text[length] = 0;
	return pclose(output) || !length ? NULL : text;
}

pid_t attack_daemon_pid(void)
{
	const char *text = attack_json("status");

	return text ? (pid_t)control_number(text, "pid") : 0;
}

uint64_t attacker_recoveries(struct attacker *attacker)
{
	const char *text;
	char words[20];

	(void)attacker;
	snprintf(words, sizeof(words), "vm %d", getpid());
	text = attack_json(words);
	if (!text)
		die("the attacker's VM in elisactl vm");
	return control_number(text, "recoveries");
}

uint64_t attack_window_gpa(void)
{
	struct elisa_info info = {.version = ELISA_UAPI_VERSION};
	int device = open("/dev/elisa", O_RDWR | O_CLOEXEC);

	if (device < 0 || ioctl(device, ELISA_IOC_INFO, &info))
		die("/dev/elisa");
	close(device);
	return info.window_gpa;
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
	char name[ELISA_NAME_SIZE], pid[16];
	const char *words[] = {"elisactl", "port", "add", name, "--vm", pid, NULL};

	snprintf(name, sizeof(name), "%.20s%s", attacker->port, suffix);
	snprintf(pid, sizeof(pid), "%d", getpid());
	if (attack_ctl(words)) {
		errno = EIO;
		die("port add");
	}
}

static void open_port(struct attacker *attacker, const char *function)
{
	int64_t error;

	if (attacker_call(attacker, function, 0, 0, 0, &error) != OUTCOME_RETURNED || error) {
		errno = (int)-error;
		die("the attacker's own port");
	}
}

void attacker_begin(struct attacker *attacker)
{
	attacker_create(attacker);
	attacker_add_port(attacker, "");
	strcpy(attacker_data(attacker, "attacker_port_name"), attacker->port);
	open_port(attacker, "attacker_open");
}

void attacker_open_second(struct attacker *attacker)
{
	attacker_add_port(attacker, "2");
	open_port(attacker, "attacker_open_second");
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

void attack_forget_events(struct vm *vm)
{
	struct kvm_vcpu_events events = {0};
	struct kvm_mp_state state = {.mp_state = KVM_MP_STATE_RUNNABLE};

	if (ioctl(vm->vcpu, KVM_SET_VCPU_EVENTS, &events) ||
	    ioctl(vm->vcpu, KVM_SET_MP_STATE, &state))
		die("KVM_SET_VCPU_EVENTS");
}

/* Until the daemon has looked after a vCPU that was thrown out, its gate is closed. */
static const char *until_it_works(struct attacker *attacker, const char *function)
{
	enum outcome outcome;
	int64_t result = 0;
	int tries = 0;

	do {
		outcome = attacker_call(attacker, function, 0, 0, 0, &result);
		if (outcome != OUTCOME_RETURNED || !result)
			break;
		usleep(tries ? 1000 : 0);
	} while (++tries < REOPEN_TRIES);
	REQUIRE(outcome == OUTCOME_RETURNED, "outcome %d, exit reason %u, vector %llu at %#llx",
		outcome, attacker->vm.run->exit_reason,
		(unsigned long long)vm_mailbox(&attacker->vm, GUEST_FAULT_VECTOR),
		(unsigned long long)vm_mailbox(&attacker->vm, GUEST_FAULT_RIP));
	REQUIRE(!result, "the attacker's own VM does not work any more: %lld in %s",
		(long long)result, function);
	return NULL;
}

const char *attacker_rejoin(struct attacker *attacker)
{
	return until_it_works(attacker, "attacker_rejoin");
}

const char *attacker_is_well(struct attacker *attacker)
{
	return until_it_works(attacker, "attacker_works");
}

enum attack_end attack_end(const struct vm *vm, enum outcome outcome)
{
	if (outcome == OUTCOME_RETURNED)
		return ATTACK_BACK;
	if (outcome != OUTCOME_FAULT)
		return ATTACK_LOST;
	if (vm_mailbox(vm, GUEST_FAULT_VECTOR) == VECTOR_GP &&
	    vm_mailbox(vm, GUEST_FAULT_RIP) == ELISA_GVA(ELISA_OFFSET_GATE) - VMFUNC_LENGTH)
		return ATTACK_THROWN_OUT;
	return ATTACK_BACK;
}
