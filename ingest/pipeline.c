/* pipeline.c - see pipeline.h. */
#include "ingest/pipeline.h"

#include "ingest/cost_book.h"
#include "ingest/lake.h"
#include "store/db.h"

#include <stdio.h>

const char *const ingest_stage_names[INGEST_STAGES] = {[INGEST_BRONZE] = "bronze",
                                                       [INGEST_SILVER] = "silver",
                                                       [INGEST_GOLD] = "gold",
                                                       [INGEST_PUBLISH] = "publish"};

typedef enum status stage_fn(const struct ingest_world *world, const struct ingest_task *task,
                             struct ingest_report *report, const struct stop *stop,
                             struct err *err);
static stage_fn *const stages[INGEST_STAGES] = {[INGEST_BRONZE] = ingest_bronze,
                                                [INGEST_SILVER] = ingest_silver,
                                                [INGEST_GOLD] = ingest_gold,
                                                [INGEST_PUBLISH] = ingest_publish};

static void read_costs(const struct ingest_world *world, struct lake_cost *ret_lake,
                       int64_t *ret_copied)
{
    struct db_stats stats = {0};
    *ret_lake = (struct lake_cost){0};
    if (world->lake != NULL)
        lake_cost(world->lake, ret_lake);
    if (world->warehouse != NULL)
        db_pool_stats(world->warehouse, &stats);
    *ret_copied = stats.copied;
}

enum status ingest_stage_run(const struct ingest_world *world, enum ingest_stage stage,
                             const struct ingest_task *task, struct ingest_report *report,
                             const struct stop *stop, struct err *err)
{
    struct lake_cost before, after;
    int64_t copied_before = 0, copied = 0;
    read_costs(world, &before, &copied_before);
    enum status s = stages[stage](world, task, report, stop, err);
    read_costs(world, &after, &copied);
    report->s3_puts = after.requests[LAKE_PUT] - before.requests[LAKE_PUT];
    report->s3_lists = after.requests[LAKE_LIST] - before.requests[LAKE_LIST];
    report->s3_gets = after.requests[LAKE_GET] - before.requests[LAKE_GET];
    report->s3_bytes = after.bytes - before.bytes;
    report->rows_copied = copied - copied_before;
    cost_book_add(world->folder, ingest_stage_names[stage], task, report, s);
    return s;
}

void ingest_progress_format(size_t n_done, size_t n, const struct ingest_report *report,
                            char line[INGEST_PROGRESS_BYTES])
{
    (void)snprintf(line, INGEST_PROGRESS_BYTES, "%zu of %zu %s, %lld %s, %lld rows", n_done, n,
                   str_plural(n, "symbol", "symbols"), (long long)report->requests,
                   str_plural((uint64_t)report->requests, "request", "requests"),
                   (long long)report->rows_in);
}

void ingest_report_write(const struct ingest_report *report, struct json_out *json)
{
    jw_key_text(json, "provider",
                report->provider[0] == '\0' ? STR_NONE : str_of(report->provider));
    jw_key_i64(json, "requests", report->requests);
    jw_key_i64(json, "bytes", report->bytes);
    jw_key_i64(json, "objects", report->objects);
    jw_key_i64(json, "objects_skipped", report->objects_skipped);
    jw_key_i64(json, "rows_in", report->rows_in);
    jw_key_i64(json, "rows_out", report->rows_out);
    jw_key_i64(json, "rejected", report->rejected);
    jw_key_i64(json, "s3_puts", report->s3_puts);
    jw_key_i64(json, "s3_lists", report->s3_lists);
    jw_key_i64(json, "s3_gets", report->s3_gets);
    jw_key_i64(json, "s3_bytes", report->s3_bytes);
    jw_key_i64(json, "rows_copied", report->rows_copied);
    if (report->quota_left < 0)
        jw_key_null(json, "quota_left");
    else
        jw_key_i64(json, "quota_left", report->quota_left);
    if (report->generation == 0)
        jw_key_null(json, "generation");
    else
        jw_key_i64(json, "generation", report->generation);
    jw_key_text(json, "note", report->note[0] == '\0' ? STR_NONE : str_of(report->note));
}

static bool find(struct str name, unsigned *ret_bit)
{
    for (unsigned i = 0; i < INGEST_STAGES; i++)
        if (str_eq_c(name, ingest_stage_names[i])) {
            *ret_bit = 1U << i;
            return true;
        }
    return false;
}

enum status ingest_stages_parse(struct str text, unsigned *ret, struct err *err)
{
    struct str rest = text, name;
    unsigned bit = 0;
    *ret = 0;
    bool is_good = text.len > 0;
    while (is_good && rest.len > 0 && str_next_field(&rest, ',', &name)) {
        is_good = find(name, &bit) && (*ret & bit) == 0;
        *ret |= bit;
    }
    if (is_good)
        return STATUS_OK;
    (void)err_set(err, STATUS_BAD_VALUE, "These are no stages: %.*s", STR_ARG(text));
    err_allow(err, "bronze, silver, gold, publish, with commas between, each once");
    return STATUS_BAD_VALUE;
}
