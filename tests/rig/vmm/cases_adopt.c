// SPDX-License-Identifier: BSD-3-Clause
/* cases_adopt.c - a domain whose owner ends while others hold its descriptors, and revoking one that is held. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cases.h"

#define HUGE ELISA_HUGE_PAGE_SIZE

static int host_adopt(int device, int domain)
{
	struct elisa_domain_adopt argument = {
		.version = ELISA_UAPI_VERSION,
		.domain_fd = domain,
	};

	return ioctl(device, ELISA_IOC_DOMAIN_ADOPT, &argument) ? errno : 0;
}

static int port_state(int port_fd, struct elisa_port_state *state)
{
	*state = (struct elisa_port_state){.version = ELISA_UAPI_VERSION};
	return ioctl(port_fd, ELISA_IOC_PORT_STATE, state) ? errno : 0;
}

static int host_revoke(int object)
{
	struct elisa_revoke argument = {.version = ELISA_UAPI_VERSION};

	return ioctl(object, ELISA_IOC_REVOKE, &argument) ? errno : 0;
}

/* What another process hears that has the descriptors and /dev/elisa. */
static int in_another_process(int (*ask)(int, int), int first, int second)
{
	int status;
	pid_t child = fork();

	if (!child)
		_exit(ask(first, second));
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		die("another process");
	return WEXITSTATUS(status);
}

static int ask_state(int port_fd, int unused)
{
	struct elisa_port_state state;

	(void)unused;
	return port_state(port_fd, &state);
}

/* The first owner: makes all, hands it over, and stays until it is killed. */
static void own(int socket_fd, int kvm_fd)
{
	struct elisa_vm_attach attach;
	struct host host;
	int vm_fd;

	host_open(&host);
	vm_fd = host_attach(&host, kvm_fd, &attach);
	send_descriptor(socket_fd, host.domain);
	send_descriptor(socket_fd, vm_fd);
	send_descriptor(socket_fd, host_port_add(vm_fd, 0, "p0"));
	for (;;)
		pause();
}

/* A setup as others have it, but that another process owns, which is returned. */
static pid_t set_up_owned(struct setup *setup)
{
	int sockets[2];
	pid_t owner;

	vm_create(&setup->vm);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		die("socketpair");
	owner = fork();
	if (!owner)
		own(sockets[1], setup->vm.fd);
	setup->host = (struct host){
		.device = open("/dev/elisa", O_RDWR | O_CLOEXEC),
		.domain = receive_descriptor(sockets[0]),
	};
	setup->vm_fd = receive_descriptor(sockets[0]);
	setup->port_fd = receive_descriptor(sockets[0]);
	close(sockets[0]);
	close(sockets[1]);
	if (setup->host.device < 0)
		die("/dev/elisa");
	return owner;
}

static const char *owner_lives(struct setup *setup)
{
	struct elisa_domain_adopt bad = {
		.version = ELISA_UAPI_VERSION,
		.flags = 1,
		.domain_fd = setup->host.domain,
	};
	struct elisa_port_state state;

	CHECK(host_adopt(setup->host.device, setup->host.domain) == EBUSY, "%d", errno);
	CHECK(host_adopt(setup->host.device, setup->vm_fd) == EBADF, "a vm: %d", errno);
	CHECK(host_adopt(setup->host.device, -1) == EBADF, "no descriptor: %d", errno);
	CHECK(host_adopt(setup->host.domain, setup->host.domain) == EPERM, "without /dev/elisa: %d",
	      errno);
	CHECK(ioctl(setup->host.device, ELISA_IOC_DOMAIN_ADOPT, &bad) && errno == EINVAL,
	      "flags: %d", errno);
	CHECK(port_state(setup->port_fd, &state) == EPERM, "%d", errno);
	CHECK(host_revoke(setup->port_fd) == EPERM && host_revoke(setup->vm_fd) == EPERM &&
		      host_revoke(setup->host.domain) == EPERM,
	      "%d", errno);
	return NULL;
}

/* Somebody maps what its next owner knows nothing of. */
static const char *unmap_all(struct host *host)
{
	uint64_t before = host_info(host).pinned_pages;
	uint64_t *pages =
		mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct elisa_domain_unmap all = {
		.version = ELISA_UAPI_VERSION,
		.flags = ELISA_UNMAP_ALL,
		.offset = ELISA_OFFSET_CAPTURE,
		.length = ELISA_CAPTURE_MAX,
	};

	CHECK(host_map(host, pages, 4096, ELISA_OFFSET_CAPTURE, ELISA_MAP_WRITE) == 0, "%d", errno);
	CHECK(host_map(host, pages + 512, 8192, ELISA_OFFSET_CAPTURE + 0x10000, ELISA_MAP_WRITE) ==
		      0,
	      "%d", errno);
	CHECK(host_unmap(host, ELISA_OFFSET_CAPTURE, 8192) == ENOENT, "a range that nobody mapped");
	CHECK(ioctl(host->domain, ELISA_IOC_DOMAIN_UNMAP, &all) == 0, "%d", errno);
	CHECK(host_info(host).pinned_pages == before, "still pinned");
	CHECK(ioctl(host->domain, ELISA_IOC_DOMAIN_UNMAP, &all) == 0, "nothing there: %d", errno);
	munmap(pages, 3 * 4096);
	return NULL;
}

const char *case_adopt(void)
{
	struct elisa_port_state state;
	struct setup setup;
	const char *reason;
	pid_t owner = set_up_owned(&setup);

	CHECK(hello(&setup.vm) == 0, "hello");
	CHECK(region_call(&setup.vm, ELISA_HC_REGISTER, GUEST_REGION, HUGE, 0) == 0, "register");
	reason = owner_lives(&setup);
	kill(owner, SIGKILL);
	waitpid(owner, NULL, 0);
	if (reason)
		return reason;
	CHECK(vm_gate(&setup.vm, IMAGE_SUM, 1, 2) == 3, "a call without an owner");
	CHECK(port_state(setup.port_fd, &state) == EPERM, "before it was adopted: %d", errno);
	CHECK(host_adopt(setup.host.device, setup.host.domain) == 0, "adopt: %d", errno);
	CHECK(host_adopt(setup.host.device, setup.host.domain) == 0, "adopt again: %d", errno);
	CHECK(in_another_process(host_adopt, setup.host.device, setup.host.domain) == EBUSY,
	      "another process took it");
	CHECK(in_another_process(ask_state, setup.port_fd, 0) == EPERM, "another process asks");
	CHECK(port_state(setup.port_fd, &state) == 0 && state.claimed == 1 &&
		      state.pinned_pages == 512,
	      "error %d, claimed %u", errno, state.claimed);
	CHECK(vm_gate(&setup.vm, IMAGE_SUM, 3, 4) == 7, "a call afterwards");
	CHECK(host_prove(&setup.host) == 0, "an invariant");
	reason = unmap_all(&setup.host);
	if (reason)
		return reason;
	close(setup.port_fd);
	close(setup.vm_fd);
	close(setup.host.domain);
	CHECK(vm_gate(&setup.vm, IMAGE_SUM, 1, 2) == -ENODEV, "a call after the end");
	CHECK(host_info(&setup.host).nb_vms == 0 && host_info(&setup.host).pinned_pages == 0,
	      "%llu pages", (unsigned long long)host_info(&setup.host).pinned_pages);
	close(setup.host.device);
	vm_destroy(&setup.vm);
	return NULL;
}

/* Somebody else holds a descriptor of each: they go all the same. */
const char *case_revoke(void)
{
	struct elisa_port_state state;
	struct setup setup;
	struct host again;
	int port, vm, domain;

	setup_hello(&setup);
	port = dup(setup.port_fd);
	vm = dup(setup.vm_fd);
	domain = dup(setup.host.domain);
	CHECK(region_call(&setup.vm, ELISA_HC_REGISTER, GUEST_REGION, HUGE, 0) == 0, "register");
	CHECK(host_revoke(port) == 0, "port: %d", errno);
	CHECK(host_revoke(port) == ENODEV && port_state(port, &state) == ENODEV, "port again: %d",
	      errno);
	CHECK(host_info(&setup.host).pinned_pages == setup.before.pinned_pages, "still pinned");
	setup.port_fd = host_port_add(setup.vm_fd, 0, "p0");
	CHECK(setup.port_fd >= 0 && hello(&setup.vm) == 0, "its number and name: %d", errno);
	close(port);
	CHECK(vm_gate(&setup.vm, IMAGE_SUM, 1, 2) == 3, "the next port");
	CHECK(host_revoke(vm) == 0 && host_revoke(vm) == ENODEV, "vm: %d", errno);
	CHECK(host_stats_error(vm) == ENODEV && host_info(&setup.host).nb_vms == 0, "the vm lives");
	CHECK(vm_gate(&setup.vm, IMAGE_SUM, 1, 2) == -ENODEV, "a call after that");
	CHECK(host_revoke(domain) == 0 && host_revoke(domain) == ENODEV, "domain: %d", errno);
	CHECK(host_adopt(setup.host.device, domain) == ENODEV, "adopt: %d", errno);
	CHECK(host_info(&setup.host).pinned_pages == 0, "still pinned");
	host_open(&again); /* under the same name */
	host_close(&again);
	close(vm);
	close(domain);
	setup.before.pinned_pages = 0;
	return setup_end(&setup);
}
