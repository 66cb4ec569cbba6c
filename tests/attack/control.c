// SPDX-License-Identifier: BSD-3-Clause
/* control.c - see control.h. */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm.h"

#define SOCKET "/run/elisa/elisa0.sock"

bool control_ask(const char *request, char *answer, size_t size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SOCKET};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t used = 0;
	ssize_t part;

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		die(SOCKET);
	if (dprintf(fd, "%s\n", request) < 0)
		die("a request");
	do {
		part = read(fd, answer + used, size - 1 - used);
		if (part <= 0)
			die("an answer of elisa-switchd");
		used += (size_t)part;
	} while (answer[used - 1] != '\n' && used < size - 1);
	answer[used] = 0;
	close(fd);
	return !strstr(answer, "\"error\"");
}

uint64_t control_number(const char *answer, const char *key)
{
	char quoted[40];
	const char *found;

	snprintf(quoted, sizeof(quoted), "\"%.30s\":", key);
	found = strstr(answer, quoted);
	return found ? strtoull(found + strlen(quoted), NULL, 10) : 0;
}

void control_add_port(const char *name, const char *mac)
{
	char request[300], answer[1000];

	snprintf(request, sizeof(request),
		 "{\"version\":1,\"command\":\"port-add\",\"arguments\":{\"name\":\"%s\","
		 "\"vm\":\"%d\",\"mac\":\"%s\"}}",
		 name, getpid(), mac);
	if (control_ask(request, answer, sizeof(answer)))
		return;
	fprintf(stderr, "port-add: %s", answer);
	exit(2);
}

void control_delete_port(const char *name)
{
	char request[300], answer[1000];

	snprintf(request, sizeof(request),
		 "{\"version\":1,\"command\":\"port-del\",\"arguments\":{\"name\":\"%s\"}}", name);
	if (control_ask(request, answer, sizeof(answer)))
		return;
	fprintf(stderr, "port-del: %s", answer);
	exit(2);
}

void control_status(struct control_status *status)
{
	char answer[2000];

	control_ask("{\"version\":1,\"command\":\"status\",\"arguments\":{}}", answer,
		    sizeof(answer));
	status->pid = control_number(answer, "pid");
	status->ports = control_number(answer, "ports");
	status->pinned_pages = control_number(answer, "pinned_pages");
}

const char *control_prove(void)
{
	static char answer[1000];

	if (control_ask("{\"version\":1,\"command\":\"prove\",\"arguments\":{}}", answer,
			sizeof(answer)))
		return NULL;
	answer[strcspn(answer, "\n")] = 0;
	return answer;
}

uint64_t control_nic_sent(void)
{
	char answer[4000];

	control_ask("{\"version\":1,\"command\":\"stats\",\"arguments\":{\"name\":\"up0\"}}",
		    answer, sizeof(answer));
	return control_number(answer, "opackets");
}

/* Where the daemon has it: the mapping that begins with the magic number. */
static uint64_t find_switch(int memory, uint64_t pid)
{
	uint64_t from, to, magic;
	char path[64], line[400];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%" PRIu64 "/maps", pid);
	maps = fopen(path, "re");
	if (!maps)
		die(path);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &from, &to) != 2 ||
		    to - from < sizeof(struct elisa_switch) ||
		    pread(memory, &magic, sizeof(magic), (off_t)from) != sizeof(magic) ||
		    magic != ELISA_SWITCH_MAGIC)
			continue;
		fclose(maps);
		return from;
	}
	fprintf(stderr, "no switch in the memory of process %" PRIu64 "\n", pid);
	exit(2);
}

void control_read_switch(struct elisa_switch *sw)
{
	static uint64_t address;
	static int memory = -1;

	if (memory < 0) {
		struct control_status status;
		char path[64];

		control_status(&status);
		snprintf(path, sizeof(path), "/proc/%" PRIu64 "/mem", status.pid);
		memory = open(path, O_RDONLY | O_CLOEXEC);
		if (memory < 0)
			die(path);
		address = find_switch(memory, status.pid);
	}
	if (pread(memory, sw, sizeof(*sw), (off_t)address) != sizeof(*sw))
		die("the switch's memory");
}

unsigned int control_find_port(const struct elisa_switch *sw, uint64_t mac)
{
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		if (sw->config[i].present && sw->config[i].mac == mac)
			return i;
	}
	return ELISA_MAX_PORTS;
}
