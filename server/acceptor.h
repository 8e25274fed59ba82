/*
 * acceptor.h - one thread that accepts the connections of one listening socket. The HTTP library could listen
 * itself, but stopping that can abort the process: MHD_quiesce_daemon and a polling thread may both try
 * to take the socket out of the same epoll set, and the loser panics (seen once in sixty shutdowns under load).
 */
#ifndef SERVER_ACCEPTOR_H
#define SERVER_ACCEPTOR_H

#include "base/err.h"

#include <sys/socket.h>

struct acceptor;

struct acceptor_options {
    int listen_fd; /* does not block; owned from a successful acceptor_new on */
    /* Both run on the acceptor's thread. Without room, clients wait in the kernel's queue. */
    bool (*has_room)(void *cls);
    void (*accepted)(void *cls, int fd, const struct sockaddr *address, socklen_t size);
    void *cls;
};

enum status acceptor_new(const struct acceptor_options *options, struct acceptor **ret,
                         struct err *err) NODISCARD;

/*
 * Stops listening without losing anybody: connections that the kernel has completed or is about to complete
 * are accepted first. The thread has ended on return.
 */
void acceptor_quiesce(struct acceptor *acceptor);
void acceptor_free(struct acceptor *acceptor); /* quiesces first if need be */

#endif
