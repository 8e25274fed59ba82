/*
 * watch.c - the thread that watches connections from the side. It holds no reference into the library: it
 * only reads sockets and calls shutdown() on them, under the lock that also guards their closing, so
 * that a descriptor is never touched after it was given back.
 */
#define _GNU_SOURCE
#include "server/watch_impl.h"

#include "base/clock.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 64, HURRY_MS = 250 };

char *conn_address(struct conn *conn)
{
    return conn->address;
}

void conn_enter(struct conn *conn, enum conn_phase phase, int64_t cut_at_ns)
{
    atomic_store_explicit(&conn->cut_at_ns, cut_at_ns, memory_order_relaxed);
    if (phase == CONN_IDLE)
        atomic_fetch_add_explicit(&conn->serial, 1, memory_order_relaxed);
    atomic_store_explicit(&conn->phase, (int)phase, memory_order_release);
}

void conn_hurry(struct conn *conn)
{
    atomic_store_explicit(&conn->cut_at_ns, clock_mono_ns() + (int64_t)HURRY_MS * 1000000,
                          memory_order_relaxed);
}

void conn_cut(struct conn *conn)
{
    (void)shutdown(conn->fd, SHUT_RDWR);
}

void conn_progress(struct conn *conn, int64_t now_ns)
{
    atomic_store_explicit(&conn->progress_ns, now_ns, memory_order_relaxed);
}

enum conn_phase conn_cut_phase(const struct conn *conn)
{
    return (enum conn_phase)atomic_load(&conn->cut_phase);
}

struct conn *watch_open(struct watch *w, int fd)
{
    struct conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL)
        return NULL;
    conn->fd = fd;
    atomic_store(&conn->phase, CONN_IDLE);
    atomic_store(&conn->cut_phase, CONN_BUSY);
    lock_take(&w->lock);
    conn->next = w->first;
    if (w->first != NULL)
        w->first->prev = conn;
    w->first = conn;
    lock_give(&w->lock);
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLET, .data.ptr = conn};
    (void)epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd,
                    &event); /* without it, only leaving goes unseen */
    return conn;
}

static void unwatch(struct watch *w, struct conn *conn) REQUIRES(w->lock)
{
    if (conn->stop == NULL)
        return;
    conn->stop = NULL;
    if (conn->prev_watched == NULL)
        w->first_watched = conn->next_watched;
    else
        conn->prev_watched->next_watched = conn->next_watched;
    if (conn->next_watched != NULL)
        conn->next_watched->prev_watched = conn->prev_watched;
}

void watch_close(struct watch *w, struct conn *conn)
{
    lock_take(&w->lock);
    (void)epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, conn->fd, NULL);
    unwatch(w, conn);
    if (w->cursor == conn)
        w->cursor = conn->next;
    if (conn->prev == NULL)
        w->first = conn->next;
    else
        conn->prev->next = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    conn->is_closed = true;
    conn->next = w->closed;
    w->closed = conn;
    lock_give(&w->lock);
}

void watch_begin(struct watch *w, struct conn *conn, struct stop *stop, int64_t deadline_ns)
{
    lock_take(&w->lock);
    conn->stop = stop;
    conn->deadline_ns = deadline_ns;
    atomic_store_explicit(&conn->progress_ns, 0, memory_order_relaxed);
    conn->prev_watched = NULL;
    conn->next_watched = w->first_watched;
    if (w->first_watched != NULL)
        w->first_watched->prev_watched = conn;
    w->first_watched = conn;
    lock_give(&w->lock);
}

void watch_extend(struct watch *w, struct conn *conn)
{
    lock_take(&w->lock);
    conn->deadline_ns = INT64_MAX;
    lock_give(&w->lock);
}

void watch_end(struct watch *w, struct conn *conn)
{
    lock_take(&w->lock);
    unwatch(w, conn);
    lock_give(&w->lock);
}

void watch_stop_all(struct watch *w, enum stop_reason reason)
{
    lock_take(&w->lock);
    for (struct conn *conn = w->first_watched; conn != NULL; conn = conn->next_watched)
        stop_raise(conn->stop, reason);
    lock_give(&w->lock);
    w->options.stopped(w->options.cls);
}

static bool is_gone(const struct conn *conn, int64_t now)
{
    if (conn->is_reset || conn->half_closed_ns == 0)
        return conn->is_reset;
    int64_t progress_ns = atomic_load_explicit(&conn->progress_ns, memory_order_relaxed);
    if (progress_ns == 0)
        return now - conn->half_closed_ns >= (int64_t)WATCH_GRACE_MS * 1000000;
    int64_t since_ns = progress_ns > conn->half_closed_ns ? progress_ns : conn->half_closed_ns;
    return now - since_ns >= (int64_t)WATCH_STREAM_GRACE_MS * 1000000;
}

/* True when something was raised that was not raised before. */
static bool raise_due(struct watch *w, int64_t now) REQUIRES(w->lock)
{
    bool is_any = false;
    for (struct conn *conn = w->first_watched; conn != NULL; conn = conn->next_watched) {
        if (stop_is_raised(conn->stop))
            continue;
        if (is_gone(conn, now))
            stop_raise(conn->stop, STOP_CLIENT_GONE);
        else if (now >= conn->deadline_ns)
            stop_raise(conn->stop, STOP_DEADLINE);
        else
            continue;
        is_any = true;
    }
    return is_any;
}

static void note_event(struct conn *conn, uint32_t events, int64_t now)
{
    if (conn->is_closed)
        return;
    if (conn->half_closed_ns == 0)
        conn->half_closed_ns = now;
    if ((events & (EPOLLHUP | EPOLLERR)) != 0)
        conn->is_reset = true;
}

static void free_closed(struct watch *w) REQUIRES(w->lock)
{
    while (w->closed != NULL) {
        struct conn *conn = w->closed;
        w->closed = conn->next;
        free(conn);
    }
}

static void *watch_run(void *cls)
{
    struct watch *w = cls;
    int64_t next_scan_ns = 0;
    while (!atomic_load(&w->is_closing)) {
        struct epoll_event events[EVENTS_MAX];
        int n = epoll_wait(w->epoll_fd, events, EVENTS_MAX, WATCH_TICK_MS);
        int64_t now = clock_mono_ns();
        lock_take(&w->lock);
        for (int i = 0; i < n; i++)
            note_event(events[i].data.ptr, events[i].events, now);
        /* Closed ones left the epoll set before they came here: no later event names them. */
        free_closed(w);
        bool is_any = raise_due(w, now);
        lock_give(&w->lock);
        if (is_any)
            w->options.stopped(w->options.cls);
        if (now >= next_scan_ns) {
            watch_scan(w, now);
            next_scan_ns = now + w->scan_ns;
        }
    }
    return NULL;
}

enum status watch_new(const struct watch_options *options, struct watch **ret, struct err *err)
{
    struct watch *w = calloc(1, sizeof *w);
    if (w == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory for the connection watch.");
    w->options = *options;
    unsigned scan_ms = options->header_timeout_ms / 10;
    scan_ms = scan_ms < WATCH_TICK_MS ? WATCH_TICK_MS : scan_ms > 500 ? 500 : scan_ms;
    w->scan_ns = (int64_t)scan_ms * 1000000;
    lock_init(&w->lock);
    w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (w->epoll_fd < 0 || pthread_create(&w->thread, NULL, watch_run, w) != 0) {
        if (w->epoll_fd >= 0)
            (void)close(w->epoll_fd);
        lock_clear(&w->lock);
        free(w);
        return err_set(err, STATUS_IO, "The connection watch could not be started.");
    }
    *ret = w;
    return STATUS_OK;
}

void watch_free(struct watch *w)
{
    if (w == NULL)
        return;
    atomic_store(&w->is_closing, true);
    (void)pthread_join(w->thread, NULL);
    lock_take(&w->lock);
    free_closed(w);
    lock_give(&w->lock);
    (void)close(w->epoll_fd);
    lock_clear(&w->lock);
    free(w);
}
