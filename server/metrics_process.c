/* metrics_process.c - what the kernel knows about this process: time, memory, descriptors, start. */
#include "server/metrics_process.h"

#include "base/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static bool read_small_file(const char *path, char *room, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, room, size - 1);
    (void)close(fd);
    room[n > 0 ? n : 0] = '\0';
    return n > 0;
}

static void collect_stat(struct metrics *metrics)
{
    char text[2048];
    if (!read_small_file("/proc/self/stat", text, sizeof text))
        return;
    /* The command's name may contain anything, so fields are counted after its closing parenthesis. */
    const char *after = strrchr(text, ')');
    if (after == NULL)
        return;
    struct str rest = str_of(after + 1), field;
    int64_t values[24] = {0}; /* [i] is field i + 3 of proc(5) */
    rest = str_trim(rest);
    for (size_t i = 0; i < ARRAY_LEN(values) && str_next_field(&rest, ' ', &field); i++)
        if (!str_to_i64(field, &values[i]))
            values[i] = 0;
    double ticks = (double)sysconf(_SC_CLK_TCK);
    struct timespec wall, boot;
    if (clock_gettime(CLOCK_REALTIME, &wall) == 0 && clock_gettime(CLOCK_BOOTTIME, &boot) == 0)
        metrics_set(metrics, METRIC_process_start_time_seconds,
                    (double)(wall.tv_sec - boot.tv_sec) + (double)values[19] / ticks);
    metrics_set(metrics, METRIC_process_cpu_seconds_total,
                (double)(values[11] + values[12]) / ticks);
    metrics_set(metrics, METRIC_process_resident_memory_bytes,
                (double)values[21] * (double)sysconf(_SC_PAGESIZE));
}

static void collect_descriptors(struct metrics *metrics)
{
    DIR *dir = opendir("/proc/self/fd");
    if (dir != NULL) {
        int n = -3;                  /* ".", ".." and the descriptor of this listing */
        while (readdir(dir) != NULL) /* NOLINT(concurrency-mt-unsafe): a stream of our own */
            n++;
        (void)closedir(dir);
        metrics_set(metrics, METRIC_process_open_fds, (double)n);
    }
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metrics_set(metrics, METRIC_process_max_fds, (double)limit.rlim_cur);
}

void metrics_collect_process(struct metrics *metrics)
{
    collect_stat(metrics);
    collect_descriptors(metrics);
    metrics_set(metrics, METRIC_log_dropped_total, (double)log_dropped());
}
