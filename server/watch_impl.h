/* watch_impl.h - what the files of the connection watch share; for them alone. */
#ifndef SERVER_WATCH_IMPL_H
#define SERVER_WATCH_IMPL_H

#include "base/lock.h"
#include "server/watch.h"

#include <stdatomic.h>

struct conn {
    int fd;
    char address[WATCH_ADDRESS_BYTES];
    /* Written by the thread that owns the connection, read by the watch thread. */
    atomic_int phase;
    atomic_uint serial; /* requests completed */
    atomic_int_least64_t cut_at_ns;
    atomic_int cut_phase;
    atomic_int_least64_t progress_ns; /* of a stream; 0 before its first bytes */
    /* The rest is guarded by watch->lock. */
    struct conn *next GUARDED; /* of all, or of the closed ones */
    struct conn *prev GUARDED;
    struct conn *next_watched GUARDED; /* of those with a stop */
    struct conn *prev_watched GUARDED;
    struct stop *stop GUARDED;
    int64_t deadline_ns GUARDED;
    int64_t half_closed_ns GUARDED; /* when the client closed its side; 0: it did not */
    bool is_reset GUARDED;
    bool is_closed GUARDED;
    unsigned seen_serial GUARDED;
    uint64_t idle_bytes GUARDED; /* received in total when the idle phase was first seen */
    int64_t header_cut_ns GUARDED;
};

struct watch {
    struct watch_options options;
    int64_t scan_ns; /* between two looks at idle connections */
    int epoll_fd;
    pthread_t thread;
    atomic_bool is_closing;
    struct lock lock; /* leaf lock; guards the lists and what is marked in struct conn */
    struct conn *first GUARDED;
    struct conn *first_watched GUARDED;
    struct conn
        *closed GUARDED; /* freed by the watch thread when no event can name them any more */
    struct conn *cursor GUARDED; /* next one to scan */
};

/* Shuts down the connections that have idled, dripped a header or body, or not taken an answer for longer than they may. */
void watch_scan(struct watch *w, int64_t now);

#endif
