// SPDX-License-Identifier: BSD-3-Clause
/* domain_adopt.c - taking over a switch that runs; see domain.h. */
#include "domain.h"

#include "host_check.h"
#include "image.h"
#include "log.h"
#include "module.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A process that was killed is not out of its memory at once. */
#define TRIES 500
#define TRY_NS 10000000

static int refuse(const struct elisa_options *options, const char *why,
		  struct elisa_failure *failure)
{
	return elisa_fail(failure, -EPROTO,
			  "switch %s goes on, but this elisa-switchd does not take it over: %s; "
			  "start the version that it was made with, or end it (systemctl stop, or "
			  "SIGTERM to the monitor) and start it anew",
			  options->switch_name, why);
}

static int check_record(const struct elisa_domain_record *record,
			const struct elisa_options *options, struct elisa_failure *failure)
{
	struct elisa_image image;
	bool same;
	int result = elisa_image_load(options->image, &image, failure);

	if (result)
		return result;
	same = !memcmp(&record->image, &image.header, sizeof(image.header)) &&
	       record->text_size == image.text_size && record->rodata_size == image.rodata_size;
	elisa_image_free(&image);
	if (!same)
		return refuse(options, "the code that runs is not that of its --image", failure);
	if (strncmp(record->switch_name, options->switch_name, sizeof(record->switch_name)))
		return refuse(options, "it was made under another name", failure);
	return 0;
}

/* The switch's memory as it is; whoever runs in it goes on. */
static int map_switch(struct elisa_domain *domain, const struct elisa_options *options, int memory,
		      struct elisa_failure *failure)
{
	struct stat status;
	void *place;

	if (fstat(memory, &status) < 0 || status.st_size < (off_t)sizeof(struct elisa_switch))
		return refuse(options, "its memory is not a switch", failure);
	place = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (place == MAP_FAILED)
		return elisa_fail(failure, -ENOMEM, "no memory to map the switch; free some");
	domain->sw = place;
	domain->switch_size = (uint64_t)status.st_size;
	if (elisa_switch_check(domain->sw, domain->switch_size))
		return refuse(options, "its memory has another layout", failure);
	return 0;
}

static int become_owner(struct elisa_domain *domain, const struct elisa_options *options,
			struct elisa_failure *failure)
{
	const struct timespec pause = {.tv_nsec = TRY_NS};
	int result = -EBUSY;

	for (unsigned int i = 0; result == -EBUSY && i < TRIES; i++) {
		result = elisa_module_domain_adopt(domain->module, domain->fd);
		if (result == -EBUSY)
			nanosleep(&pause, NULL);
	}
	if (result == -ENODEV)
		return elisa_fail(failure, -ESTALE, "switch %s was ended", options->switch_name);
	if (result == -EBUSY)
		return elisa_fail(failure, result,
				  "switch %s is run by another elisa-switchd still; stop that one "
				  "first",
				  options->switch_name);
	if (result)
		return elisa_fail(failure, result,
				  "the module does not let this elisa-switchd take over switch %s: "
				  "%s; look for its messages in the kernel's log (dmesg)",
				  options->switch_name, strerror(-result));
	return 0;
}

static int take_over(struct elisa_domain *domain, const struct elisa_options *options,
		     const struct elisa_kept_thing *thing, const struct elisa_domain_record *record,
		     struct elisa_failure *failure)
{
	int result = check_record(record, options, failure);

	if (result)
		return result;
	memcpy(domain->image_version, record->image.version, sizeof(domain->image_version));
	domain->module = elisa_host_check(options->accept_side_channels, &domain->info, failure);
	if (domain->module < 0)
		return domain->module;
	result = map_switch(domain, options, thing->memory, failure);
	if (!result)
		result = become_owner(domain, options, failure);
	return result;
}

static void keep_options(struct elisa_options *options, const struct elisa_domain_record *record)
{
	if (options->fdb_capacity != record->fdb_capacity ||
	    options->age_ticks != record->age_ticks)
		elisa_log(ELISA_LOG_WARNING,
			  "the switch that runs keeps its --fdb-size %u and --ageing %u; to change "
			  "them end it and start it anew",
			  record->fdb_capacity, record->age_ticks * ELISA_FDB_TICK_SECONDS);
	options->fdb_capacity = record->fdb_capacity;
	options->age_ticks = record->age_ticks;
}

int elisa_domain_adopt(struct elisa_domain *domain, struct elisa_options *options,
		       const struct elisa_kept_thing *thing, struct elisa_failure *failure)
{
	struct elisa_domain_record record;
	int result;

	*domain = (struct elisa_domain){.module = -1, .fd = -1};
	if (thing->memory < 0 || thing->object < 0 ||
	    elisa_record_read(thing->record, ELISA_KEPT_DOMAIN, &record, sizeof(record))) {
		elisa_kept_close_thing(thing);
		return refuse(options, "what was kept of it is of another version, or not whole",
			      failure);
	}
	domain->fd = thing->object;
	result = take_over(domain, options, thing, &record, failure);
	close(thing->memory);
	close(thing->record);
	if (result)
		elisa_domain_leave(domain);
	else
		keep_options(options, &record);
	return result;
}
