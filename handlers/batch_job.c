/* batch_job.c - chunks of items: read, run, written with the progress of the job in one transaction. */
#include "handlers/batch_job.h"

#include "base/clock.h"
#include "handlers/backtest_service.h"
#include "handlers/batch_frontier.h"
#include "handlers/batch_report.h"
#include "server/app.h"
#include "store/catalog.h"

#include <stdio.h>

enum {
    CHUNK_MS = 400, /* work between two writes: what a crash costs, and how fine progress is */
    NICE = 10,
    NS_PER_MS = 1000000
};

struct batch {
    struct job_run *run;
    struct app *app;
    struct backtest_service service;
    struct sweep_kept kept;
    struct batch_team *team;
    struct batch_study study;
    struct arena chunk_arena;
    int64_t n_done, n_failed;
    size_t n_studied; /* trials of the study that are written down */
};

unsigned batch_job_threads(const struct config *config)
{
    return config->job_threads > 0 ? config->job_threads : config_cpu_workers(config);
}

static enum status say(struct batch *batch, const char *line)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    enum status s = db_acquire(batch->run->pool, DB_WRITE, NULL, &db, NULL);
    return s == STATUS_OK ? job_log_add(db, batch->run->fence.id, str_of(line), NULL) : s;
}

static enum status lost(struct err *err)
{
    return err_set(err, STATUS_DRAINING, "Another server has taken this job over.");
}

/* What the study knows after this chunk, beside the chunk's rows. */
static enum status write_study(struct batch *batch, struct db *db, int64_t n_done, struct err *err)
{
    struct str trials, state;
    if (!batch->kept.is_sweep)
        return STATUS_OK;
    enum status s = batch_study_keep(&batch->study, batch->n_studied, &batch->chunk_arena, &trials,
                                     &state, err);
    return s != STATUS_OK
               ? s
               : backtest_study_add(db, batch->run->fence.id, n_done, trials, state, err);
}

/* Rows, study and progress together: either a takeover finds all or none. */
static enum status write_rows(struct batch *batch, struct db *db, size_t n, struct err *err)
{
    bool is_held = false;
    int64_t n_done = batch->n_done + (int64_t)n, n_failed = batch->n_failed;
    enum status s = db_begin(db, err);
    for (size_t i = 0; i < n && s == STATUS_OK; i++) {
        const struct backtest_row *row = &batch_team_outcome(batch->team, i)->row;
        s = backtest_item_finish(db, batch->run->fence.id, row, err);
        n_failed += row->error.ptr != NULL;
    }
    if (s == STATUS_OK)
        s = job_progress(db, &batch->run->fence, n_done, n_failed, &is_held, err);
    if (s == STATUS_OK && !is_held)
        s = lost(err);
    if (s == STATUS_OK)
        s = write_study(batch, db, n_done, err);
    if (s == STATUS_OK)
        s = db_commit(db, err);
    if (s != STATUS_OK) {
        db_rollback(db);
        return s;
    }
    batch->n_done = n_done;
    batch->n_failed = n_failed;
    batch->n_studied = batch->study.study.n;
    return STATUS_OK;
}

static enum status keep_chunk(struct batch *batch, size_t n, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    enum status s = db_acquire(batch->run->pool, DB_WRITE, NULL, &db, err);
    return s != STATUS_OK ? s : write_rows(batch, db, n, err);
}

static enum status study_chunk(struct batch *batch, size_t n, struct err *err)
{
    enum status s = STATUS_OK;
    for (size_t i = 0; i < n && batch->kept.is_sweep && s == STATUS_OK; i++)
        s = batch_study_add(&batch->study, batch_team_outcome(batch->team, i), batch->run->arena,
                            err);
    return s;
}

static void count_items(struct batch *batch, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool is_failed = batch_team_outcome(batch->team, i)->row.error.ptr != NULL;
        metrics_add_labeled(batch->app->metrics, METRIC_job_items_total,
                            LABELS(is_failed ? "failed" : "succeeded"), 1);
    }
}

typedef enum status read_items_fn(struct db *db, struct str job_id, int64_t after, size_t max,
                                  struct arena *arena, struct backtest_item *ret, size_t *ret_n,
                                  struct err *err);

static enum status read_chunk(struct batch *batch, read_items_fn *read_items, int64_t after,
                              size_t max, struct backtest_item *items, size_t *ret_n,
                              struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    arena_reset(&batch->chunk_arena);
    enum status s = db_acquire(batch->run->pool, DB_READ, &batch->run->stop, &db, err);
    return s != STATUS_OK ? s
                          : read_items(db, batch->run->fence.id, after, max, &batch->chunk_arena,
                                       items, ret_n, err);
}

/* So many that the next chunk takes about CHUNK_MS. */
static size_t next_size(size_t n, int64_t took_ns, unsigned n_threads)
{
    double wanted = (double)n * CHUNK_MS * NS_PER_MS / ((double)took_ns + 1);
    return wanted > TEAM_ITEMS_MAX ? TEAM_ITEMS_MAX
           : wanted < n_threads    ? n_threads
                                   : (size_t)wanted;
}

/*
 * Walks all items of one kind, in their order. Those that are open are written down; those that another worker finished
 * are run again only when it has left no study: an older version did not.
 */
static enum status walk(struct batch *batch, bool is_open, struct err *err)
{
    struct backtest_item items[TEAM_ITEMS_MAX];
    unsigned n_threads = batch_job_threads(batch->app->config);
    size_t size = n_threads, n = 0;
    int64_t after = -1;
    do {
        int64_t from_ns = clock_mono_ns();
        enum status s = read_chunk(batch, is_open ? backtest_items_open : backtest_items_done,
                                   after, size, items, &n, err);
        if (s == STATUS_OK && n > 0)
            s = batch_team_run(batch->team, &batch->service, batch->kept.base, items, n,
                               batch->kept.is_sweep, &batch->run->stop, err);
        if (s == STATUS_OK)
            count_items(batch, n);
        if (s == STATUS_OK)
            s = study_chunk(batch, n, err);
        if (s == STATUS_OK && n > 0 && is_open)
            s = keep_chunk(batch, n, err);
        if (s != STATUS_OK)
            return s;
        if (n > 0)
            after = items[n - 1].item;
        size = next_size(size, clock_mono_ns() - from_ns, n_threads);
    } while (n > 0);
    return STATUS_OK;
}

static enum status begin(struct batch *batch, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    const struct job_record *job = batch->run->job;
    enum status s = sweep_recall(job->request, batch->run->arena, &batch->kept, err);
    if (s == STATUS_OK)
        s = db_acquire(batch->run->pool, DB_READ, NULL, &db, err);
    if (s == STATUS_OK)
        s = backtest_items_count(db, job->id, &batch->n_done, &batch->n_failed, err);
    batch->study.n_max = (size_t)job->n_items;
    batch->study.kernels = batch->service.kernels;
    if (s != STATUS_OK)
        return s;
    return batch_team_new(batch_job_threads(batch->app->config),
                          (size_t)batch->app->config->request_memory_mib << 20, NICE, &batch->team,
                          err);
}

/* The study of the items that are done, from what the worker before has left. */
static enum status recall_study(struct batch *batch, struct err *err)
{
    struct backtest_study_kept kept;
    bool is_whole = false;
    CLEANUP(db_releasep) struct db *db = NULL;
    enum status s = db_acquire(batch->run->pool, DB_READ, &batch->run->stop, &db, err);
    arena_reset(&batch->chunk_arena);
    if (s == STATUS_OK)
        s = backtest_study_read(db, batch->run->fence.id, &batch->chunk_arena, &kept, err);
    if (s == STATUS_OK)
        s = batch_study_recall(&batch->study, &kept, batch->n_done, batch->run->arena, &is_whole,
                               err);
    db_release(db);
    db = NULL;
    if (s == STATUS_OK && !is_whole)
        s = walk(batch, false, err);
    else
        batch->n_studied = batch->study.study.n;
    return s;
}

/* The whole answer of the one item is made and kept; its futures become the job's result. */
static enum status draw_futures(struct batch *batch, struct str *ret, struct err *err)
{
    struct backtest_answer answer = {.body = STR_NONE};
    struct backtest_item item;
    struct str request = STR_NONE;
    size_t n = 0;
    enum status s = read_chunk(batch, backtest_items_done, -1, 1, &item, &n, err);
    if (s == STATUS_OK && n == 1)
        s = sweep_request(batch->kept.base, &item, batch->run->arena, &request, err);
    if (s == STATUS_OK && n == 1)
        s = backtest_answer_for(&batch->service, request, STR("monte_carlo"), batch->run->arena,
                                &batch->run->stop, &answer, err);
    if (s == STATUS_OK && n == 1)
        *ret = json_data_member(answer.body, "monte_carlo");
    return s;
}

static enum status finish(struct batch *batch, struct str *ret_result, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    struct str futures = STR_NONE, frontier = STR_NONE, no_frontier = STR_NONE;
    enum status drawn = batch->kept.is_montecarlo ? draw_futures(batch, &futures, err)
                        : batch->kept.is_sweep
                            ? batch_frontier(&batch->service, &batch->kept, batch->run->arena,
                                             &batch->run->stop, &frontier, &no_frontier, err)
                            : STATUS_OK;
    const struct overfit_splits *splits = NULL;
    if (drawn == STATUS_OK && batch->kept.is_sweep)
        drawn = batch_study_splits(&batch->study, batch->team, batch->run->arena, &batch->run->stop,
                                   &splits, err);
    if (drawn != STATUS_OK)
        return drawn;
    const struct batch_summary summary = {.job_id = batch->run->fence.id,
                                          .kept = &batch->kept,
                                          .n_items = batch->n_done,
                                          .n_failed = batch->n_failed,
                                          .generation = batch->service.catalog->generation,
                                          .study = batch->kept.is_sweep ? &batch->study : NULL,
                                          .splits = splits,
                                          .futures = futures,
                                          .frontier = frontier,
                                          .no_frontier = no_frontier};
    enum status s = db_acquire(batch->run->pool, DB_READ, NULL, &db, err);
    return s != STATUS_OK ? s : batch_report(db, &summary, batch->run->arena, ret_result, err);
}

static enum status run_batch(struct batch *batch, struct str *ret_result, struct err *err)
{
    char line[160];
    enum status s = begin(batch, err);
    if (s != STATUS_OK)
        return s;
    (void)snprintf(line, sizeof line, "attempt %lld: %lld of %lld %s done, generation %lld",
                   (long long)batch->run->job->attempt, (long long)batch->n_done,
                   (long long)batch->run->job->n_items,
                   str_plural((uint64_t)batch->run->job->n_items, "item is", "items are"),
                   (long long)batch->service.catalog->generation);
    (void)say(batch, line);
    if (batch->n_done > 0 && batch->kept.is_sweep)
        s = recall_study(batch, err);
    if (s == STATUS_OK)
        s = walk(batch, true, err);
    if (s == STATUS_OK)
        s = finish(batch, ret_result, err);
    (void)snprintf(line, sizeof line, "attempt %lld: %s after %lld %s, %lld of them failed",
                   (long long)batch->run->job->attempt,
                   s == STATUS_OK ? "finished" : status_slug(s), (long long)batch->n_done,
                   str_plural((uint64_t)batch->n_done, "item", "items"),
                   (long long)batch->n_failed);
    (void)say(batch, line);
    return s;
}

enum status batch_job_run(struct job_run *run, void *cls, struct str *ret_result, struct err *err)
{
    struct app *app = cls;
    CLEANUP(catalog_unrefp) struct catalog *catalog = catalog_cell_get(app->catalog);
    if (catalog == NULL)
        return err_set(err, STATUS_DB_UNAVAILABLE, "The catalogue has not been loaded yet.");
    struct batch batch = {.run = run, .app = app, .service = backtest_service_of(app, catalog)};
    batch.service.keeper = NULL;    /* what a job has done is stored when it says so */
    batch.service.pool = run->pool; /* the jobs' own */
    arena_init(&batch.chunk_arena, (size_t)app->config->request_memory_mib << 20);
    enum status s = run_batch(&batch, ret_result, err);
    batch_team_free(batch.team);
    arena_clear(&batch.chunk_arena);
    return s;
}
