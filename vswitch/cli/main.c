// SPDX-License-Identifier: BSD-3-Clause
/* main.c - elisactl: one request, one answer, one exit code. */
#include "capture.h"
#include "connection.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>

static int run(const struct elisa_cli_options *options)
{
	json_t *result;
	int code = elisa_cli_ask(options, &result, NULL);

	if (code == ELISA_CLI_OK && options->json) {
		json_dumpf(result, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
		putchar('\n');
	} else if (code == ELISA_CLI_OK) {
		options->command->print(result);
	}
	json_decref(result);
	if (fflush(stdout) || ferror(stdout)) {
		perror("elisactl: standard output");
		return ELISA_CLI_REFUSED;
	}
	return code;
}

int main(int argc, char **argv)
{
	struct elisa_cli_options options;
	int code = elisa_cli_parse(&options, argc, argv);

	if (code == ELISA_CLI_OK && options.command)
		code = options.command->print ? run(&options) : elisa_cli_capture(&options);
	free(options.filter);
	json_decref(options.arguments);
	return code;
}
