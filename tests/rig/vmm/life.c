// SPDX-License-Identifier: BSD-3-Clause
/*
 * life.c - a switch's whole life on the host, again and again, each time with another allocation of the
 * module's failing: whoever meets the failure gets a clean error, the same call then works, so does all
 * that follows, and nothing is left at the end.
 *
 * usage: elisa-life	needs the testing build of elisa.ko (tests/mutations/kmod/faults.h)
 *
 * Prints "ok NAME" or "FAIL NAME REASON", and "figure NAME VALUE". Status 1 if one failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <elisa/ring.h>

#include "cases.h"

#define PARAMETERS "/sys/module/elisa/parameters/"
#define HUGE ELISA_HUGE_PAGE_SIZE
#define LENGTH 16384u
#define MANY 100000u

extern const char image_begin[], image_end[];

struct life {
	struct host host;
	struct vm vm, second_vcpu;
	struct elisa_vm_attach attach;
	void *image; /* a page of its own: TEXT is nothing else, the prover says */
	void *memory;
	int vm_fd, port_fd;
};

/* The steps. Each returns 0, or the negative errno. */

static int64_t result_of(int descriptor, int *place)
{
	*place = descriptor;
	return descriptor < 0 ? -errno : 0;
}

static int64_t make_domain(struct life *life)
{
	struct elisa_domain_create create = {.version = ELISA_UAPI_VERSION, .name = "life"};

	return result_of(ioctl(life->host.device, ELISA_IOC_DOMAIN_CREATE, &create),
			 &life->host.domain);
}

static int64_t map_image(struct life *life)
{
	return -host_map(&life->host, life->image, 4096, ELISA_OFFSET_TEXT, ELISA_MAP_EXECUTE);
}

static int64_t map_switch(struct life *life)
{
	life->host.memory = life->memory;
	return -host_map(&life->host, life->host.memory, 4096, ELISA_OFFSET_SWITCH,
			 ELISA_MAP_WRITE);
}

static int64_t attach(struct life *life)
{
	return result_of(host_attach(&life->host, life->vm.fd, &life->attach), &life->vm_fd);
}

static int64_t add_port(struct life *life)
{
	return result_of(host_port_add(life->vm_fd, 0, "p0"), &life->port_fd);
}

static int64_t say_hello(struct life *life)
{
	return hello(&life->vm);
}

static int64_t register_huge(struct life *life)
{
	return region_call(&life->vm, ELISA_HC_REGISTER, GUEST_REGION, HUGE, ELISA_REGION_WRITE);
}

static int64_t register_small(struct life *life)
{
	return region_call(&life->vm, ELISA_HC_REGISTER, GUEST_SMALL_PAGES, HUGE, 0);
}

static int64_t set_up_queue(struct life *life)
{
	struct elisa_hc_queue queue = {.tx_window = GUEST_REGION,
				       .rx_ring = GUEST_REGION,
				       .tx_size = ELISA_MIN_RING,
				       .rx_size = ELISA_MIN_RING};

	return vm_hypercall(&life->vm, ELISA_HC_QUEUE_SETUP, &queue, sizeof(queue));
}

static int64_t start_port(struct life *life)
{
	struct elisa_hc_port set = {.flags = ELISA_PORT_STARTED, .mtu = 1500};

	return vm_hypercall(&life->vm, ELISA_HC_PORT_SET, &set, sizeof(set));
}

static int64_t map_capture(struct life *life)
{
	return -host_map(&life->host, life->memory, LENGTH, ELISA_OFFSET_CAPTURE, ELISA_MAP_WRITE);
}

static int64_t cross(struct life *life)
{
	return vm_gate(&life->vm, IMAGE_SUM, 20, 22) == 42 ? 0 : -EIO;
}

static int64_t prove(struct life *life)
{
	struct elisa_domain_prove argument = {.version = ELISA_UAPI_VERSION};

	return ioctl(life->host.domain, ELISA_IOC_DOMAIN_PROVE, &argument) ? -errno : 0;
}

static int64_t unregister_small(struct life *life)
{
	return region_call(&life->vm, ELISA_HC_UNREGISTER, GUEST_SMALL_PAGES, HUGE, 0);
}

static int64_t unmap_capture(struct life *life)
{
	return -host_unmap(&life->host, ELISA_OFFSET_CAPTURE, LENGTH);
}

static int64_t say_bye(struct life *life)
{
	struct elisa_hc_port bye = {0};

	return vm_hypercall(&life->vm, ELISA_HC_BYE, &bye, sizeof(bye));
}

static const struct step {
	const char *name;
	int64_t (*run)(struct life *life);
} steps[] = {
	{"DOMAIN_CREATE", make_domain},
	{"DOMAIN_MAP of the image", map_image},
	{"DOMAIN_MAP of the switch", map_switch},
	{"VM_ATTACH", attach},
	{"PORT_ADD", add_port},
	{"HELLO", say_hello},
	{"REGISTER of a huge page", register_huge},
	{"REGISTER of small pages", register_small},
	{"QUEUE_SETUP", set_up_queue},
	{"PORT_SET", start_port},
	{"DOMAIN_MAP of a capture", map_capture},
	{"a gate call", cross},
	{"DOMAIN_PROVE", prove},
	{"UNREGISTER", unregister_small},
	{"DOMAIN_UNMAP", unmap_capture},
	{"another gate call", cross},
	{"BYE", say_bye},
	{"HELLO again", say_hello},
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

static uint64_t parameter(const char *name, uint64_t value, bool write)
{
	char path[100];
	FILE *file;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	file = fopen(path, write ? "w" : "r");
	if (!file ||
	    (write ? fprintf(file, "%llu", (unsigned long long)value)
		   : fscanf(file, "%llu", (unsigned long long *)&value)) < 1 ||
	    fclose(file))
		die(path);
	return value;
}

static bool is_lack(int64_t error)
{
	return error == -ENOMEM || error == -ENFILE || error == -EMFILE;
}

static void *pages(size_t length)
{
	void *memory =
		mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	return memory;
}

static void begin(struct life *life)
{
	memset(life, 0, sizeof(*life));
	life->image = pages(4096);
	memcpy(life->image, image_begin, image_end - image_begin);
	life->memory = pages(LENGTH);
	life->host.device = open("/dev/elisa", O_RDWR | O_CLOEXEC);
	if (life->host.device < 0)
		die("/dev/elisa");
	vm_create(&life->vm);
	vm_add_vcpu(&life->vm, &life->second_vcpu);
}

static const char *end(struct life *life)
{
	struct elisa_info info;

	close(life->port_fd);
	close(life->vm_fd);
	close(life->host.domain);
	info = host_info(&life->host);
	CHECK(info.nb_vms == 0 && info.pinned_pages == 0, "%u VMs, %llu pages are left",
	      info.nb_vms, (unsigned long long)info.pinned_pages);
	vm_destroy(&life->second_vcpu);
	vm_destroy(&life->vm);
	close(life->host.device);
	return NULL;
}

/* With allocation number `n` failing; *failed: it was met. */
static const char *live(uint32_t n, bool *failed)
{
	struct life life;
	size_t i;

	*failed = false;
	begin(&life);
	parameter("allocations", 0, true);
	parameter("fail_at", n, true);
	for (i = 0; i < STEPS; i++) {
		int64_t result = steps[i].run(&life);

		if (is_lack(result) && !*failed) {
			*failed = true;
			result = steps[i].run(&life);
		}
		CHECK(result == 0, "%s: %lld, %s failure of allocation %u", steps[i].name,
		      (long long)result, *failed ? "after the" : "no clean", n);
	}
	CHECK(*failed == (parameter("allocations", 0, false) >= n), "nobody told of allocation %u",
	      n);
	parameter("fail_at", 0, true);
	return end(&life);
}

static uint32_t module_references(void)
{
	FILE *file = fopen("/sys/module/elisa/refcnt", "r");
	uint32_t count;

	if (!file || fscanf(file, "%u", &count) != 1 || fclose(file))
		die("refcnt");
	return count;
}

/* In a process of its own: what the module keeps for one ends with it. 0: no such allocation, 1: one. */
static int live_apart(uint32_t n)
{
	const char *reason;
	bool failed;
	int status;
	pid_t child = fork();

	if (child < 0)
		die("fork");
	if (!child) {
		reason = live(n, &failed);
		if (reason)
			printf("FAIL allocation-%u %s\n", n, reason);
		exit(reason ? 2 : failed);
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) > 1)
		return -1;
	if (module_references()) {
		printf("FAIL allocation-%u %u references to the module are left\n", n,
		       module_references());
		return -1;
	}
	return WEXITSTATUS(status);
}

static int fail_every_allocation(void)
{
	uint32_t n = 1;
	int result;

	while ((result = live_apart(n)) == 1 && n < MANY)
		n++;
	parameter("fail_at", 0, true);
	if (!result)
		printf("ok every-allocation-failed\nfigure allocations_failed %u\n", n - 1);
	return !!result;
}

/* No descriptor for a domain, a VM, a port: EMFILE, and then it works. */
static const char *without_descriptors(void)
{
	struct rlimit enough, none;
	struct life life;
	int64_t result;
	size_t i;
	int next;

	begin(&life);
	if (getrlimit(RLIMIT_NOFILE, &enough))
		die("RLIMIT_NOFILE");
	for (i = 0; i < STEPS; i++) {
		next = dup(life.host.device);
		close(next);
		none = (struct rlimit){next, enough.rlim_max};
		setrlimit(RLIMIT_NOFILE, &none);
		result = steps[i].run(&life);
		setrlimit(RLIMIT_NOFILE, &enough);
		if (steps[i].run == make_domain || steps[i].run == attach ||
		    steps[i].run == add_port) {
			CHECK(result == -EMFILE, "%s: %lld", steps[i].name, (long long)result);
			result = steps[i].run(&life);
		}
		CHECK(result == 0, "%s: %lld", steps[i].name, (long long)result);
	}
	return end(&life);
}

int main(void)
{
	const char *reason;
	int failed;

	setvbuf(stdout, NULL, _IOLBF, 0);
	failed = fail_every_allocation();
	reason = without_descriptors();
	if (reason)
		printf("FAIL without-descriptors %s\n", reason);
	else
		printf("ok without-descriptors\n");
	return failed || reason;
}
