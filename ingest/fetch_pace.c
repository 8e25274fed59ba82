/* fetch_pace.c - "YYYY-MM-DD count next" in a file that is locked by whoever asks. */
#define _GNU_SOURCE /* flock, strerrordesc_np */
#include "ingest/fetch_pace.h"

#include "base/http_date.h"
#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 64, PATH_BYTES = 1400, POLL_MS = 20, BASE_MS = 500, CAP_MS = 60000 };
enum { MS_PER_DAY = 86400000 };

static enum status failed(const char *what, struct err *err)
{
    return err_set(err, STATUS_IO, "%s of the requests to a source failed: %s.", what,
                   strerrordesc_np(errno));
}

static bool path_of(const char *folder, struct str host, char ret[PATH_BYTES])
{
    int n = snprintf(ret, PATH_BYTES, "%s/%.*s.pace", folder, STR_ARG(host));
    for (char *c = ret + strlen(folder) + 1; n > 0 && *c != '\0'; c++)
        if (*c == '/' || *c == ':')
            *c = '_';
    return n > 0 && n < PATH_BYTES;
}

static enum status lock(int fd, const struct stop *stop, struct err *err)
{
    const struct timespec pause = {0, POLL_MS * 1000000L};
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return failed("Locking the record", err);
        if (stop_is_raised(stop))
            return stop_status(stop, err);
        (void)nanosleep(&pause, NULL);
    }
    return STATUS_OK;
}

static void parse(struct str line, struct pace *ret)
{
    struct str day, count, next;
    int32_t date = 0;
    int64_t n = 0, ms = 0;
    if (str_next_field(&line, ' ', &day) && str_next_field(&line, ' ', &count) &&
        str_next_field(&line, '\n', &next) && date_parse(day, &date) && str_to_i64(count, &n) &&
        str_to_i64(next, &ms) && n >= 0 && n <= UINT32_MAX && ms >= 0) {
        ret->day = date;
        ret->count = (unsigned)n;
        ret->next_ms = ms;
    }
}

enum status pace_hold(const char *folder, struct str host, int64_t now_ms, const struct stop *stop,
                      struct pace *ret, struct err *err)
{
    char path[PATH_BYTES], line[LINE_BYTES];
    struct pace pace = {.fd = -1, .day = DATE_NONE};
    if (!path_of(folder, host, path))
        return err_set(err, STATUS_IO, "The folder for records of requests has too long a name.");
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return failed("Making the folder", err);
    pace.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (pace.fd < 0)
        return failed("Opening the record", err);
    enum status s = lock(pace.fd, stop, err);
    ssize_t n = s == STATUS_OK ? pread(pace.fd, line, sizeof line, 0) : 0;
    if (s == STATUS_OK && n < 0)
        s = failed("Reading the record", err);
    if (s != STATUS_OK) {
        pace_drop(&pace);
        return s;
    }
    parse((struct str){line, (size_t)n}, &pace);
    int32_t today = (int32_t)(now_ms / MS_PER_DAY);
    if (pace.day != today) {
        pace.day = today;
        pace.count = 0;
    }
    *ret = pace;
    return STATUS_OK;
}

enum status pace_save(const struct pace *pace, struct err *err)
{
    char line[LINE_BYTES], day[DATE_TEXT_BYTES];
    date_format(pace->day, day);
    /* As long as any line before it: a kill in between leaves one or the other. */
    int n = snprintf(line, sizeof line, "%s %010u %019lld\n", day, pace->count,
                     (long long)pace->next_ms);
    if (n < 0 || pwrite(pace->fd, line, (size_t)n, 0) != n)
        return failed("Writing the record", err);
    return STATUS_OK;
}

void pace_drop(struct pace *pace)
{
    if (pace->fd >= 0)
        (void)close(pace->fd);
    pace->fd = -1;
}

int64_t pace_left(const struct pace *pace, const struct source_manners *manners)
{
    if (manners->per_day == 0)
        return -1;
    return pace->count < manners->per_day ? (int64_t)manners->per_day - pace->count : 0;
}

int64_t pace_delay_ms(int64_t retry_after_s, unsigned tries, double random)
{
    if (retry_after_s > 0)
        return retry_after_s * 1000;
    int64_t ceiling = tries < 10 ? (int64_t)BASE_MS << tries : CAP_MS;
    return (int64_t)(random * (double)(ceiling < CAP_MS ? ceiling : CAP_MS));
}

int64_t pace_retry_after(struct str header, int64_t now_s)
{
    int64_t value = 0;
    header = str_trim(header);
    if (header.len == 0)
        return 0;
    if (str_to_i64(header, &value))
        return value > 0 && value < 86400 * 7 ? value : 0;
    if (http_date_parse(header, &value) && value > now_s && value - now_s < 86400 * 7)
        return value - now_s;
    return 0;
}
