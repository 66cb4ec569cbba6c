// SPDX-License-Identifier: BSD-3-Clause
/* request_arguments.c - arguments that several commands have; see requests.h. */
#include "arguments.h"
#include "names.h"
#include "requests.h"

#include <errno.h>
#include <string.h>

int elisa_request_new_name(const json_t *arguments, const char **name,
			   struct elisa_failure *failure)
{
	int result =
		elisa_argument_text(arguments, "name", true, ELISA_NAME_SIZE - 1, name, failure);

	if (!result && !elisa_name_valid(*name))
		result = elisa_fail(failure, -EINVAL, "'name' has to be " ELISA_NAME_RULE);
	return result;
}

int elisa_request_on_full(const json_t *arguments, bool *backpressure,
			  struct elisa_failure *failure)
{
	const char *text;
	int result = elisa_argument_text(arguments, "on_full", false, 32, &text, failure);

	if (result)
		return result;
	*backpressure = text && !strcmp(text, "backpressure");
	if (text && !*backpressure && strcmp(text, "drop"))
		return elisa_fail(failure, -EINVAL,
				  "'on_full' has to be \"drop\" or \"backpressure\"");
	return 0;
}

int elisa_request_number(struct elisa_daemon *daemon, const json_t *arguments, unsigned int *number,
			 struct elisa_failure *failure)
{
	const char *name;
	int result =
		elisa_argument_text(arguments, "name", false, ELISA_NAME_SIZE - 1, &name, failure);

	*number = ELISA_MAX_PORTS;
	if (result || !name)
		return result;
	result = elisa_daemon_port_number(daemon, name);
	if (result < 0)
		return elisa_fail(failure, result,
				  "switch %s has no port %s and no uplink of that name; 'elisactl "
				  "port list' and 'elisactl uplink list' show those it has",
				  daemon->options.switch_name, name);
	*number = (unsigned int)result;
	return 0;
}
