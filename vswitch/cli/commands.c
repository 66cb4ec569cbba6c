// SPDX-License-Identifier: BSD-3-Clause
/* commands.c - the commands of elisactl and their usage; see options.h. */
#include "options.h"
#include "print.h"

#include <stdio.h>
#include <string.h>

#define ADD_HELP                                                                                 \
	"Adds a port that a process in the VM can claim. --vm is the VMM's process id, QEMU's\n" \
	"-name or libvirt's name. Without --mac the address follows from the two names.\n"       \
	"\n"                                                                                     \
	"  --vm VM                      whose port it is (required)\n"                           \
	"  --mac MAC                    unicast address (52:e1:15:a0:xx:xx)\n"                   \
	"  --on-full drop|backpressure  when the guest does not take its packets: drop and "     \
	"count\n"                                                                                \
	"                               them, or let senders wait (drop)\n"                      \
	"  --mtu N                      largest MTU the guest may set, 68 to 9216 (1500)\n"      \
	"  --queues N                   queue pairs the guest may use, 1 to 8 (8)\n"

#define CAPTURE_HELP                                                                            \
	"Writes the packets that pass a port, in both directions, to a file that tcpdump and\n" \
	"tshark read, until it is interrupted. To look at them at once:\n"                      \
	"elisactl capture PORT -w - | tcpdump -nr -\n"                                          \
	"\n"                                                                                    \
	"  -w, --write FILE             where to; - is standard output (-)\n"                   \
	"  -c, --count N                end after so many packets\n"                            \
	"  -s, --snaplen N              bytes of each packet, 1 to 262144 (262144)\n"           \
	"  filter                       which packets, see pcap-filter(7) (all)\n"

static const struct elisa_cli_command commands[] = {
	{{"port", "add"},
	 "port-add",
	 "port add NAME --vm VM [option…]",
	 ADD_HELP,
	 elisa_print_port,
	 true,
	 true,
	 true},
	{{"port", "del"},
	 "port-del",
	 "port del NAME",
	 "Removes a port. Nobody can send from it or to it afterwards.\n",
	 elisa_print_nothing,
	 true,
	 true,
	 false},
	{{"port", "list"},
	 "port-list",
	 "port list",
	 "Lists the ports.\n",
	 elisa_print_ports,
	 false,
	 false,
	 false},
	{{"port", "show"},
	 "port-show",
	 "port show NAME",
	 "Shows all about a port.\n",
	 elisa_print_port,
	 true,
	 true,
	 false},
	{{"stats", NULL},
	 "stats",
	 "stats [NAME]",
	 "Shows the packets of all ports or of one.\n",
	 elisa_print_stats,
	 true,
	 false,
	 false},
	{{"fdb", "flush"},
	 "fdb-flush",
	 "fdb flush [NAME]",
	 "Forgets learned MAC addresses: all, or those of a port.\n",
	 elisa_print_flush,
	 true,
	 false,
	 false},
	{{"fdb", NULL},
	 "fdb",
	 "fdb",
	 "Shows the MAC addresses that the switch knows.\n",
	 elisa_print_fdb,
	 false,
	 false,
	 false},
	{{"vm", NULL},
	 "vm",
	 "vm [VM]",
	 "Shows VM exits and recoveries of all attached VMs or of one (name or process id).\n",
	 elisa_print_vms,
	 true,
	 false,
	 false},
	{{"prove", NULL},
	 "prove",
	 "prove",
	 "Checks the isolation of the contexts as built, for every vCPU of the switch.\n",
	 elisa_print_proof,
	 false,
	 false,
	 false},
	{{"status", NULL},
	 "status",
	 "status",
	 "Shows the daemon, its versions and its sizes.\n",
	 elisa_print_status,
	 false,
	 false,
	 false},
	{{"capture", NULL},
	 "capture",
	 "capture PORT [-w FILE] [-c N] [-s N] [filter…]",
	 CAPTURE_HELP,
	 NULL,
	 true,
	 true,
	 false},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

const struct elisa_cli_command *elisa_cli_command(char **words, int count, int *used)
{
	for (unsigned int i = 0; i < COMMANDS; i++) {
		*used = commands[i].words[1] ? 2 : 1;
		if (count < *used || strcmp(words[0], commands[i].words[0]))
			continue;
		if (*used == 1 || !strcmp(words[1], commands[i].words[1]))
			return &commands[i];
	}
	return NULL;
}

void elisa_cli_print_usage(const struct elisa_cli_command *command)
{
	if (command) {
		printf("usage: elisactl [option…] %s\n\n%s", command->usage, command->help);
		return;
	}
	printf("usage: elisactl [option…] command\n"
	       "\n"
	       "Commands a running elisa-switchd(8). 'elisactl command --help' says more of each:\n"
	       "\n");
	for (unsigned int i = 0; i < COMMANDS; i++)
		printf("  %s\n", commands[i].usage);
	printf("\n"
	       "  --switch NAME  which switch (elisa0)\n"
	       "  --socket PATH  its control socket (/run/elisa/NAME.sock)\n"
	       "  --json         print the daemon's result as JSON\n"
	       "  -h, --help     this text\n"
	       "  --version      version of elisactl\n"
	       "\n"
	       "Exit code: 0 done, 1 the daemon refused, 2 wrong usage, 3 no daemon there.\n");
}
