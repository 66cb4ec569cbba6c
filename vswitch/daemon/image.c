// SPDX-License-Identifier: BSD-3-Clause
/* image.c - see image.h. Every offset and length of the file is checked before it is used. */
#include "image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENTS_MAX 16u
#define REMEDY "install the elisa-image.elf that was built with this elisa-switchd"

static int refuse(struct elisa_failure *failure, const char *why)
{
	return elisa_fail(failure, -ENOEXEC, "the trusted image is not usable: %s; " REMEDY, why);
}

static int check_elf_header(const Elf64_Ehdr *header, size_t size, struct elisa_failure *failure)
{
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) || header->e_ident[EI_CLASS] != ELFCLASS64 ||
	    header->e_ident[EI_DATA] != ELFDATA2LSB || header->e_ident[EI_VERSION] != EV_CURRENT ||
	    header->e_version != EV_CURRENT)
		return refuse(failure, "it is no 64-bit little-endian ELF file");
	if (header->e_machine != EM_X86_64 || header->e_type != ET_EXEC)
		return refuse(failure, "it is no x86-64 executable at fixed addresses");
	if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum == 0 ||
	    header->e_phnum > SEGMENTS_MAX)
		return refuse(failure, "its program headers have another size or number");
	if (header->e_phoff > size || header->e_phnum * sizeof(Elf64_Phdr) > size - header->e_phoff)
		return refuse(failure, "its program headers are cut off");
	if (header->e_entry != ELISA_GVA(ELISA_OFFSET_TEXT))
		return refuse(failure, "it is not entered at the first byte of its code");
	return 0;
}

/* A loadable segment that begins at `offset` of the window, is no longer than `max`, and is all
 * there in the file. */
static int check_segment(const Elf64_Phdr *segment, size_t size, uint64_t offset, uint64_t max,
			 struct elisa_failure *failure)
{
	if (segment->p_vaddr != ELISA_GVA(offset))
		return refuse(failure, "a segment does not begin where the layout says");
	if (segment->p_memsz == 0 || segment->p_memsz > max)
		return refuse(failure, "a segment is empty or larger than its place");
	if (segment->p_filesz != segment->p_memsz)
		return refuse(failure, "a segment has bytes that are not in the file");
	if (segment->p_offset > size || segment->p_filesz > size - segment->p_offset)
		return refuse(failure, "a segment is cut off");
	return 0;
}

static int take_segment(const uint8_t *file, size_t size, const Elf64_Phdr *segment,
			struct elisa_image *image, struct elisa_failure *failure)
{
	int result;

	switch (segment->p_type) {
	case PT_LOAD:
		break;
	case PT_DYNAMIC:
	case PT_INTERP:
	case PT_TLS:
		return refuse(failure, "it needs a dynamic linker or thread-local storage");
	default:
		return 0;
	}
	if (segment->p_flags & PF_W)
		return refuse(failure, "it has a writable segment");
	if (segment->p_flags & PF_X) {
		if (image->text)
			return refuse(failure, "it has two executable segments");
		result = check_segment(segment, size, ELISA_OFFSET_TEXT, ELISA_TEXT_MAX, failure);
		if (result)
			return result;
		image->text = file + segment->p_offset;
		image->text_size = segment->p_filesz;
		return 0;
	}
	if (image->rodata)
		return refuse(failure, "it has two read-only segments");
	result = check_segment(segment, size, ELISA_OFFSET_RODATA, ELISA_RODATA_MAX, failure);
	if (result)
		return result;
	image->rodata = file + segment->p_offset;
	image->rodata_size = segment->p_filesz;
	return 0;
}

static int check_image_header(struct elisa_image *image, struct elisa_failure *failure)
{
	struct elisa_image_header *header = &image->header;

	if (!image->text || !image->rodata)
		return refuse(failure, "its code or its constants are missing");
	if (image->rodata_size < sizeof(*header))
		return refuse(failure, "its header is cut off");
	memcpy(header, image->rodata, sizeof(*header));
	if (header->magic != ELISA_IMAGE_MAGIC)
		return refuse(failure, "it is no image of the switch");
	if (header->abi != ELISA_IMAGE_ABI || header->layout != ELISA_SWITCH_LAYOUT ||
	    header->switch_size != sizeof(struct elisa_switch))
		return elisa_fail(failure, -ENOEXEC,
				  "the trusted image has ABI %u and switch layout %u (%llu bytes), "
				  "elisa-switchd has %u and %u (%zu bytes); " REMEDY,
				  header->abi, header->layout,
				  (unsigned long long)header->switch_size, ELISA_IMAGE_ABI,
				  ELISA_SWITCH_LAYOUT, sizeof(struct elisa_switch));
	if (strnlen(header->version, sizeof(header->version)) == sizeof(header->version))
		return refuse(failure, "its version has no end");
	return 0;
}

int elisa_image_parse(const void *file, size_t size, struct elisa_image *image,
		      struct elisa_failure *failure)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	int result;

	*image = (struct elisa_image){0};
	if (size < sizeof(header))
		return refuse(failure, "it is shorter than an ELF header");
	memcpy(&header, file, sizeof(header));
	result = check_elf_header(&header, size, failure);
	for (unsigned int i = 0; !result && i < header.e_phnum; i++) {
		memcpy(&segment, (const uint8_t *)file + header.e_phoff + i * sizeof(segment),
		       sizeof(segment));
		result = take_segment(file, size, &segment, image, failure);
	}
	return result ? result : check_image_header(image, failure);
}

/* The whole of a regular file into memory of its size. The caller frees *bytes. */
static int read_whole(int fd, void **bytes, size_t *size)
{
	struct stat status;
	size_t got = 0;
	ssize_t part;
	char *buffer;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	if (status.st_size > (off_t)ELISA_IMAGE_FILE_MAX)
		return -EFBIG;
	buffer = malloc((size_t)status.st_size + 1);
	if (!buffer)
		return -ENOMEM;
	while (got < (size_t)status.st_size) {
		part = read(fd, buffer + got, (size_t)status.st_size - got);
		if (part < 0 && errno == EINTR)
			continue;
		if (part <= 0)
			break;
		got += (size_t)part;
	}
	*bytes = buffer;
	*size = got;
	return 0;
}

int elisa_image_load(const char *path, struct elisa_image *image, struct elisa_failure *failure)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int result = fd < 0 ? -errno : 0;
	void *bytes = NULL;
	size_t size = 0;

	if (fd >= 0) {
		result = read_whole(fd, &bytes, &size);
		close(fd);
	}
	if (result)
		return elisa_fail(failure, result,
				  "cannot read the trusted image %.200s: %s; give its path with "
				  "--image",
				  path, strerror(-result));
	result = elisa_image_parse(bytes, size, image, failure);
	if (result) {
		free(bytes);
		return result;
	}
	image->file = bytes;
	return 0;
}

void elisa_image_free(struct elisa_image *image)
{
	free(image->file);
	*image = (struct elisa_image){0};
}
