// SPDX-License-Identifier: BSD-3-Clause
/* commands.c - the commands of elisactl and their usage; see options.h. */
#include "options.h"
#include "print.h"

#include <stdio.h>
#include <string.h>

#define PORT_ADD_HELP                                                                            \
	"Adds a port that a process in the VM can claim. --vm is the VMM's process id, QEMU's\n" \
	"-name or libvirt's name. Without --mac the address follows from the two names.\n"       \
	"\n"                                                                                     \
	"  --vm VM                      whose port it is (required)\n"                           \
	"  --mac MAC                    unicast address (52:e1:15:a0:xx:xx)\n"                   \
	"  --on-full drop|backpressure  when the guest does not take its packets: drop and "     \
	"count\n"                                                                                \
	"                               them, or let senders wait (drop)\n"                      \
	"  --mtu N                      largest MTU the guest may set, 68 to 9216 (1500)\n"      \
	"  --queues N                   queue pairs the guest may use, 1 to 8 (8)\n"             \
	"\n"                                                                                     \
	"and those of 'port set'.\n"

#define PORT_SET_HELP                                                                              \
	"Changes what a port may send, while traffic flows. What is not given stays as it is.\n"   \
	"Packets beyond a limit, and those that the guard does not let through, are dropped and\n" \
	"counted. N takes k, M or G.\n"                                                            \
	"\n"                                                                                       \
	"  --rate-packets N|none   packets per second (none)\n"                                    \
	"  --rate-bits N|none      bits per second, of whole frames; 10M is also 10Mbit (none)\n"  \
	"  --storm N|none          packets per second that are flooded: broadcast, multicast "     \
	"and\n"                                                                                    \
	"                          unknown addresses (none)\n"                                     \
	"  --learn N|none          addresses that the switch learns from it (1024)\n"              \
	"  --guard LIST|none       of mac, ip and vlan: let through only its own MAC address, "    \
	"the\n"                                                                                    \
	"                          IP addresses, the VLANs that follow (none)\n"                   \
	"  --allow-ip LIST|none    up to 8 IPv4 and 8 IPv6 addresses\n"                            \
	"  --allow-vlan LIST|none  up to 8 VLANs; 0 is no tag\n"                                   \
	"  --private on|off        nothing from it goes to other private ports (off)\n"

#define UPLINK_ADD_HELP                                                                            \
	"Adds a NIC as a port of the switch: the guests' vCPUs send and receive on it. It has to " \
	"be\n"                                                                                     \
	"bound to vfio-pci or igb_uio, and elisa-switchd started with --uplink-memory.\n"          \
	"\n"                                                                                       \
	"  --on-full drop|backpressure  when the NIC's ring is full: drop and count, or let "      \
	"senders\n"                                                                                \
	"                               wait (drop)\n"                                             \
	"  --mtu N                      its MTU, 68 to 9216 (1500)\n"                              \
	"  --queues N                   its queue pairs, 1 to 8 (1)\n"

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
	{.words = {"port", "add"},
	 .request = "port-add",
	 .usage = "port add NAME --vm VM [option…]",
	 .help = PORT_ADD_HELP,
	 .print = elisa_print_port,
	 .takes_name = true,
	 .needs_name = true,
	 .options = ELISA_CLI_PORT},
	{.words = {"port", "set"},
	 .request = "port-set",
	 .usage = "port set NAME option…",
	 .help = PORT_SET_HELP,
	 .print = elisa_print_port,
	 .takes_name = true,
	 .needs_name = true,
	 .options = ELISA_CLI_POLICY},
	{.words = {"port", "del"},
	 .request = "port-del",
	 .usage = "port del NAME",
	 .help = "Removes a port. Nobody can send from it or to it afterwards.\n",
	 .print = elisa_print_nothing,
	 .takes_name = true,
	 .needs_name = true},
	{.words = {"port", "list"},
	 .request = "port-list",
	 .usage = "port list",
	 .help = "Lists the ports.\n",
	 .print = elisa_print_ports},
	{.words = {"port", "show"},
	 .request = "port-show",
	 .usage = "port show NAME",
	 .help = "Shows all about a port.\n",
	 .print = elisa_print_port,
	 .takes_name = true,
	 .needs_name = true},
	{.words = {"uplink", "add"},
	 .request = "uplink-add",
	 .usage = "uplink add NAME PCI-ADDRESS [option…]",
	 .help = UPLINK_ADD_HELP,
	 .print = elisa_print_uplink,
	 .takes_name = true,
	 .needs_name = true,
	 .second = "pci",
	 .options = ELISA_CLI_UPLINK},
	{.words = {"uplink", "del"},
	 .request = "uplink-del",
	 .usage = "uplink del NAME",
	 .help = "Removes an uplink. Its NIC is given back to the host.\n",
	 .print = elisa_print_nothing,
	 .takes_name = true,
	 .needs_name = true},
	{.words = {"uplink", "list"},
	 .request = "uplink-list",
	 .usage = "uplink list",
	 .help = "Lists the uplinks.\n",
	 .print = elisa_print_uplinks},
	{.words = {"uplink", "show"},
	 .request = "uplink-show",
	 .usage = "uplink show NAME",
	 .help = "Shows all about an uplink.\n",
	 .print = elisa_print_uplink,
	 .takes_name = true,
	 .needs_name = true},
	{.words = {"stats"},
	 .request = "stats",
	 .usage = "stats [NAME]",
	 .help = "Shows the packets of all ports and uplinks or of one.\n",
	 .print = elisa_print_stats,
	 .takes_name = true},
	{.words = {"fdb", "flush"},
	 .request = "fdb-flush",
	 .usage = "fdb flush [NAME]",
	 .help = "Forgets learned MAC addresses: all, or those of a port or uplink.\n",
	 .print = elisa_print_flush,
	 .takes_name = true},
	{.words = {"fdb"},
	 .request = "fdb",
	 .usage = "fdb",
	 .help = "Shows the MAC addresses that the switch knows.\n",
	 .print = elisa_print_fdb},
	{.words = {"vm"},
	 .request = "vm",
	 .usage = "vm [VM]",
	 .help = "Shows VM exits and recoveries of all attached VMs or of one (name or process "
		 "id).\n",
	 .print = elisa_print_vms,
	 .takes_name = true},
	{.words = {"prove"},
	 .request = "prove",
	 .usage = "prove",
	 .help = "Checks the isolation of the contexts as built, for every vCPU of the switch,\n"
		 "and that the switch's own state is sound.\n",
	 .print = elisa_print_proof},
	{.words = {"status"},
	 .request = "status",
	 .usage = "status",
	 .help = "Shows the daemon, its versions and its sizes.\n",
	 .print = elisa_print_status},
	{.words = {"capture"},
	 .request = "capture",
	 .usage = "capture PORT [-w FILE] [-c N] [-s N] [filter…]",
	 .help = CAPTURE_HELP,
	 .takes_name = true,
	 .needs_name = true,
	 .takes_filter = true,
	 .options = ELISA_CLI_CAPTURE},
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
