// SPDX-License-Identifier: BSD-3-Clause
/*
 * confine_calls.c - elisa_confine_calls() of confine.h: the one list of system calls.
 *
 * Whoever adds a call to the daemon adds its line here; tests/unit/daemon/test_confine.c runs the
 * daemon's work behind the filter, the scenarios do so with the real module and DPDK.
 */
#include "confine.h"

#include <elisa/uapi.h>

#include <seccomp.h>

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define VFIO_IOCTL ';' /* VFIO_TYPE of linux/vfio.h */
#define IOCTL_TYPE 0xff00u

struct call {
	int number;
	bool uplinks; /* only with --uplink-memory */
};

#define CALL(name)                    \
	{                             \
		SCMP_SYS(name), false \
	}
#define UPLINK_CALL(name)            \
	{                            \
		SCMP_SYS(name), true \
	}

static const struct call allowed[] = {
	/* The loop: poll(), the module's events, signals, the clock. */
	CALL(poll),
	CALL(ppoll),
	CALL(read),
	CALL(clock_gettime),
	CALL(restart_syscall),
	/* Log lines; readv and writev are what glibc may use for streams. */
	CALL(write),
	CALL(readv),
	CALL(writev),
	/* The control socket, captures, telemetry: connections that others begin. */
	CALL(accept),
	CALL(accept4),
	CALL(recvfrom),
	CALL(recvmsg),
	CALL(sendto),
	CALL(sendmsg),
	CALL(getsockopt),
	CALL(setsockopt),
	CALL(getsockname),
	CALL(getpeername),
	CALL(shutdown),
	/* port-add: /proc/PID of VMMs, their KVM descriptor, the process itself. */
	CALL(openat),
	CALL(open),
	CALL(close),
	CALL(getdents64),
	CALL(readlink),
	CALL(readlinkat),
	CALL(fstat),
	CALL(newfstatat),
	CALL(statx),
	CALL(lseek),
	CALL(fcntl),
	CALL(pidfd_open),
	CALL(pidfd_getfd),
	/* Memory: malloc(), capture rings, threads' stacks. mmap and mprotect are below. */
	CALL(brk),
	CALL(munmap),
	CALL(mremap),
	CALL(madvise),
	CALL(memfd_create),
	CALL(ftruncate),
	/* The image's and the switch's seeds, hash seeds. */
	CALL(getrandom),
	/* DPDK's threads: telemetry makes one for each client. clone is below. */
	CALL(futex),
	CALL(set_robust_list),
	CALL(rseq),
	CALL(sched_yield),
	CALL(sched_getaffinity),
	CALL(sched_setaffinity),
	CALL(getpid),
	CALL(gettid),
	CALL(getcpu),
	CALL(exit),
	CALL(epoll_wait),
	CALL(epoll_pwait),
	CALL(epoll_ctl),
	CALL(epoll_create1),
	CALL(epoll_create),
	CALL(clock_nanosleep),
	CALL(nanosleep),
	CALL(timerfd_settime),
	CALL(timerfd_create),
	CALL(eventfd2),
	CALL(pipe2),
	/* Signals: their ends, and pthread_cancel() at the end. tgkill is below. */
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(sigaltstack),
	/* The end: sockets are removed. */
	CALL(unlink),
	CALL(unlinkat),
	CALL(exit_group),
	/* What libraries ask about the process and the machine. */
	CALL(getuid),
	CALL(geteuid),
	CALL(getgid),
	CALL(getegid),
	CALL(uname),
	CALL(sysinfo),
	CALL(access),
	CALL(faccessat),
	CALL(faccessat2),
	CALL(pread64),
	/* uplink-add: sysfs and the PCI configuration, hugepages of DPDK's own, their NUMA nodes. */
	UPLINK_CALL(pwrite64),
	UPLINK_CALL(flock),
	UPLINK_CALL(fallocate),
	UPLINK_CALL(mbind),
	UPLINK_CALL(get_mempolicy),
	UPLINK_CALL(set_mempolicy),
	UPLINK_CALL(statfs),
	UPLINK_CALL(fstatfs),
	UPLINK_CALL(mlock),
	UPLINK_CALL(munlock),
	UPLINK_CALL(mkdir),
	UPLINK_CALL(getcwd),
	UPLINK_CALL(dup),
	UPLINK_CALL(getrusage),
};

/* Nothing here or in a library makes these: who does has taken the process over. */
static const struct call attacks[] = {
	/* Another program, another process's memory. */
	CALL(execve),
	CALL(execveat),
	CALL(fork),
	CALL(vfork),
	CALL(ptrace),
	CALL(process_vm_readv),
	CALL(process_vm_writev),
	CALL(process_madvise),
	CALL(kcmp),
	CALL(userfaultfd),
	/* The kernel. */
	CALL(init_module),
	CALL(finit_module),
	CALL(delete_module),
	CALL(kexec_load),
	CALL(kexec_file_load),
	CALL(bpf),
	CALL(perf_event_open),
	CALL(iopl),
	CALL(ioperm),
	CALL(io_uring_setup),
	CALL(modify_ldt),
	CALL(personality),
	CALL(reboot),
	CALL(syslog),
	/* File systems and namespaces; files by handle, which CAP_DAC_READ_SEARCH would open. */
	CALL(mount),
	CALL(umount2),
	CALL(move_mount),
	CALL(open_tree),
	CALL(fsopen),
	CALL(pivot_root),
	CALL(chroot),
	CALL(setns),
	CALL(unshare),
	CALL(open_by_handle_at),
	CALL(swapon),
	/* Another user, more rights. */
	CALL(setuid),
	CALL(setgid),
	CALL(setreuid),
	CALL(setregid),
	CALL(setresuid),
	CALL(setresgid),
	CALL(setgroups),
	CALL(setfsuid),
	CALL(setfsgid),
	CALL(capset),
	CALL(add_key),
	CALL(request_key),
	CALL(keyctl),
};

static int add_list(scmp_filter_ctx filter, uint32_t action, const struct call *calls, size_t nb,
		    bool uplinks)
{
	int result = 0;

	for (size_t i = 0; i < nb && !result; i++)
		if (uplinks || !calls[i].uplinks)
			result = seccomp_rule_add(filter, action, calls[i].number, 0);
	return result;
}

#define ALLOW_IF(filter, name, comparison) \
	seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(name), 1, comparison)

/* Memory may be written or executed, and nothing becomes executable: dlopen() maps it so. */
static int add_memory(scmp_filter_ctx filter)
{
	const uint64_t both = PROT_WRITE | PROT_EXEC;
	int result = ALLOW_IF(filter, mmap, SCMP_A2(SCMP_CMP_MASKED_EQ, both, 0));

	if (!result)
		result = ALLOW_IF(filter, mmap, SCMP_A2(SCMP_CMP_MASKED_EQ, both, PROT_WRITE));
	if (!result)
		result = ALLOW_IF(filter, mmap, SCMP_A2(SCMP_CMP_MASKED_EQ, both, PROT_EXEC));
	if (!result)
		result = ALLOW_IF(filter, mprotect, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return result;
}

/* Calls of which only some uses are allowed. */
static int add_conditions(scmp_filter_ctx filter, bool uplinks)
{
	int result = add_memory(filter);

	/* Messages to who keeps descriptors (store.h). */
	if (!result)
		result = ALLOW_IF(filter, socket, SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0));
	/* The module's; so none of KVM's on a descriptor that was taken. */
	if (!result)
		result = ALLOW_IF(filter, ioctl,
				  SCMP_A1(SCMP_CMP_MASKED_EQ, IOCTL_TYPE, ELISA_IOCTL << 8));
	if (!result && uplinks)
		result = ALLOW_IF(filter, ioctl,
				  SCMP_A1(SCMP_CMP_MASKED_EQ, IOCTL_TYPE, VFIO_IOCTL << 8));
	/* Threads, not processes. The flags of clone3 cannot be looked at: glibc then takes clone. */
	if (!result)
		result = ALLOW_IF(filter, clone,
				  SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	if (!result)
		result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	/* Their names. */
	if (!result)
		result = ALLOW_IF(filter, prctl, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0));
	/* Signals to its own threads: pthread_cancel(), abort(). */
	if (!result)
		result = ALLOW_IF(filter, tgkill, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
	/* Limits are read, not set. */
	if (!result)
		result = ALLOW_IF(filter, prlimit64, SCMP_A2(SCMP_CMP_EQ, 0, 0));
	return result;
}

static int build(scmp_filter_ctx filter, bool uplinks)
{
	int result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);

	/* 32-bit calls, and x32's. */
	if (!result)
		result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!result)
		result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!result)
		result = add_list(filter, SCMP_ACT_ALLOW, allowed,
				  sizeof(allowed) / sizeof(allowed[0]), uplinks);
	if (!result)
		result = add_list(filter, SCMP_ACT_KILL_PROCESS, attacks,
				  sizeof(attacks) / sizeof(attacks[0]), uplinks);
	if (!result)
		result = add_conditions(filter, uplinks);
	return result;
}

int elisa_confine_calls(bool uplinks, struct elisa_failure *failure)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int result = filter ? build(filter, uplinks) : -ENOMEM;

	if (!result)
		result = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	if (result)
		return elisa_fail(
			failure, result,
			"elisa-switchd cannot limit its system calls: %s; it wants a kernel "
			"with CONFIG_SECCOMP_FILTER",
			strerror(-result));
	return 0;
}
