/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fixture.h - a daemon over the fake module, with processes that look like VMMs to it.
 *
 * Each fake VM is a real child process that holds a memfd at FAKE_KVM_FD; a tree in a temporary
 * directory stands for /proc and calls that descriptor a KVM VM's. So pidfds are the kernel's own.
 */
#ifndef ELISA_TESTS_FIXTURE_H
#define ELISA_TESTS_FIXTURE_H

#include "vswitch/daemon/daemon.h"

#include <jansson.h>

#define FAKE_KVM_FD 77
#define FAKE_USER 64055u /* whom they run as, in that tree */

/* The built elisa-image.elf, from the command line: tests need the real one. */
extern const char *fixture_image;

/* The directory that stands for /proc; fixture_begin() makes it, fixture_end() removes it. */
extern char fixture_proc[];

void fixture_begin(void);
void fixture_end(void); /* also ends VMs that still run */

/* cmdline has `size` bytes with NULs; NULL = "qemu\0-name\0guest=NAME\0". */
pid_t fixture_vm(const char *name, uint32_t nb_vcpus);
pid_t fixture_process(const char *cmdline, size_t size, uint32_t nb_vcpus, const char *link);
void fixture_kill(pid_t pid);

/* cmocka set-up and tear-down: *state = struct elisa_daemon; the end checks that nothing is left. */
int fixture_daemon_setup(void **state);
int fixture_daemon_teardown(void **state);

/* Sends a request (the line is made with printf) and returns the answer, checked for its frame. */
json_t *fixture_ask(struct elisa_daemon *daemon, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* As above for a command; `arguments` is JSON text. Expects a result, or an error of that code. */
json_t *fixture_result(struct elisa_daemon *daemon, const char *command, const char *arguments);
void fixture_refused(struct elisa_daemon *daemon, const char *command, const char *arguments,
		     const char *code, const char *part_of_message);

unsigned int fixture_open_descriptors(void);

#endif
