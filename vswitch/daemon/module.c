// SPDX-License-Identifier: BSD-3-Clause
/* module.c - see module.h. Wrapping of system calls and nothing else: no policy, no state. */
#include "module.h"

#include <elisa/version.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* All calls of the module can be made again after a signal: they did nothing yet. */
static int call(int object, unsigned long request, void *argument)
{
	int result;

	do {
		result = ioctl(object, request, argument);
	} while (result < 0 && errno == EINTR);
	return result < 0 ? -errno : result;
}

int elisa_module_open(void)
{
	int fd = open("/dev/elisa", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int elisa_module_info(int module, struct elisa_info *info)
{
	info->version = ELISA_UAPI_VERSION;
	return call(module, ELISA_IOC_INFO, info);
}

int elisa_module_domain_create(int module, const char *name)
{
	struct elisa_domain_create create = {.version = ELISA_UAPI_VERSION};
	size_t length = strnlen(name, sizeof(create.name));
	int domain, result;

	if (length == sizeof(create.name))
		return -EINVAL;
	memcpy(create.name, name, length);
	domain = call(module, ELISA_IOC_DOMAIN_CREATE, &create);
	if (domain < 0)
		return domain;
	if (fcntl(domain, F_SETFL, O_NONBLOCK) < 0) {
		result = -errno;
		close(domain);
		return result;
	}
	return domain;
}

int elisa_module_domain_adopt(int module, int domain)
{
	struct elisa_domain_adopt adopt = {.version = ELISA_UAPI_VERSION, .domain_fd = domain};

	return call(module, ELISA_IOC_DOMAIN_ADOPT, &adopt);
}

int elisa_module_domain_map(int domain, struct elisa_domain_map *map)
{
	map->version = ELISA_UAPI_VERSION;
	return call(domain, ELISA_IOC_DOMAIN_MAP, map);
}

static int unmap(int domain, uint32_t flags, uint64_t offset, uint64_t length)
{
	struct elisa_domain_unmap argument = {
		.version = ELISA_UAPI_VERSION,
		.flags = flags,
		.offset = offset,
		.length = length,
	};

	return call(domain, ELISA_IOC_DOMAIN_UNMAP, &argument);
}

int elisa_module_domain_unmap(int domain, uint64_t offset, uint64_t length)
{
	return unmap(domain, 0, offset, length);
}

int elisa_module_domain_unmap_all(int domain, uint64_t offset, uint64_t length)
{
	return unmap(domain, ELISA_UNMAP_ALL, offset, length);
}

int elisa_module_domain_cmpxchg64(int domain, struct elisa_domain_cmpxchg64 *exchange)
{
	exchange->version = ELISA_UAPI_VERSION;
	return call(domain, ELISA_IOC_DOMAIN_CMPXCHG64, exchange);
}

int elisa_module_domain_vcpu_reopen(int domain, uint32_t vcpu)
{
	struct elisa_domain_vcpu_reopen reopen = {.version = ELISA_UAPI_VERSION, .vcpu = vcpu};

	return call(domain, ELISA_IOC_DOMAIN_VCPU_REOPEN, &reopen);
}

int elisa_module_domain_vcpu_evict(int domain, uint32_t vcpu)
{
	struct elisa_domain_vcpu_evict evict = {.version = ELISA_UAPI_VERSION, .vcpu = vcpu};

	return call(domain, ELISA_IOC_DOMAIN_VCPU_EVICT, &evict);
}

int elisa_module_domain_prove(int domain, struct elisa_domain_prove *proof)
{
	proof->version = ELISA_UAPI_VERSION;
	return call(domain, ELISA_IOC_DOMAIN_PROVE, proof);
}

int elisa_module_domain_event(int domain, struct elisa_event *event)
{
	ssize_t size;

	do {
		size = read(domain, event, sizeof(*event));
	} while (size < 0 && errno == EINTR);
	if (size < 0)
		return -errno;
	return size == sizeof(*event) ? 0 : -EIO;
}

int elisa_module_vm_attach(int domain, struct elisa_vm_attach *attach)
{
	attach->version = ELISA_UAPI_VERSION;
	return call(domain, ELISA_IOC_VM_ATTACH, attach);
}

int elisa_module_vm_vcpu_stats(int vm, struct elisa_vcpu_stats *stats)
{
	stats->version = ELISA_UAPI_VERSION;
	return call(vm, ELISA_IOC_VM_VCPU_STATS, stats);
}

int elisa_module_port_add(int vm, struct elisa_port_add *add)
{
	add->version = ELISA_UAPI_VERSION;
	return call(vm, ELISA_IOC_PORT_ADD, add);
}

int elisa_module_port_state(int port, struct elisa_port_state *state)
{
	state->version = ELISA_UAPI_VERSION;
	return call(port, ELISA_IOC_PORT_STATE, state);
}

/* What it could fail of, closing it does as well: another process has it, or it was revoked before. */
void elisa_module_revoke(int object)
{
	struct elisa_revoke revoke = {.version = ELISA_UAPI_VERSION};

	call(object, ELISA_IOC_REVOKE, &revoke);
}

void elisa_module_close(int object)
{
	close(object);
}
