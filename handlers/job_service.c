/* job_service.c - see job_service.h. */
#include "handlers/job_service.h"

#include "base/clock.h"
#include "base/date.h"
#include "base/log.h"
#include "handlers/backtest_rate.h"
#include "handlers/batch_job.h"
#include "handlers/ingest_job.h"
#include "handlers/ingest_schedules.h"
#include "handlers/job_watch.h"
#include "jobs/scheduler.h"
#include "store/backtest_item_store.h"
#include "store/backtest_study_store.h"
#include "store/backtest_store.h"

#include <stdlib.h>

enum {
    SCHEDULES_DEFAULT = 1 /* of the setting */,
    NICE = 10,
    ARENA_MIB = 256,
    PURGE_MAX = 20,
    FORGET_EVERY = 24 /* rounds */
};

static const int64_t ms_per_day = 86400000;

struct job_service {
    struct app *app;
    struct db_pool *pool;
    struct jobs *jobs;
    struct job_watch *watch;
    struct backtest_rate rate;
    struct job_type types[2];
    unsigned n_tended;        /* rounds; of the thread that tends, as the next */
    bool must_make_schedules; /* for data sets that have none */
};

unsigned job_service_connections(const struct config *config)
{
    return config->job_slots * (batch_job_threads(config) + 1) + 3;
}

/* A job that is over needs no study; one that cannot be removed now goes with the job. */
static void forget_study(struct job_service *service, struct str id)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    enum status s = db_acquire(service->pool, DB_WRITE, NULL, &db, NULL);
    if (s == STATUS_OK)
        s = backtest_study_delete(db, id, NULL);
    if (s != STATUS_OK)
        log_event(LOG_DEBUG, "study_not_removed", LOG_STR("job", id));
}

static void ended(void *cls, const struct job_record *job, enum job_state state, double seconds)
{
    struct job_service *service = cls;
    const char *type = BATCH_JOB_TYPE;
    for (size_t i = 0; i < ARRAY_LEN(service->types); i++)
        if (str_eq_c(job->type, service->types[i].name))
            type = service->types[i].name;
    metrics_add_labeled(service->app->metrics, METRIC_jobs_total,
                        LABELS(type, job_state_names[state]), 1);
    metrics_observe_labeled(service->app->metrics, METRIC_job_duration_seconds, LABELS(type),
                            seconds);
    log_event(LOG_INFO, "job_ended", LOG_STR("job", job->id), LOG_TEXT("type", type),
              LOG_TEXT("state", job_state_names[state]), LOG_I64("attempt", job->attempt));
    job_watch_poke(service->watch);
    forget_study(service, job->id);
}

static enum status forget_job(struct db *db, struct str id, struct err *err)
{
    enum status s = db_begin(db, err);
    if (s == STATUS_OK)
        s = backtest_items_delete(db, id, err);
    if (s == STATUS_OK)
        s = backtest_study_delete(db, id, err);
    if (s == STATUS_OK)
        s = job_delete(db, id, err);
    if (s == STATUS_OK)
        return db_commit(db, err);
    db_rollback(db);
    return s;
}

static enum status forget_old_jobs(struct job_service *service, struct db *db, struct arena *arena,
                                   struct err *err)
{
    int64_t age_ms = (int64_t)service->app->config->job_days * ms_per_day;
    bool found = true;
    enum status s = STATUS_OK;
    for (int i = 0; i < PURGE_MAX && found && s == STATUS_OK; i++) {
        struct str id;
        s = job_oldest(db, age_ms, arena, &id, &found, err);
        if (s == STATUS_OK && found)
            s = forget_job(db, id, err);
    }
    return s;
}

static enum status forget_old_backtests(struct job_service *service, struct db *db, struct err *err)
{
    const struct config *config = service->app->config;
    char before[INSTANT_TEXT_BYTES] = "";
    int64_t n = 0;
    if (config->backtest_days > 0)
        instant_format(clock_wall_s() - (int64_t)config->backtest_days * 86400, before);
    enum status s = backtest_purge(db, before, (int64_t)config->backtest_results_max, &n, err);
    if (s == STATUS_OK && n > 0)
        log_event(LOG_INFO, "backtests_removed", LOG_I64("n", n));
    return s;
}

static enum status count_jobs(struct job_service *service, struct db *db, struct err *err)
{
    int64_t counts[JOB_STATES];
    enum status s = job_count(db, counts, err);
    for (size_t i = 0; i < JOB_STATES && s == STATUS_OK; i++)
        metrics_set_labeled(service->app->metrics, METRIC_jobs, LABELS(job_state_names[i]),
                            (double)counts[i]);
    return s;
}

static enum status look_at_schedules(struct job_service *service, struct db *db,
                                     struct arena *arena, struct err *err)
{
    size_t n = 0;
    enum status s = STATUS_OK;
    if (service->must_make_schedules)
        s = ingest_default_schedules(db, arena, err);
    if (s != STATUS_OK)
        return s;
    service->must_make_schedules = false;
    s = scheduler_look(db, service->types, ARRAY_LEN(service->types), arena, &n, err);
    if (s == STATUS_OK && n > 0)
        jobs_poke(service->jobs);
    return s;
}

/* Failures are tried again in the next round; readiness tells when there is no database. */
static void tend(void *cls)
{
    struct job_service *service = cls;
    CLEANUP(db_releasep) struct db *db = NULL;
    CLEANUP(arena_clear) struct arena arena;
    struct err err = {0};
    arena_init(&arena, (size_t)1 << 20);
    enum status s = db_acquire(service->pool, DB_WRITE, NULL, &db, &err);
    if (s == STATUS_OK)
        s = look_at_schedules(service, db, &arena, &err);
    if (s == STATUS_OK)
        s = count_jobs(service, db, &err);
    if (s == STATUS_OK)
        s = forget_old_jobs(service, db, &arena, &err);
    if (s == STATUS_OK)
        s = job_once_purge(db, &err);
    /* Counting the finished backtests means looking at all of them: every two minutes will do. */
    bool must_forget = s == STATUS_OK && service->n_tended++ % FORGET_EVERY == 0;
    if (must_forget)
        s = schedule_slots_purge(db, service->app->config->job_days * ms_per_day, &err);
    if (must_forget && s == STATUS_OK)
        s = forget_old_backtests(service, db, &err);
    if (s != STATUS_OK && s != STATUS_DB_UNAVAILABLE && s != STATUS_DB_CONFLICT)
        log_event(LOG_WARN, "jobs_not_tended", LOG_TEXT("detail", err.detail));
}

static enum status start(struct job_service *service, struct err *err)
{
    struct app *app = service->app;
    service->types[0] = (struct job_type){.name = BATCH_JOB_TYPE, .run = batch_job_run, .cls = app};
    service->types[1] = ingest_job_type(app);
    const struct jobs_options options = {.pool = service->pool,
                                         .types = service->types,
                                         .n_types = ARRAY_LEN(service->types),
                                         .n_slots = app->config->job_slots,
                                         .lease_ms = app->config->job_lease_ms,
                                         .nice = NICE,
                                         .arena_bytes = (size_t)ARENA_MIB << 20,
                                         .ended = ended,
                                         .tend = tend,
                                         .cls = service};
    enum status s = backtest_rate_calibrate(&service->rate, err);
    app->backtest_rate = &service->rate;
    if (s == STATUS_OK)
        s = job_watch_new(app, &service->watch, err);
    app->job_watch = service->watch;
    if (s == STATUS_OK)
        s = jobs_new(&options, &service->jobs, err);
    app->jobs = service->jobs;
    return s;
}

enum status job_service_new(struct app *app, struct db_pool *pool, struct job_service **ret,
                            struct err *err)
{
    struct job_service *service = calloc(1, sizeof *service);
    if (service == NULL)
        return err_out_of_memory(err);
    service->app = app;
    service->pool = pool;
    service->must_make_schedules = app->config->schedules == SCHEDULES_DEFAULT;
    *ret = service; /* half made it is the caller's, too: others point to it */
    return start(service, err);
}

void job_service_drain(struct job_service *service)
{
    if (service != NULL && service->jobs != NULL)
        jobs_drain(service->jobs);
}

void job_service_free(struct job_service *service)
{
    if (service == NULL)
        return;
    jobs_free(service->jobs);
    job_watch_free(service->watch);
    free(service);
}
