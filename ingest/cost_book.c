/* cost_book.c - see cost_book.h. */
#define _GNU_SOURCE /* getline, strerrordesc_np */
#include "ingest/cost_book.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/date.h"
#include "ingest/dataset.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_BYTES = 512, FIELDS = 17 };

static bool path_of(const char *folder, char ret[PATH_MAX])
{
    int n = snprintf(ret, PATH_MAX, "%s/costs.csv", folder);
    return n > 0 && n < PATH_MAX;
}

void cost_book_add(const char *folder, const char *stage, const struct ingest_task *task,
                   const struct ingest_report *report, enum status s)
{
    char path[PATH_MAX], line[LINE_BYTES], at[INSTANT_TEXT_BYTES];
    char from[DATE_TEXT_BYTES], to[DATE_TEXT_BYTES];
    if (folder == NULL || !path_of(folder, path) || (mkdir(folder, 0777) != 0 && errno != EEXIST))
        return;
    instant_format(clock_wall_s(), at);
    date_format(task->from, from);
    date_format(task->to, to);
    int n = snprintf(line, sizeof line,
                     "%s,%s,%s,%s,%s,%s,%s,%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld\n", at,
                     task->dataset->name, stage, from, to, s == STATUS_OK ? "ok" : status_slug(s),
                     report->provider, (long long)report->requests, (long long)report->bytes,
                     (long long)report->rows_in, (long long)report->rows_out,
                     (long long)report->rejected, (long long)report->s3_puts,
                     (long long)report->s3_lists, (long long)report->s3_gets,
                     (long long)report->s3_bytes, (long long)report->rows_copied);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return;
    if (n > 0 && n < LINE_BYTES)
        (void)!write(fd, line, (size_t)n);
    (void)close(fd);
}

struct sums {
    struct arena *arena;
    struct cost_sum *all;
    size_t n, cap;
};

static struct cost_sum *sum_of(struct sums *sums, struct str month, struct str dataset)
{
    for (size_t i = 0; i < sums->n; i++)
        if (str_eq_c(month, sums->all[i].month) && str_eq_c(dataset, sums->all[i].dataset))
            return &sums->all[i];
    struct cost_sum *all =
        arena_reserve(sums->arena, sums->all, sums->n + 1, &sums->cap, sizeof *all);
    if (all == NULL)
        return NULL;
    sums->all = all;
    struct cost_sum *sum = &sums->all[sums->n++];
    *sum = (struct cost_sum){0};
    (void)snprintf(sum->month, sizeof sum->month, "%.*s", STR_ARG(month));
    (void)snprintf(sum->dataset, sizeof sum->dataset, "%.*s", STR_ARG(dataset));
    return sum;
}

/* False only without memory. */
static bool add_line(struct sums *sums, struct str line)
{
    struct str field[FIELDS + 1];
    int64_t number[FIELDS] = {0};
    size_t n = 0;
    while (n <= FIELDS && str_next_field(&line, ',', &field[n]))
        n++;
    for (size_t i = 7; n == FIELDS && i < FIELDS; i++)
        if (!str_to_i64(field[i], &number[i]))
            n = 0;
    if (n != FIELDS || field[0].len != INSTANT_TEXT_BYTES - 1)
        return true;
    struct cost_sum *sum = sum_of(sums, str_sub(field[0], 0, 7), field[1]);
    if (sum == NULL)
        return false;
    sum->stages++;
    sum->requests += number[7];
    sum->bytes += number[8];
    sum->s3_puts += number[12];
    sum->s3_lists += number[13];
    sum->s3_gets += number[14];
    sum->s3_bytes += number[15];
    sum->rows_copied += number[16];
    return true;
}

enum status cost_book_read(const char *folder, struct arena *arena, struct cost_sum **ret,
                           size_t *ret_n, struct err *err)
{
    struct sums sums = {.arena = arena};
    char path[PATH_MAX];
    char *line = NULL;
    size_t room = 0;
    ssize_t len = 0;
    bool is_fine = true;
    FILE *file = NULL;
    if (path_of(folder, path) && (file = fopen(path, "re")) == NULL && errno != ENOENT)
        return err_set(err, STATUS_IO, "The book of costs cannot be read: %s.",
                       strerrordesc_np(errno));
    while (file != NULL && is_fine && (len = getline(&line, &room, file)) > 0)
        is_fine = line[len - 1] != '\n' || add_line(&sums, (struct str){line, (size_t)len - 1});
    free(line);
    if (file != NULL)
        (void)fclose(file);
    if (!is_fine)
        return err_out_of_memory(err);
    *ret = sums.all;
    *ret_n = sums.n;
    return STATUS_OK;
}
