/*
 * log_writer.c - the way of log lines to standard error: at once, or through a buffer that a thread empties, so
 * that a request's line costs its thread a copy and not two system calls.
 */
#include "base/log_writer.h"

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"

#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BUFFER_BYTES =
        4 * 1024 * 1024, /* a tenth of a second at 60,000 requests/s; touched only when needed */
    URGENT_BYTES = 256 * 1024, /* written without the delay */
    PIPE_BYTES = 4096,         /* a pipe that can be written to takes at least so many */
    FILE_BYTES = 64 * 1024,    /* a file takes all */
    STUCK_MS = 1000            /* for a reader that takes nothing, before lines are dropped */
};

/* The one writer of the process, as standard error is. */
static struct {
    struct lock lock; /* leaf lock; guards every GUARDED field */
    struct cond has_lines;
    char *filling GUARDED; /* one of buffers */
    size_t len GUARDED;
    bool is_closing GUARDED;
    pthread_t thread;
    atomic_bool is_running;
    char buffers[2][BUFFER_BYTES];
} writer;

/* Standard error takes bytes within the time. */
static bool is_writable(int timeout_ms)
{
    struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&fd, 1, timeout_ms) == 1 && (fd.revents & POLLOUT) != 0;
}

/* Of whole lines, at most max bytes; at least one line. */
static size_t chunk_end(struct str text, size_t from, size_t max)
{
    size_t end = from;
    while (end < text.len) {
        size_t next = str_find(text, '\n', end) + 1;
        if (end > from && next - from > max)
            break;
        end = next;
    }
    return end < text.len ? end : text.len;
}

static unsigned count_lines(struct str text)
{
    unsigned n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n' ? 1 : 0;
    return n;
}

/* On the writer's thread. */
static void write_all(struct str text)
{
    struct stat about;
    bool is_file = fstat(STDERR_FILENO, &about) == 0 && S_ISREG(about.st_mode);
    for (size_t from = 0; from < text.len;) {
        size_t end = chunk_end(text, from, is_file ? FILE_BYTES : PIPE_BYTES);
        if (!is_writable(STUCK_MS)) {
            log_count_dropped(count_lines(str_sub(text, from, text.len)));
            return;
        }
        if (write(STDERR_FILENO, text.ptr + from, end - from) < 0)
            log_count_dropped(count_lines(str_sub(text, from, end)));
        from = end;
    }
}

/* Waits for lines, gives them time to become many, and takes them; none when the writer is closing. */
static struct str take_lines(void)
{
    lock_take(&writer.lock);
    while (writer.len == 0 && !writer.is_closing)
        cond_wait(&writer.has_lines, &writer.lock);
    int64_t until_ns = clock_mono_ns() + (int64_t)LOG_DELAY_MS * 1000000;
    while (writer.len < URGENT_BYTES && !writer.is_closing &&
           cond_wait_until(&writer.has_lines, &writer.lock, until_ns))
        continue;
    struct str taken = {writer.filling, writer.len};
    writer.filling = writer.filling == writer.buffers[0] ? writer.buffers[1] : writer.buffers[0];
    writer.len = 0;
    lock_give(&writer.lock);
    return taken;
}

static void *run(void *cls)
{
    (void)cls;
    for (struct str lines = take_lines(); lines.len > 0; lines = take_lines())
        write_all(lines);
    return NULL;
}

enum status log_start(struct err *err)
{
    lock_init(&writer.lock);
    cond_init(&writer.has_lines);
    lock_take(&writer.lock);
    writer.filling = writer.buffers[0];
    writer.len = 0;
    writer.is_closing = false;
    lock_give(&writer.lock);
    if (pthread_create(&writer.thread, NULL, run, NULL) != 0)
        return err_set(err, STATUS_OUT_OF_MEMORY, "The log's thread could not be started.");
    atomic_store(&writer.is_running, true);
    return STATUS_OK;
}

void log_stop(void)
{
    if (!atomic_exchange(&writer.is_running, false))
        return;
    lock_take(&writer.lock);
    writer.is_closing = true;
    cond_signal(&writer.has_lines);
    lock_give(&writer.lock);
    (void)pthread_join(writer.thread, NULL);
}

/* False when the buffer is full. */
static bool hand_over(struct str line)
{
    lock_take(&writer.lock);
    bool has_room = line.len <= BUFFER_BYTES - writer.len;
    if (has_room) {
        memcpy(writer.filling + writer.len, line.ptr, line.len);
        bool wakes =
            writer.len == 0 || (writer.len < URGENT_BYTES && writer.len + line.len >= URGENT_BYTES);
        writer.len += line.len;
        if (wakes)
            cond_signal(&writer.has_lines);
    }
    lock_give(&writer.lock);
    return has_room;
}

bool log_write(struct str line)
{
    if (atomic_load_explicit(&writer.is_running, memory_order_acquire))
        return hand_over(line);
    return is_writable(0) && write(STDERR_FILENO, line.ptr, line.len) >= 0;
}
