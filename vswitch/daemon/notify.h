/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * notify.h - a message to who started this process, by the socket that NOTIFY_SOCKET names: what
 * sd_notify(3) and sd_pid_notify_with_fds(3) send, but without waiting for ever. Main thread.
 */
#ifndef ELISA_DAEMON_NOTIFY_H
#define ELISA_DAEMON_NOTIFY_H

/* Seconds for which a receiver that does not read is waited for, once; then not at all until it has read. */
#define ELISA_NOTIFY_SECONDS 5

#define ELISA_NOTIFY_FDS 3u

/*
 * Sends `text` with at most ELISA_NOTIFY_FDS descriptors, which stay the caller's. Does nothing where
 * there is no socket.
 *	-ETIMEDOUT	the receiver is there and does not read
 *	-EAFNOSUPPORT	NOTIFY_SOCKET is neither a path nor a name beginning with '@', or too long
 *	others		of socket(2), setsockopt(2), sendmsg(2): nobody is there, no memory, no descriptor
 */
int elisa_notify(const char *text, const int *fds, unsigned int nb_fds);

#endif
