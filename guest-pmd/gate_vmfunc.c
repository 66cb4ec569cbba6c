/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gate_vmfunc.c - the gate to the host's switch: VMCALL to set up, VMFUNC to send.
 *
 * Called through struct elisa_gate. Executes neither instruction before the CPU and the hypervisor
 * have been asked (CPUID) whether they know them. VMFUNC itself cannot be asked for: the host
 * answers hello only in a VM whose vCPUs have the contexts.
 */
#include <cpuid.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include <elisa/layout.h>

#include "gate.h"
#include "net_elisa_log.h"

#define CPUID_HYPERVISOR_BIT (1u << 31) /* leaf 1 ECX (SDM: always 0 on silicon) */
#define CPUID_HYPERVISOR_FIRST 0x40000000u
#define CPUID_HYPERVISOR_LAST 0x40010000u
#define CPUID_HYPERVISOR_STEP 0x100u /* KVM's leaves move up behind Hyper-V's */

#define STUBS_ADDRESS ((uint8_t *)ELISA_GVA(ELISA_OFFSET_CALL_STUB))
#define STUBS_PAGES 3u
#define PAGE ((size_t)ELISA_PAGE_SIZE)
#define TRAP 0xcc /* int3 */

_Static_assert(ELISA_OFFSET_GATE == ELISA_OFFSET_CALL_STUB + ELISA_PAGE_SIZE &&
		       ELISA_OFFSET_LIST == ELISA_OFFSET_GATE + ELISA_PAGE_SIZE,
	       "the stubs' pages are neighbours of the gate page");
_Static_assert(ELISA_SLOT_GATE == 1u, "stubs.S selects slot 1");

extern const uint8_t elisa_call_stub[], elisa_call_stub_end[];
extern const uint8_t elisa_return_stub[], elisa_return_stub_end[];

typedef int64_t elisa_stub_fn(uint64_t operation, uint64_t first, uint64_t second);

/* The stubs are one for the process: users counts the gates that need them. */
static pthread_mutex_t stubs_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int stubs_users;

/* Says why VMCALL must not even be tried, or NULL. */
static const char *refusal_of_cpu(void)
{
	unsigned int eax, ebx, ecx, edx;
	unsigned int leaf;
	char vendor[12];

	if (!__get_cpuid(0, &eax, &ebx, &ecx, &edx))
		return "this CPU does not identify itself";
	memcpy(vendor, &ebx, 4);
	memcpy(vendor + 4, &edx, 4);
	memcpy(vendor + 8, &ecx, 4);
	if (memcmp(vendor, "GenuineIntel", 12) != 0)
		return "gate=vmfunc needs an Intel CPU (VMFUNC)";
	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & CPUID_HYPERVISOR_BIT))
		return "this is not a virtual machine; gate=vmfunc works in a guest of KVM, "
		       "gate=local anywhere";

	for (leaf = CPUID_HYPERVISOR_FIRST; leaf < CPUID_HYPERVISOR_LAST;
	     leaf += CPUID_HYPERVISOR_STEP) {
		__cpuid(leaf, eax, ebx, ecx, edx);
		memcpy(vendor, &ebx, 4);
		memcpy(vendor + 4, &ecx, 4);
		memcpy(vendor + 8, &edx, 4);
		if (memcmp(vendor, "KVMKVMKVM\0\0\0", 12) == 0)
			return NULL;
	}
	return "the hypervisor of this VM is not KVM";
}

static int64_t vmcall(uint64_t number, const void *argument, uint64_t size)
{
	int64_t result;

	__asm__ volatile("vmcall"
			 : "=a"(result)
			 : "a"(ELISA_HYPERCALL(number)), "D"(argument), "S"(size)
			 : "memory", "cc");
	return result;
}

static sigjmp_buf vmcall_refused;
static pthread_t vmcall_thread;

static void on_refused_vmcall(int signal_number)
{
	if (!pthread_equal(pthread_self(), vmcall_thread)) {
		/* Another thread's own fault: it meets the default action when it faults again. */
		signal(signal_number, SIG_DFL);
		return;
	}
	siglongjmp(vmcall_refused, 1);
}

/* True if VMCALL gives an answer, whichever, and no signal. Needs stubs_lock. */
static bool vmcall_answers(void)
{
	struct sigaction trap = {.sa_handler = on_refused_vmcall};
	struct sigaction old_ill, old_segv;
	bool answers = false;

	vmcall_thread = pthread_self();
	sigaction(SIGILL, &trap, &old_ill);
	sigaction(SIGSEGV, &trap, &old_segv);
	if (!sigsetjmp(vmcall_refused, 1)) {
		vmcall(0, NULL, 0); /* no such number: only asks for any answer */
		answers = true;
	}
	sigaction(SIGSEGV, &old_segv, NULL);
	sigaction(SIGILL, &old_ill, NULL);
	return answers;
}

/*
 * The GATE page between the stubs stays unreachable: in this context nothing is ever fetched from
 * it, and no other mapping of the process can come to lie there. Locked, because a gate call must
 * not find a stub swapped out half-way.
 */
static int stubs_map(void)
{
	const size_t call_size = elisa_call_stub_end - elisa_call_stub;
	uint8_t *pages = STUBS_ADDRESS;
	int err;

	if (mmap(pages, STUBS_PAGES * PAGE, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != pages)
		return -errno;
	if (mprotect(pages, PAGE, PROT_READ | PROT_WRITE) ||
	    mprotect(pages + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE))
		goto unmap;

	memset(pages, TRAP, PAGE);
	memcpy(pages + PAGE - call_size, elisa_call_stub, call_size);
	memset(pages + 2 * PAGE, TRAP, PAGE);
	memcpy(pages + 2 * PAGE, elisa_return_stub, elisa_return_stub_end - elisa_return_stub);

	if (mprotect(pages, PAGE, PROT_READ | PROT_EXEC) ||
	    mprotect(pages + 2 * PAGE, PAGE, PROT_READ | PROT_EXEC) || mlock(pages, PAGE) ||
	    mlock(pages + 2 * PAGE, PAGE))
		goto unmap;
	return 0;

unmap:
	err = -errno;
	munmap(pages, STUBS_PAGES * PAGE);
	return err;
}

static int64_t vmfunc_call(const struct elisa_gate *gate, uint64_t operation, uint64_t first,
			   uint64_t second)
{
	elisa_stub_fn *stub = (elisa_stub_fn *)gate->state;

	return stub(operation, first, second);
}

static int64_t vmfunc_hypercall(const struct elisa_gate *gate, uint32_t number, void *argument,
				uint32_t size)
{
	(void)gate;
	return vmcall(number, argument, size);
}

static int64_t vmcall_call(const struct elisa_gate *gate, uint64_t operation, uint64_t first,
			   uint64_t second)
{
	int64_t result;

	(void)gate;
	__asm__ volatile("vmcall"
			 : "=a"(result)
			 : "a"(ELISA_HYPERCALL(ELISA_HC_GATE_CALL)), "D"(operation), "S"(first),
			   "d"(second)
			 : "memory", "cc");
	return result;
}

static void vmfunc_close(struct elisa_gate *gate)
{
	pthread_mutex_lock(&stubs_lock);
	if (--stubs_users == 0)
		munmap(STUBS_ADDRESS, STUBS_PAGES * PAGE);
	pthread_mutex_unlock(&stubs_lock);
	gate->state = NULL;
}

/* Counts one more user of the stubs, the first of which maps them. Needs stubs_lock. */
static int stubs_use(const char *device)
{
	int err = 0;

	if (stubs_users == 0) {
		if (!vmcall_answers()) {
			ELISA_LOG(ERR, device, "this VM's hypervisor does not take VMCALL");
			return -ENOTSUP;
		}
		err = stubs_map();
		if (err) {
			ELISA_LOG(ERR, device, "cannot map the gate's stubs at %p: %s (%s)",
				  STUBS_ADDRESS, strerror(-err),
				  err == -EEXIST ? "something else is mapped there"
						 : "see ulimit -l");
			return err;
		}
	}
	stubs_users++;
	return 0;
}

int elisa_gate_open_vmfunc(struct elisa_gate *gate, const char *device)
{
	const char *refusal = refusal_of_cpu();
	int err;

	if (refusal) {
		ELISA_LOG(ERR, device, "%s", refusal);
		return -ENOTSUP;
	}

	pthread_mutex_lock(&stubs_lock);
	err = stubs_use(device);
	pthread_mutex_unlock(&stubs_lock);
	if (err)
		return err;

	*gate = (struct elisa_gate){
		.call = vmfunc_call,
		.hypercall = vmfunc_hypercall,
		.close = vmfunc_close,
		.state = STUBS_ADDRESS + PAGE - (elisa_call_stub_end - elisa_call_stub),
		.name = "vmfunc",
		.pins = true,
	};
	return 0;
}

/* The stubs are mapped here too: by them the host knows that the process lives. */
int elisa_gate_open_vmcall(struct elisa_gate *gate, const char *device)
{
	int err = elisa_gate_open_vmfunc(gate, device);

	if (err)
		return err;
	if (vmcall_call(gate, ELISA_CALL_NOP, 0, 0) == -ENOSYS) {
		ELISA_LOG(ERR, device,
			  "the host's elisa.ko does not offer gate=vmcall: load it with "
			  "vmcall_gate=1");
		gate->close(gate);
		return -ENOTSUP;
	}
	gate->call = vmcall_call;
	gate->name = "vmcall";
	return 0;
}
