// SPDX-License-Identifier: BSD-3-Clause
/* domain.c - see domain.h. */
#include "domain.h"

#include "host_check.h"
#include "image.h"
#include "log.h"
#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t whole_pages(uint64_t bytes)
{
	return (bytes + ELISA_PAGE_SIZE - 1) & ~(ELISA_PAGE_SIZE - 1);
}

/* The module pins what it maps and counts it; guests' memory counts for their VMMs, not here. */
static void raise_memlock(uint64_t needed)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	if (!setrlimit(RLIMIT_MEMLOCK, &limit))
		return;
	if (getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_cur >= needed)
		return;
	elisa_log(ELISA_LOG_WARNING,
		  "RLIMIT_MEMLOCK is %llu KiB and the switch needs %llu KiB: raise it (systemd: "
		  "LimitMEMLOCK=infinity) if the start fails",
		  (unsigned long long)limit.rlim_cur / 1024, (unsigned long long)needed / 1024);
}

static void *allocate(uint64_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Behind a descriptor, so that the next daemon can have it too; nobody can cut it off. */
static void *allocate_shared(uint64_t size, int *fd)
{
	void *memory = MAP_FAILED;

	*fd = memfd_create("elisa-switch", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd >= 0 && !ftruncate(*fd, (off_t)size) &&
	    !fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

static int map(struct elisa_domain *domain, const void *memory, uint64_t length, uint64_t offset,
	       uint32_t access, struct elisa_failure *failure)
{
	struct elisa_domain_map request = {
		.access = access,
		.address = (uintptr_t)memory,
		.length = length,
		.offset = offset,
	};
	int result = elisa_module_domain_map(domain->fd, &request);

	if (!result)
		return 0;
	if (result == -ENOMEM)
		return elisa_fail(failure, result,
				  "%llu KiB of the switch cannot be pinned: free memory, raise "
				  "RLIMIT_MEMLOCK (systemd: LimitMEMLOCK=infinity), or give a "
				  "smaller --fdb-size",
				  (unsigned long long)length / 1024);
	return elisa_fail(failure, result,
			  "the module does not map the switch (offset 0x%llx, %llu bytes): %s; "
			  "install the same version of the module and of elisa-switchd",
			  (unsigned long long)offset, (unsigned long long)length,
			  strerror(-result));
}

/* Puts the image's two parts, each at a page boundary, into memory that stays while it is mapped. */
static int load_code(struct elisa_domain *domain, const struct elisa_image *image,
		     struct elisa_failure *failure)
{
	uint64_t text_size = whole_pages(image->text_size);
	uint64_t rodata_size = whole_pages(image->rodata_size);
	uint8_t *code = allocate(text_size + rodata_size);
	int result;

	if (!code)
		return elisa_fail(failure, -ENOMEM, "no memory for the trusted image; free some");
	domain->code = code;
	domain->code_size = text_size + rodata_size;
	memset(code, 0xcc, text_size); /* what is left of the last page traps */
	memcpy(code, image->text, image->text_size);
	memcpy(code + text_size, image->rodata, image->rodata_size);
	result = map(domain, code, text_size, ELISA_OFFSET_TEXT, ELISA_MAP_EXECUTE, failure);
	if (result)
		return result;
	return map(domain, code + text_size, rodata_size, ELISA_OFFSET_RODATA, ELISA_MAP_READ,
		   failure);
}

/* *memory is the descriptor of the switch's memory, the caller's in any case; -1: none. */
static int make_switch(struct elisa_domain *domain, const struct elisa_options *options,
		       int *memory, struct elisa_failure *failure)
{
	struct elisa_switch_params params = {
		.fdb_capacity = options->fdb_capacity,
		.age_ticks = options->age_ticks,
	};
	int result;

	domain->switch_size = elisa_switch_size(options->fdb_capacity);
	domain->sw = allocate_shared(domain->switch_size, memory);
	if (!domain->sw)
		return elisa_fail(failure, -ENOMEM,
				  "no memory for a switch of %llu KiB; free some or give a smaller "
				  "--fdb-size",
				  (unsigned long long)domain->switch_size / 1024);
	if (getrandom(&params.seed, sizeof(params.seed), 0) != sizeof(params.seed))
		return elisa_fail(failure, -EIO, "no random numbers from the kernel; try again");
	result = elisa_switch_init(domain->sw, domain->switch_size, &params);
	if (result)
		return elisa_fail(failure, result,
				  "the switch cannot be made: %s; give another --fdb-size",
				  strerror(-result));
	return map(domain, domain->sw, domain->switch_size, ELISA_OFFSET_SWITCH, ELISA_MAP_WRITE,
		   failure);
}

static int create(struct elisa_domain *domain, const char *name, struct elisa_failure *failure)
{
	domain->fd = elisa_module_domain_create(domain->module, name);
	if (domain->fd >= 0)
		return 0;
	if (domain->fd == -EEXIST)
		return elisa_fail(failure, -EEXIST,
				  "switch %s is already run by another elisa-switchd on this host; "
				  "stop that one or give another --switch",
				  name);
	return elisa_fail(failure, domain->fd,
			  "the module does not make switch %s: %s; look for its messages in the "
			  "kernel's log (dmesg)",
			  name, strerror(-domain->fd));
}

static void keep(const struct elisa_domain *domain, const struct elisa_options *options,
		 const struct elisa_image *image, int memory)
{
	struct elisa_domain_record record = {
		.image = image->header,
		.text_size = image->text_size,
		.rodata_size = image->rodata_size,
		.fdb_capacity = options->fdb_capacity,
		.age_ticks = options->age_ticks,
	};

	memcpy(record.switch_name, options->switch_name, sizeof(record.switch_name));
	elisa_store_keep(ELISA_KEPT_DOMAIN, 0, &record, sizeof(record), memory, domain->fd);
}

static int build(struct elisa_domain *domain, const struct elisa_options *options,
		 const struct elisa_image *image, struct elisa_failure *failure)
{
	int memory = -1, result;

	raise_memlock(elisa_switch_size(options->fdb_capacity) + ELISA_TEXT_MAX + ELISA_RODATA_MAX);
	domain->module = elisa_host_check(options->accept_side_channels, &domain->info, failure);
	if (domain->module < 0)
		return domain->module;
	result = create(domain, options->switch_name, failure);
	if (!result)
		result = load_code(domain, image, failure);
	if (!result)
		result = make_switch(domain, options, &memory, failure);
	if (!result)
		keep(domain, options, image, memory);
	if (memory >= 0)
		close(memory);
	return result;
}

int elisa_domain_open(struct elisa_domain *domain, const struct elisa_options *options,
		      struct elisa_failure *failure)
{
	struct elisa_image image;
	int result;

	*domain = (struct elisa_domain){.module = -1, .fd = -1};
	result = elisa_image_load(options->image, &image, failure);
	if (result)
		return result;
	memcpy(domain->image_version, image.header.version, sizeof(domain->image_version));
	result = build(domain, options, &image, failure);
	elisa_image_free(&image);
	if (result)
		elisa_domain_close(domain);
	return result;
}

/* The domain goes first: until then vCPUs and the module use the memory. */
void elisa_domain_close(struct elisa_domain *domain)
{
	if (domain->fd >= 0) {
		elisa_module_revoke(domain->fd);
		elisa_store_drop(ELISA_KEPT_DOMAIN, 0);
	}
	elisa_domain_leave(domain);
}

void elisa_domain_leave(struct elisa_domain *domain)
{
	if (domain->fd >= 0)
		elisa_module_close(domain->fd);
	if (domain->sw)
		munmap(domain->sw, domain->switch_size);
	if (domain->code)
		munmap(domain->code, domain->code_size);
	if (domain->module >= 0)
		elisa_module_close(domain->module);
	*domain = (struct elisa_domain){.module = -1, .fd = -1};
}

static int exchange(void *context, const struct elisa_ring_word *word, uint64_t expected,
		    uint64_t desired, uint64_t *seen)
{
	struct elisa_domain *domain = context;
	struct elisa_domain_cmpxchg64 request = {
		.port = word->port,
		.queue = word->queue,
		.epoch = word->epoch,
		.offset = word->address - ELISA_WINDOW_GVA,
		.expected = expected,
		.desired = desired,
	};
	int result = elisa_module_domain_cmpxchg64(domain->fd, &request);

	*seen = request.seen;
	return result;
}

void elisa_domain_finish_vcpu(struct elisa_domain *domain, uint32_t vcpu)
{
	int slots = elisa_switch_vcpu_finish(domain->sw, vcpu, exchange, domain);

	if (slots > 0)
		elisa_log(ELISA_LOG_WARNING,
			  "vCPU %u was lost while it sent: %d receive slots went back to their "
			  "receiver without data (counted as sender-lost)",
			  vcpu, slots);
	else if (slots < 0)
		elisa_log(ELISA_LOG_ERROR,
			  "the module told of vCPU %u, which there cannot be; install the same "
			  "version of the module and of elisa-switchd",
			  vcpu);
}
