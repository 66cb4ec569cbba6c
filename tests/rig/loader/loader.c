// SPDX-License-Identifier: BSD-3-Clause
/*
 * The emulated host's loader: puts an uncompressed Linux ELF image into its place and prepares its
 * PVH entry, so that no emulated instruction goes into decompressing a kernel.
 *
 * Called by start.S only. Multiboot module 0 is the kernel, with the kernel's command line after
 * the module's name; module 1 is the initramfs. Runs once, 32-bit, paging off, no libc. The
 * loader itself is linked at 256 MiB; mboot.c32 puts the modules after it, the kernel's segments
 * go to 16 MiB and up, and a kernel that would reach a module is refused.
 *
 * Layouts: Multiboot Specification 0.6.96; ELF-64; Xen's hvm/start_info.h; ELF note 18 is
 * XEN_ELFNOTE_PHYS32_ENTRY.
 */
#include <stdint.h>

#define MULTIBOOT_MAGIC 0x2BADB002u
#define HVM_START_MAGIC 0x336ec578u
#define PT_LOAD 1
#define PT_NOTE 4
#define NOTE_PHYS32_ENTRY 18
#define MAX_RANGES 32
#define MAX_CMDLINE 2048
#define COM1_DATA 0x3f8
#define COM1_LINE_STATUS 0x3fd
#define TRANSMITTER_EMPTY 0x20

struct multiboot_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
	uint32_t mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
};

struct multiboot_module {
	uint32_t start, end, string, reserved;
};

struct multiboot_range {
	uint32_t size;
	uint64_t address, length;
	uint32_t type;
} __attribute__((packed));

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

struct hvm_start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist, cmdline, rsdp, memmap;
	uint32_t memmap_entries, reserved;
};

struct hvm_module {
	uint64_t paddr, size, cmdline, reserved;
};

struct hvm_range {
	uint64_t address, size;
	uint32_t type, reserved;
};

uint32_t load(uint32_t magic, const struct multiboot_info *info, uint32_t *start_info_address);

static struct hvm_start_info start_info;
static struct hvm_module ramdisk;
static struct hvm_range ranges[MAX_RANGES];
static char cmdline[MAX_CMDLINE];

static void put_char(char c)
{
	uint8_t status;

	__asm__ volatile("outb %0, %1" : : "a"(c), "d"((uint16_t)COM1_DATA));
	do {
		__asm__ volatile("inb %1, %0" : "=a"(status) : "d"((uint16_t)COM1_LINE_STATUS));
	} while (!(status & TRANSMITTER_EMPTY));
}

static void __attribute__((noreturn)) stop(const char *why)
{
	const char *line[] = {"RIG loader: ", why, "\n"};

	for (int i = 0; i < 3; i++)
		for (const char *c = line[i]; *c; c++)
			put_char(*c);
	for (;;)
		__asm__ volatile("hlt");
}

/* Bochs runs a string instruction once for each element: double words, not bytes. */
static void copy(uint32_t to, uint32_t from, uint32_t bytes)
{
	uint32_t words = (bytes + 3) / 4;

	__asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

static void zero(uint32_t to, uint32_t end)
{
	uint32_t words;

	for (; to < end && (to & 3); to++)
		*(volatile uint8_t *)to = 0;
	words = (end - to + 3) / 4;
	__asm__ volatile("rep stosl" : "+D"(to), "+c"(words) : "a"(0) : "memory");
}

static void take_cmdline(const char *module_string)
{
	const char *c = module_string;
	uint32_t n = 0;

	while (*c && *c != ' ')
		c++;
	while (*c == ' ')
		c++;
	for (; *c; c++) {
		if (n == MAX_CMDLINE - 1)
			stop("command line too long");
		cmdline[n++] = *c;
	}
	cmdline[n] = 0;
}

static uint32_t take_memory_map(const struct multiboot_info *info)
{
	uint32_t at = info->mmap_addr;
	uint32_t end = at + info->mmap_length;
	uint32_t n = 0;

	while (at < end) {
		const struct multiboot_range *range = (const struct multiboot_range *)at;

		if (n == MAX_RANGES)
			stop("too many memory ranges");
		ranges[n].address = range->address;
		ranges[n].size = range->length;
		ranges[n].type = range->type;
		n++;
		at += range->size + sizeof(range->size);
	}
	return n;
}

static uint32_t find_entry(uint32_t note, uint32_t end)
{
	while (note < end) {
		const uint32_t *header = (const uint32_t *)note;
		uint32_t desc = note + 12 + ((header[0] + 3) & ~3u);

		if (header[2] == NOTE_PHYS32_ENTRY)
			return *(const uint32_t *)desc;
		note = desc + ((header[1] + 3) & ~3u);
	}
	return 0;
}

static uint32_t load_kernel(uint32_t image, uint32_t lowest_module)
{
	const struct elf_header *elf = (const struct elf_header *)image;
	uint32_t entry = 0;

	if (*(const uint32_t *)elf->ident != 0x464c457f)
		stop("kernel is not an ELF file");
	for (uint32_t i = 0; i < elf->phnum; i++) {
		const struct elf_segment *segment =
			(const struct elf_segment *)(image + (uint32_t)elf->phoff +
						     i * elf->phentsize);
		uint32_t from = image + (uint32_t)segment->offset;
		uint32_t to = (uint32_t)segment->paddr;

		if (segment->type == PT_NOTE && !entry)
			entry = find_entry(from, from + (uint32_t)segment->filesz);
		if (segment->type != PT_LOAD)
			continue;
		if (to + (uint32_t)segment->memsz > lowest_module)
			stop("kernel would overwrite a module");
		copy(to, from, (uint32_t)segment->filesz);
		zero(to + (uint32_t)segment->filesz, to + (uint32_t)segment->memsz);
	}
	if (!entry)
		stop("kernel has no PVH entry");
	return entry;
}

uint32_t load(uint32_t magic, const struct multiboot_info *info, uint32_t *start_info_address)
{
	const struct multiboot_module *module = (const struct multiboot_module *)info->mods_addr;
	uint32_t lowest, entry;

	if (magic != MULTIBOOT_MAGIC || info->mods_count != 2)
		stop("needs a multiboot start with two modules");
	lowest = module[0].start < module[1].start ? module[0].start : module[1].start;
	take_cmdline((const char *)module[0].string);
	start_info.memmap_entries = take_memory_map(info);
	entry = load_kernel(module[0].start, lowest);

	ramdisk.paddr = module[1].start;
	ramdisk.size = module[1].end - module[1].start;
	start_info.magic = HVM_START_MAGIC;
	start_info.version = 1;
	start_info.nr_modules = 1;
	start_info.modlist = (uint32_t)&ramdisk;
	start_info.cmdline = (uint32_t)cmdline;
	start_info.memmap = (uint32_t)ranges;
	*start_info_address = (uint32_t)&start_info;
	return entry;
}
