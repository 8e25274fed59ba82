/* acceptor.c - from the kernel's queue to the polling threads. */
#define _GNU_SOURCE
#include "server/acceptor.h"

#include "server/listen.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    HANDSHAKE_MS = 50, /* for handshakes under way when listening ends */
    LOOK_MS = 1000,    /* between two looks when nothing happens */
    FULL_MS = 20       /* between two looks for room */
};

struct acceptor {
    struct acceptor_options options;
    int wake_fd; /* readable once listening is to end */
    pthread_t thread;
    bool is_quiesced; /* of the thread that owns the acceptor */
    int64_t warned_ns;
};

/* Descriptors or memory have run out: says so at most once a second and lets some time pass. */
static void pause_after(struct acceptor *a, int error)
{
    int64_t now = clock_mono_ns();
    if (now - a->warned_ns > (int64_t)LOOK_MS * 1000000) {
        a->warned_ns = now;
        log_event(LOG_WARN, "accept_failed", LOG_I64("errno", error));
    }
    struct pollfd wake = {.fd = a->wake_fd, .events = POLLIN};
    (void)poll(&wake, 1, FULL_MS);
}

/* Empties the kernel's queue as far as there is room. */
static void accept_all(struct acceptor *a)
{
    while (a->options.has_room(a->options.cls)) {
        struct sockaddr_storage address;
        socklen_t size = sizeof address;
        int fd = accept4(a->options.listen_fd, (struct sockaddr *)(void *)&address, &size,
                         SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            a->options.accepted(a->options.cls, fd, (struct sockaddr *)(void *)&address, size);
            continue;
        }
        if (errno == EAGAIN)
            return;
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            pause_after(a, errno);
            return;
        }
        /* Anything else is about one connection that died in the queue. */
    }
}

static void finish(struct acceptor *a)
{
    listen_drop_new(a->options.listen_fd);
    int64_t until_ns = clock_mono_ns() + (int64_t)HANDSHAKE_MS * 1000000;
    for (int64_t now = clock_mono_ns(); now < until_ns; now = clock_mono_ns()) {
        struct pollfd pollfd = {.fd = a->options.listen_fd, .events = POLLIN};
        (void)poll(&pollfd, 1, (int)((until_ns - now) / 1000000) + 1);
        accept_all(a);
    }
    (void)close(a->options.listen_fd);
}

static void *run(void *cls)
{
    struct acceptor *a = cls;
    for (;;) {
        bool has_room = a->options.has_room(a->options.cls);
        struct pollfd pollfds[2] = {{.fd = a->wake_fd, .events = POLLIN},
                                    {.fd = has_room ? a->options.listen_fd : -1, .events = POLLIN}};
        (void)poll(pollfds, 2, has_room ? LOOK_MS : FULL_MS);
        if (pollfds[0].revents != 0)
            break;
        if (pollfds[1].revents != 0)
            accept_all(a);
    }
    finish(a);
    return NULL;
}

enum status acceptor_new(const struct acceptor_options *options, struct acceptor **ret,
                         struct err *err)
{
    struct acceptor *a = calloc(1, sizeof *a);
    if (a == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory for an acceptor.");
    a->options = *options;
    a->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (a->wake_fd < 0 || pthread_create(&a->thread, NULL, run, a) != 0) {
        if (a->wake_fd >= 0)
            (void)close(a->wake_fd);
        free(a);
        return err_set(err, STATUS_IO, "The acceptor could not be started.");
    }
    *ret = a;
    return STATUS_OK;
}

void acceptor_quiesce(struct acceptor *a)
{
    if (a->is_quiesced)
        return;
    a->is_quiesced = true;
    (void)eventfd_write(a->wake_fd, 1);
    (void)pthread_join(a->thread, NULL);
}

void acceptor_free(struct acceptor *a)
{
    if (a == NULL)
        return;
    acceptor_quiesce(a);
    (void)close(a->wake_fd);
    free(a);
}
