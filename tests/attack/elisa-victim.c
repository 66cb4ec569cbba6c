// SPDX-License-Identifier: BSD-3-Clause
/*
 * elisa-victim.c - the VMM of the attacks' bystander: a VM with two ports whose guest sends packets to
 * itself all the time, and with memory whose content nobody may change or see elsewhere.
 *
 * usage: elisa-victim	Waits for its ports v0 and v1 (elisactl port add v0 --vm PID …), then runs.
 * A line on its standard input is answered with one on its output:
 *	ports	"ready", after the ports were opened (before that nothing runs)
 *	report	"turns=… sent=… received=… torn=… lost=… foreign=… dropped=… refused=… error=… canary=ok|CHANGED"
 *	end	closes the ports, "bye", and the process ends
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/port_layout.h"
#include "guest/victim.h"
#include "program.h"

#define TURNS_AT_ONCE 4
#define PAUSE_US 2000
#define SECRET_ADDRESS 0x600000 /* not registered */
#define SECRET_SIZE 0x10000
#define CANARY 0xc0ffee00d15ea5e5ull

static struct vm vm;
static struct program program;

static int64_t call(const char *function, uint64_t argument)
{
	const uint64_t arguments[3] = {argument, 0, 0};
	int64_t result;

	vm_begin(&vm, program_symbol(&program, function), GUEST_TABLES, 3, arguments);
	if (vm_finish(&vm, &result) != OUTCOME_RETURNED) {
		printf("the victim was hurt: exit reason %u, vector %llu at %#llx\n",
		       vm.run->exit_reason, (unsigned long long)vm_mailbox(&vm, GUEST_FAULT_VECTOR),
		       (unsigned long long)vm_mailbox(&vm, GUEST_FAULT_RIP));
		exit(1);
	}
	return result;
}

/* Each word says where it is, so that a copy from elsewhere is no canary either. */
static uint64_t canary_at(uint64_t address)
{
	return CANARY ^ address * 0x9e3779b97f4a7c15ull;
}

static void fill(uint64_t address, uint64_t size)
{
	for (uint64_t i = address; i < address + size; i += sizeof(uint64_t))
		*(uint64_t *)(vm.memory + i) = canary_at(i);
}

static bool is_whole(uint64_t address, uint64_t size)
{
	for (uint64_t i = address; i < address + size; i += sizeof(uint64_t)) {
		if (*(volatile uint64_t *)(vm.memory + i) != canary_at(i))
			return false;
	}
	return true;
}

static bool canaries_are_whole(void)
{
	return is_whole(SECRET_ADDRESS, SECRET_SIZE) &&
	       is_whole(GUEST_REGION + VICTIM_CANARY, VICTIM_CANARY_SIZE) &&
	       is_whole(GUEST_REGION + PORT_MEMORY + VICTIM_CANARY, VICTIM_CANARY_SIZE);
}

static void report(void)
{
	const struct victim_report *report =
		(const void *)(vm.memory + program_symbol(&program, "victim_report"));

	printf("turns=%llu sent=%llu received=%llu torn=%llu lost=%llu foreign=%llu dropped=%llu "
	       "refused=%llu error=%lld canary=%s\n",
	       (unsigned long long)report->turns, (unsigned long long)report->sent,
	       (unsigned long long)report->received, (unsigned long long)report->torn,
	       (unsigned long long)report->lost, (unsigned long long)report->foreign,
	       (unsigned long long)report->dropped, (unsigned long long)report->refused,
	       (long long)report->last_error, canaries_are_whole() ? "ok" : "CHANGED");
}

static void open_ports(void)
{
	int64_t error = call("victim_open", 0);

	if (error) {
		printf("the ports do not open: step %lld\n", (long long)-error);
		exit(1);
	}
	printf("ready\n");
}

/* 1: a line was taken, 0: nothing there; ends the process with its input. */
static int take_line(bool wait, bool *running)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char line[16];

	if (poll(&input, 1, wait ? -1 : 0) <= 0)
		return 0;
	/* Lines come one at a time, each waits for its answer. */
	ssize_t length = read(STDIN_FILENO, line, sizeof(line) - 1);

	line[length > 0 ? length : 0] = 0;
	if (!strncmp(line, "ports", 5)) {
		open_ports();
		*running = true;
	} else if (!strncmp(line, "report", 6)) {
		report();
	} else {
		if (*running)
			call("victim_close", 0);
		printf("bye\n");
		exit(0);
	}
	return 1;
}

int main(void)
{
	bool running = false;

	setvbuf(stdout, NULL, _IOLBF, 0);
	vm_create(&vm);
	program_read(&program, "attack-guest");
	program_load(&program, &vm);
	fill(SECRET_ADDRESS, SECRET_SIZE);
	fill(GUEST_REGION + VICTIM_CANARY, VICTIM_CANARY_SIZE);
	fill(GUEST_REGION + PORT_MEMORY + VICTIM_CANARY, VICTIM_CANARY_SIZE);
	printf("waiting\n");
	for (;;) {
		while (take_line(!running, &running))
			continue;
		if (running) {
			call("victim_turns", TURNS_AT_ONCE);
			usleep(PAUSE_US);
		}
	}
}
