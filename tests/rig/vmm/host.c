// SPDX-License-Identifier: BSD-3-Clause
/* host.c - the test's side of /dev/elisa. Used by the cases in elisa-vmm.c. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm.h"

extern const char image_begin[], image_end[];

int host_map(struct host *host, const volatile void *address, uint64_t length, uint64_t offset,
	     uint32_t access)
{
	struct elisa_domain_map argument = {
		.version = ELISA_UAPI_VERSION,
		.access = access,
		.address = (uintptr_t)address,
		.length = length,
		.offset = offset,
	};

	return ioctl(host->domain, ELISA_IOC_DOMAIN_MAP, &argument) ? errno : 0;
}

int host_unmap(struct host *host, uint64_t offset, uint64_t length)
{
	struct elisa_domain_unmap argument = {
		.version = ELISA_UAPI_VERSION,
		.offset = offset,
		.length = length,
	};

	return ioctl(host->domain, ELISA_IOC_DOMAIN_UNMAP, &argument) ? errno : 0;
}

static void *anonymous_pages(uint64_t length, int flags)
{
	void *page = mmap(NULL, length, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		die("mmap");
	return page;
}

void host_open(struct host *host)
{
	host_open_with(host, 4096);
}

void host_open_with(struct host *host, uint64_t length)
{
	struct elisa_domain_create create = {.version = ELISA_UAPI_VERSION, .name = "test"};
	void *image = anonymous_pages(4096, MAP_PRIVATE);

	host->device = open("/dev/elisa", O_RDWR | O_CLOEXEC);
	if (host->device < 0)
		die("/dev/elisa");
	host->domain = ioctl(host->device, ELISA_IOC_DOMAIN_CREATE, &create);
	if (host->domain < 0)
		die("DOMAIN_CREATE");
	memcpy(image, image_begin, image_end - image_begin);
	if (host_map(host, image, image_end - image_begin, ELISA_OFFSET_TEXT, ELISA_MAP_EXECUTE))
		die("DOMAIN_MAP of the image");
	munmap(image, 4096);
	host->memory = anonymous_pages(length, MAP_SHARED);
	host->length = length;
	if (host_map(host, host->memory, length, ELISA_OFFSET_SWITCH, ELISA_MAP_WRITE))
		die("DOMAIN_MAP of memory");
}

void host_close(struct host *host)
{
	close(host->domain);
	close(host->device);
	munmap(host->memory, host->length);
}

int host_attach(struct host *host, int kvm_fd, struct elisa_vm_attach *argument)
{
	*argument = (struct elisa_vm_attach){
		.version = ELISA_UAPI_VERSION,
		.flags = ELISA_ATTACH_ACCEPT_SIDE_CHANNELS,
		.kvm_fd = kvm_fd,
	};
	return ioctl(host->domain, ELISA_IOC_VM_ATTACH, argument);
}

int host_port_add(int vm_fd, uint32_t number, const char *name)
{
	struct elisa_port_add argument = {
		.version = ELISA_UAPI_VERSION,
		.port = number,
		.max_mtu = 1500,
		.max_queues = 1,
		.max_ring = 1024,
		.mac = {2, 0, 0, 0, 0, (uint8_t)number},
	};

	strncpy(argument.name, name, sizeof(argument.name) - 1);
	return ioctl(vm_fd, ELISA_IOC_PORT_ADD, &argument);
}

struct elisa_info host_info(struct host *host)
{
	struct elisa_info info = {.version = ELISA_UAPI_VERSION};

	if (ioctl(host->device, ELISA_IOC_INFO, &info))
		die("INFO");
	return info;
}

struct elisa_vcpu_stats host_stats(int vm_fd)
{
	struct elisa_vcpu_stats stats = {.version = ELISA_UAPI_VERSION};

	if (ioctl(vm_fd, ELISA_IOC_VM_VCPU_STATS, &stats))
		die("VM_VCPU_STATS");
	return stats;
}

int host_stats_error(int vm_fd)
{
	struct elisa_vcpu_stats stats = {.version = ELISA_UAPI_VERSION};

	return ioctl(vm_fd, ELISA_IOC_VM_VCPU_STATS, &stats) ? errno : 0;
}

int host_reopen(struct host *host, uint32_t vcpu)
{
	struct elisa_domain_vcpu_reopen reopen = {.version = ELISA_UAPI_VERSION, .vcpu = vcpu};

	return ioctl(host->domain, ELISA_IOC_DOMAIN_VCPU_REOPEN, &reopen);
}

int host_evict(struct host *host, uint32_t vcpu)
{
	struct elisa_domain_vcpu_evict evict = {.version = ELISA_UAPI_VERSION, .vcpu = vcpu};

	return ioctl(host->domain, ELISA_IOC_DOMAIN_VCPU_EVICT, &evict) ? errno : 0;
}

uint32_t host_prove(struct host *host)
{
	struct elisa_domain_prove prove = {.version = ELISA_UAPI_VERSION};

	if (ioctl(host->domain, ELISA_IOC_DOMAIN_PROVE, &prove) && errno != EUCLEAN)
		die("DOMAIN_PROVE");
	return prove.entries ? prove.invariant : UINT32_MAX;
}

struct elisa_event host_event(struct host *host)
{
	struct pollfd poll_domain = {.fd = host->domain, .events = POLLIN};
	struct elisa_event event = {0};

	if (poll(&poll_domain, 1, 1000) == 1 &&
	    read(host->domain, &event, sizeof(event)) != sizeof(event))
		die("read of an event");
	return event;
}

bool host_offers_vmcall(void)
{
	int fd = open("/sys/module/elisa/parameters/vmcall_gate", O_RDONLY | O_CLOEXEC);
	char value;

	if (fd < 0 || read(fd, &value, 1) != 1)
		die("parameter vmcall_gate");
	close(fd);
	return value == 'Y';
}
