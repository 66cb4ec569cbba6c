// SPDX-License-Identifier: BSD-3-Clause
/* fake_module.c - see fake_module.h. Linked in the place of vswitch/daemon/module.c. */
#include "fake_module.h"

#include "vswitch/daemon/module.h"

#include "cmocka_all.h"

#include <elisa/layout.h>
#include <elisa/version.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OBJECTS 1024

enum kind { KIND_NONE, KIND_MODULE, KIND_DOMAIN, KIND_VM, KIND_PORT };

struct object {
	enum kind kind;
	ino_t inode; /* of the pipe whose reading end each descriptor of it is */
	struct object *parent;
	struct fake_vm_content vm;
	uint32_t first_vcpu, port;
};

struct fake_module fake_module;
static struct object objects[OBJECTS];
static int event_writer = -1;
static bool vm_was_attached;
static struct elisa_domain_map maps[16];
static unsigned int nb_maps;

void fake_module_reset(void)
{
	fake_module = (struct fake_module){.info_version = ELISA_UAPI_VERSION};
	vm_was_attached = false;
	nb_maps = 0;
}

unsigned int fake_module_objects(void)
{
	unsigned int count = 0;

	for (int i = 0; i < OBJECTS; i++)
		count += objects[i].kind != KIND_NONE;
	return count;
}

/* The object behind a descriptor, or NULL: it was revoked, or is something else. */
static struct object *find(int fd)
{
	struct stat status;

	assert_int_equal(fstat(fd, &status), 0);
	for (int i = 0; i < OBJECTS; i++) {
		if (objects[i].kind != KIND_NONE && objects[i].inode == status.st_ino)
			return &objects[i];
	}
	return NULL;
}

static struct object *object(int fd, enum kind kind)
{
	struct object *found = find(fd);

	assert_non_null(found);
	assert_int_equal(found->kind, kind);
	return found;
}

/* A call that changes something begins. */
static void enter(void)
{
	if (fake_module.on_call)
		fake_module.on_call();
}

/* *writer is the pipe's other end; without it, that is closed. */
static int new_object(enum kind kind, struct object *parent, int *writer)
{
	struct object *new = objects;
	struct stat status;
	int pipes[2];

	while (new->kind != KIND_NONE)
		assert_true(++new < objects + OBJECTS);
	assert_int_equal(pipe2(pipes, O_NONBLOCK | O_CLOEXEC), 0);
	assert_int_equal(fstat(pipes[0], &status), 0);
	*new = (struct object){.kind = kind, .inode = status.st_ino, .parent = parent};
	if (writer)
		*writer = fcntl(pipes[1], F_DUPFD_CLOEXEC, FAKE_MODULE_FD);
	close(pipes[1]);
	return pipes[0];
}

static bool text_is_clean(const char text[ELISA_NAME_SIZE])
{
	size_t length = strnlen(text, ELISA_NAME_SIZE);

	for (size_t i = length; i < ELISA_NAME_SIZE; i++) {
		if (text[i])
			return false;
	}
	return length > 0 && length < ELISA_NAME_SIZE;
}

int elisa_module_open(void)
{
	if (fake_module.open_error)
		return fake_module.open_error;
	return new_object(KIND_MODULE, NULL, NULL);
}

int elisa_module_info(int module, struct elisa_info *info)
{
	object(module, KIND_MODULE);
	info->version = fake_module.info_version;
	if (fake_module.info_error)
		return fake_module.info_error;
	info->missing = fake_module.missing;
	strcpy(info->module_version, "fake");
	return info->version == ELISA_UAPI_VERSION ? 0 : -EINVAL;
}

int elisa_module_domain_create(int module, const char *name)
{
	enter();
	object(module, KIND_MODULE);
	if (fake_module.domain_error)
		return fake_module.domain_error;
	assert_in_range(strlen(name), 1, ELISA_NAME_SIZE - 1);
	nb_maps = 0;
	fake_module.maps = 0;
	vm_was_attached = false;
	return new_object(KIND_DOMAIN, NULL, &event_writer);
}

int elisa_module_domain_adopt(int module, int domain)
{
	enter();
	object(module, KIND_MODULE);
	if (!find(domain))
		return -ENODEV;
	object(domain, KIND_DOMAIN);
	fake_module.adopts++;
	if (!fake_module.adopt_errors)
		return 0;
	fake_module.adopt_errors--;
	return fake_module.adopt_error;
}

static const struct part {
	uint64_t offset, size;
	uint32_t access; /* bit a: may be mapped with access a */
	bool any_time;
} parts[] = {
	{ELISA_OFFSET_TEXT, ELISA_TEXT_MAX, 1 << ELISA_MAP_EXECUTE, false},
	{ELISA_OFFSET_RODATA, ELISA_RODATA_MAX, 1 << ELISA_MAP_READ, false},
	{ELISA_OFFSET_SWITCH, ELISA_SWITCH_MAX, 1 << ELISA_MAP_READ | 1 << ELISA_MAP_WRITE, false},
	{ELISA_OFFSET_CAPTURE, ELISA_CAPTURE_MAX, 1 << ELISA_MAP_WRITE, true},
	{ELISA_OFFSET_UPLINK_DEVICES, ELISA_UPLINK_DEVICES_MAX, 1 << ELISA_MAP_DEVICE, true},
	{ELISA_OFFSET_UPLINK_MEMORY, ELISA_UPLINK_MEMORY_MAX, 1 << ELISA_MAP_WRITE, true},
	{ELISA_OFFSET_UPLINK_STATE, ELISA_UPLINK_STATE_MAX, 1 << ELISA_MAP_READ, true},
};

static const struct part *part_of(uint64_t offset, uint64_t length)
{
	for (unsigned int i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (offset >= parts[i].offset && offset + length <= parts[i].offset + parts[i].size)
			return &parts[i];
	}
	fail_msg("nothing may be mapped at 0x%llx", (unsigned long long)offset);
	return NULL;
}

static void check_map(const struct elisa_domain_map *map)
{
	const struct part *part = part_of(map->offset, map->length);

	assert_true(part->any_time || !vm_was_attached);
	assert_true(part->access >> map->access & 1);
	assert_int_equal(map->address % ELISA_PAGE_SIZE, 0);
	assert_int_equal(map->offset % ELISA_PAGE_SIZE, 0);
	assert_int_equal(map->length % ELISA_PAGE_SIZE, 0);
	assert_int_not_equal(map->length, 0);
	for (unsigned int i = 0; i < nb_maps; i++)
		assert_true(map->offset + map->length <= maps[i].offset ||
			    maps[i].offset + maps[i].length <= map->offset);
}

int elisa_module_domain_map(int domain, struct elisa_domain_map *map)
{
	enter();
	object(domain, KIND_DOMAIN);
	if (fake_module.map_error && fake_module.maps == fake_module.map_error_at)
		return fake_module.map_error;
	check_map(map);
	assert_true(nb_maps < sizeof(maps) / sizeof(maps[0]));
	maps[nb_maps++] = *map;
	fake_module.maps++;
	return 0;
}

void *fake_module_mapped(uint64_t offset)
{
	for (unsigned int i = 0; i < nb_maps; i++) {
		if (offset >= maps[i].offset && offset - maps[i].offset < maps[i].length)
			return (void *)(uintptr_t)(maps[i].address + offset - maps[i].offset);
	}
	return NULL;
}

int elisa_module_domain_unmap(int domain, uint64_t offset, uint64_t length)
{
	enter();
	object(domain, KIND_DOMAIN);
	if (fake_module.unmap_error)
		return fake_module.unmap_error;
	assert_true(part_of(offset, length)->any_time);
	for (unsigned int i = 0; i < nb_maps; i++) {
		if (maps[i].offset != offset || maps[i].length != length)
			continue;
		if (fake_module.before_unmap)
			fake_module.before_unmap(&maps[i]);
		maps[i] = maps[--nb_maps];
		fake_module.unmaps++;
		fake_module.maps--;
		return 0;
	}
	return -ENOENT;
}

int elisa_module_domain_unmap_all(int domain, uint64_t offset, uint64_t length)
{
	enter();
	object(domain, KIND_DOMAIN);
	if (fake_module.unmap_error)
		return fake_module.unmap_error;
	assert_true(part_of(offset, length)->any_time);
	for (unsigned int i = nb_maps; i-- > 0;) {
		if (maps[i].offset >= offset && maps[i].offset + maps[i].length <= offset + length)
			elisa_module_domain_unmap(domain, maps[i].offset, maps[i].length);
	}
	return 0;
}

int elisa_module_domain_vcpu_evict(int domain, uint32_t vcpu)
{
	enter();
	object(domain, KIND_DOMAIN);
	fake_module.evicts++;
	if (fake_module.on_evict)
		fake_module.on_evict(vcpu);
	return fake_module.evict_error;
}

int elisa_module_domain_cmpxchg64(int domain, struct elisa_domain_cmpxchg64 *exchange)
{
	enter();
	object(domain, KIND_DOMAIN);
	fake_module.cmpxchgs++;
	fake_module.last_offset = exchange->offset;
	if (fake_module.cmpxchg_error)
		return fake_module.cmpxchg_error;
	exchange->seen = fake_module.word;
	if (exchange->seen == exchange->expected)
		fake_module.word = exchange->desired;
	return 0;
}

int elisa_module_domain_vcpu_reopen(int domain, uint32_t vcpu)
{
	enter();
	object(domain, KIND_DOMAIN);
	if (vcpu >= ELISA_MAX_VCPUS)
		return -ENOENT;
	fake_module.reopens++;
	return 0;
}

int elisa_module_domain_prove(int domain, struct elisa_domain_prove *proof)
{
	object(domain, KIND_DOMAIN);
	proof->invariant = fake_module.invariant;
	proof->entries = 4711;
	return fake_module.invariant ? -EUCLEAN : fake_module.prove_error;
}

int elisa_module_domain_event(int domain, struct elisa_event *event)
{
	ssize_t size;

	object(domain, KIND_DOMAIN);
	if (fake_module.event_error)
		return fake_module.event_error;
	size = read(domain, event, sizeof(*event));
	return size == sizeof(*event) ? 0 : -EAGAIN;
}

void fake_module_send(const struct elisa_event *event)
{
	assert_int_equal(write(event_writer, event, sizeof(*event)), sizeof(*event));
}

static uint32_t free_vcpu(uint32_t count)
{
	uint32_t first = 0;

	for (int i = 0; i < OBJECTS; i++) {
		if (objects[i].kind == KIND_VM &&
		    first < objects[i].first_vcpu + objects[i].vm.nb_vcpus)
			first = objects[i].first_vcpu + objects[i].vm.nb_vcpus;
	}
	return first + count <= ELISA_MAX_VCPUS ? first : UINT32_MAX;
}

int elisa_module_vm_attach(int domain, struct elisa_vm_attach *attach)
{
	struct fake_vm_content content;
	uint32_t first;
	int vm;

	enter();
	object(domain, KIND_DOMAIN);
	if (fake_module.attach_error) {
		attach->refusal = fake_module.refusal;
		return fake_module.attach_error;
	}
	if (pread(attach->kvm_fd, &content, sizeof(content), 0) != sizeof(content))
		return -EBADF;
	for (int i = 0; i < OBJECTS; i++) {
		if (objects[i].kind == KIND_VM && objects[i].vm.pid == content.pid)
			return -EBUSY;
	}
	first = free_vcpu(content.nb_vcpus);
	if (first == UINT32_MAX)
		return -ENOSPC;
	vm = new_object(KIND_VM, object(domain, KIND_DOMAIN), NULL);
	object(vm, KIND_VM)->vm = content;
	object(vm, KIND_VM)->first_vcpu = attach->first_vcpu = first;
	attach->nb_vcpus = content.nb_vcpus;
	vm_was_attached = true;
	fake_module.attaches++;
	return vm;
}

int elisa_module_vm_vcpu_stats(int vm, struct elisa_vcpu_stats *stats)
{
	struct object *attached = object(vm, KIND_VM);

	if (fake_module.stats_error)
		return fake_module.stats_error;
	if (stats->vcpu >= attached->vm.nb_vcpus)
		return -ENOENT;
	stats->exits = 100 + stats->vcpu;
	stats->exits_io = 10;
	stats->exits_inside = 3;
	stats->recoveries = 1;
	stats->gate_calls = 5;
	stats->held = fake_module.held;
	stats->tsc_offset = fake_module.tsc_offset;
	stats->tsc_scaled = fake_module.tsc_scaled;
	stats->by_reason[1] = 90;
	stats->by_reason[30] = 10;
	stats->inside_by_reason[1] = 3;
	return 0;
}

int elisa_module_port_add(int vm, struct elisa_port_add *add)
{
	int port;

	enter();
	object(vm, KIND_VM);
	fake_module.last_port = *add;
	assert_true(text_is_clean(add->name));
	assert_in_range(add->port, 0, ELISA_MAX_PORTS - 1);
	assert_in_range(add->max_queues, 1, ELISA_MAX_QUEUES);
	assert_int_equal(add->pad[0] | add->pad[1] | add->flags, 0);
	for (int i = 0; i < OBJECTS; i++) {
		if (objects[i].kind == KIND_PORT)
			assert_int_not_equal(objects[i].port, add->port);
	}
	if (fake_module.port_add_error)
		return fake_module.port_add_error;
	port = new_object(KIND_PORT, object(vm, KIND_VM), NULL);
	object(port, KIND_PORT)->port = add->port;
	fake_module.port_adds++;
	return port;
}

int elisa_module_port_state(int port, struct elisa_port_state *state)
{
	if (!find(port))
		return -ENODEV;
	object(port, KIND_PORT);
	if (fake_module.port_state_error)
		return fake_module.port_state_error;
	state->claimed = fake_module.claimed;
	state->started = fake_module.claimed;
	return 0;
}

static bool is_held(const struct object *held)
{
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;
	struct stat status;
	bool found = false;

	while (!found && (entry = readdir(directory)))
		found = !fstat(atoi(entry->d_name), &status) && status.st_ino == held->inode &&
			S_ISFIFO(status.st_mode) && atoi(entry->d_name) < FAKE_MODULE_FD;
	closedir(directory);
	return found;
}

static void release(struct object *released)
{
	if (released->kind == KIND_DOMAIN)
		close(event_writer);
	released->kind = KIND_NONE;
}

void fake_module_collect(void)
{
	for (int i = 0; i < OBJECTS; i++) {
		if (objects[i].kind != KIND_NONE && !is_held(&objects[i]))
			release(&objects[i]);
	}
}

void elisa_module_revoke(int fd)
{
	struct object *revoked = find(fd);

	enter();
	if (!revoked)
		return;
	assert_int_not_equal(revoked->kind, KIND_MODULE);
	for (int i = 0; i < OBJECTS; i++) {
		if (objects[i].kind != KIND_NONE)
			assert_ptr_not_equal(objects[i].parent, revoked);
	}
	release(revoked);
}

void elisa_module_close(int fd)
{
	struct object *module = find(fd);

	if (module && module->kind == KIND_MODULE)
		module->kind = KIND_NONE;
	close(fd);
}
