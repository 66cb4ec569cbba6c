// SPDX-License-Identifier: BSD-3-Clause
/* test_records.c - a record is read as it was written, or not at all. */
#include "vswitch/daemon/records.h"

#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static const struct elisa_vm_record written = {
	.pid = 4711, .nb_vcpus = 3, .first_vcpu = 2, .name = "a"};

/* A good record's bytes; returns how many. */
static ssize_t good_bytes(uint8_t bytes[512])
{
	int fd = elisa_record_write(ELISA_KEPT_VM, &written, sizeof(written));
	ssize_t size = pread(fd, bytes, 512, 0);

	assert_in_range(size, sizeof(written) + 16, 511);
	close(fd);
	return size;
}

static int read_back(int fd)
{
	struct elisa_vm_record record;
	int result = elisa_record_read(fd, ELISA_KEPT_VM, &record, sizeof(record));

	if (!result)
		assert_memory_equal(&record, &written, sizeof(record));
	close(fd);
	return result;
}

/* Reads a record of these bytes with these seals. */
static int read_bytes(const uint8_t *bytes, ssize_t size, int seals)
{
	int fd = memfd_create("record", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_int_equal(write(fd, bytes, (size_t)size), size);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return read_back(fd);
}

static void what_was_written_is_read(void **state)
{
	uint8_t bytes[512];
	ssize_t size = good_bytes(bytes);

	(void)state;
	assert_int_equal(read_back(elisa_record_write(ELISA_KEPT_VM, &written, sizeof(written))),
			 0);
	assert_int_equal(read_bytes(bytes, size, SEALS), 0);
}

static void what_somebody_can_change_is_no_record(void **state)
{
	static const int seals[] = {F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE};
	uint8_t bytes[512];
	ssize_t size = good_bytes(bytes);

	(void)state;
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(read_bytes(bytes, size, SEALS & ~seals[i]), -EPROTO);
	assert_int_equal(read_bytes(bytes, size, 0), -EPROTO);
}

static void another_size_is_no_record(void **state)
{
	uint8_t bytes[512] = {0};
	ssize_t size = good_bytes(bytes);

	(void)state;
	assert_int_equal(read_bytes(bytes, size - 1, SEALS), -EPROTO);
	assert_int_equal(read_bytes(bytes, size + 1, SEALS), -EPROTO);
	assert_int_equal(read_bytes(bytes, 0, SEALS), -EPROTO);
}

/* The head: 8 bytes that say what it is, 4 of the version, 4 of the kind. */
static void another_head_is_no_record(void **state)
{
	uint8_t bytes[512];
	ssize_t size = good_bytes(bytes);

	(void)state;
	for (unsigned int i = 0; i < 16; i++) {
		bytes[i]++;
		assert_int_equal(read_bytes(bytes, size, SEALS), -EPROTO);
		bytes[i]--;
	}
}

static void what_is_no_memory_is_no_record(void **state)
{
	struct elisa_vm_record record;
	int pipes[2];

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(read_back(pipes[0]), -EPROTO);
	close(pipes[1]);
	assert_int_equal(elisa_record_read(-1, ELISA_KEPT_VM, &record, sizeof(record)), -EPROTO);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(what_somebody_can_change_is_no_record),
		cmocka_unit_test(another_size_is_no_record),
		cmocka_unit_test(another_head_is_no_record),
		cmocka_unit_test(what_is_no_memory_is_no_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
