/* batches.c - POST of batches and sweeps: read, estimated, admitted, queued, and waited for a little. */
#include "handlers/handlers.h"

#include "base/clock.h"
#include "handlers/backtest_service.h"
#include "handlers/batch_cost.h"
#include "handlers/batch_job.h"
#include "handlers/database.h"
#include "handlers/idempotency.h"
#include "handlers/job_answer.h"
#include "handlers/job_watch.h"
#include "handlers/params.h"
#include "handlers/rows_answer.h"
#include "server/app.h"

#include <stdio.h>

enum { WAIT_DEFAULT_S = 2, WAIT_MAX_S = 30, WRITE_MS = 30000 };

typedef enum status parse_fn(struct str body, size_t items_max, struct arena *arena,
                             struct sweep *ret, struct err *err);

/* Prefer (RFC 7240): how long the client wants to wait, 0 with respond-async alone. */
static int64_t wait_s(struct request *request)
{
    struct str prefer = request_header(request, "Prefer"), item;
    int64_t seconds = WAIT_DEFAULT_S, wanted = 0;
    bool is_async = false, has_wait = false;
    while (prefer.ptr != NULL && str_next_field(&prefer, ',', &item)) {
        item = str_trim(item);
        if (str_eq_nocase(item, STR("respond-async")))
            is_async = true;
        else if (str_starts(item, STR("wait=")) &&
                 str_to_i64(str_sub(item, 5, item.len), &wanted) && wanted >= 0) {
            has_wait = true;
            seconds = wanted < WAIT_MAX_S ? wanted : WAIT_MAX_S;
        }
    }
    if (is_async && !has_wait)
        seconds = 0;
    if (has_wait)
        reply_header(request, "Preference-Applied", "%swait=%lld",
                     is_async ? "respond-async, " : "", (long long)seconds);
    else if (is_async)
        reply_header(request, "Preference-Applied", "respond-async");
    return seconds;
}

static enum status too_many_cells(uint64_t cells, uint64_t max, struct err *err)
{
    (void)err_set(err, STATUS_TOO_LARGE,
                  "This batch would visit %llu cells (assets x days x runs).",
                  (unsigned long long)cells);
    err_allow(err, "at most %llu cells in one job: fewer items, assets or years",
              (unsigned long long)max);
    return STATUS_TOO_LARGE;
}

/* One transaction: the key is noted, the limits hold, the job and its items are there; or none of it. */
static enum status write_job(struct request *request, struct db *db, const struct sweep *sweep,
                             const struct job_new *job, const struct idempotency *once,
                             struct str *ret_id, struct err *err)
{
    const struct config *config = request->app->config;
    const struct job_limits limits = {.queued = config->job_queue,
                                      .per_owner = config->jobs_per_key,
                                      .cost_of_owner = (int64_t)config->job_cells_per_key};
    bool is_new = false;
    enum status s = idempotency_job(once, db, job, &limits, &request->arena, ret_id, &is_new, err);
    return s == STATUS_OK && is_new
               ? backtest_items_add(db, job->id, 0, sweep->items, sweep->n_items, err)
               : s;
}

static enum status queue(struct request *request, const struct sweep *sweep, const char *kind,
                         const struct batch_cost *cost, const struct idempotency *once,
                         struct str *ret_id, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    struct str kept;
    enum status s = sweep_keep(sweep, kind, &request->arena, &kept, err);
    const struct job_new job = {.id = str_of(request->id),
                                .type = STR(BATCH_JOB_TYPE),
                                .request = kept,
                                .owner = job_owner(request),
                                .cost = (int64_t)cost->cells,
                                .n_items = (int64_t)sweep->n_items,
                                .priority = 10,
                                .deadline_ms = sweep->deadline_s * 1000};
    if (s == STATUS_OK)
        s = database_acquire(request, DB_WRITE, &db, err);
    if (s != STATUS_OK)
        return s;
    db_limit(db, WRITE_MS);
    s = db_begin(db, err);
    if (s == STATUS_OK)
        s = write_job(request, db, sweep, &job, once, ret_id, err);
    if (s == STATUS_OK)
        s = db_commit(db, err);
    if (s != STATUS_OK)
        db_rollback(db);
    return s;
}

static enum status accept(struct request *request, const char *kind, parse_fn *parse,
                          struct str *ret_id, struct err *err)
{
    CLEANUP(catalog_unrefp) struct catalog *catalog = NULL;
    const struct config *config = request->app->config;
    struct idempotency once;
    struct sweep sweep;
    struct batch_cost cost = {.cells = 0};
    enum status s = params_expect(request, NULL, 0, err);
    if (s == STATUS_OK)
        s = params_json_body(request, err);
    if (s == STATUS_OK)
        s = idempotency_read(request, &once, err);
    if (s == STATUS_OK)
        s = rows_catalog(request, &catalog, err);
    if (s == STATUS_OK)
        s = parse(request->body, config->job_items_max, &request->arena, &sweep, err);
    const struct backtest_service service = backtest_service_of(request->app, catalog);
    if (s == STATUS_OK)
        s = batch_cost(&service, &sweep, &request->stop, &cost, err);
    if (s == STATUS_OK && config->job_cells_per_key > 0 && cost.cells > config->job_cells_per_key)
        s = too_many_cells(cost.cells, config->job_cells_per_key, err);
    if (s == STATUS_OK)
        s = queue(request, &sweep, kind, &cost, &once, ret_id, err);
    if (s == STATUS_GENERATION_RETIRED)
        s = rows_moved_on(err);
    return s;
}

static enum status answer_job(struct request *request, struct str id, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    struct job_record job;
    (void)wait_s(request); /* says again which preference was applied */
    enum status s = database_acquire(request, DB_READ, &db, err);
    if (s == STATUS_OK)
        s = job_find(request, db, id, &job, err);
    return s != STATUS_OK ? s : job_reply(request, &job, job_is_over(job.state) ? 201 : 202, err);
}

/* Called again when the job is over, or the time to wait for it. */
static enum status create(struct request *request, const char *kind, parse_fn *parse,
                          struct err *err)
{
    if (request->kept != NULL)
        return answer_job(request, str_of(request->kept), err);
    struct str id = STR_NONE;
    enum status s = accept(request, kind, parse, &id, err);
    if (s != STATUS_OK)
        return s;
    if (request->app->jobs != NULL)
        jobs_poke(request->app->jobs);
    int64_t seconds = wait_s(request);
    request->kept = arena_dup(&request->arena, id);
    if (request->kept == NULL)
        return err_out_of_memory(err);
    if (seconds == 0 || job_watch_wait(request->app->job_watch, request, id,
                                       clock_mono_ns() + seconds * 1000000000, NULL) != STATUS_OK)
        return answer_job(request, id, err);
    return request_park(request);
}

enum status backtests_batch(struct request *request, struct err *err)
{
    return create(request, "batch", batch_parse, err);
}

enum status backtests_montecarlo(struct request *request, struct err *err)
{
    return create(request, "montecarlo", montecarlo_parse, err);
}

enum status backtests_sweep(struct request *request, struct err *err)
{
    return create(request, "sweep", sweep_parse, err);
}
