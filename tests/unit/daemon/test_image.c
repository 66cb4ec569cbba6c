// SPDX-License-Identifier: BSD-3-Clause
/* test_image.c - the loader of the trusted image against files that are not what they should be. */
#include "vswitch/daemon/image.h"

#include "cmocka_all.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_SIZE 32
#define FLIPS 10000

/* The smallest image that is whole: headers, text, constants, nothing between. */
struct small_image {
	Elf64_Ehdr elf;
	Elf64_Phdr text, rodata, stack;
	uint8_t code[TEXT_SIZE];
	struct elisa_image_header header;
};

static const char *built_image;

static struct small_image make_image(void)
{
	struct small_image image = {
		.elf = {.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_entry = ELISA_GVA(ELISA_OFFSET_TEXT),
			.e_phoff = offsetof(struct small_image, text),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 3},
		.text = {.p_type = PT_LOAD,
			 .p_flags = PF_R | PF_X,
			 .p_offset = offsetof(struct small_image, code),
			 .p_vaddr = ELISA_GVA(ELISA_OFFSET_TEXT),
			 .p_filesz = TEXT_SIZE,
			 .p_memsz = TEXT_SIZE},
		.rodata = {.p_type = PT_LOAD,
			   .p_flags = PF_R,
			   .p_offset = offsetof(struct small_image, header),
			   .p_vaddr = ELISA_GVA(ELISA_OFFSET_RODATA),
			   .p_filesz = sizeof(struct elisa_image_header),
			   .p_memsz = sizeof(struct elisa_image_header)},
		.stack = {.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W},
		.header = {.magic = ELISA_IMAGE_MAGIC,
			   .abi = ELISA_IMAGE_ABI,
			   .layout = ELISA_SWITCH_LAYOUT,
			   .switch_size = sizeof(struct elisa_switch),
			   .version = "test"},
	};

	memcpy(image.elf.e_ident, ELFMAG, SELFMAG);
	image.elf.e_ident[EI_CLASS] = ELFCLASS64;
	image.elf.e_ident[EI_DATA] = ELFDATA2LSB;
	image.elf.e_ident[EI_VERSION] = EV_CURRENT;
	memset(image.code, 0x90, sizeof(image.code));
	return image;
}

/* Parses a copy of exactly `size` bytes, and reads all that the result gives away. */
static int parse(const void *bytes, size_t size)
{
	struct elisa_failure failure = {0};
	struct elisa_image image;
	uint8_t *copy = malloc(size ? size : 1);
	unsigned int sum = 0;
	int result;

	if (size)
		memcpy(copy, bytes, size);
	result = elisa_image_parse(copy, size, &image, &failure);
	if (result) {
		assert_int_equal(result, -ENOEXEC);
		assert_int_equal(failure.error, result);
		assert_true(strlen(failure.message) > 20);
	} else {
		assert_in_range(image.text_size, 1, ELISA_TEXT_MAX);
		assert_in_range(image.rodata_size, sizeof(image.header), ELISA_RODATA_MAX);
		assert_true((const uint8_t *)image.text >= copy &&
			    (const uint8_t *)image.text + image.text_size <= copy + size);
		assert_true((const uint8_t *)image.rodata >= copy &&
			    (const uint8_t *)image.rodata + image.rodata_size <= copy + size);
		for (uint64_t i = 0; i < image.text_size; i++)
			sum += ((const volatile uint8_t *)image.text)[i];
		for (uint64_t i = 0; i < image.rodata_size; i++)
			sum += ((const volatile uint8_t *)image.rodata)[i];
	}
	free(copy);
	(void)sum;
	return result;
}

static void whole_image_is_taken(void **state)
{
	struct small_image image = make_image();

	(void)state;
	assert_int_equal(parse(&image, sizeof(image)), 0);
}

static void every_prefix_is_refused(void **state)
{
	struct small_image image = make_image();

	(void)state;
	for (size_t size = 0; size < sizeof(image); size++)
		assert_int_not_equal(parse(&image, size), 0);
}

#define REFUSED(change)                                        \
	do {                                                   \
		struct small_image image = make_image();       \
		change;                                        \
		if (!parse(&image, sizeof(image)))             \
			fail_msg("accepted with %s", #change); \
	} while (0)

static void each_rule_is_checked(void **state)
{
	(void)state;
	REFUSED(image.elf.e_ident[0] = 0);
	REFUSED(image.elf.e_ident[EI_CLASS] = ELFCLASS32);
	REFUSED(image.elf.e_ident[EI_DATA] = ELFDATA2MSB);
	REFUSED(image.elf.e_machine = EM_386);
	REFUSED(image.elf.e_type = ET_DYN);
	REFUSED(image.elf.e_phentsize = 32);
	REFUSED(image.elf.e_phnum = 0);
	REFUSED(image.elf.e_phnum = 0xffff);
	REFUSED(image.elf.e_phoff = UINT64_MAX - 8);
	REFUSED(image.elf.e_entry++);
	REFUSED(image.text.p_flags |= PF_W);
	REFUSED(image.rodata.p_flags |= PF_W);
	REFUSED(image.rodata.p_flags |= PF_X);
	REFUSED(image.text.p_flags = PF_R);
	REFUSED(image.text.p_vaddr += ELISA_PAGE_SIZE);
	REFUSED(image.rodata.p_vaddr = ELISA_GVA(ELISA_OFFSET_SWITCH));
	REFUSED(image.rodata.p_vaddr -= ELISA_PAGE_SIZE);
	REFUSED(image.text.p_memsz++);
	REFUSED(image.text.p_filesz = image.text.p_memsz = 0);
	REFUSED(image.text.p_filesz = image.text.p_memsz = ELISA_TEXT_MAX + 1);
	REFUSED(image.text.p_filesz = image.text.p_memsz = UINT64_MAX);
	REFUSED(image.text.p_offset = UINT64_MAX - 4);
	REFUSED(image.rodata.p_filesz = image.rodata.p_memsz = 8);
	REFUSED(image.stack.p_type = PT_INTERP);
	REFUSED(image.stack.p_type = PT_DYNAMIC);
	REFUSED(image.stack.p_type = PT_TLS);
	REFUSED(image.stack = image.text);
	REFUSED(image.stack = image.rodata);
	REFUSED(image.text.p_type = PT_NULL);
	REFUSED(image.rodata.p_type = PT_NOTE);
	REFUSED(image.header.magic++);
	REFUSED(image.header.abi++);
	REFUSED(image.header.layout++);
	REFUSED(image.header.switch_size--);
	REFUSED(memset(image.header.version, 'x', sizeof(image.header.version)));
}

static void flipped_bits_do_no_harm(void **state)
{
	unsigned int refused = 0;

	(void)state;
	srandom(1);
	for (unsigned int i = 0; i < FLIPS; i++) {
		struct small_image image = make_image();

		for (long n = random() % 4; n >= 0; n--)
			((uint8_t *)&image)[(size_t)random() % sizeof(image)] ^=
				(uint8_t)(1 << random() % 8);
		refused += parse(&image, sizeof(image)) != 0;
	}
	assert_true(refused > FLIPS / 2);
}

/* Where one of the parts that are needed ends or begins, the built file is cut. */
static void the_built_image_is_taken_whole_only(void **state)
{
	struct elisa_failure failure;
	struct elisa_image image;
	size_t needed, text_end;

	(void)state;
	assert_int_equal(elisa_image_load(built_image, &image, &failure), 0);
	text_end = (size_t)((const uint8_t *)image.text - (const uint8_t *)image.file) +
		   image.text_size;
	needed = (size_t)((const uint8_t *)image.rodata - (const uint8_t *)image.file) +
		 image.rodata_size;
	needed = needed > text_end ? needed : text_end;
	assert_int_equal(parse(image.file, needed), 0);
	for (size_t size = 0; size < 256; size++)
		assert_int_not_equal(parse(image.file, size), 0);
	for (size_t size = needed - 64; size < needed; size++)
		assert_int_not_equal(parse(image.file, size), 0);
	assert_int_not_equal(parse(image.file, text_end - 1), 0);
	elisa_image_free(&image);
}

static void files_that_cannot_be_read_are_named(void **state)
{
	static const char *const paths[] = {"/nonexistent/image.elf", "/", "/dev/zero",
					    "/dev/null"};
	struct elisa_failure failure;
	struct elisa_image image;

	(void)state;
	for (unsigned int i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_true(elisa_image_load(paths[i], &image, &failure) < 0);
		assert_non_null(strstr(failure.message, paths[i]));
	}
}

static void empty_and_huge_files_are_refused(void **state)
{
	char path[] = "/tmp/elisa-test-image-XXXXXX";
	struct elisa_failure failure;
	struct elisa_image image;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(elisa_image_load(path, &image, &failure), -ENOEXEC);
	assert_int_equal(ftruncate(fd, (off_t)ELISA_IMAGE_FILE_MAX + 1), 0);
	assert_int_equal(elisa_image_load(path, &image, &failure), -EFBIG);
	close(fd);
	unlink(path);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_image_is_taken),
		cmocka_unit_test(every_prefix_is_refused),
		cmocka_unit_test(each_rule_is_checked),
		cmocka_unit_test(flipped_bits_do_no_harm),
		cmocka_unit_test(the_built_image_is_taken_whole_only),
		cmocka_unit_test(files_that_cannot_be_read_are_named),
		cmocka_unit_test(empty_and_huge_files_are_refused),
	};

	if (argc < 2)
		return 2;
	built_image = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
