// SPDX-License-Identifier: BSD-3-Clause
/* cases_memory.c - what the daemon maps into the trusted context, and takes back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cases.h"

#define LENGTH 8192
#define HUGE ELISA_HUGE_PAGE_SIZE
#define LOW_MEMORY 0x1000   /* RAM that /dev/mem lets us map */
#define FIRMWARE 0xffffe000 /* a ROM: no RAM, and something to compare */
#define WORD 0xff0          /* in its second page: the CPU's first instruction */

static const uint32_t accesses[] = {ELISA_MAP_READ, ELISA_MAP_WRITE, ELISA_MAP_EXECUTE,
				    ELISA_MAP_DEVICE};

/* The parts of the window, and the accesses they may be mapped for: bits, as in accesses[]. */
static const struct part {
	uint64_t offset, size;
	unsigned int allowed;
	bool any_time;
} parts[] = {
	{ELISA_OFFSET_TEXT, ELISA_TEXT_MAX, 4, false},
	{ELISA_OFFSET_RODATA, ELISA_RODATA_MAX, 1, false},
	{ELISA_OFFSET_SWITCH, ELISA_SWITCH_MAX, 1 | 2, false},
	{ELISA_OFFSET_CAPTURE, ELISA_CAPTURE_MAX, 2, true},
	{ELISA_OFFSET_UPLINK_DEVICES, ELISA_UPLINK_DEVICES_MAX, 8, true},
	{ELISA_OFFSET_UPLINK_MEMORY, ELISA_UPLINK_MEMORY_MAX, 2, true},
	{ELISA_OFFSET_UPLINK_STATE, ELISA_UPLINK_STATE_MAX, 1, true},
};

#define NB_PARTS (sizeof(parts) / sizeof(parts[0]))

static void *pages(uint64_t length, int flags)
{
	void *address = mmap(NULL, length, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS | flags, -1, 0);

	if (address == MAP_FAILED)
		die("mmap");
	return address;
}

/* At the part's end, where host_open() has nothing. */
static const char *check_part(struct setup *setup, const struct part *part, void *memory,
			      bool attached)
{
	uint64_t offset = part->offset + part->size - LENGTH;
	int refusal = attached && !part->any_time ? EBUSY : 0;
	unsigned int i;
	int error, wanted;

	for (i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++) {
		wanted = !(part->allowed & (1u << i))      ? EINVAL
			 : accesses[i] == ELISA_MAP_DEVICE ? EFAULT
							   : refusal;
		error = host_map(&setup->host, memory, LENGTH, offset, accesses[i]);
		CHECK(error == wanted, "offset %#llx, access %u: %d", (unsigned long long)offset,
		      accesses[i], error);
		if (wanted)
			continue;
		error = host_map(&setup->host, memory, LENGTH, offset, accesses[i]);
		CHECK(error == EEXIST, "twice at %#llx: %d", (unsigned long long)offset, error);
		error = host_unmap(&setup->host, offset, LENGTH);
		CHECK(error == (part->any_time ? 0 : ERANGE), "unmap of %#llx: %d",
		      (unsigned long long)offset, error);
		/* It stays. */
		if (!part->any_time)
			refusal = EEXIST;
		else
			CHECK(host_unmap(&setup->host, offset, LENGTH) == ENOENT, "twice");
	}
	error = host_map(&setup->host, memory, LENGTH, offset + 4096, ELISA_MAP_WRITE);
	CHECK(error == ERANGE, "over the end of %#llx: %d", (unsigned long long)part->offset,
	      error);
	return NULL;
}

const char *case_map_parts(void)
{
	void *memory = pages(LENGTH, 0);
	struct setup setup;
	const char *reason;
	size_t i;

	host_open(&setup.host);
	for (i = 0; i < NB_PARTS; i++) {
		reason = check_part(&setup, &parts[i], memory, false);
		if (reason)
			return reason;
	}
	host_close(&setup.host);
	setup_hello(&setup);
	for (i = 0; i < NB_PARTS; i++) {
		reason = check_part(&setup, &parts[i], memory, true);
		if (reason)
			return reason;
	}
	return setup_end(&setup);
}

/* While a VM is attached and its guest goes in and out. */
const char *case_capture(void)
{
	volatile uint64_t *memory = pages(LENGTH, 0);
	struct elisa_domain_cmpxchg64 exchange = {.version = ELISA_UAPI_VERSION,
						  .offset = ELISA_OFFSET_CAPTURE};
	uint64_t gva = ELISA_GVA(ELISA_OFFSET_CAPTURE);
	struct setup setup;
	struct vm *vm = &setup.vm;
	const char *reason;

	setup_hello(&setup);
	reason = expect_thrown_out(&setup, IMAGE_LOAD, gva);
	if (reason)
		return reason;
	memory[0] = 0x1234567;
	CHECK(host_map(&setup.host, memory, LENGTH, ELISA_OFFSET_CAPTURE, ELISA_MAP_WRITE) == 0,
	      "map: %d", errno);
	CHECK(vm_gate(vm, IMAGE_LOAD, gva, 0) == 0x1234567, "load");
	CHECK(vm_gate(vm, IMAGE_STORE, gva + LENGTH - 8, 99) == 0 && memory[LENGTH / 8 - 1] == 99,
	      "store");
	CHECK(host_prove(&setup.host) == 0, "a proof");
	CHECK(host_info(&setup.host).pinned_pages == setup.before.pinned_pages + 2, "pinned");
	CHECK(ioctl(setup.host.domain, ELISA_IOC_DOMAIN_CMPXCHG64, &exchange) == -1 &&
		      errno == ESTALE,
	      "an exchange: %d", errno);
	CHECK(host_unmap(&setup.host, ELISA_OFFSET_CAPTURE, 4096) == ENOENT, "half of it");
	CHECK(host_unmap(&setup.host, ELISA_OFFSET_CAPTURE, LENGTH) == 0, "unmap: %d", errno);
	CHECK(host_info(&setup.host).pinned_pages == setup.before.pinned_pages, "still pinned");
	reason = expect_thrown_out(&setup, IMAGE_LOAD, gva);
	return reason ? reason : setup_end(&setup);
}

static void set_huge_pages(int nb)
{
	FILE *file = fopen("/proc/sys/vm/nr_hugepages", "w");

	if (!file || fprintf(file, "%d\n", nb) < 0 || fclose(file))
		die("nr_hugepages");
}

static uint64_t entries_to_prove(struct host *host)
{
	struct elisa_domain_prove prove = {.version = ELISA_UAPI_VERSION};

	if (ioctl(host->domain, ELISA_IOC_DOMAIN_PROVE, &prove))
		die("DOMAIN_PROVE");
	return prove.entries;
}

/* A huge page is one entry of a table that is there: nothing more to be walked. */
const char *case_huge_page(void)
{
	struct setup setup;
	const char *reason;
	uint64_t *memory;
	uint64_t entries;

	setup_hello(&setup);
	set_huge_pages(1);
	memory = pages(HUGE, MAP_HUGETLB);
	memory[0] = 5;
	memory[HUGE / 8 - 1] = 6;
	entries = entries_to_prove(&setup.host);
	CHECK(host_map(&setup.host, memory, HUGE, ELISA_OFFSET_UPLINK_MEMORY + HUGE,
		       ELISA_MAP_WRITE) == 0,
	      "map: %d", errno);
	CHECK(entries_to_prove(&setup.host) == entries, "%llu entries more",
	      (unsigned long long)(entries_to_prove(&setup.host) - entries));
	CHECK(vm_gate(&setup.vm, IMAGE_LOAD, ELISA_GVA(ELISA_OFFSET_UPLINK_MEMORY) + HUGE, 0) == 5,
	      "first word");
	CHECK(vm_gate(&setup.vm, IMAGE_LOAD, ELISA_GVA(ELISA_OFFSET_UPLINK_MEMORY) + 2 * HUGE - 8,
		      0) == 6,
	      "last word");
	CHECK(host_unmap(&setup.host, ELISA_OFFSET_UPLINK_MEMORY + HUGE, HUGE) == 0, "unmap: %d",
	      errno);
	CHECK(host_map(&setup.host, memory, 4096, ELISA_OFFSET_UPLINK_STATE, ELISA_MAP_READ) == 0,
	      "a page of it: %d", errno);
	CHECK(vm_gate(&setup.vm, IMAGE_LOAD, ELISA_GVA(ELISA_OFFSET_UPLINK_STATE), 0) == 5,
	      "state");
	reason = expect_thrown_out(&setup, IMAGE_STORE, ELISA_GVA(ELISA_OFFSET_UPLINK_STATE));
	if (reason)
		return reason;
	CHECK(host_unmap(&setup.host, ELISA_OFFSET_UPLINK_STATE, 4096) == 0, "unmap: %d", errno);
	munmap(memory, HUGE);
	set_huge_pages(0);
	return setup_end(&setup);
}

static void *physical(void *where, uint64_t address, uint64_t length, int rights)
{
	int fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	void *memory =
		mmap(where, length, rights, MAP_SHARED | (where ? MAP_FIXED : 0), fd, address);

	if (memory == MAP_FAILED)
		die("/dev/mem");
	close(fd);
	return memory;
}

static int map_registers(struct setup *setup, const volatile void *address)
{
	return host_map(&setup->host, address, LENGTH, ELISA_OFFSET_UPLINK_DEVICES,
			ELISA_MAP_DEVICE);
}

const char *case_registers(void)
{
	const int rw = PROT_READ | PROT_WRITE;
	uint64_t gva = ELISA_GVA(ELISA_OFFSET_UPLINK_DEVICES);
	struct setup setup;
	char *memory;
	const char *reason;
	uint64_t word;

	setup_hello(&setup);
	memory = physical(NULL, FIRMWARE, LENGTH, rw);
	word = *(volatile uint64_t *)(memory + 4096 + WORD);
	CHECK(map_registers(&setup, memory) == 0, "map: %d", errno);
	CHECK((uint64_t)vm_gate(&setup.vm, IMAGE_LOAD, gva + 4096 + WORD, 0) == word, "not %#llx",
	      (unsigned long long)word);
	CHECK(host_prove(&setup.host) == 0, "a proof");
	CHECK(host_info(&setup.host).pinned_pages == setup.before.pinned_pages, "pinned");
	CHECK(host_unmap(&setup.host, ELISA_OFFSET_UPLINK_DEVICES, LENGTH) == 0, "unmap: %d",
	      errno);
	reason = expect_thrown_out(&setup, IMAGE_LOAD, gva + 4096 + WORD);
	if (reason)
		return reason;
	CHECK(map_registers(&setup, physical(NULL, LOW_MEMORY, LENGTH, rw)) == EFAULT, "RAM");
	CHECK(map_registers(&setup, pages(LENGTH, 0)) == EFAULT, "a process's memory");
	CHECK(map_registers(&setup, physical(NULL, FIRMWARE, LENGTH, PROT_READ)) == EFAULT,
	      "read-only");
	physical(memory + 4096, FIRMWARE, 4096, rw);
	CHECK(map_registers(&setup, memory) == EFAULT, "in two pieces");
	munmap(memory + 4096, 4096);
	CHECK(map_registers(&setup, memory) == EFAULT, "not all of it mapped");
	return setup_end(&setup);
}
