// SPDX-License-Identifier: BSD-3-Clause
/* program.c - see program.h. */
#include "program.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void program_read(struct program *program, const char *name)
{
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 64);
	struct stat status;
	int fd;

	if (length < 0)
		die("/proc/self/exe");
	path[length] = 0;
	sprintf(strrchr(path, '/'), "/%.40s.elf", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status))
		die(path);
	program->size = status.st_size;
	program->file = mmap(NULL, program->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (program->file == MAP_FAILED)
		die(path);
	close(fd);
}

void program_load(const struct program *program, struct vm *vm)
{
	const Elf64_Ehdr *header = (const void *)program->file;
	const Elf64_Phdr *part = (const void *)(program->file + header->e_phoff);

	for (int i = 0; i < header->e_phnum; i++, part++) {
		if (part->p_type != PT_LOAD)
			continue;
		memset(vm->memory + part->p_vaddr, 0, part->p_memsz);
		memcpy(vm->memory + part->p_vaddr, program->file + part->p_offset, part->p_filesz);
	}
}

uint64_t program_symbol(const struct program *program, const char *name)
{
	const Elf64_Ehdr *header = (const void *)program->file;
	const Elf64_Shdr *sections = (const void *)(program->file + header->e_shoff);

	for (int i = 0; i < header->e_shnum; i++) {
		const Elf64_Sym *symbol = (const void *)(program->file + sections[i].sh_offset);
		const char *names =
			(const char *)program->file + sections[sections[i].sh_link].sh_offset;

		if (sections[i].sh_type != SHT_SYMTAB)
			continue;
		for (uint64_t k = 0; k < sections[i].sh_size / sizeof(*symbol); k++) {
			if (!strcmp(names + symbol[k].st_name, name))
				return symbol[k].st_value;
		}
	}
	fprintf(stderr, "the guest program has no %s\n", name);
	exit(2);
}
