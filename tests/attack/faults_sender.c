// SPDX-License-Identifier: BSD-3-Clause
/* faults_sender.c - see faults_sender.h. */
#include "faults_sender.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "control.h"

_Static_assert(FAULTS_SEND == FAULTS_TO_RECEIVER && FAULTS_SEND_OTHER == FAULTS_TO_OTHER,
	       "whom the guest writes to");

#define PATIENCE 120 /* seconds of the emulated host's */
#define POLLS 100    /* until one comes to the point: they wait for a frame */
#define PAUSE 5000   /* microseconds from one to the next */

enum verb {
	VERB_RECORD,
	VERB_GO,
	VERB_RECEIVE,
};

struct order {
	enum verb verb;
	enum faults_call call;
	uint32_t nb; /* vCPUs */
	struct point points[FAULTS_VCPUS];
};

struct answer {
	pid_t pid; /* 0: it did not come there */
};

static struct faults_shared *shared;
static struct program program;
static int orders[2];  /* from the test to the parent of the senders */
static int go_on[2];   /* to the sender that stands */
static int answers[2]; /* from the senders */
static pid_t parent_of_senders;

struct faults_shared *faults_shared(void)
{
	return shared;
}

static int64_t call_guest(struct vm *vm, const char *function, uint64_t argument)
{
	const uint64_t arguments[3] = {argument, 0, 0};
	int64_t result;

	vm_begin(vm, program_symbol(&program, function), GUEST_TABLES, 3, arguments);
	if (vm_finish(vm, &result) == OUTCOME_RETURNED)
		return result;
	fprintf(stderr, "a sender: %s ends with exit reason %u\n", function, vm->run->exit_reason);
	exit(2);
}

static void make_vm(struct vm vm[], uint32_t nb, const char *port, const char *mac)
{
	vm_create(vm);
	for (uint32_t i = 1; i < nb; i++)
		vm_add_vcpu(&vm[i - 1], &vm[i]);
	program_load(&program, vm);
	strcpy((char *)vm->memory + program_symbol(&program, "faults_port_name"), port);
	control_add_port(port, mac);
	if (!call_guest(vm, "faults_open_sender", 0))
		return;
	fprintf(stderr, "port %s does not open\n", port);
	exit(2);
}

/* Returns the port's number. */
static uint64_t make_ready(struct vm vm[], uint32_t nb, enum faults_call call)
{
	make_vm(vm, nb, FAULTS_SENDER, FAULTS_MAC_SENDER);
	return (uint64_t)call_guest(vm, "faults_prepare", call);
}

/* The vCPU is about to make the call. */
static void begin(struct vm *vm, enum faults_call call, uint64_t port)
{
	const uint64_t arguments[3] = {call == FAULTS_POLL ? ELISA_CALL_POLL : ELISA_CALL_TX, port,
				       call == FAULTS_POLL ? 1 : FAULTS_PACKETS + 1};

	vm_begin(vm, program_symbol(&program, "faults_call"), GUEST_TABLES, 3, arguments);
}

static void answer(pid_t pid)
{
	struct answer answer = {.pid = pid};

	if (write(answers[1], &answer, sizeof(answer)) != sizeof(answer))
		die("a sender's answer");
}

static void wait_to_go_on(void)
{
	char byte;

	if (read(go_on[0], &byte, 1) != 1)
		exit(2);
}

/* A poll that found no frame, or gave descriptors back to the NIC, took another way: it is made again. */
static bool go(struct vm *vm, enum faults_call call, uint64_t port, const struct point *point)
{
	unsigned int tries = call == FAULTS_POLL ? POLLS : 1;
	enum outcome outcome;

	do {
		begin(vm, call, port);
		outcome = trace_go(vm, point);
		if (outcome == OUTCOME_STOPPED)
			return true;
		if (outcome != OUTCOME_RETURNED) {
			fprintf(stderr, "a sender: it ends before its point, outcome %d\n",
				outcome);
			exit(2);
		}
		usleep(PAUSE);
	} while (--tries);
	return false;
}

/* Each vCPU to its point, and when the last may go on, that one to the end. */
static void stand(struct vm vm[], const struct order *order, uint64_t port)
{
	for (uint32_t i = 0; i < order->nb; i++) {
		if (!go(&vm[i], order->call, port, &order->points[i]))
			return;
		answer(getpid());
		wait_to_go_on();
	}
	shared->outcome = vm_finish(&vm[order->nb - 1], &shared->result);
}

/* A process. */
static void be_sender(const struct order *order)
{
	static struct vm vm[FAULTS_VCPUS];
	uint64_t port;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (order->verb == VERB_RECEIVE) {
		make_vm(vm, 1, FAULTS_OTHER, FAULTS_MAC_OTHER);
		answer(getpid());
		pause();
	}
	port = make_ready(vm, order->nb, order->call);
	if (order->verb == VERB_RECORD) {
		begin(vm, order->call, port);
		shared->outcome = trace_record(&shared->trace, vm, &shared->result);
	} else {
		stand(vm, order, port);
	}
	answer(0);
	exit(0);
}

/* A process. */
static void be_parent(void)
{
	struct order order;

	signal(SIGCHLD, SIG_IGN);
	close(orders[1]);
	close(go_on[1]);
	while (read(orders[0], &order, sizeof(order)) == sizeof(order)) {
		if (!fork())
			be_sender(&order);
	}
	exit(0);
}

void faults_senders_begin(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED || pipe(orders) || pipe(go_on) || pipe(answers))
		die("memory and pipes for the senders");
	program_read(&program, "attack-guest");
	parent_of_senders = fork();
	if (parent_of_senders < 0)
		die("fork");
	if (!parent_of_senders)
		be_parent();
	close(orders[0]);
	close(go_on[0]);
	close(answers[1]);
}

void faults_senders_end(void)
{
	close(orders[1]);
	close(go_on[1]);
}

static pid_t wait_answer(void)
{
	struct answer answer;

	alarm(PATIENCE);
	if (read(answers[0], &answer, sizeof(answer)) != sizeof(answer))
		die("a sender does not answer");
	alarm(0);
	return answer.pid;
}

static pid_t give(const struct order *order)
{
	if (write(orders[1], order, sizeof(*order)) != sizeof(*order))
		die("an order to the senders");
	return wait_answer();
}

void faults_sender_record(enum faults_call call)
{
	give(&(struct order){.verb = VERB_RECORD, .call = call, .nb = 1});
}

pid_t faults_sender_at(enum faults_call call, const struct point *points, uint32_t nb)
{
	struct order order = {.verb = VERB_GO, .call = call, .nb = nb};

	memcpy(order.points, points, nb * sizeof(*points));
	return give(&order);
}

static pid_t go_on_and_answer(void)
{
	if (write(go_on[1], "", 1) != 1)
		die("a sender to go on");
	return wait_answer();
}

bool faults_sender_next(void)
{
	return go_on_and_answer() != 0;
}

pid_t faults_receiver_start(void)
{
	return give(&(struct order){.verb = VERB_RECEIVE});
}

void faults_sender_continue(void)
{
	go_on_and_answer();
}

void faults_sender_kill(pid_t pid)
{
	if (kill(pid, SIGKILL))
		die("kill");
}
