/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_local.c - gate=local: the hypercalls' errors, and traffic between two handles of a process.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <elisa/hypercall.h>
#include <elisa/layout.h>
#include <elisa/local.h>
#include <elisa/ring.h>
#include <elisa/version.h>

#define MEMORY 0x100000ull
#define RX 0x1000
#define BUFFERS 0x10000

struct end {
	struct elisa_local *local;
	struct elisa_hc_hello hello;
	uint8_t *memory;
	struct elisa_desc *tx;
	struct elisa_desc *rx;
};

static int64_t region(struct end *end, uint32_t number, uint64_t at, uint64_t length,
		      uint32_t flags)
{
	struct elisa_hc_region call = {.port = end->hello.port,
				       .flags = flags,
				       .gva = (uintptr_t)end->memory + at,
				       .length = length};

	return elisa_local_hypercall(end->local, number, &call, sizeof(call));
}

static int64_t queue(struct end *end, uint32_t number, uint64_t tx, uint64_t rx, uint32_t size)
{
	struct elisa_hc_queue call = {.port = end->hello.port, .tx_size = size, .rx_size = size};

	if (number == ELISA_HC_QUEUE_SETUP) {
		call.tx_window = (uintptr_t)end->memory + tx;
		call.rx_ring = (uintptr_t)end->memory + rx;
	}
	return elisa_local_hypercall(end->local, number, &call, sizeof(call));
}

static int64_t port(struct end *end, uint32_t number, uint32_t flags, uint32_t mtu)
{
	struct elisa_hc_port call = {.port = end->hello.port, .flags = flags, .mtu = mtu};

	return elisa_local_hypercall(end->local, number, &call, sizeof(call));
}

static int64_t say_hello(struct end *end)
{
	memset(&end->hello, 0, sizeof(end->hello));
	end->hello.abi = ELISA_GUEST_ABI;
	return elisa_local_hypercall(end->local, ELISA_HC_HELLO, &end->hello, sizeof(end->hello));
}

static void open_end(struct end *end, const char *name)
{
	assert_int_equal(elisa_local_open("sw0", name, &end->local), 0);
	assert_int_equal(say_hello(end), 0);
	end->memory =
		mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(end->memory != MAP_FAILED);
	end->tx = (struct elisa_desc *)end->memory;
	end->rx = (struct elisa_desc *)(end->memory + RX);
}

static void start_end(struct end *end)
{
	assert_int_equal(region(end, ELISA_HC_REGISTER, 0, MEMORY, ELISA_REGION_WRITE), 0);
	assert_int_equal(queue(end, ELISA_HC_QUEUE_SETUP, 0, RX, 64), 0);
	for (uint32_t i = 0; i < 64; i++) {
		end->rx[i].addr = (uintptr_t)end->memory + BUFFERS + i * 2048;
		end->rx[i].word = (uint64_t)ELISA_DESC_POSTED << 16 | 2048;
	}
	assert_int_equal(port(end, ELISA_HC_PORT_SET, ELISA_PORT_STARTED, 1500), 0);
}

static void close_end(struct end *end)
{
	elisa_local_close(end->local);
	munmap(end->memory, MEMORY);
}

static void make_frame(struct end *from, const struct end *to)
{
	uint8_t *frame = from->memory + 0x8000;

	memcpy(frame, to->hello.mac, 6);
	memcpy(frame + 6, from->hello.mac, 6);
	from->tx[0].addr = (uintptr_t)frame;
	from->tx[0].word = 60;
}

static void test_open(void **state)
{
	struct elisa_local *ports[ELISA_MAX_PORTS + 1];
	char name[ELISA_NAME_SIZE + 1];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[ELISA_NAME_SIZE] = 0;
	assert_int_equal(elisa_local_open("", "p", &ports[0]), -EINVAL);
	assert_int_equal(elisa_local_open("s", "", &ports[0]), -EINVAL);
	assert_int_equal(elisa_local_open(name, "p", &ports[0]), -EINVAL);
	assert_int_equal(elisa_local_open("s", name, &ports[0]), -EINVAL);
	for (uint32_t i = 0; i < ELISA_MAX_PORTS; i++) {
		name[0] = 'a' + i / 26;
		name[1] = 'a' + i % 26;
		name[2] = 0;
		assert_int_equal(elisa_local_open("s", name, &ports[i]), 0);
	}
	assert_int_equal(elisa_local_open("s", "more", &ports[64]), -ENOSPC);
	assert_int_equal(elisa_local_open("t", "more", &ports[64]), 0);
	for (uint32_t i = 0; i <= ELISA_MAX_PORTS; i++)
		elisa_local_close(ports[i]);
	elisa_local_close(NULL);
}

static void test_hello(void **state)
{
	struct end a = {0}, again = {0};
	struct elisa_hc_hello hello = {.abi = ELISA_GUEST_ABI + 1};

	(void)state;
	assert_int_equal(elisa_local_open("sw0", "p0", &a.local), 0);
	assert_int_equal(elisa_local_open("sw0", "p0", &again.local), 0);
	assert_int_equal(elisa_local_hypercall(a.local, 0, &hello, sizeof(hello)), -ENOSYS);
	assert_int_equal(elisa_local_hypercall(a.local, ELISA_HC_GATE_CALL, &hello, sizeof(hello)),
			 -ENOSYS);
	assert_int_equal(elisa_local_hypercall(a.local, ELISA_HC_HELLO, &hello, 8), -EINVAL);
	assert_int_equal(elisa_local_hypercall(a.local, ELISA_HC_HELLO, NULL, sizeof(hello)),
			 -EFAULT);
	assert_int_equal(elisa_local_hypercall(a.local, ELISA_HC_HELLO, &hello, sizeof(hello)),
			 -EPROTO);
	hello.abi = ELISA_GUEST_ABI;
	strcpy(hello.port_name, "p1");
	assert_int_equal(elisa_local_hypercall(a.local, ELISA_HC_HELLO, &hello, sizeof(hello)),
			 -ENOENT);
	assert_int_equal(port(&a, ELISA_HC_BYE, 0, 0), -EACCES);
	assert_int_equal(say_hello(&a), 0);
	assert_string_equal(a.hello.port_name, "p0");
	assert_string_equal(a.hello.switch_name, "sw0");
	assert_memory_equal(a.hello.mac, "\x02\xe1\x15\xa0\x00\x00", 6);
	assert_int_equal(say_hello(&again), -EBUSY);
	assert_int_equal(port(&a, ELISA_HC_BYE, 0, 0), 0);
	assert_int_equal(say_hello(&again), 0);
	assert_int_equal(port(&a, ELISA_HC_PORT_SET, 0, 1500), -EACCES);
	elisa_local_close(a.local);
	elisa_local_close(again.local);
}

static void test_regions(void **state)
{
	struct end a;

	(void)state;
	open_end(&a, "p0");
	assert_int_equal(region(&a, ELISA_HC_REGISTER, 1, 0x1000, 0), -EINVAL);
	assert_int_equal(region(&a, ELISA_HC_REGISTER, 0, 0x1001, 0), -EINVAL);
	assert_int_equal(region(&a, ELISA_HC_REGISTER, 0, 0, 0), -EINVAL);
	assert_int_equal(region(&a, ELISA_HC_REGISTER, 0, 0x1000, 2), -EINVAL);
	assert_int_equal(region(&a, ELISA_HC_REGISTER, 0, 1ull << 40, 0), -EFAULT);
	assert_int_equal(region(&a, ELISA_HC_REGISTER, 0x1000, 0x2000, 0), 0);
	assert_int_equal(region(&a, ELISA_HC_REGISTER, 0, 0x2000, 0), -EEXIST);
	assert_int_equal(region(&a, ELISA_HC_REGISTER, 0x2000, 0x1000, 0), -EEXIST);
	assert_int_equal(region(&a, ELISA_HC_UNREGISTER, 0x1000, 0x1000, 0), -ENOENT);
	assert_int_equal(region(&a, ELISA_HC_UNREGISTER, 0x1000, 0x2000, 1), -EINVAL);
	assert_int_equal(region(&a, ELISA_HC_UNREGISTER, 0x1000, 0x2000, 0), 0);
	for (uint32_t i = 0; i < ELISA_MAX_REGIONS; i++)
		assert_int_equal(region(&a, ELISA_HC_REGISTER, i * 0x1000, 0x1000, 0), 0);
	assert_int_equal(region(&a, ELISA_HC_REGISTER, ELISA_MAX_REGIONS * 0x1000, 0x1000, 0),
			 -ENOSPC);
	close_end(&a);
}

static void test_queues(void **state)
{
	struct end a;

	(void)state;
	open_end(&a, "p0");
	assert_int_equal(port(&a, ELISA_HC_PORT_SET, ELISA_PORT_STARTED, 1500), -ENOENT);
	assert_int_equal(port(&a, ELISA_HC_PORT_SET, 0, 67), -ERANGE);
	assert_int_equal(port(&a, ELISA_HC_PORT_SET, 0, 9217), -ERANGE);
	assert_int_equal(port(&a, ELISA_HC_PORT_SET, ELISA_PORT_FLAGS + 1, 1500), -EINVAL);
	assert_int_equal(queue(&a, ELISA_HC_QUEUE_SETUP, 0, RX, 64), -EFAULT);
	assert_int_equal(region(&a, ELISA_HC_REGISTER, 0, 0x1000, 0), 0);
	assert_int_equal(queue(&a, ELISA_HC_QUEUE_SETUP, 0, 0x800, 64), -EFAULT);
	assert_int_equal(region(&a, ELISA_HC_REGISTER, 0x1000, 0x1000, ELISA_REGION_WRITE), 0);
	assert_int_equal(queue(&a, ELISA_HC_QUEUE_SETUP, 0, RX, 4), -ERANGE);
	assert_int_equal(queue(&a, ELISA_HC_QUEUE_SETUP, 0, RX, 48), -ERANGE);
	assert_int_equal(queue(&a, ELISA_HC_QUEUE_SETUP, 0, RX, 65536), -ERANGE);
	assert_int_equal(queue(&a, ELISA_HC_QUEUE_SETUP, 0, RX + 8, 64), -EFAULT);
	assert_int_equal(queue(&a, ELISA_HC_QUEUE_SETUP, 0, RX + 0xff0, 64), -EFAULT);
	assert_int_equal(queue(&a, ELISA_HC_QUEUE_RELEASE, 0, 0, 0), -ENOENT);
	assert_int_equal(queue(&a, ELISA_HC_QUEUE_SETUP, 0, RX, 64), 0);
	assert_int_equal(queue(&a, ELISA_HC_QUEUE_SETUP, 0, RX, 64), -EBUSY);
	assert_int_equal(region(&a, ELISA_HC_UNREGISTER, 0x1000, 0x1000, 0), -EBUSY);
	assert_int_equal(port(&a, ELISA_HC_PORT_SET, ELISA_PORT_STARTED, 1500), 0);
	assert_int_equal(queue(&a, ELISA_HC_QUEUE_RELEASE, 0, 0, 0), -EBUSY);
	assert_int_equal(port(&a, ELISA_HC_PORT_SET, 0, 1500), 0);
	assert_int_equal(queue(&a, ELISA_HC_QUEUE_RELEASE, 0, 0, 0), 0);
	assert_int_equal(region(&a, ELISA_HC_UNREGISTER, 0x1000, 0x1000, 0), 0);
	close_end(&a);
}

static void test_traffic(void **state)
{
	struct end a, b;

	(void)state;
	open_end(&a, "p0");
	open_end(&b, "p1");
	assert_int_equal(elisa_local_call(a.local, ELISA_CALL_NOP, 0, 0), 0);
	assert_int_equal(elisa_local_call(a.local, ELISA_CALL_TX, a.hello.port, 1), -ENODEV);
	start_end(&a);
	start_end(&b);
	make_frame(&a, &b);
	assert_int_equal(elisa_local_call(a.local, ELISA_CALL_TX, b.hello.port, 1), -EPERM);
	assert_int_equal(elisa_local_call(a.local, ELISA_CALL_TX, a.hello.port, 1), 1);
	assert_int_equal(b.rx[0].word, (uint64_t)ELISA_DESC_DONE << 16 | 60);
	assert_memory_equal(b.memory + BUFFERS, a.memory + 0x8000, 60);
	elisa_local_set_backpressure(b.local, true);
	for (uint32_t i = 1; i < 64; i++)
		assert_int_equal(elisa_local_call(a.local, ELISA_CALL_TX, a.hello.port, 1), 1);
	assert_int_equal(elisa_local_call(a.local, ELISA_CALL_TX, a.hello.port, 1), 0);
	assert_int_equal(port(&a, ELISA_HC_BYE, 0, 0), 0);
	assert_int_equal(elisa_local_call(a.local, ELISA_CALL_TX, a.hello.port, 1), -EPERM);
	close_end(&a);
	close_end(&b);
}

static uint64_t stop;

static void *send_until_stop(void *argument)
{
	struct end *a = argument;

	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
		if (elisa_local_call(a->local, ELISA_CALL_TX, a->hello.port, 1) < 0)
			return argument;
	return NULL;
}

/* The receiver's memory goes away under a sender at full speed: only after it left the call. */
static void test_revoke_in_traffic(void **state)
{
	pthread_t thread;
	struct end a, b;
	void *failed;

	(void)state;
	stop = 0;
	open_end(&a, "p0");
	open_end(&b, "p1");
	start_end(&a);
	start_end(&b);
	make_frame(&a, &b);
	assert_int_equal(pthread_create(&thread, NULL, send_until_stop, &a), 0);
	for (uint32_t i = 0; i < 300; i++) {
		sched_yield();
		assert_int_equal(port(&b, ELISA_HC_BYE, 0, 0), 0);
		munmap(b.memory, MEMORY);
		b.memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				-1, 0);
		assert_true(b.memory != MAP_FAILED);
		b.tx = (struct elisa_desc *)b.memory;
		b.rx = (struct elisa_desc *)(b.memory + RX);
		assert_int_equal(say_hello(&b), 0);
		start_end(&b);
		while (!(__atomic_load_n(&b.rx[0].flags, __ATOMIC_ACQUIRE) & ELISA_DESC_DONE))
			sched_yield();
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	pthread_join(thread, &failed);
	assert_null(failed);
	close_end(&a);
	close_end(&b);
}

static void *call_once(void *argument)
{
	struct end *a = argument;

	return elisa_local_call(a->local, ELISA_CALL_TX, a->hello.port, 1) == 1 ? NULL : argument;
}

/* vCPU numbers come back when their threads end: more threads than there are numbers. */
static void test_threads_come_and_go(void **state)
{
	struct end a, b;

	(void)state;
	open_end(&a, "p0");
	open_end(&b, "p1");
	start_end(&a);
	start_end(&b);
	make_frame(&a, &b);
	for (uint32_t i = 0; i < ELISA_MAX_VCPUS + 50; i++) {
		pthread_t thread;
		void *failed;

		assert_int_equal(pthread_create(&thread, NULL, call_once, &a), 0);
		pthread_join(thread, &failed);
		assert_null(failed);
	}
	close_end(&a);
	close_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_traffic),
		cmocka_unit_test(test_revoke_in_traffic),
		cmocka_unit_test(test_threads_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
