// SPDX-License-Identifier: BSD-3-Clause
/* cases_locks.c - who waits for whom: what takes long for one VM holds up neither the daemon nor others. */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cases.h"

#define PAGE 4096
#define GUEST_SMALL_TABLE (GUEST_TABLES + 0x8000)
#define MEMORY_GVA ELISA_GVA(ELISA_OFFSET_SWITCH)
#define SHORTLY 300000 /* microseconds */

/* The page table of GUEST_SMALL_PAGES is not there until serve(): who looks for a page meanwhile waits. */
struct slow_page {
	int fd;
	uint8_t *page;
	uint8_t contents[PAGE];
};

static void make_slow(struct slow_page *slow, const struct vm *vm)
{
	uint8_t *page = vm->memory + GUEST_SMALL_TABLE;
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {
		.range = {.start = (uintptr_t)page, .len = PAGE},
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	slow->page = page;
	memcpy(slow->contents, page, PAGE);
	slow->fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (slow->fd < 0 || ioctl(slow->fd, UFFDIO_API, &api) ||
	    madvise(page, PAGE, MADV_DONTNEED) || ioctl(slow->fd, UFFDIO_REGISTER, &range))
		die("userfaultfd");
}

static bool is_waited_for(const struct slow_page *slow)
{
	struct pollfd poll_fd = {.fd = slow->fd, .events = POLLIN};

	return poll(&poll_fd, 1, 5000) == 1;
}

static void serve(struct slow_page *slow)
{
	struct uffdio_copy copy = {
		.dst = (uintptr_t)slow->page, .src = (uintptr_t)slow->contents, .len = PAGE};

	if (ioctl(slow->fd, UFFDIO_COPY, &copy))
		die("UFFDIO_COPY");
	close(slow->fd);
}

/* A call in a thread of its own, and whether it has come back. */
struct call {
	struct vm *vm;
	int fd;
	int64_t result;
	volatile bool done;
	pthread_t thread;
};

static void begin(struct call *call, void *(*function)(void *))
{
	call->done = false;
	if (pthread_create(&call->thread, NULL, function, call))
		die("pthread_create");
}

static bool is_done_shortly(const struct call *call)
{
	int waited;

	for (waited = 0; !call->done && waited < SHORTLY; waited += 1000)
		usleep(1000);
	return call->done;
}

static void *register_page(void *argument)
{
	struct call *call = argument;

	call->result = region_call(call->vm, ELISA_HC_REGISTER, GUEST_SMALL_PAGES, PAGE, 0);
	call->done = true;
	return NULL;
}

static void *ask_state(void *argument)
{
	struct elisa_port_state state = {.version = ELISA_UAPI_VERSION};
	struct call *call = argument;

	call->result = ioctl(call->fd, ELISA_IOC_PORT_STATE, &state);
	call->done = true;
	return NULL;
}

static void *close_port(void *argument)
{
	struct call *call = argument;

	close(call->fd);
	call->done = true;
	return NULL;
}

/* Memory that takes long to pin is its own VM's business. */
const char *case_register_slowly(void)
{
	struct slow_page slow;
	struct setup setup;
	struct call pin = {.vm = &setup.vm}, ask;
	bool waited;

	setup_hello(&setup);
	make_slow(&slow, &setup.vm);
	begin(&pin, register_page);
	CHECK(is_waited_for(&slow), "nobody looks for the page: %lld", (long long)pin.result);
	ask.fd = setup.port_fd;
	begin(&ask, ask_state);
	waited = !is_done_shortly(&ask);
	CHECK(!pin.done, "it did not wait for the table");
	serve(&slow);
	pthread_join(pin.thread, NULL);
	pthread_join(ask.thread, NULL);
	CHECK(!waited && ask.result == 0, "the daemon's call waited, %lld", (long long)ask.result);
	CHECK(pin.result == 0, "register: %lld", (long long)pin.result);
	CHECK(region_call(&setup.vm, ELISA_HC_UNREGISTER, GUEST_SMALL_PAGES, PAGE, 0) == 0,
	      "unregister");
	return setup_end(&setup);
}

/* The port was taken back while its process's memory was pinned. */
const char *case_register_too_late(void)
{
	struct elisa_revoke revoke = {.version = ELISA_UAPI_VERSION};
	struct slow_page slow;
	struct setup setup;
	struct call pin = {.vm = &setup.vm};

	setup_hello(&setup);
	make_slow(&slow, &setup.vm);
	begin(&pin, register_page);
	CHECK(is_waited_for(&slow), "nobody looks for the page: %lld", (long long)pin.result);
	CHECK(ioctl(setup.vm_fd, ELISA_IOC_REVOKE, &revoke) == 0, "revoke: %d", errno);
	CHECK(!pin.done, "it did not wait for the table");
	serve(&slow);
	pthread_join(pin.thread, NULL);
	CHECK(pin.result == -EACCES, "register: %lld", (long long)pin.result);
	CHECK(host_info(&setup.host).pinned_pages == setup.before.pinned_pages, "still pinned");
	return setup_end(&setup);
}

/* Two vCPUs of a process register the same: one of them has it. */
const char *case_register_twice(void)
{
	struct slow_page slow;
	struct setup setup;
	struct vm second;
	struct call pins[2] = {{.vm = &setup.vm}, {.vm = &second}};
	int i;

	host_open(&setup.host);
	setup.before = host_info(&setup.host);
	vm_create(&setup.vm);
	vm_add_vcpu(&setup.vm, &second);
	setup.vm_fd = host_attach(&setup.host, setup.vm.fd, &setup.attach);
	CHECK(setup.vm_fd >= 0 && setup.attach.nb_vcpus == 2, "attach: %d", errno);
	setup.port_fd = host_port_add(setup.vm_fd, 0, "p0");
	CHECK(setup.port_fd >= 0 && hello(&setup.vm) == 0, "hello");
	make_slow(&slow, &setup.vm);
	begin(&pins[0], register_page);
	CHECK(is_waited_for(&slow), "nobody looks for the page: %lld", (long long)pins[0].result);
	begin(&pins[1], register_page);
	CHECK(!is_done_shortly(&pins[1]), "the second is through: %lld", (long long)pins[1].result);
	serve(&slow);
	for (i = 0; i < 2; i++)
		pthread_join(pins[i].thread, NULL);
	CHECK(pins[0].result == 0 && pins[1].result == -EEXIST, "%lld and %lld",
	      (long long)pins[0].result, (long long)pins[1].result);
	CHECK(host_info(&setup.host).pinned_pages == setup.before.pinned_pages + 1, "pinned");
	vm_destroy(&second);
	return setup_end(&setup);
}

static void *wait_inside(void *argument)
{
	struct call *call = argument;

	call->result = vm_gate(call->vm, IMAGE_WAIT, MEMORY_GVA, 0);
	call->done = true;
	return NULL;
}

/* What the daemon does for a vCPU that was thrown out does not wait for a grace period. */
const char *case_finish_meanwhile(void)
{
	struct elisa_domain_cmpxchg64 exchange = {.version = ELISA_UAPI_VERSION};
	struct setup setup;
	struct call stay = {.vm = &setup.vm}, end;
	bool exchanged, asked, reopened;
	uint64_t held;
	int error;

	setup_hello(&setup);
	begin(&stay, wait_inside);
	while (!*(volatile uint64_t *)setup.host.memory)
		usleep(1000);
	end.fd = setup.port_fd;
	begin(&end, close_port);
	setup.port_fd = -1;
	CHECK(!is_done_shortly(&end), "the grace period is over");
	error = ioctl(setup.host.domain, ELISA_IOC_DOMAIN_CMPXCHG64, &exchange) ? errno : 0;
	exchanged = !end.done;
	held = host_stats(setup.vm_fd).held;
	asked = !end.done;
	reopened = host_reopen(&setup.host, setup.attach.first_vcpu) == 0 && !end.done;
	setup.host.memory[1] = 7;
	pthread_join(stay.thread, NULL);
	pthread_join(end.thread, NULL);
	CHECK(error == ESTALE && exchanged, "error %d, waited: %d", error, !exchanged);
	CHECK(asked && !held, "statistics waited, or held: %llu", (unsigned long long)held);
	CHECK(reopened, "reopen waited");
	CHECK(stay.result == 7, "it was thrown out: %lld", (long long)stay.result);
	return setup_end(&setup);
}
