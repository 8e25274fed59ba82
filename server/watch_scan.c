/* watch_scan.c - one look at every connection for those that take longer than they may, a slice of them under the lock. */
#define _GNU_SOURCE
#include "server/watch_impl.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { SLICE = 128, HALF_CLOSED_IDLE_MS = 1000 };

static uint64_t bytes_received(int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return 0;
    return info.tcpi_bytes_received;
}

/* The library tells nobody that a header began, so the kernel's byte count does. */
static bool is_header_late(struct watch *w, struct conn *conn, int64_t now) REQUIRES(w->lock)
{
    unsigned serial = atomic_load_explicit(&conn->serial, memory_order_relaxed);
    uint64_t bytes =
        conn->header_cut_ns == 0 || conn->seen_serial != serial ? bytes_received(conn->fd) : 0;
    if (conn->seen_serial != serial) {
        conn->seen_serial = serial;
        conn->idle_bytes = bytes;
        conn->header_cut_ns = 0;
    }
    if (conn->header_cut_ns == 0 && bytes > conn->idle_bytes)
        conn->header_cut_ns = now + (int64_t)w->options.header_timeout_ms * 1000000;
    return conn->header_cut_ns != 0 && now >= conn->header_cut_ns;
}

static bool is_late(struct watch *w, struct conn *conn, enum conn_phase phase, int64_t now)
    REQUIRES(w->lock)
{
    int64_t cut_at_ns = atomic_load_explicit(&conn->cut_at_ns, memory_order_relaxed);
    if (phase == CONN_BUSY || conn_cut_phase(conn) != CONN_BUSY)
        return false;
    if (cut_at_ns != 0 && now >= cut_at_ns)
        return true;
    return phase == CONN_IDLE && is_header_late(w, conn, now);
}

/* Looks at up to SLICE connections; false when the round is complete. */
static bool scan_slice(struct watch *w, int64_t now, unsigned n_cut[CONN_PHASES])
{
    lock_take(&w->lock);
    for (int i = 0; i < SLICE && w->cursor != NULL; i++) {
        struct conn *conn = w->cursor;
        w->cursor = conn->next;
        enum conn_phase phase =
            (enum conn_phase)atomic_load_explicit(&conn->phase, memory_order_acquire);
        bool is_left = phase == CONN_IDLE && conn->half_closed_ns != 0 &&
                       now - conn->half_closed_ns >= (int64_t)HALF_CLOSED_IDLE_MS * 1000000;
        bool is_cut = is_late(w, conn, phase, now);
        if (is_cut) {
            atomic_store(&conn->cut_phase, (int)phase);
            n_cut[phase]++;
        }
        if (is_cut || is_left)
            (void)shutdown(conn->fd, SHUT_RDWR);
    }
    bool has_more = w->cursor != NULL;
    lock_give(&w->lock);
    return has_more;
}

void watch_scan(struct watch *w, int64_t now)
{
    unsigned n_cut[CONN_PHASES] = {0};
    lock_take(&w->lock);
    w->cursor = w->first;
    lock_give(&w->lock);
    while (scan_slice(w, now, n_cut))
        continue;
    for (int i = 0; i < CONN_PHASES; i++)
        if (n_cut[i] > 0)
            w->options.cut(w->options.cls, (enum conn_phase)i, n_cut[i]);
}
