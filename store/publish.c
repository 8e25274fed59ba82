/*
 * publish.c - a publish from begin to commit. publish_rows.c takes the rows of a mart, publish_diff.c compares and writes,
 * publish_coverage.c keeps instruments in step with their prices, publish_books.c notes what changed and purges.
 */
#include "store/publish.h"

#include "base/clock.h"
#include "base/date.h"
#include "store/generation.h"
#include "store/publish_impl.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum status publish_no_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while publishing.");
}

enum status publish_exec(struct publish *publish, const struct db_param *params, size_t n_params,
                         int64_t *ret_changed, struct err *err, const char *format, ...)
{
    CLEANUP(arena_clear) struct arena arena;
    arena_init(&arena, (size_t)4 * PUBLISH_SQL_BYTES_MAX);
    char *sql = arena_alloc(&arena, PUBLISH_SQL_BYTES_MAX);
    if (sql == NULL)
        return publish_no_memory(err);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(sql, PUBLISH_SQL_BYTES_MAX, format, args);
    va_end(args);
    if (n < 0 || n >= PUBLISH_SQL_BYTES_MAX)
        return err_set(err, STATUS_TOO_LARGE, "A mart has too many columns to be published.");
    return db_exec(publish->db, sql, params, n_params, ret_changed, err);
}

enum status publish_begin(struct db *db, const struct catalog *catalog, struct publish **ret,
                          struct err *err)
{
    struct publish *publish = calloc(1, sizeof *publish);
    if (publish == NULL)
        return publish_no_memory(err);
    publish->db = db;
    publish->catalog = catalog;
    arena_init(&publish->arena, 4 << 20);
    publish->stages = arena_array(&publish->arena, catalog->n_marts, sizeof *publish->stages);
    instant_format(clock_wall_s(), publish->now);
    int64_t oldest = 0;
    enum status s = publish->stages == NULL ? publish_no_memory(err) : db_begin(db, err);
    if (s == STATUS_OK)
        s = db_lock_writers(db, err);
    if (s == STATUS_OK)
        s = generation_range(db, &oldest, &publish->current, err);
    if (s != STATUS_OK) {
        publish_abort(publish);
        return s;
    }
    publish->next = publish->current + 1;
    (void)snprintf(publish->next_text, sizeof publish->next_text, "%lld", (long long)publish->next);
    (void)snprintf(publish->open_text, sizeof publish->open_text, "%lld",
                   (long long)GENERATION_OPEN);
    *ret = publish;
    return STATUS_OK;
}

void publish_abort(struct publish *publish)
{
    if (publish == NULL)
        return;
    db_copy_abort(publish->db);
    db_rollback(publish->db);
    arena_clear(&publish->arena);
    free(publish);
}

struct stage *publish_stage_of(struct publish *publish, struct str mart)
{
    for (size_t i = 0; i < publish->n_stages; i++)
        if (str_eq(publish->stages[i].mart->name, mart))
            return &publish->stages[i];
    return NULL;
}

static struct publish_result sum_up(const struct publish *publish)
{
    struct publish_result sum = {.staged = publish->n_staged, .generation = publish->current};
    for (size_t i = 0; i < publish->n_stages; i++) {
        sum.inserted += publish->stages[i].changes.inserted;
        sum.updated += publish->stages[i].changes.updated;
        sum.deleted += publish->stages[i].changes.deleted;
    }
    sum.is_changed = sum.inserted + sum.updated + sum.deleted > 0;
    return sum;
}

enum status publish_commit(struct publish *publish, int keep, struct publish_result *ret,
                           struct err *err)
{
    assert(publish->open == NULL && keep >= 1);
    enum status s = coverage_refresh(publish, err);
    struct publish_result result = sum_up(publish);
    if (s == STATUS_OK && result.is_changed) {
        s = publish_write_books(publish, keep, &result, err);
        if (s == STATUS_OK)
            s = db_commit(publish->db, err);
    }
    publish_abort(publish); /* frees it; rolls back unless it was committed */
    if (s == STATUS_OK)
        *ret = result;
    return s;
}
