// SPDX-License-Identifier: BSD-3-Clause
/* cases_lifetime.c - attaching again and again, and how things end: killed, overstayed, unloaded. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cases.h"

#define ATTACHMENTS 50
#define MEMORY_GVA ELISA_GVA(ELISA_OFFSET_SWITCH)
#define HUGE ELISA_HUGE_PAGE_SIZE

const char *case_attach_50_times(void)
{
	struct setup setup;
	int i;

	setup_hello(&setup);
	for (i = 0; i < ATTACHMENTS; i++) {
		CHECK(region_call(&setup.vm, ELISA_HC_REGISTER, GUEST_REGION, HUGE, 0) == 0,
		      "register, round %d", i);
		CHECK(vm_gate(&setup.vm, IMAGE_SUM, i, 1) == i + 1, "call, round %d", i);
		close(setup.port_fd);
		close(setup.vm_fd);
		CHECK(host_info(&setup.host).nb_vms == 0, "round %d", i);
		CHECK(host_info(&setup.host).pinned_pages == setup.before.pinned_pages,
		      "round %d: %llu pages", i,
		      (unsigned long long)host_info(&setup.host).pinned_pages);
		setup.vm_fd = host_attach(&setup.host, setup.vm.fd, &setup.attach);
		CHECK(setup.vm_fd >= 0, "attach, round %d: %d", i, errno);
		setup.port_fd = host_port_add(setup.vm_fd, 0, "p0");
		CHECK(setup.port_fd >= 0 && hello(&setup.vm) == 0, "hello, round %d", i);
	}
	return setup_end(&setup);
}

/* A VMM of its own, that goes inside and stays there. */
static void stay_inside(int socket_fd)
{
	struct vm vm;
	char byte;

	vm_create(&vm);
	send_descriptor(socket_fd, vm.fd);
	if (read(socket_fd, &byte, 1) != 1 || hello(&vm) ||
	    region_call(&vm, ELISA_HC_REGISTER, GUEST_REGION, HUGE, ELISA_REGION_WRITE))
		_exit(1);
	vm_gate(&vm, IMAGE_WAIT, MEMORY_GVA, 0);
	_exit(2);
}

static bool event_is(struct host *host, uint32_t type)
{
	struct elisa_event event;

	do
		event = host_event(host);
	while (event.type && event.type != type);
	return event.type == type;
}

const char *case_killed_inside(void)
{
	struct elisa_vm_attach attach;
	int sockets[2], kvm_fd, vm_fd, port_fd, status;
	struct elisa_info before, after;
	struct host host;
	pid_t child;
	int patience = 3000;

	host_open(&host);
	before = host_info(&host);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		die("socketpair");
	child = fork();
	if (!child)
		stay_inside(sockets[1]);
	kvm_fd = receive_descriptor(sockets[0]);
	vm_fd = host_attach(&host, kvm_fd, &attach);
	CHECK(vm_fd >= 0, "attach: %d", errno);
	close(kvm_fd);
	port_fd = host_port_add(vm_fd, 0, "p0");
	if (port_fd < 0 || write(sockets[0], "", 1) != 1)
		die("PORT_ADD");
	while (!*(volatile uint64_t *)host.memory && patience--)
		usleep(1000);
	CHECK(host.memory[0] == 1, "it never came inside");
	CHECK(host_info(&host).pinned_pages == before.pinned_pages + 512, "nothing registered");
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	CHECK(WIFSIGNALED(status), "it ended by itself: %#x", status);
	CHECK(event_is(&host, ELISA_EVENT_VCPU_LOST), "no event VCPU_LOST");
	CHECK(event_is(&host, ELISA_EVENT_VM_GONE), "no event VM_GONE");
	after = host_info(&host);
	CHECK(after.nb_vms == 0 && after.pinned_pages == before.pinned_pages, "%u VMs, %llu pages",
	      after.nb_vms, (unsigned long long)after.pinned_pages);
	CHECK(host_stats_error(vm_fd) == ENOENT, "statistics of a vCPU that is gone: %d",
	      host_stats_error(vm_fd));
	close(port_fd);
	close(vm_fd);
	close(sockets[0]);
	close(sockets[1]);
	host_close(&host);
	return NULL;
}

static int64_t hello_from(struct vm *vm, uint64_t root)
{
	const struct elisa_hc_hello call = {.abi = ELISA_GUEST_ABI};
	const uint64_t arguments[3] = {ELISA_HYPERCALL(ELISA_HC_HELLO), GUEST_ARGUMENT,
				       sizeof(call)};
	int64_t result;

	memcpy(vm->memory + GUEST_ARGUMENT, &call, sizeof(call));
	if (vm_call_at(vm, guest_hypercall, root, 3, arguments, &result) != OUTCOME_RETURNED)
		return INT64_MIN;
	return result;
}

/* What a kernel does when a process ends: first it unmaps all that the process had mapped. */
static void unmap_stubs(struct vm *vm, uint64_t root)
{
	((uint64_t *)(vm->memory + root))[(ELISA_WINDOW_GVA >> 39) & 511] = 0;
}

const char *case_process_ended(void)
{
	const uint64_t sum[3] = {IMAGE_SUM, 1, 2};
	struct elisa_port_state state = {.version = ELISA_UAPI_VERSION};
	struct setup setup;
	struct vm *vm = &setup.vm;
	int64_t result;

	setup_hello(&setup);
	CHECK(region_call(vm, ELISA_HC_REGISTER, GUEST_REGION, HUGE, ELISA_REGION_WRITE) == 0,
	      "register");
	CHECK(hello_from(vm, GUEST_OTHER_ROOT) == -EBUSY, "taken from a living process");
	unmap_stubs(vm, GUEST_TABLES);
	CHECK(hello_from(vm, GUEST_OTHER_ROOT) == 0, "hello of the next process");
	CHECK(host_info(&setup.host).pinned_pages == setup.before.pinned_pages,
	      "the ended process's memory is still pinned");
	CHECK(vm_call_at(vm, guest_gate, GUEST_OTHER_ROOT, 3, sum, &result) == OUTCOME_RETURNED &&
		      result == 3,
	      "a call of the next process");
	/* Nobody says hello now: it is found out within a second or so of the VM running. */
	unmap_stubs(vm, GUEST_OTHER_ROOT);
	usleep(1200000);
	CHECK(vm_call(vm, guest_vmfunc, 0, 0, 0, &result) == OUTCOME_RETURNED, "an exit");
	CHECK(ioctl(setup.port_fd, ELISA_IOC_PORT_STATE, &state) == 0 && state.claimed == 0,
	      "still claimed");
	return setup_end(&setup);
}

static void *delete_port(void *argument)
{
	struct setup *setup = argument;

	while (!*(volatile uint64_t *)setup->host.memory)
		usleep(1000);
	close(setup->port_fd);
	/* Who is not thrown out when it is entered next goes on. */
	usleep(100000);
	setup->host.memory[1] = 7;
	return NULL;
}

/* The image does not return: deleting a port gives it a second, then it is thrown out. */
const char *case_overstay(void)
{
	struct setup setup;
	pthread_t thread;
	enum outcome outcome;
	int64_t result;

	setup_hello(&setup);
	if (pthread_create(&thread, NULL, delete_port, &setup))
		die("pthread_create");
	outcome = vm_call(&setup.vm, guest_gate, IMAGE_WAIT, MEMORY_GVA, 0, &result);
	pthread_join(thread, NULL);
	setup.port_fd = -1;
	CHECK(outcome == OUTCOME_FAULT && vm_mailbox(&setup.vm, GUEST_FAULT_VECTOR) == 13,
	      "outcome %d, vector %llu", outcome,
	      (unsigned long long)vm_mailbox(&setup.vm, GUEST_FAULT_VECTOR));
	CHECK(host_stats(setup.vm_fd).recoveries == 1, "%llu recoveries",
	      (unsigned long long)host_stats(setup.vm_fd).recoveries);
	CHECK(host_reopen(&setup.host, setup.attach.first_vcpu) == 0, "reopen");
	setup.port_fd = host_port_add(setup.vm_fd, 0, "p0");
	CHECK(hello(&setup.vm) == 0 && vm_gate(&setup.vm, IMAGE_SUM, 1, 2) == 3, "afterwards");
	return setup_end(&setup);
}

static void *wait_inside(void *argument)
{
	struct vm *vm = argument;

	return vm_gate(vm, IMAGE_WAIT, MEMORY_GVA, 0) == 7 ? NULL : vm;
}

static pthread_t send_inside(struct setup *setup)
{
	pthread_t thread;

	memset(setup->host.memory, 0, 16);
	if (pthread_create(&thread, NULL, wait_inside, &setup->vm))
		die("pthread_create");
	while (!*(volatile uint64_t *)setup->host.memory)
		usleep(1000);
	return thread;
}

/* A vCPU that runs is not harmed, wherever it is. */
const char *case_evict_running(void)
{
	struct setup setup;
	pthread_t thread;
	void *failed;

	setup_hello(&setup);
	CHECK(host_evict(&setup.host, 0) == 0, "one that is outside");
	CHECK(host_evict(&setup.host, 1) == ENOENT, "one that is not attached");
	CHECK(host_evict(&setup.host, ELISA_MAX_VCPUS) == ENOENT, "one beyond the limit");
	CHECK(vm_gate(&setup.vm, IMAGE_SUM, 1, 2) == 3, "held");
	thread = send_inside(&setup);
	CHECK(host_evict(&setup.host, 0) == ETIMEDOUT, "one that stays inside");
	setup.host.memory[1] = 7;
	pthread_join(thread, &failed);
	CHECK(!failed && host_stats(setup.vm_fd).recoveries == 0, "it was thrown out");
	CHECK(!event_is(&setup.host, ELISA_EVENT_VCPU_RECOVERED), "an event");
	return setup_end(&setup);
}

/* One that its VMM has stopped inside is out at once, and finds out when it runs. */
const char *case_evict_parked(void)
{
	struct elisa_event event;
	struct setup setup;
	int64_t result;

	setup_hello(&setup);
	vm_park(&setup.vm, send_inside(&setup));
	CHECK(host_stats(setup.vm_fd).held == 0, "held before");
	CHECK(host_evict(&setup.host, 0) == 0, "evict");
	CHECK(host_stats(setup.vm_fd).held == ELISA_HELD_EVICTED, "held %llu",
	      (unsigned long long)host_stats(setup.vm_fd).held);
	do
		event = host_event(&setup.host);
	while (event.type && event.type != ELISA_EVENT_VCPU_RECOVERED);
	CHECK(event.type && event.vcpu == 0 && event.reason == ELISA_AT_ENTRY,
	      "event %u, vCPU %u, reason %#x", event.type, event.vcpu, event.reason);
	CHECK(host_evict(&setup.host, 0) == 0, "evict again");
	CHECK(host_reopen(&setup.host, 0) == 0, "reopen");
	setup.host.memory[1] = 7;
	CHECK(vm_resume(&setup.vm, &result) == OUTCOME_FAULT &&
		      vm_mailbox(&setup.vm, GUEST_FAULT_VECTOR) == 13,
	      "it went on inside");
	CHECK(!event_is(&setup.host, ELISA_EVENT_VCPU_RECOVERED), "told twice");
	CHECK(host_stats(setup.vm_fd).held == 0 && host_stats(setup.vm_fd).recoveries == 1,
	      "held %llu, %llu recoveries", (unsigned long long)host_stats(setup.vm_fd).held,
	      (unsigned long long)host_stats(setup.vm_fd).recoveries);
	CHECK(hello(&setup.vm) == 0 && vm_gate(&setup.vm, IMAGE_SUM, 1, 2) == 3, "afterwards");
	return setup_end(&setup);
}

struct neighbour {
	struct vm vm;
	struct host *host;
	int64_t result;
};

static void *call_and_stay(void *argument)
{
	struct neighbour *neighbour = argument;

	neighbour->result = vm_gate(&neighbour->vm, IMAGE_WAIT, MEMORY_GVA, 0);
	return NULL;
}

static void *let_go(void *argument)
{
	struct neighbour *neighbour = argument;

	usleep(30000);
	neighbour->host->memory[1] = 7;
	return NULL;
}

/* One VM takes memory back while a vCPU of another is inside: that one is waited for, unharmed. */
const char *case_two_vms(void)
{
	struct elisa_vm_attach attach;
	struct neighbour neighbour;
	struct setup setup;
	pthread_t inside, releaser;
	int vm_fd, port_fd;

	setup_hello(&setup);
	neighbour.host = &setup.host;
	vm_create(&neighbour.vm);
	vm_fd = host_attach(&setup.host, neighbour.vm.fd, &attach);
	CHECK(vm_fd >= 0 && attach.first_vcpu == 1, "attach: %d, vCPU %u", errno,
	      attach.first_vcpu);
	port_fd = host_port_add(vm_fd, 1, "p0");
	CHECK(port_fd >= 0 && hello(&neighbour.vm) == 0, "the neighbour's hello");
	CHECK(vm_gate(&neighbour.vm, IMAGE_LOAD, ELISA_GVA(ELISA_OFFSET_IDENTITY) + 16, 0) == 2,
	      "the neighbour's ports");
	CHECK(region_call(&setup.vm, ELISA_HC_REGISTER, GUEST_REGION, HUGE, 0) == 0, "register");
	if (pthread_create(&inside, NULL, call_and_stay, &neighbour))
		die("pthread_create");
	while (!*(volatile uint64_t *)setup.host.memory)
		usleep(1000);
	if (pthread_create(&releaser, NULL, let_go, &neighbour))
		die("pthread_create");
	CHECK(region_call(&setup.vm, ELISA_HC_UNREGISTER, GUEST_REGION, HUGE, 0) == 0,
	      "unregister");
	CHECK(setup.host.memory[1] == 7, "it did not wait for the neighbour");
	pthread_join(inside, NULL);
	pthread_join(releaser, NULL);
	CHECK(neighbour.result == 7, "the neighbour's call: %lld", (long long)neighbour.result);
	CHECK(host_stats(vm_fd).recoveries == 0, "the neighbour was thrown out");
	CHECK(host_info(&setup.host).nb_vms == 2, "%u VMs", host_info(&setup.host).nb_vms);
	CHECK(host_prove(&setup.host) == 0, "a proof");
	close(port_fd);
	close(vm_fd);
	vm_destroy(&neighbour.vm);
	return setup_end(&setup);
}

static bool unload_is_refused(void)
{
	return syscall(SYS_delete_module, "elisa", O_NONBLOCK) == -1 && errno == EWOULDBLOCK;
}

/* Also when all descriptors are closed: the VM's vCPU still has the module's list in its VMCS. */
const char *case_unload_refused(void)
{
	struct setup setup;

	setup_hello(&setup);
	CHECK(unload_is_refused(), "with a VM attached: %d", errno);
	close(setup.port_fd);
	close(setup.vm_fd);
	close(setup.host.domain);
	close(setup.host.device);
	CHECK(unload_is_refused(), "with a VM that was attached: %d", errno);
	CHECK(vm_gate(&setup.vm, IMAGE_NOTHING, 0, 0) == -ENODEV, "the gate");
	vm_destroy(&setup.vm);
	return NULL;
}
