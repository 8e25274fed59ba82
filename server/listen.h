/* listen.h - listening sockets of our own, so that two servers can share a port while one replaces the other. */
#ifndef SERVER_LISTEN_H
#define SERVER_LISTEN_H

#include "base/err.h"

/*
 * address is numeric, IPv4 or IPv6. The socket does not block. ret_port is the port in use. A port is shared
 * by servers that all say so, and belong to the same user.
 */
enum status listen_open(const char *address, unsigned port, bool shares_port, int *ret_fd,
                        unsigned *ret_port, struct err *err) NODISCARD;

/*
 * From now on the kernel drops attempts to connect instead of answering them: the client tries again a second
 * later and then finds another server on the port, or nobody. Handshakes under way complete and can be accepted.
 */
void listen_drop_new(int fd);

#endif
