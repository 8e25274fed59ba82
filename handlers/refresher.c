/* refresher.c - migrations at start, then one cheap look for new generations per round. */
#include "handlers/refresher.h"

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "handlers/caching.h"
#include "handlers/export_file.h"
#include "store/catalog.h"
#include "store/db_listen.h"
#include "store/migrate.h"

#include <stdlib.h>
#include <time.h>

enum { NS_PER_MS = 1000000, LISTEN_SLICE_MS = 100, RETRY_FIRST_MS = 250, RETRY_MAX_MS = 8000 };

struct refresher {
    struct app *app;
    pthread_t thread, listener;
    bool is_running;   /* the thread exists; the owner's own */
    bool is_listening; /* likewise */
    bool is_migrated;  /* of the thread that runs rounds */
    enum status last;  /* result of the last round, to log changes only */
    struct lock lock;  /* leaf lock; guards every GUARDED field below */
    struct cond woken;
    bool must_stop GUARDED;
    bool is_asked GUARDED;     /* for a round before its time */
    struct err reason GUARDED; /* why the last round failed */
    bool is_database_up GUARDED;
    bool has_catalog GUARDED;
};

static enum status check_database(void *cls, struct err *err)
{
    struct refresher *refresher = cls;
    lock_take(&refresher->lock);
    bool is_up = refresher->is_database_up;
    struct err reason = refresher->reason;
    lock_give(&refresher->lock);
    return is_up ? STATUS_OK : err_set(err, STATUS_DB_UNAVAILABLE, "%s", reason.detail);
}

static enum status check_catalogue(void *cls, struct err *err)
{
    struct refresher *refresher = cls;
    lock_take(&refresher->lock);
    bool is_loaded = refresher->has_catalog;
    lock_give(&refresher->lock);
    return is_loaded
               ? STATUS_OK
               : err_set(err, STATUS_DB_UNAVAILABLE, "The catalogue has not been loaded yet.");
}

static void collect_database(struct refresher *refresher, struct metrics *metrics)
{
    static const char *const reasons[DB_CANCELS] = {
        [DB_CANCEL_CLIENT_GONE] = "client_gone",
        [DB_CANCEL_DEADLINE] = "deadline",
        [DB_CANCEL_DRAINING] = "draining",
        [DB_CANCEL_ABANDONED] = "abandoned",
    };
    struct db_stats stats;
    db_pool_stats(refresher->app->db, &stats);
    metrics_set_labeled(metrics, METRIC_db_pool, LABELS("in_use"), stats.in_use);
    metrics_set_labeled(metrics, METRIC_db_pool, LABELS("open"), stats.open);
    metrics_set_labeled(metrics, METRIC_db_pool, LABELS("waiting"), stats.waiting);
    metrics_set_labeled(metrics, METRIC_db_pool, LABELS("max"), stats.max);
    for (size_t i = 0; i < DB_CANCELS; i++)
        metrics_set_labeled(metrics, METRIC_pg_cancelled_total, LABELS(reasons[i]),
                            (double)stats.cancelled[i]);
}

/* Gauges of each served mart; unmanaged marts have no generation to show. */
static void collect(struct metrics *metrics, void *cls)
{
    struct refresher *refresher = cls;
    collect_database(refresher, metrics);
    CLEANUP(catalog_unrefp) struct catalog *catalog = catalog_cell_get(refresher->app->catalog);
    for (size_t i = 0; catalog != NULL && i < catalog->n_marts; i++) {
        const struct mart *mart = &catalog->marts[i];
        char name[128];
        struct str cut = str_utf8_cut(mart->name, sizeof name - 1);
        if (!mart->is_managed || mart->generation == 0)
            continue;
        for (size_t k = 0; k < cut.len; k++)
            name[k] = cut.ptr[k];
        name[cut.len] = '\0';
        metrics_set_labeled(metrics, METRIC_mart_generation, LABELS(name),
                            (double)mart->generation);
        metrics_set_labeled(metrics, METRIC_mart_rows, LABELS(name), (double)mart->n_rows);
        metrics_set_labeled(metrics, METRIC_mart_age_seconds, LABELS(name),
                            (double)(clock_wall_s() - mart->published_at));
    }
}

static enum status round_of(struct refresher *refresher, struct err *err)
{
    bool is_changed = false;
    if (!refresher->is_migrated) {
        int n_applied = 0;
        enum status s = migrate_up(refresher->app->db, &n_applied, err);
        if (s != STATUS_OK)
            return s;
        refresher->is_migrated = true;
        log_event(LOG_INFO, "migrated", LOG_I64("applied", n_applied));
    }
    enum status s =
        catalog_cell_refresh(refresher->app->catalog, refresher->app->db, &is_changed, err);
    if (s != STATUS_OK || !is_changed)
        return s;
    CLEANUP(catalog_unrefp) struct catalog *catalog = catalog_cell_get(refresher->app->catalog);
    log_event(LOG_INFO, "catalogue_loaded", LOG_I64("marts", (int64_t)catalog->n_marts),
              LOG_I64("generation", catalog->generation));
    atomic_store(&refresher->app->is_started, true);
    export_retire(refresher->app->config, catalog);
    if (refresher->app->caching != NULL)
        caching_moved(refresher->app->caching, catalog->generation);
    return STATUS_OK;
}

/* Only a change of state is logged: a database that is down for an hour is one line, not 3,600. */
static void note(struct refresher *refresher, enum status s, const struct err *err)
{
    if (s != refresher->last && s != STATUS_OK)
        log_event(LOG_WARN, "refresh_failed", LOG_TEXT("status", status_name(s)),
                  LOG_TEXT("detail", err->detail));
    else if (s != refresher->last)
        log_event(LOG_INFO, "refresh_recovered", LOG_TEXT("after", status_name(refresher->last)));
    refresher->last = s;
    lock_take(&refresher->lock);
    refresher->is_database_up = s == STATUS_OK;
    refresher->has_catalog = refresher->has_catalog || s == STATUS_OK;
    refresher->reason = *err;
    lock_give(&refresher->lock);
}

/* Whether every connection is lent: then none for a round says nothing of the database. */
static bool is_crowded(const struct refresher *refresher)
{
    struct db_stats stats;
    db_pool_stats(refresher->app->db, &stats);
    return stats.in_use == stats.max;
}

void refresher_run_once(struct refresher *refresher)
{
    struct err err = {0};
    enum status s = round_of(refresher, &err);
    if (s != STATUS_DB_UNAVAILABLE || !is_crowded(refresher))
        note(refresher, s, &err);
}

void refresher_wake(struct refresher *refresher)
{
    lock_take(&refresher->lock);
    refresher->is_asked = true;
    cond_signal(&refresher->woken);
    lock_give(&refresher->lock);
}

/* Waits until the next round is due or asked for; false when it is time to end. */
static bool wait_round(struct refresher *refresher)
{
    int64_t now_ns = clock_mono_ns();
    int64_t due_ns = now_ns + (int64_t)refresher->app->config->refresh_ms * NS_PER_MS;
    int64_t pause_ns = now_ns + (int64_t)REFRESH_PAUSE_MS * NS_PER_MS;
    lock_take(&refresher->lock);
    for (;;) {
        int64_t until_ns = refresher->is_asked && pause_ns < due_ns ? pause_ns : due_ns;
        if (refresher->must_stop || clock_mono_ns() >= until_ns)
            break;
        (void)cond_wait_until(&refresher->woken, &refresher->lock, until_ns);
    }
    bool must_stop = refresher->must_stop;
    refresher->is_asked = false;
    lock_give(&refresher->lock);
    return !must_stop;
}

static void *thread_main(void *arg)
{
    struct refresher *refresher = arg;
    while (wait_round(refresher))
        refresher_run_once(refresher);
    return NULL;
}

static bool must_stop(struct refresher *refresher)
{
    lock_take(&refresher->lock);
    bool is_over = refresher->must_stop;
    lock_give(&refresher->lock);
    return is_over;
}

/* Hears until the connection is lost or it is time to end. What was said while nobody listened is looked up first. */
static void listen_on(struct refresher *refresher, struct db_listener *listener)
{
    bool is_heard = true;
    do {
        if (is_heard)
            refresher_wake(refresher);
    } while (!must_stop(refresher) &&
             db_listen_wait(listener, LISTEN_SLICE_MS, &is_heard, NULL) == STATUS_OK);
}

static void *listener_main(void *arg)
{
    static const char *const channels[] = {"mart_published", "cmmc_reload", NULL};
    struct refresher *refresher = arg;
    unsigned retry_ms = RETRY_FIRST_MS;
    while (!must_stop(refresher)) {
        struct db_listener *listener = NULL;
        if (db_listen(refresher->app->db, channels, &listener, NULL) == STATUS_OK) {
            retry_ms = RETRY_FIRST_MS;
            listen_on(refresher, listener);
        }
        db_listener_free(listener);
        int64_t until_ns = clock_mono_ns() + (int64_t)retry_ms * NS_PER_MS;
        while (clock_mono_ns() < until_ns && !must_stop(refresher))
            (void)nanosleep(&(struct timespec){.tv_nsec = (long)LISTEN_SLICE_MS * NS_PER_MS}, NULL);
        retry_ms = 2 * retry_ms < RETRY_MAX_MS ? 2 * retry_ms : RETRY_MAX_MS;
    }
    return NULL;
}

enum status refresher_new(struct app *app, struct refresher **ret, struct err *err)
{
    struct refresher *refresher = calloc(1, sizeof *refresher);
    if (refresher == NULL)
        return err_out_of_memory(err);
    refresher->app = app;
    lock_init(&refresher->lock);
    cond_init(&refresher->woken);
    bool has_room = app_add_check(app, "database", check_database, refresher, true) &&
                    app_add_check(app, "catalogue", check_catalogue, refresher, true);
    metrics_collector(app->metrics, collect, refresher);
    if (!has_room) {
        refresher_free(refresher);
        return err_set(err, STATUS_INTERNAL, "There is no room for another readiness check.");
    }
    *ret = refresher;
    return STATUS_OK;
}

enum status refresher_start(struct refresher *refresher, struct err *err)
{
    if (pthread_create(&refresher->thread, NULL, thread_main, refresher) != 0)
        return err_set(err, STATUS_OUT_OF_MEMORY, "A thread cannot be started.");
    refresher->is_running = true;
    if (refresher->app->config->database_url[0] == '\0')
        return STATUS_OK; /* nobody notifies */
    if (pthread_create(&refresher->listener, NULL, listener_main, refresher) != 0)
        return err_set(err, STATUS_OUT_OF_MEMORY, "A thread cannot be started.");
    refresher->is_listening = true;
    return STATUS_OK;
}

void refresher_free(struct refresher *refresher)
{
    if (refresher == NULL)
        return;
    if (refresher->is_running) {
        lock_take(&refresher->lock);
        refresher->must_stop = true;
        cond_signal(&refresher->woken);
        lock_give(&refresher->lock);
        (void)pthread_join(refresher->thread, NULL);
        if (refresher->is_listening)
            (void)pthread_join(refresher->listener, NULL);
    }
    cond_clear(&refresher->woken);
    lock_clear(&refresher->lock);
    free(refresher);
}
