// SPDX-License-Identifier: BSD-3-Clause
/* records.c - see records.h. */
#include "records.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAGIC 0x44524f4345524c45ull /* "ELRECORD" */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct head {
	uint64_t magic;
	uint32_t version;
	uint32_t kind; /* enum elisa_kept_kind */
};

int elisa_record_write(enum elisa_kept_kind kind, const void *bytes, uint32_t size)
{
	struct head head = {MAGIC, ELISA_RECORD_VERSION, kind};
	struct iovec parts[] = {{&head, sizeof(head)}, {(void *)bytes, size}};
	int fd = memfd_create("elisa-record", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int result;

	if (fd < 0)
		return -errno;
	errno = EIO;
	if (writev(fd, parts, 2) == (ssize_t)(sizeof(head) + size) &&
	    !fcntl(fd, F_ADD_SEALS, SEALS))
		return fd;
	result = -errno;
	close(fd);
	return result;
}

bool elisa_record_is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & SEALS) == SEALS;
}

int elisa_record_read(int fd, enum elisa_kept_kind kind, void *bytes, uint32_t size)
{
	struct head head;
	struct iovec parts[] = {{&head, sizeof(head)}, {bytes, size}};
	struct stat status;

	if (!elisa_record_is_sealed(fd) || fstat(fd, &status) < 0 ||
	    status.st_size != (off_t)(sizeof(head) + size))
		return -EPROTO;
	if (preadv(fd, parts, 2, 0) != (ssize_t)(sizeof(head) + size))
		return -EPROTO;
	if (head.magic != MAGIC || head.version != ELISA_RECORD_VERSION || head.kind != kind)
		return -EPROTO;
	return 0;
}
