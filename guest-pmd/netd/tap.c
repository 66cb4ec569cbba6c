// SPDX-License-Identifier: BSD-3-Clause
/* tap.c - see tap.h. */
#include "log.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TUN_PATH "/dev/net/tun"
/* What the kernel may leave undone in what it sends: the switch does it, or the receiver's kernel. */
#define OFFLOADS (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN)

static int open_error(void)
{
	int err = -errno;

	netd_error("cannot open " TUN_PATH ": %s%s", strerror(errno),
		   err == -ENOENT || err == -ENODEV  ? "; load the module: modprobe tun"
		   : err == -EACCES || err == -EPERM ? "; run elisa-netd as root"
						     : "");
	return err;
}

static int attach_error(const char *name)
{
	int err = -errno;

	if (err == -EBUSY || err == -EINVAL) {
		netd_error("an interface %s exists already: give another name with --interface, or "
			   "remove it: ip link del %s",
			   name, name);
		return -EEXIST;
	}
	netd_error("cannot make the interface %s: %s%s", name, strerror(errno),
		   err == -EPERM ? "; run elisa-netd as root (CAP_NET_ADMIN)" : "");
	return err;
}

/* One more queue; the first makes the interface. */
static int open_queue(struct netd_tap *tap, bool multi_queue)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int header = sizeof(struct virtio_net_hdr);
	int fd = open(TUN_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int err;

	if (fd < 0)
		return open_error();
	if (multi_queue)
		request.ifr_flags |= IFF_MULTI_QUEUE;
	if (tap->nb_queues == 0)
		request.ifr_flags |= (short)IFF_TUN_EXCL;
	strcpy(request.ifr_name, tap->name);
	if (ioctl(fd, TUNSETIFF, &request)) {
		err = attach_error(tap->name);
		close(fd);
		return err;
	}
	if (ioctl(fd, TUNSETVNETHDRSZ, &header) || ioctl(fd, TUNSETOFFLOAD, OFFLOADS)) {
		err = -errno;
		netd_error("interface %s: this kernel's TAP has no offloads: %s", tap->name,
			   strerror(-err));
		close(fd);
		return err;
	}
	tap->fds[tap->nb_queues++] = fd;
	return 0;
}

static int set_up(const struct netd_tap *tap, int sock, const struct rte_ether_addr *mac,
		  uint32_t mtu)
{
	struct ifreq request = {0};

	strcpy(request.ifr_name, tap->name);
	request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(request.ifr_hwaddr.sa_data, mac->addr_bytes, sizeof(mac->addr_bytes));
	if (ioctl(sock, SIOCSIFHWADDR, &request))
		return -errno;
	request.ifr_mtu = (int)mtu;
	if (ioctl(sock, SIOCSIFMTU, &request))
		return -errno;
	if (ioctl(sock, SIOCGIFFLAGS, &request))
		return -errno;
	request.ifr_flags |= IFF_UP;
	return ioctl(sock, SIOCSIFFLAGS, &request) ? -errno : 0;
}

int netd_tap_open(struct netd_tap *tap, const char *name, uint32_t nb_queues,
		  const struct rte_ether_addr *mac, uint32_t mtu)
{
	int err = 0;
	int sock;

	*tap = (struct netd_tap){0};
	strcpy(tap->name, name);
	while (!err && tap->nb_queues < nb_queues)
		err = open_queue(tap, nb_queues > 1);
	if (err) {
		netd_tap_close(tap);
		return err;
	}
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	err = sock < 0 ? -errno : set_up(tap, sock, mac, mtu);
	if (sock >= 0)
		close(sock);
	if (err) {
		netd_error("cannot set MAC address, MTU %u and state of %s: %s", mtu, name,
			   strerror(-err));
		netd_tap_close(tap);
	}
	return err;
}

void netd_tap_close(struct netd_tap *tap)
{
	while (tap->nb_queues)
		close(tap->fds[--tap->nb_queues]);
}
